#include "http/httpd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"
#include "base/log.h"
#include "http/httpd_priv.h"

void httpd_opts_default(struct httpd_opts *o) {
    *o = (struct httpd_opts){
        .seats = LOBBY_SEATS_DEFAULT,
        .workers = 4,
        .reply_bytes = 512 * 1024,
        .body_max = 64 * 1024,
    };
}

struct assets *httpd_assets(struct httpd *h) {
    return &h->assets;
}

const struct httpd_opts *httpd_options(const struct httpd *h) { return &h->o; }

/* ---- in the lobby ---- */

/* Whether an absolute-form target is for this server is for CivetWeb to tell. */
static bool is_at_once(const struct httpd_rq *rq, const struct httpd_route *route) {
    return (route->methods & HTTPD_AT_ONCE) && route->role == ROLE_NONE &&
           !rq->head->authority.n;
}

/* A small body arrives in the lobby. */
static bool wants_body(const struct httpd_rq *rq) {
    uint64_t whole = rq->head_n + rq->head->content_length;
    return rq->n < whole && whole <= HEAD_BYTES_MAX;
}

static enum lobby_verdict on_head(void *ctx, struct lobby_guest *g, const char *p,
                                  size_t n, size_t head_n, size_t *used) {
    struct httpd *h = ctx;
    struct httpd_worker *w = &h->workers[h->o.workers];
    struct httpd_rq *rq = &w->rq;
    httpd_rq_begin(h, w, g, p, n, head_n);
    const struct httpd_route *route =
        httpd_rq_parse(rq) == 0 ? httpd_find_route(h, rq) : NULL;
    if (route && !is_at_once(rq, route)) {
        *used = head_n + (size_t)rq->head->content_length;
        if (!wants_body(rq))
            return LOBBY_ASIDE;
        httpd_rq_invite(rq);
        return LOBBY_WANTS;
    }
    if (route)
        httpd_handle(h, rq, route);
    *used = httpd_rq_end(rq);
    return LOBBY_ANSWERED;
}

static void on_fault(void *ctx, struct lobby_guest *g, int status) {
    struct httpd *h = ctx;
    struct httpd_worker *w = &h->workers[h->o.workers];
    httpd_rq_begin(h, w, g, "", 0, 0);
    httpd_rq_fault(&w->rq, status);
    httpd_rq_end(&w->rq);
}

static void on_aside(void *ctx, struct lobby_guest *g) {
    struct httpd *h = ctx;
    civet_pass(h->civet, g->seat, g->port);
}

static const struct lobby_app lobby_calls = {
    .head = on_head,
    .fault = on_fault,
    .aside = on_aside,
};

/* ---- on a worker ---- */

static size_t on_arrived(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct lobby_guest *g = lobby_guest(h->lobby, c->seat);
    size_t head_n, scanned = 0;
    head_n = (size_t)head_end(g->kept, g->kept_n, &scanned);
    /* What CivetWeb parses it also changes. */
    memcpy(c->buf, g->kept, head_n);
    c->n = head_n;
    httpd_rq_begin(h, &h->workers[c->worker], g, g->kept, g->kept_n, head_n);
    return head_n;
}

static void on_request(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct httpd_rq *rq = &h->workers[c->worker].rq;
    const struct httpd_route *route =
        httpd_rq_parse(rq) == 0 ? httpd_find_route(h, rq) : NULL;
    if (route)
        httpd_handle(h, rq, route);
}

static void on_refused(void *ctx, struct civet_conn *c, int status) {
    struct httpd *h = ctx;
    httpd_rq_fault(&h->workers[c->worker].rq, status);
}

/* Not answered so far: it asked for another server (RFC 9110 15.5.20). */
static void on_done(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct httpd_rq *rq = &h->workers[c->worker].rq;
    struct lobby_guest *g = rq->guest;
    if (!rq->status)
        httpd_rq_fault(rq, 421);
    size_t used = httpd_rq_end(rq);
    if (used > 0 && g->t.ops)
        memmove(g->kept, g->kept + used, g->kept_n - used);
    g->kept_n -= used;
    lobby_return(h->lobby, g);
}

