#include "app/tell.h"

#include <arpa/inet.h>
#include <cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/fetch.h"
#include "base/jsonw.h"
#include "base/reading.h"
#include "proto/json.h"

#define BODY_MAX (16u * 1024)
#define STATSD_PORT 8125

static int complain(const char *what, const char *why) {
    fprintf(stderr, "pulseboard publish: %s: %s\n", what, why);
    return -EINVAL;
}

/* What was said about all of them, checked here as it is there. */
static int read_common(const struct cli *cli, struct reading *r) {
    const char *why = NULL;
    reading_init(r);
    if (cli->unit && (why = reading_unit(r, cli->unit, strlen(cli->unit))))
        return complain("--unit", why);
    if (cli->label && (why = reading_label(r, cli->label, strlen(cli->label))))
        return complain("--label", why);
    if (cli->kind && !reading_kind(cli->kind, strlen(cli->kind), &r->kind))
        return complain("--kind", "is none of gauge, counter, timing");
    return 0;
}

static int read_pair(const char *pair, struct reading *r) {
    const char *eq = strchr(pair, '=');
    if (!eq)
        return complain(pair, "is not NAME=VALUE");
    const char *why = reading_name(r, pair, (size_t)(eq - pair));
    if (!why)
        why = reading_value(r, eq + 1, strlen(eq + 1));
    return why ? complain(pair, why) : 0;
}

/* ---- over HTTP ---- */

static int write_body(const struct cli *cli, char *body, size_t *n) {
    struct reading r;
    struct jsonw w;
    int rc = read_common(cli, &r);
    jsonw_init(&w, body, BODY_MAX);
    jsonw_obj(&w, NULL);
    jsonw_arr(&w, "metrics");
    for (size_t i = 0; i < cli->n_pairs && rc == 0; i++) {
        rc = read_pair(cli->pairs[i], &r);
        jsonw_obj(&w, NULL);
        jsonw_str(&w, "name", r.name);
        jsonw_num(&w, "value", r.value, 17);
        jsonw_str(&w, "kind", reading_kind_name(r.kind));
        if (r.unit[0])
            jsonw_str(&w, "unit", r.unit);
        if (r.label[0])
            jsonw_str(&w, "label", r.label);
        jsonw_obj_end(&w);
    }
    jsonw_arr_end(&w);
    jsonw_obj_end(&w);
    *n = jsonw_end(&w);
    return rc == 0 && *n == 0 ? complain("publish", "too much at once") : rc;
}

/* Each refusal in a line. */
static int read_answer(const struct cli *cli, const char *text, size_t n) {
    cJSON *tree = json_parse(text, n);
    const cJSON *refused = cJSON_GetObjectItemCaseSensitive(tree, "refused"), *item;
    int rc = cJSON_IsArray(refused) ? 0 : complain("the answer", "is not ours");
    cJSON_ArrayForEach(item, refused) {
        const cJSON *line = cJSON_GetObjectItemCaseSensitive(item, "line"),
                    *why = cJSON_GetObjectItemCaseSensitive(item, "why");
        double i = cJSON_IsNumber(line) ? line->valuedouble : 0;
        bool known = i >= 1 && i <= (double)cli->n_pairs;
        rc = complain(known ? cli->pairs[(size_t)i - 1] : "?",
                      cJSON_IsString(why) ? why->valuestring : "refused");
    }
    cJSON_Delete(tree);
    return rc;
}

static int over_http(const struct cli *cli) {
    static char body[BODY_MAX], got[BODY_MAX];
    char why[FETCH_WHY_MAX];
    size_t n = 0;
    if (write_body(cli, body, &n) != 0)
        return -EINVAL;
    struct fetch_ask ask = {
        .url = cli->url,
        .socket = cli->socket,
        .method = "POST",
        .path = "/api/v1/publish",
        .type = "application/json",
        .token = cli->token,
        .body = body,
        .n = n,
    };
    int rc = fetch_ask(&ask, got, sizeof got, &n, why);
    if (rc)
        return complain(cli->socket ? cli->socket : cli->url, why);
    return read_answer(cli, got, n);
}

/* ---- over UDP ---- */

static const char *statsd_type(enum reading_kind kind) {
    return kind == READING_GAUGE ? "g" : kind == READING_COUNTER ? "c" : "ms";
}

/* A negative gauge would be a change in statsd: it is set to zero first. */
static int write_line(const struct reading *r, char *line, size_t cap) {
    const char *reset = r->kind == READING_GAUGE && r->value < 0 ? "0" : NULL;
    int n = 0;
    if (strpbrk(r->label, ",|") || strpbrk(r->unit, ",|"))
        return complain(r->name, "',' and '|' cannot be told by statsd: use --socket");
    if (reset)
        n = snprintf(line, cap, "%s:0|g\n", r->name);
    n += snprintf(line + n, cap - (size_t)n, "%s:%.17g|%s%s%s%s%s%s", r->name, r->value,
                  statsd_type(r->kind), r->unit[0] || r->label[0] ? "|#" : "",
                  r->unit[0] ? "unit:" : "", r->unit,
                  r->label[0] ? (r->unit[0] ? ",label:" : "label:") : "", r->label);
    return n;
}

/* A port where nobody listens says so, if one waits a moment. */
static int send_line(int fd, const char *line, size_t n) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int err = 0;
    socklen_t len = sizeof err;
    if (send(fd, line, n, 0) < 0)
        return -errno;
    if (poll(&p, 1, 20) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0)
        return -err;
    return 0;
}

static int over_statsd(const struct cli *cli) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(STATSD_PORT)};
    struct reading r;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (read_common(cli, &r) != 0)
        return -EINVAL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0
                 ? -errno
                 : 0;
    for (size_t i = 0; i < cli->n_pairs && rc == 0; i++) {
        char line[256];
        int n = read_pair(cli->pairs[i], &r) == 0 ? write_line(&r, line, sizeof line)
                                                  : -EINVAL;
        rc = n < 0 ? n : send_line(fd, line, (size_t)n);
        if (rc && n >= 0)
            complain("127.0.0.1:8125", strerror(-rc));
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

int tell_run(const struct cli *cli) {
    int rc = cli->url || cli->socket ? over_http(cli) : over_statsd(cli);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
