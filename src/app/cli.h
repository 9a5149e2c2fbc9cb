#pragma once
/* The command line. Pure but for the help, which goes to the stream given. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "app/config.h"
#include "app/option.h"
#include "app/update_cmd.h"
#include "app/updater_cmd.h"

#define CLI_PAIRS 32    /* readings of `publish` in one command line */
#define CLI_SETTINGS 64 /* options of `serve` in one command line */

enum cli_command {
    CLI_SERVE,
    CLI_STATS,
    CLI_PUBLISH,
    CLI_PASSWD,
    CLI_TOKEN,
    CLI_CHECK_CONFIG,
    CLI_UPDATE,
    CLI_UPDATER,
    CLI_FIRST_BOOT,
    CLI_ROUTES,
    CLI_HELP, /* of `about`, or of everything */
    CLI_VERSION,
};

struct cli {
    enum cli_command command;
    const char *about;       /* the command that was named, for the help; or NULL */
    const char *config_path; /* SERVE, CHECK_CONFIG, FIRST_BOOT; NULL: none */
    const char *data;        /* SERVE, PASSWD, TOKEN; NULL: none */
    const char *url;         /* STATS */
    bool json;               /* STATS */
    /* PUBLISH: where to (else to statsd), and what. Points into argv. */
    const char *socket, *token, *unit, *label, *kind;
    const char *pairs[CLI_PAIRS]; /* NAME=VALUE */
    size_t n_pairs;
    /* PASSWD, TOKEN, with data and socket. */
    const char *verb, *name; /* TOKEN: add NAME, list, revoke ID */
    bool viewer, admin;      /* whose password; the role of a token */
    uint32_t days;           /* until it ends; 0: never does */
    /* SERVE: what to lay over the file, now and at every reload. Points into argv. */
    struct cli_setting {
        const struct option *o;
        const char *value;
    } set[CLI_SETTINGS];
    size_t n_set;
    struct update_args update;   /* UPDATE */
    struct updater_args updater; /* UPDATER */
};

#define CLI_WHY_MAX 512

/* 0, or -EINVAL and why: a usage error. */
int cli_parse(struct cli *cli, int argc, char *const *argv, char why[CLI_WHY_MAX]);

/* Lays the settings over *c; they were tried before, so they are right. */
void cli_apply(const struct cli *cli, struct config *c);

void cli_help(FILE *out, const char *about);
