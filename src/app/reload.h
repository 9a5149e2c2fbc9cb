#pragma once
/* Building the settings from their layers, and what SIGHUP changes. Main thread. */
#include "app/cli.h"
#include "app/identity.h"
#include "app/upkeep.h"
#include "http/httpd.h"

/* The defaults, the file that the command line names, the command line. 0, or -errno
 * after every problem was reported. */
int reload_settings(const struct cli *cli, struct config *out, struct config_report *r);

/* What a reload changes while everything runs. */
struct reload {
    const struct cli *cli;
    struct config *now;
    struct identity *identity; /* NULL: no TLS */
    struct upkeep *upkeep;     /* of it */
    struct httpd *httpd;
    /* Names that workers compare with Host: one set in use, one to fill. */
    struct reload_hosts {
        struct config_list list;
        const char *names[CONFIG_ITEMS];
    } hosts[2];
    unsigned turn;
};

/* Puts the names of *now where hosts[turn] is, and turns; returns them. */
const struct reload_hosts *reload_fill_hosts(struct reload *r);

/* The names of *now once more, since this machine's own may have changed. */
void reload_hosts_again(struct reload *r);

/* Reads the settings again and applies what can change. What is wrong changes nothing
 * and is logged. */
void reload_now(struct reload *r);
