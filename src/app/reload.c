#include "app/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/door.h"

/* The file of settings, or NULL for none. */
static const char *find_file(const struct cli *cli, char buf[CONFIG_PATH_MAX]) {
    if (cli->config_path || !cli->data)
        return cli->config_path;
    int n = snprintf(buf, CONFIG_PATH_MAX, "%s/pulseboard.json", cli->data);
    bool there = n < CONFIG_PATH_MAX && access(buf, F_OK) == 0;
    return there ? buf : NULL;
}

/* The command line of this host finds us in the data folder, unless told otherwise; not
 * in one whose path is too long for a socket's. */
static void place_socket(const struct cli *cli, struct config *c) {
    if (c->socket[0] || !cli->data)
        return;
    int n = snprintf(c->socket, sizeof c->socket, "%s/pulseboard.sock", cli->data);
    if (n > (int)DOOR_PATH_MAX)
        c->socket[0] = '\0';
}

int reload_settings(const struct cli *cli, struct config *out,
                    struct config_report *r) {
    char buf[CONFIG_PATH_MAX];
    const char *path = find_file(cli, buf);
    config_default(out);
    int rc = path ? config_file(out, path, r) : 0;
    if (rc)
        return rc;
    cli_apply(cli, out);
    place_socket(cli, out);
    rc = config_check(out, r);
    if (rc == 0 && config_plain(out) == PLAIN_OFF)
        out->listen.n = 0;
    return rc;
}

/* Keeps the first problem, for a log line. */
static void keep_first(void *ctx, const char *line) {
    char *first = ctx;
    if (!first[0])
        snprintf(first, LOG_LINE_MAX / 2, "%s", line);
}

static bool reload_tls(struct identity *id, const char *path) {
    char why[256], quoted[256];
    if (!id || identity_use_file(id, path, why, sizeof why) == 0)
        return true;
    log_warn("reload_refused", "file=%s problem=%s",
             log_quote(quoted, sizeof quoted / 2, path),
             log_quote(quoted + sizeof quoted / 2, sizeof quoted / 2, why));
    return false;
}

/* Names the options that have another value now and only take it at a start. */
static void tell_restart(const struct config *now, const struct config *next) {
    char keys[256] = "";
    size_t n = 0;
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (!o->reloads && !option_same(o, now, next) && n < sizeof keys)
            n += (size_t)snprintf(keys + n, sizeof keys - n, "%s%s", n ? "," : "",
                                  o->key);
    }
    if (n > 0)
        log_notice("restart_needed", "keys=%s", keys);
}

const struct reload_hosts *reload_fill_hosts(struct reload *r) {
    r->turn ^= 1;
    struct reload_hosts *h = &r->hosts[r->turn];
    h->list = r->now->allow_hosts;
    for (uint32_t i = 0; i < h->list.n; i++)
        h->names[i] = h->list.item[i];
    return h;
}

void reload_hosts_again(struct reload *r) {
    const struct reload_hosts *h = reload_fill_hosts(r);
    httpd_set_hosts(r->httpd, h->names, h->list.n);
}

static void apply(struct reload *r, const struct config *next) {
    if (next->log_level != r->now->log_level)
        log_set_level((enum log_level)next->log_level);
    r->now->log_level = next->log_level;
    r->now->allow_hosts = next->allow_hosts;
    memcpy(r->now->tls_pem, next->tls_pem, sizeof r->now->tls_pem);
    reload_hosts_again(r);
    if (r->upkeep)
        upkeep_hurry(r->upkeep);
}

void reload_now(struct reload *r) {
    struct config next;
    char first[LOG_LINE_MAX / 2] = "", quoted[LOG_LINE_MAX / 2];
    struct config_report report = {.say = keep_first, .ctx = first};
    if (reload_settings(r->cli, &next, &report) != 0) {
        log_warn("reload_refused", "problems=%u first=%s", report.problems,
                 log_quote(quoted, sizeof quoted, first));
        return;
    }
    if (!reload_tls(r->identity, next.tls_pem))
        return;
    tell_restart(r->now, &next);
    apply(r, &next);
    log_info("reloaded", "file=%s", log_quote(quoted, sizeof quoted, report.path));
}
