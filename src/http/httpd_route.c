/* Which route answers a request, and whether it may. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "http/httpd_priv.h"
#include "http/upgrade.h"
#include "http/uri.h"

/* What the route's "*" stands for ("" without one), or NULL: it is for other paths. */
static const char *match(const char *route, const char *path) {
    size_t n = strlen(route);
    if (route[n - 1] != '*')
        return strcmp(route, path) == 0 ? "" : NULL;
    if (strncmp(route, path, n - 1) != 0)
        return NULL;
    const char *tail = path + n - 1;
    return tail[0] && !strchr(tail, '/') ? tail : NULL;
}

static unsigned allowed(const struct httpd_route *r) {
    unsigned m = (r->methods & ~HTTPD_AT_ONCE) | HTTP_OPTIONS;
    return m & HTTP_GET ? m | HTTP_HEAD : m;
}

/* What the table says about a path. */
struct way {
    const struct httpd_route *route; /* for the method; else any of the path's */
    unsigned methods;                /* of all its rows; 0: there is nothing */
};

static struct way find_way(const struct httpd *h, struct httpd_rq *rq) {
    struct way w = {NULL, 0};
    for (unsigned i = 0; i < h->o.n_routes; i++) {
        const struct httpd_route *r = &h->o.routes[i];
        const char *tail = match(r->path, rq->path);
        if (!tail)
            continue;
        w.methods |= allowed(r);
        if (w.route && !(allowed(r) & rq->head->method))
            continue;
        w.route = r;
        rq->tail = tail;
    }
    return w;
}

/* "Allow: GET, HEAD, OPTIONS\r\n" */
static const char *allow_field(unsigned methods, char *out, size_t cap) {
    size_t n = (size_t)snprintf(out, cap, "Allow:");
    for (unsigned m = HTTP_GET; m <= HTTP_DELETE; m <<= 1) {
        if (methods & m)
            n += (size_t)snprintf(out + n, cap - n, "%s %s", n > 6 ? "," : "",
                                  http_method_name((enum http_method)m));
    }
    snprintf(out + n, cap - n, "\r\n");
    return out;
}

static int judge_host(struct httpd *h, struct slice host) {
    pthread_mutex_lock(&h->hosts_lock);
    int rc = hosts_check(&h->hosts, host);
    pthread_mutex_unlock(&h->hosts_lock);
    return rc;
}

void httpd_set_hosts(struct httpd *h, const char *const *names, unsigned n) {
    pthread_mutex_lock(&h->hosts_lock);
    hosts_init(&h->hosts, names, n, h->o.any_host);
    pthread_mutex_unlock(&h->hosts_lock);
}

/* RFC 9112 3.2: exactly one Host. True: go on. */
static bool check_host(struct httpd_rq *rq, const struct httpd_route *route) {
    struct slice host = {NULL, 0};
    unsigned count = head_get(rq->head, "Host", &host);
    if (rq->local || (count == 0 && rq->head->minor == 0))
        return true;
    if (rq->head->authority.n)
        host = rq->head->authority;
    int rc = count == 1 ? judge_host(rq->httpd, host) : -EINVAL;
    if (rc == -EINVAL)
        httpd_problem(rq, 400, NULL, "Exactly one valid Host field is needed.");
    if (rc == -EACCES) {
        if (route && route->handle == upgrade_ws)
            hub_reject(rq->httpd->o.hub, HUB_REJECT_HOST);
        httpd_problem(
            rq, 403, NULL,
            "This name is not one of this device's. Use its address, or add the "
            "name to its configuration.");
    }
    return rc == 0;
}

/* A page may only talk to the device that it came from. Browsers say where a page came
 * from (Fetch 3.2: with every method but GET and HEAD, and every WebSocket); what is no
 * browser says nothing, and holds no cookie that somebody else could make it send. */
bool httpd_origin_ok(const struct httpd_rq *rq) {
    struct slice origin = {NULL, 0}, host = {NULL, 0}, site = {NULL, 0};
    unsigned origins = head_get(rq->head, "Origin", &origin);
    unsigned hosts = head_get(rq->head, "Host", &host);
    unsigned sites = head_get(rq->head, "Sec-Fetch-Site", &site);
    if (rq->httpd->o.any_origin || rq->local)
        return true;
    if (origins == 0)
        return !rq->ambient || (sites == 1 && slice_is(site, "same-origin"));
    if (rq->head->authority.n)
        host = rq->head->authority;
    return origins == 1 && hosts == 1 && hosts_same(origin, host);
}

/* True: go on. */
static bool check_origin(struct httpd_rq *rq) {
    if (!(rq->head->method & (HTTP_POST | HTTP_PUT | HTTP_PATCH | HTTP_DELETE)) ||
        httpd_origin_ok(rq))
        return true;
    httpd_problem(rq, 403, NULL, "A page of another origin may not ask for this.");
    return false;
}