static const struct civet_app civet_calls = {
    .arrived = on_arrived,
    .request = on_request,
    .refused = on_refused,
    .done = on_done,
};

/* ---- start and stop ---- */

static int make_lobby(struct httpd *h) {
    struct lobby_opts o = {
        .doors = h->o.doors->door,
        .n_doors = h->o.doors->n,
        .seats = h->o.seats,
        .load_bytes = h->o.reply_bytes + REPLY_HEAD_MAX,
        .counts = h->o.counts ? h->o.counts : &h->counts,
        .tls = h->o.tls,
        .app = &lobby_calls,
        .ctx = h,
    };
    return lobby_init(&h->lobby, &o);
}

/* CivetWeb has a copy of the local door; the lobby listens on ours. */
static int start_civet(struct httpd *h, char *why, size_t cap) {
    const struct lobby_door *local = doors_find(h->o.doors, LOBBY_LOCAL, 0);
    struct civet_opts o = {
        .door = local ? local->fd : -1,
        .workers = h->o.workers,
        .queue = h->o.seats,
        .app = &civet_calls,
        .ctx = h,
    };
    return civet_start(&h->civet, &o, why, cap);
}

static void release(struct httpd *h) {
    for (unsigned i = 0; i < h->o.workers; i++)
        pages_give(h->workers[i].body, h->o.reply_bytes);
    doors_close(&h->doors);
    assets_free(&h->assets);
    pthread_mutex_destroy(&h->hosts_lock);
    free(h);
}

static int reserve(struct httpd **out, const struct httpd_opts *o) {
    struct httpd *h = calloc(1, sizeof(*h) + (o->workers + 1) * sizeof(h->workers[0]));
    if (!h)
        return -ENOMEM;
    h->o = *o;
    pthread_mutex_init(&h->hosts_lock, NULL);
    if (assets_init(&h->assets) != 0) {
        release(h);
        return -ENOMEM;
    }
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

static int check_options(const struct httpd_opts *o, char *why, size_t cap) {
    snprintf(why, cap, "bad options");
    if ((doors_have(o->doors, LOBBY_TLS) && !o->tls) || o->workers > CIVET_WORKERS_MAX)
        return -EINVAL;
    return check_routes(o, why, cap);
}

static int launch(struct httpd *h, char *why, size_t cap) {
    int rc = start_civet(h, why, cap);
    if (rc != 0)
        return rc;
    rc = make_lobby(h);
    if (rc == 0 && (rc = lobby_start(h->lobby)) != 0)
        lobby_free(h->lobby);
    if (rc != 0) {
        snprintf(why, cap, "%s", strerror(-rc));
        civet_stop(h->civet);
    }
    return rc;
}

int httpd_start(struct httpd **out, const struct httpd_opts *o, char *why, size_t cap) {
    int rc = check_options(o, why, cap);
    if (rc != 0)
        return rc;
    struct httpd *h;
    rc = reserve(&h, o);
    if (rc != 0) {
        snprintf(why, cap, "%s", strerror(-rc));
        return rc;
    }
    httpd_set_hosts(h, o->hosts, o->n_hosts);
    const struct lobby_door *tls = doors_find(o->doors, LOBBY_TLS, 0);
    h->tls_port = tls ? tls->port : 0;
    rc = launch(h, why, cap);
    if (rc != 0) {
        release(h);
        return rc;
    }
    h->doors = *o->doors;
    *o->doors = (struct doors){.n = 0};
    *out = h;
    return 0;
}

void httpd_stop(struct httpd *h) {
    lobby_stop(h->lobby);
    civet_stop(h->civet);
    lobby_free(h->lobby);
    release(h);
}

const struct doors *httpd_doors(const struct httpd *h) { return &h->doors; }
