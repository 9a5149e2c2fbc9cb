#include "http/httpd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"
#include "base/log.h"
#include "http/door.h"
#include "http/httpd_priv.h"
#include "http/upgrade.h"
#include "http/uri.h"

void httpd_opts_default(struct httpd_opts *o) {
    *o = (struct httpd_opts){
        .workers = 4, .reply_bytes = 512 * 1024, .body_max = 64 * 1024};
}

const struct assets *httpd_assets(const struct httpd *h) { return &h->assets; }

const struct httpd_opts *httpd_options(const struct httpd *h) { return &h->o; }

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
    unsigned m = r->methods | HTTP_OPTIONS;
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
    if (count == 0 && rq->head->minor == 0)
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

/* "https://HOST:PORT"; 0: there is no such place. */
static size_t tls_origin(const struct httpd_rq *rq, char *out, size_t cap) {
    struct slice host = {NULL, 0};
    unsigned port = atomic_load(&rq->httpd->tls_port);
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

/* True: go on. */
static bool check_plain(struct httpd *h, struct httpd_rq *rq) {
    if (rq->secure)
        return true;
    enum plain_verdict v = plain_judge(h->o.plain, rq->head->method, rq->path);
    if (v == PLAIN_REFUSE)
        httpd_problem(rq, 403, NULL,
                      "Over plain HTTP this device can only be looked at. Use HTTPS.");
    if (v == PLAIN_MOVE)
        move_to_tls(rq);
    return v == PLAIN_ANSWER;
}

/* Who is somebody over TLS is no more than a viewer where others can listen. */
static void cap_role(const struct httpd *h, struct httpd_rq *rq) {
    if (!rq->secure && h->o.plain != PLAIN_FULL && rq->role > ROLE_VIEWER)
        rq->role = ROLE_VIEWER;
}

/* True: go on. */
static bool check_role(struct httpd *h, struct httpd_rq *rq,
                       const struct httpd_route *route) {
    if (h->o.identify)
        h->o.identify(h->o.ctx, rq);
    cap_role(h, rq);
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

static void dispatch(struct httpd *h, struct worker *w, struct httpd_rq *rq) {
    char allow[96];
    int rc = uri_decode(rq->head->path, w->path, sizeof(w->path));
    if (rc == -EINVAL) {
        httpd_problem(rq, 400, NULL, "The path is not well encoded.");
        return;
    }
    /* A path too long to be decoded is none of ours. */
    struct way way = {NULL, 0};
    if (rc == 0)
        way = find_way(h, rq);
    if (!check_host(rq, way.route))
        return;
    if (!way.route) {
        httpd_problem(rq, 404, NULL, "There is nothing at this path.");
        return;
    }
    allow_field(way.methods, allow, sizeof(allow));
    if (rq->head->method == HTTP_OPTIONS)
        httpd_reply(rq, &(struct reply){.status = 204, .extra = allow});
    else if (!(way.methods & rq->head->method))
        httpd_problem(rq, 405, allow, "This path does not support the method.");
    else if (check_plain(h, rq) && check_role(h, rq, way.route))
        way.route->handle(h->o.ctx, rq);
}

static size_t on_arrived(void *ctx, struct civet_conn *c) {
    return httpd_rq_begin(ctx, c);
}

static void on_request(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct worker *w = &h->workers[c->worker];
    dispatch(h, w, &w->rq);
    if (!w->rq.status && c->t.ops) {
        log_error("http_unanswered", "path=%s", w->rq.path);
        httpd_problem(&w->rq, 500, NULL, NULL);
    }
    httpd_rq_end(&w->rq, false);
}

static void on_refused(void *ctx, struct civet_conn *c, int status) {
    struct httpd *h = ctx;
    struct httpd_rq *rq = &h->workers[c->worker].rq;
    httpd_problem(rq, status, NULL, NULL);
    httpd_rq_end(rq, true);
}

static const struct civet_app civet_calls = {
    .arrived = on_arrived,
    .request = on_request,
    .refused = on_refused,
};

static int find_doors(const struct httpd_opts *o, struct civet_door *doors,
                      char (*specs)[DOOR_SPEC_MAX], char *why, size_t cap) {
    unsigned n = o->n_listen + o->n_tls_listen;
    for (unsigned i = 0; i < n; i++) {
        bool tls = i >= o->n_listen;
        const char *text = tls ? o->tls_listen[i - o->n_listen] : o->listen[i];
        if (door_parse(text, specs[i]) != 0) {
            snprintf(why, cap, "cannot listen on %s: not an ADDRESS:PORT", text);
            return -EINVAL;
        }
        doors[i] = (struct civet_door){specs[i], text, tls};
    }
    return 0;
}

static void release(struct httpd *h) {
    for (unsigned i = 0; i < h->o.workers; i++) {
        if (h->workers[i].body)
            pages_give(h->workers[i].body, h->o.reply_bytes);
    }
    pthread_mutex_destroy(&h->hosts_lock);
    free(h);
}

static int reserve(struct httpd **out, const struct httpd_opts *o) {
    struct httpd *h = calloc(1, sizeof(*h) + o->workers * sizeof(h->workers[0]));
    if (!h)
        return -ENOMEM;
    h->o = *o;
    pthread_mutex_init(&h->hosts_lock, NULL);
    for (unsigned i = 0; i < o->workers; i++) {
        h->workers[i].body = pages_take(o->reply_bytes);
        if (!h->workers[i].body) {
            release(h);
            return -ENOMEM;
        }
    }
    *out = h;
    return 0;
}

static int check_routes(const struct httpd_opts *o, char *why, size_t cap) {
    for (unsigned i = 0; i < o->n_routes; i++) {
        const struct httpd_route *r = &o->routes[i];
        if (r->role >= ROLE_NONE && r->role <= ROLE_ADMIN && r->handle)
            continue;
        snprintf(why, cap, "the route %s does not say for whom it is", r->path);
        return -EINVAL;
    }
    return 0;
}

int httpd_start(struct httpd **out, const struct httpd_opts *o, char *why, size_t cap) {
    struct civet_door doors[2 * HTTPD_DOORS_MAX];
    char specs[2 * HTTPD_DOORS_MAX][DOOR_SPEC_MAX];
    snprintf(why, cap, "bad options");
    if (o->n_listen > HTTPD_DOORS_MAX || o->n_tls_listen > HTTPD_DOORS_MAX ||
        (o->n_tls_listen && !o->tls) || o->workers > CIVET_WORKERS_MAX)
        return -EINVAL;
    int rc = check_routes(o, why, cap);
    if (rc == 0)
        rc = find_doors(o, doors, specs, why, cap);
    if (rc != 0)
        return rc;
    struct httpd *h;
    rc = reserve(&h, o);
    if (rc != 0) {
        snprintf(why, cap, "%s", strerror(-rc));
        return rc;
    }
    httpd_set_hosts(h, o->hosts, o->n_hosts);
    assets_init(&h->assets);
    struct civet_opts co = {
        .doors = doors,
        .n_doors = o->n_listen + o->n_tls_listen,
        .workers = o->workers,
        .tls = o->tls,
        .app = &civet_calls,
        .ctx = h,
    };
    rc = civet_start(&h->civet, &co, why, cap);
    if (rc != 0) {
        release(h);
        return rc;
    }
    if (o->n_tls_listen)
        atomic_store(&h->tls_port, door_port(civet_bound(h->civet, o->n_listen)));
    *out = h;
    return 0;
}

void httpd_stop(struct httpd *h) {
    civet_stop(h->civet);
    release(h);
}

const char *httpd_bound(const struct httpd *h, bool tls, unsigned i, char *out,
                        size_t cap) {
    return door_text(civet_bound(h->civet, tls ? h->o.n_listen + i : i), out, cap);
}