/* "https://HOST:PORT"; 0: there is no such place. */
static size_t tls_origin(const struct httpd_rq *rq, char *out, size_t cap) {
    struct slice host = {NULL, 0};
    unsigned port = rq->httpd->tls_port;
    head_get(rq->head, "Host", &host);
    if (rq->head->authority.n)
        host = rq->head->authority;
    return port && host.n ? plain_origin(host, port, out, cap) : 0;
}

bool httpd_over_tls(const struct httpd_rq *rq, char *out, size_t cap) {
    size_t n = tls_origin(rq, out, cap - 1);
    memcpy(out + n, "/", 2);
    return n > 0;
}

static void move_to_tls(struct httpd_rq *rq) {
    char origin[320], to[REPLY_HEAD_MAX / 2];
    const struct head *h = rq->head;
    int n = -1;
    if (tls_origin(rq, origin, sizeof(origin)))
        n = snprintf(to, sizeof(to), "Location: %s%.*s%s%.*s\r\n", origin,
                     (int)h->path.n, h->path.p, h->query.n ? "?" : "", (int)h->query.n,
                     h->query.n ? h->query.p : "");
    if (n > 0 && (size_t)n < sizeof(to))
        httpd_reply(rq, &(struct reply){.status = 307, .extra = to});
    else
        httpd_problem(rq, 403, NULL, "This device answers over HTTPS only.");
}

static bool is_plain(const struct httpd_rq *rq) { return !rq->secure && !rq->local; }

/* True: go on. */
static bool check_plain(struct httpd *h, struct httpd_rq *rq) {
    if (!is_plain(rq))
        return true;
    enum plain_verdict v = plain_judge(h->o.plain, rq->head->method, rq->path);
    if (v == PLAIN_REFUSE)
        httpd_problem(rq, 403, NULL,
                      "Over plain HTTP this device can only be looked at. Use HTTPS.");
    if (v == PLAIN_MOVE)
        move_to_tls(rq);
    return v == PLAIN_ANSWER;
}

bool httpd_only_looks(const struct httpd_rq *rq) {
    return is_plain(rq) && rq->httpd->o.plain != PLAIN_FULL;
}

/* Who is somebody over TLS is no more than a viewer where others can listen. */
static void cap_role(struct httpd_rq *rq) {
    if (httpd_only_looks(rq) && rq->role > ROLE_VIEWER)
        rq->role = ROLE_VIEWER;
}

static void identify(struct httpd *h, struct httpd_rq *rq) {
    if (h->o.identify)
        h->o.identify(h->o.ctx, rq);
    cap_role(rq);
    if (rq->local) /* who may open that socket may act as we do */
        rq->role = ROLE_ADMIN;
}

/* True: go on. */
static bool check_role(struct httpd *h, struct httpd_rq *rq,
                       const struct httpd_route *route) {
    if (rq->role >= route->role)
        return true;
    if (route->handle == upgrade_ws)
        hub_reject(h->o.hub, HUB_REJECT_AUTH);
    /* RFC 9110 11.6.1: a 401 names a way in; no browser asks for this one by itself. */
    if (rq->role <= ROLE_NONE)
        httpd_problem(rq, 401, "WWW-Authenticate: Bearer\r\n", "Log in first.");
    else
        httpd_problem(rq, 403, NULL, "This needs another role than yours.");
    return false;
}

static void reply_options(struct httpd_rq *rq, const char *allow) {
    httpd_reply(rq, &(struct reply){.status = 204, .extra = allow});
}

const struct httpd_route *httpd_find_route(struct httpd *h, struct httpd_rq *rq) {
    char allow[96], *path = rq->worker->path;
    bool no_path = slice_is(rq->head->path, "*");
    int rc = no_path ? 0 : uri_decode(rq->head->path, path, HTTPD_PATH_MAX);
    /* A path too long to be decoded is none of ours. */
    struct way way = {NULL, 0};
    if (rc == 0 && !no_path)
        way = find_way(h, rq);
    if (!check_host(rq, way.route))
        return NULL;
    if (no_path) {
        reply_options(rq, "Allow: GET, HEAD, OPTIONS\r\n");
        return NULL;
    }
    if (rc == -EINVAL) {
        httpd_problem(rq, 400, NULL, "The path is not well encoded.");
        return NULL;
    }
    if (!way.route) {
        httpd_problem(rq, 404, NULL, "There is nothing at this path.");
        return NULL;
    }
    if (rq->head->method != HTTP_OPTIONS && (way.methods & rq->head->method))
        return way.route;
    allow_field(way.methods, allow, sizeof(allow));
    if (rq->head->method == HTTP_OPTIONS)
        reply_options(rq, allow);
    else
        httpd_problem(rq, 405, allow, "This path does not support the method.");
    return NULL;
}

void httpd_handle(struct httpd *h, struct httpd_rq *rq,
                  const struct httpd_route *route) {
    if (!check_plain(h, rq))
        return;
    identify(h, rq);
    if (!check_origin(rq) || !check_role(h, rq, route))
        return;
    route->handle(h->o.ctx, rq);
    if (!rq->status) {
        log_error("http_unanswered", "path=%s", rq->path);
        httpd_problem(rq, 500, NULL, NULL);
    }
}
