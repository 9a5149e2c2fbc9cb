#include "http/httpd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/assets.h"
#include "http/civet.h"
#include "http/door.h"
#include "http/hosts.h"
#include "http/upgrade.h"
#include "http/uri.h"

/* What a worker keeps of its composing buffer after a large answer. */
#define KEEP_BYTES (64u * 1024)

struct worker {
    struct httpd_rq rq;
    struct head head;
    char path[HTTPD_PATH_MAX];
    char *body; /* reply_bytes */
};

struct httpd {
    struct civet *civet;
    struct httpd_opts o;
    struct hosts hosts;
    struct assets assets;
    struct worker workers[];
};

void httpd_opts_default(struct httpd_opts *o) {
    *o = (struct httpd_opts){
        .workers = 4, .reply_bytes = 512 * 1024, .body_max = 64 * 1024};
}

const struct assets *httpd_assets(const struct httpd *h) { return &h->assets; }

const struct httpd_opts *httpd_options(const struct httpd *h) { return &h->o; }

/* The deadline of an answer begins with the answer. */
static struct deadline reply_due(const struct civet_conn *c) {
    struct deadline due = c->due;
    uint64_t now_ms = clock_ms();
    due.at_ms = now_ms + HTTPD_REPLY_MS;
    due.hurry_ms = now_ms + HTTPD_REPLY_HURRY_MS;
    return due;
}

static void log_request(const struct httpd_rq *rq, size_t n, int rc) {
    char from[64], path[160];
    log_debug("http", "addr=%s method=%s path=%s status=%d bytes=%zu us=%llu rc=%d",
              sess_addr_text(&rq->addr, from, sizeof(from)),
              http_method_name(rq->head->method),
              log_quote(path, sizeof(path), rq->path), rq->status, n,
              (unsigned long long)(clock_ns() - rq->began_ns) / 1000, rc);
}

void httpd_reply(struct httpd_rq *rq, const struct reply *r) {
    char head[REPLY_HEAD_MAX];
    size_t n = reply_head(r, rq->secure, clock_wall_ms(), head, sizeof(head));
    if (rq->status)
        return;
    if (n == 0) {
        log_error("http_reply", "path=%s reason=head_too_long", rq->path);
        httpd_problem(rq, 500, NULL, NULL);
        return;
    }
    rq->status = r->status;
    size_t body_n = rq->head->method == HTTP_HEAD ? 0 : r->n;
    struct iovec iov[] = {
        {head, n},
        {(void *)(uintptr_t)r->body, body_n},
    };
    struct deadline due = reply_due(rq->conn);
    int rc = deadline_send(&rq->conn->t, &due, iov, 2);
    log_request(rq, body_n, rc);
}

void httpd_problem(struct httpd_rq *rq, int status, const char *extra,
                   const char *detail) {
    char body[REPLY_PROBLEM_MAX];
    size_t n = reply_problem(status, detail, body, sizeof(body));
    httpd_reply(rq, &(struct reply){.status = status,
                                    .type = "application/problem+json",
                                    .extra = extra,
                                    .body = body,
                                    .n = n});
}

char *httpd_body(struct httpd_rq *rq, size_t *cap) {
    *cap = rq->httpd->o.reply_bytes;
    return rq->httpd->workers[rq->conn->worker].body;
}

static int go_on(struct httpd_rq *rq, const struct deadline *due) {
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec iov = {text, sizeof(text) - 1};
    return deadline_send(&rq->conn->t, due, &iov, 1);
}

