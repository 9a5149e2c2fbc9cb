#include "app/option.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "http/door.h"
#include "http/lobby.h"
#include "telemetry/sampler.h"

static const char *address_wrong(const char *v) {
    struct door door;
    return door_parse(v, &door) == 0 ? NULL : "is not ADDR:PORT";
}

static const char *socket_wrong(const char *v) {
    return strlen(v) > DOOR_PATH_MAX ? "is too long for a socket" : NULL;
}

static bool six_ok(const char *v, size_t n) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip;
    if (n < 3 || v[0] != '[' || v[n - 1] != ']' || n - 2 >= sizeof text)
        return false;
    memcpy(text, v + 1, n - 2);
    text[n - 2] = '\0';
    return inet_pton(AF_INET6, text, &ip) == 1;
}

static const char *host_wrong(const char *v) {
    static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789.-_";
    size_t n = strlen(v);
    if (six_ok(v, n) || (n > 0 && v[strspn(v, may)] == '\0'))
        return NULL;
    return "is not a host name or address (without a port)";
}

static const char *statsd_wrong(const char *v) {
    bool good = strcmp(v, "off") == 0 || !address_wrong(v);
    return good ? NULL : "is neither ADDR:PORT nor off";
}

static const char *plain_wrong(const char *v) {
    enum plain_mode mode;
    return plain_parse(v, &mode) == 0 ? NULL
                                      : "is not one of full, view, redirect, off";
}

#define FIELD(member) .at = offsetof(struct config, member)
#define TEXT(member)                                                                   \
    .type = OPTION_TEXT, .max = sizeof((struct config *)0)->member - 1, FIELD(member)
#define LIST(member) .type = OPTION_LIST, FIELD(member)
#define UINT(member, least, most)                                                      \
    .type = OPTION_UINT, .min = (least), .max = (most), FIELD(member)

/* In the order of the help. */
static const struct option table[] = {
    {"listen", "listen", "ADDR:PORT", "serve HTTP here (repeatable)", "127.0.0.1:8080",
     LIST(listen), .wrong = address_wrong},
    {"tls_listen", "tls-listen", "ADDR:PORT", "serve HTTPS here (repeatable)", NULL,
     LIST(tls_listen), .wrong = address_wrong},
    {"tls_pem", "tls-pem", "FILE", "certificate chain and key for HTTPS, in one file",
     NULL, TEXT(tls_pem), .reloads = true},
    {"socket", "socket", "PATH",
     "Unix socket for this host itself [pulseboard.sock in --data]", NULL, TEXT(socket),
     .wrong = socket_wrong},
    {"user", "user", "NAME",
     "started by root: become this user; default: pulseboard, else nobody", NULL,
     TEXT(user)},
    {"watchdog", "watchdog", "DEVICE", "feed this hardware watchdog while we answer",
     NULL, TEXT(watchdog)},
    {"http", "http", "MODE",
     "plain HTTP: full, view (beside HTTPS the default), redirect, off", NULL,
     TEXT(http), .wrong = plain_wrong},
    {"allow_hosts", "allow-host", "NAME",
     "a further name by which browsers reach this host (repeatable)", NULL,
     LIST(allow_hosts), .wrong = host_wrong, .reloads = true},
    {"name", "name", "TEXT", "title of the dashboard", "Pulseboard", TEXT(name)},
    {"max_sessions", "max-sessions", "N", "viewers at a time", "64",
     UINT(max_sessions, 1, LIM_SESSIONS_MAX)},
    {"lobby", "lobby", "N", "connections at a time that are no viewers", "64",
     UINT(lobby, 8, LOBBY_SEATS_MAX)},
    {"max_message", "max-message", "BYTES", "longest message a viewer may send",
     "16384", UINT(max_message, 1024, 1024 * 1024)},
    {"max_asked", "max-asked", "N", "messages that a viewer may send in a minute",
     "6000", UINT(max_asked, 10, 1000000)},
    {"sample_ms", "sample-ms", "MS", "time from one sample to the next", "1000",
     UINT(sample_ms, SAMPLER_MS_MIN, SAMPLER_MS_MAX)},
    {"history.save_s", "history-save-s", "S",
     "history is written to the data folder so often", "900",
     UINT(history_save_s, 1, 86400)},
    {"heartbeat.start_ms", "heartbeat-start-ms", "MS", "heartbeat of a new session",
     "15000", UINT(heartbeat_start_ms, 100, 600000)},
    {"heartbeat.min_ms", "heartbeat-min-ms", "MS",
     "heartbeat of one that misses or jitters", "5000",
     UINT(heartbeat_min_ms, 100, 600000)},
    {"heartbeat.max_ms", "heartbeat-max-ms", "MS",
     "heartbeat of one that answers steadily", "60000",
     UINT(heartbeat_max_ms, 100, 600000)},
    {"statsd", "statsd", "ADDR:PORT|off",
     "take readings of programs as statsd datagrams here", "127.0.0.1:8125",
     TEXT(statsd), .wrong = statsd_wrong},
    {"statsd_socket", "statsd-socket", "PATH",
     "take them on this Unix datagram socket too", NULL, TEXT(statsd_socket)},
    {"own_metrics", "own-metrics", "N", "metrics that programs may make of them", "64",
     UINT(own_metrics, 0, LIM_OWN)},
    {"own_stale_s", "own-stale-s", "SECONDS",
     "one that is not told again for this long has no value", "90",
     UINT(own_stale_s, 1, 604800)},
    {"own_forget_s", "own-forget-s", "SECONDS", "after this it is gone", "600",
     UINT(own_forget_s, 1, 604800)},
    {"login.idle_s", "login-idle-s", "S", "a login that nobody uses ends after",
     "86400", UINT(login_idle_s, 1, 31536000)},
    {"login.max_s", "login-max-s", "S", "every login ends after", "2592000",
     UINT(login_max_s, 1, 31536000)},
    {"security.contact", "security-contact", "URI",
     "who is to be told of a fault, mailto: or https:, for security.txt", NULL,
     TEXT(contact)},
    {"security.expires", "security-expires", "TIME",
     "until when that holds, as 2027-12-31T00:00:00Z", NULL, TEXT(contact_expires)},
    {"log_level", "log-level", "LEVEL", "error, warn, notice, info or debug", "info",
     .type = OPTION_LEVEL, FIELD(log_level), .reloads = true},
    {"updater_socket", "updater-socket", "PATH",
     "where `pulseboard updater` listens: updates come in by page and API", NULL,
     TEXT(updater_socket), .wrong = socket_wrong},
    {"probe_root", "probe-root", "DIR", "for tests: measure DIR/proc and DIR/sys", NULL,
     TEXT(probe_root)},
};
static_assert(sizeof table / sizeof table[0] == OPTION_N, "option.h says how many");

