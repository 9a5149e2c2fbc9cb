#pragma once
/* The settings of the program. Built in layers: defaults, then the file, then the
 * command line. Main thread; whoever needs a setting gets a copy in its own opts. */
#include <stddef.h>
#include <stdint.h>

#include "http/plain.h"

#define CONFIG_OPTIONS 30   /* rows of the table in option.c */
#define CONFIG_ITEMS 8      /* elements of a list */
#define CONFIG_ITEM_MAX 128 /* bytes of one, with its NUL */
#define CONFIG_PATH_MAX 1024
#define CONFIG_NAME_MAX 64
#define CONFIG_FILE_MAX (64u * 1024)

struct config_list {
    uint32_t n;
    char item[CONFIG_ITEMS][CONFIG_ITEM_MAX];
};

struct config {
    struct config_list listen, tls_listen, allow_hosts;
    char user[33];                  /* for root; "": see sec/sandbox.h */
    char watchdog[CONFIG_PATH_MAX]; /* a device; "": none */
    char contact[CONFIG_ITEM_MAX], contact_expires[40]; /* of security.txt */
    char http[16]; /* enum plain_mode as a word; "": see config_plain() */
    char tls_pem[CONFIG_PATH_MAX];
    char socket[CONFIG_PATH_MAX];
    char updater_socket[CONFIG_PATH_MAX];
    char probe_root[CONFIG_PATH_MAX];
    char name[CONFIG_NAME_MAX];
    uint32_t max_sessions, lobby, max_message, max_asked, sample_ms;
    uint32_t history_save_s;
    uint32_t heartbeat_start_ms, heartbeat_min_ms, heartbeat_max_ms;
    uint32_t login_idle_s, login_max_s;
    char statsd[CONFIG_ITEM_MAX]; /* ADDR:PORT or "off" */
    char statsd_socket[CONFIG_PATH_MAX];
    uint32_t own_metrics, own_stale_s, own_forget_s;
    uint32_t log_level; /* enum log_level */
};

/* Takes what is wrong with a configuration: a line per problem, without its newline,
 * that names the file, the line in it and the key. Owner: whoever loads. */
struct config_report {
    void (*say)(void *ctx, const char *line);
    void *ctx;
    unsigned problems;
    char path[CONFIG_PATH_MAX];    /* of the file; empty: none was read */
    unsigned line[CONFIG_OPTIONS]; /* where the file sets an option, 0: it does not */
};

void config_default(struct config *c);

/* Lays the file over *c. 0; -errno when it cannot be read, -EINVAL when it is wrong:
 * reported in full, and *c is then half changed. */
int config_file(struct config *c, const char *path, struct config_report *r);

/* The same for a text at hand, which is changed: comments become spaces. Pure. */
int config_text(struct config *c, const char *path, char *text, size_t n,
                struct config_report *r);

/* What plain HTTP is good for: as configured, else everything, and beside HTTPS only to
 * look. Pure. */
enum plain_mode config_plain(const struct config *c);

/* What only the whole can tell: 0, or -EINVAL and reported. Pure. */
int config_check(const struct config *c, struct config_report *r);