int httpd_read(struct httpd_rq *rq, void *buf, size_t cap, size_t *n) {
    struct civet_conn *c = rq->conn;
    uint64_t whole = rq->head->content_length;
    if (whole > cap || whole > rq->httpd->o.body_max) {
        httpd_problem(rq, 413, NULL, "The request body is too large.");
        return -EMSGSIZE;
    }
    size_t have = c->n - rq->head_n;
    have = have < whole ? have : (size_t)whole;
    memcpy(buf, c->buf + rq->head_n, have);
    struct deadline due = reply_due(c);
    int rc = have == 0 && rq->head->expects_continue ? go_on(rq, &due) : 0;
    while (rc == 0 && have < whole) {
        long got = deadline_recv(&c->t, &due, (char *)buf + have, (size_t)whole - have);
        if (got > 0)
            have += (size_t)got;
        else
            rc = got < 0 ? (int)got : -ECONNRESET;
    }
    rq->body_read = have;
    if (rc == -ETIMEDOUT)
        httpd_problem(rq, 408, NULL, "The request body did not arrive in time.");
    if (rc == 0)
        *n = have;
    return rc;
}

/* Ends the connection, unless it was detached. */
static void finish(struct httpd_rq *rq, bool linger) {
    struct civet_conn *c = rq->conn;
    if (!c->t.ops)
        return;
    uint64_t arrived = c->n - rq->head_n;
    arrived = arrived > rq->body_read ? arrived : rq->body_read;
    deadline_close(&c->t, &c->due, linger || rq->head->content_length > arrived);
    c->t.ops = NULL;
    struct httpd *h = rq->httpd;
    if (h->o.reply_bytes > KEEP_BYTES)
        madvise(h->workers[c->worker].body + KEEP_BYTES, h->o.reply_bytes - KEEP_BYTES,
                MADV_DONTNEED);
}

static const struct httpd_route *find_route(const struct httpd *h, const char *path) {
    for (unsigned i = 0; i < h->o.n_routes; i++) {
        if (strcmp(h->o.routes[i].path, path) == 0)
            return &h->o.routes[i];
    }
    return NULL;
}