const struct option *option_at(size_t i) { return i < OPTION_N ? &table[i] : NULL; }

const struct option *option_by_flag(const char *flag) {
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (strcmp(o->flag, flag) == 0)
            break;
    }
    return o;
}

static int refuse(char why[OPTION_WHY_MAX], const char *text, const char *says) {
    char quoted[CONFIG_ITEM_MAX];
    snprintf(why, OPTION_WHY_MAX, "%s %s", log_quote(quoted, sizeof quoted, text),
             says);
    return -EINVAL;
}

static int set_uint(const struct option *o, uint32_t *to, const char *text, char *why) {
    uint64_t v = 0;
    size_t n = strspn(text, "0123456789");
    if (n == 0 || text[n] != '\0')
        return refuse(why, text, "is not a whole number");
    for (const char *p = text; *p && v <= UINT32_MAX; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    if (v < o->min || v > o->max) {
        snprintf(why, OPTION_WHY_MAX, "%.20s is not in %u..%u", text, o->min, o->max);
        return -EINVAL;
    }
    *to = (uint32_t)v;
    return 0;
}

static int set_level(uint32_t *to, const char *text, char *why) {
    enum log_level level;
    if (log_level_parse(text, &level) != 0)
        return refuse(why, text, "is not one of error, warn, notice, info, debug");
    *to = level;
    return 0;
}

/* The value of a text or of an element of a list, max bytes at most. */
static int copy(const struct option *o, char *to, size_t max, const char *text,
                char *why) {
    size_t n = strlen(text);
    if (n == 0 || n > max) {
        snprintf(why, OPTION_WHY_MAX, "%s", n == 0 ? "is empty" : "is too long");
        return -EINVAL;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return refuse(why, text, "holds a control character");
    }
    const char *wrong = o->wrong ? o->wrong(text) : NULL;
    if (wrong)
        return refuse(why, text, wrong);
    memcpy(to, text, n + 1);
    return 0;
}

static int add(const struct option *o, struct config_list *list, const char *text,
               char *why) {
    if (list->n == CONFIG_ITEMS) {
        snprintf(why, OPTION_WHY_MAX, "has more than %d values", CONFIG_ITEMS);
        return -EINVAL;
    }
    int rc = copy(o, list->item[list->n], CONFIG_ITEM_MAX - 1, text, why);
    if (rc == 0)
        list->n++;
    return rc;
}

int option_set(const struct option *o, struct config *c, const char *text,
               char why[OPTION_WHY_MAX]) {
    void *to = (char *)c + o->at;
    switch (o->type) {
    case OPTION_UINT:
        return set_uint(o, to, text, why);
    case OPTION_LEVEL:
        return set_level(to, text, why);
    case OPTION_TEXT:
        return copy(o, to, o->max, text, why);
    case OPTION_LIST:
        return add(o, to, text, why);
    }
    return -EINVAL;
}

void option_begin(const struct option *o, struct config *c) {
    if (o->type == OPTION_LIST)
        ((struct config_list *)((char *)c + o->at))->n = 0;
}

static bool same_list(const struct config_list *a, const struct config_list *b) {
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = strcmp(a->item[i], b->item[i]) == 0;
    return same;
}

bool option_same(const struct option *o, const struct config *a,
                 const struct config *b) {
    const void *va = (const char *)a + o->at, *vb = (const char *)b + o->at;
    switch (o->type) {
    case OPTION_UINT:
    case OPTION_LEVEL:
        return *(const uint32_t *)va == *(const uint32_t *)vb;
    case OPTION_TEXT:
        return strcmp(va, vb) == 0;
    case OPTION_LIST:
        return same_list(va, vb);
    }
    return false;
}

void option_help(FILE *out) {
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        fprintf(out, "  --%s %s\n        %s", o->flag, o->arg, o->help);
        if (o->type == OPTION_UINT)
            fprintf(out, ", %u..%u", o->min, o->max);
        if (o->initial)
            fprintf(out, " [%s]", o->initial);
        fputc('\n', out);
    }
}