static unsigned allowed(const struct httpd_route *r) {
    unsigned m = r->methods | HTTP_OPTIONS;
    return m & HTTP_GET ? m | HTTP_HEAD : m;
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

/* RFC 9112 3.2: exactly one Host. True: go on. */
static bool check_host(struct httpd_rq *rq, const struct httpd_route *route) {
    struct slice host = {NULL, 0};
    unsigned count = head_get(rq->head, "Host", &host);
    if (count == 0 && rq->head->minor == 0)
        return true;
    if (rq->head->authority.n)
        host = rq->head->authority;
    int rc = count == 1 ? hosts_check(&rq->httpd->hosts, host) : -EINVAL;
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

static void dispatch(struct httpd *h, struct worker *w, struct httpd_rq *rq) {
    char allow[96];
    if (uri_decode(rq->head->path, w->path, sizeof(w->path)) == -EINVAL) {
        httpd_problem(rq, 400, NULL, "The path is not well encoded.");
        return;
    }
    const struct httpd_route *route = find_route(h, w->path);
    if (!check_host(rq, route))
        return;
    if (!route) {
        httpd_problem(rq, 404, NULL, "There is nothing at this path.");
        return;
    }
    unsigned methods = allowed(route);
    allow_field(methods, allow, sizeof(allow));
    if (rq->head->method == HTTP_OPTIONS)
        httpd_reply(rq, &(struct reply){.status = 204, .extra = allow});
    else if (!(methods & rq->head->method))
        httpd_problem(rq, 405, allow, "This path does not support the method.");
    else
        route->handle(h->o.ctx, rq);
}

/* Empty lines before a request are to be ignored (RFC 9112 2.2). */
static void skip_empty_lines(struct civet_conn *c, size_t *scanned) {
    while (c->n >= 2 && memcmp(c->buf, "\r\n", 2) == 0) {
        c->n -= 2;
        memmove(c->buf, c->buf + 2, c->n);
        *scanned = 0;
    }
}

/* 0 when the head is whole, the status to refuse it with, or -errno when there is
 * nobody to tell: a client that says nothing at all (a browser's spare connection)
 * hears nothing. */
static int read_head(struct civet_conn *c, size_t *head_n) {
    size_t scanned = 0;
    for (;;) {
        if (c->n == c->cap)
            return 431;
        long got = deadline_recv(&c->t, &c->due, c->buf + c->n, c->cap - c->n);
        if (got == -ETIMEDOUT && c->n > 0)
            return 408;
        if (got <= 0)
            return got < 0 ? (int)got : -ECONNRESET;
        c->n += (size_t)got;
        skip_empty_lines(c, &scanned);
        ssize_t end = head_end(c->buf, c->n, &scanned);
        if (end < 0)
            return 400;
        if (end > 0) {
            *head_n = (size_t)end;
            return 0;
        }
    }
}

static const char *head_fault(int status) {
    switch (status) {
    case 408:
        return "The request did not arrive in time.";
    case 431:
        return "The request head is too large.";
    default:
        return "This is no HTTP/1.1 request.";
    }
}

static bool on_arrived(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct worker *w = &h->workers[c->worker];
    struct httpd_rq *rq = &w->rq;
    memset(w->path, 0, sizeof(w->path));
    w->head = (struct head){.method = HTTP_GET};
    *rq = (struct httpd_rq){.httpd = h,
                            .head = &w->head,
                            .path = w->path,
                            .secure = c->secure,
                            .conn = c,
                            .began_ns = clock_ns()};
    sess_addr_from(&rq->addr, c->peer);
    int rc = read_head(c, &rq->head_n);
    if (rc < 0) {
        finish(rq, false);
        return false;
    }
    if (rc > 0) {
        httpd_problem(rq, rc, NULL, head_fault(rc));
    } else {
        rc = head_parse(&w->head, c->buf, rq->head_n);
        if (rc == 0 && !slice_is(w->head.path, "*"))
            return true; /* CivetWeb goes on */
        if (rc == 0)
            httpd_reply(rq, &(struct reply){.status = 204,
                                            .extra = "Allow: GET, HEAD, OPTIONS\r\n"});
        else
            httpd_problem(rq, rc, NULL, w->head.why);
    }
    finish(rq, true);
    return false;
}

static void on_request(void *ctx, struct civet_conn *c) {
    struct httpd *h = ctx;
    struct worker *w = &h->workers[c->worker];
    dispatch(h, w, &w->rq);
    if (!w->rq.status && c->t.ops) {
        log_error("http_unanswered", "path=%s", w->rq.path);
        httpd_problem(&w->rq, 500, NULL, NULL);
    }
    finish(&w->rq, false);
}

static void on_refused(void *ctx, struct civet_conn *c, int status) {
    struct httpd *h = ctx;
    struct httpd_rq *rq = &h->workers[c->worker].rq;
    httpd_problem(rq, status, NULL, NULL);
    finish(rq, true);
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
    free(h);
}

static int reserve(struct httpd **out, const struct httpd_opts *o) {
    struct httpd *h = calloc(1, sizeof(*h) + o->workers * sizeof(h->workers[0]));
    if (!h)
        return -ENOMEM;
    h->o = *o;
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

int httpd_start(struct httpd **out, const struct httpd_opts *o, char *why, size_t cap) {
    struct civet_door doors[2 * HTTPD_DOORS_MAX];
    char specs[2 * HTTPD_DOORS_MAX][DOOR_SPEC_MAX];
    snprintf(why, cap, "bad options");
    if (o->n_listen > HTTPD_DOORS_MAX || o->n_tls_listen > HTTPD_DOORS_MAX ||
        (o->n_tls_listen && !o->tls) || o->workers > CIVET_WORKERS_MAX)
        return -EINVAL;
    int rc = find_doors(o, doors, specs, why, cap);
    if (rc != 0)
        return rc;
    struct httpd *h;
    rc = reserve(&h, o);
    if (rc != 0) {
        snprintf(why, cap, "%s", strerror(-rc));
        return rc;
    }
    hosts_init(&h->hosts, o->hosts, o->n_hosts, o->any_host);
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
