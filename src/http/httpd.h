#pragma once
/* The web server: routes, one write per answer, connections that are kept for the next
 * request. Requests are collected in the lobby (http/lobby.h), whose thread answers
 * what is said to be quick (HTTPD_AT_ONCE); all other handlers run on the workers of
 * CivetWeb (http/civet.h) and may block only within an answer's deadline.
 *
 * Bounds: a head of HEAD_BYTES_MAX, `body_max` bytes of request body, `reply_bytes` of
 * composed answer per worker (not resident until used). Every answer, errors included,
 * carries the security headers; errors are RFC 9457 problems. Host is checked for all,
 * Origin for WebSockets and whatever changes something: a page of another origin can
 * ask for none of it, with or without the browser's cookies. Who may ask what stands in
 * the table of routes; who asks is for the application to tell (identify): no password
 * is known here. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"
#include "http/doors.h"
#include "http/head.h"
#include "http/plain.h"
#include "http/reply.h"
#include "hub/hub.h"
#include "sec/tls.h"

struct httpd;
struct httpd_worker;
struct lobby_guest;
struct lobby_counts;

#define HTTPD_PATH_MAX 256u
/* A large body or answer moves on by HTTPD_PACE_BYTES within. */
#define HTTPD_PACE_MS 5000u
#define HTTPD_PACE_BYTES 8192u

/* One request, on its worker, until it is answered. */
struct httpd_rq {
    struct httpd *httpd;
    const struct head *head;
    const char *path; /* decoded; routes match it whole */
    const char *tail; /* of it: what the route's "*" stands for, else "" */
    struct sess_addr addr;
    bool secure; /* it came over TLS */
    bool local;  /* over the Unix socket: the role is ROLE_ADMIN */
    /* As identify told, before the handler runs: */
    enum role role;
    uint64_t credential; /* what gave the role; means nothing here */
    bool ambient;        /* the browser added it by itself (a cookie) */
    int status;          /* of the answer; 0: there is none yet */

    struct lobby_guest *guest; /* the rest is httpd's and upgrade's */
    struct httpd_worker *worker;
    const char *bytes; /* what has arrived: the head, and what came behind it */
    size_t n, head_n;
    uint64_t body_read;
    bool keep;       /* the connection is for another request, too */
    bool sits;       /* its worker has waited for the body */
    bool lost;       /* where that would begin is not known */
    size_t composed; /* bytes of the worker's buffer that the answer used */
    uint64_t began_ns;
};

/* Beside the methods of a route for ROLE_NONE: its handler never blocks and needs no
 * buffer, so it runs on the lobby's thread. */
#define HTTPD_AT_ONCE 128u

/* A path, some of its methods, and who may use them; a path may have more rows for
 * others. */
struct httpd_route {
    const char *path; /* whole; "*" at its end is one segment, not empty (rq->tail) */
    uint8_t methods;  /* of enum http_method; HEAD goes with GET, OPTIONS with all */
    /* The least role that gets an answer; the others get 401 or 403. ROLE_NONE:
     * anybody. A table with a row that does not say does not start. */
    enum role role;
    void (*handle)(void *ctx, struct httpd_rq *rq);
};

struct httpd_opts {
    struct doors *doors;   /* emptied: from a start that succeeds on, they are ours */
    enum plain_mode plain; /* what plain HTTP is good for; PLAIN_OFF: none is open */
    struct tls_ctx *tls;   /* outlives the httpd; the owner may reload it at any time */
    uint32_t seats;        /* http/lobby.h */
    struct lobby_counts *counts; /* outlive the httpd; NULL: nobody asks */
    unsigned workers;
    uint32_t reply_bytes;
    uint32_t body_max;
    const char *const
        *hosts; /* names that we answer to besides our own, see http/hosts.h */
    unsigned n_hosts;
    bool any_host,
        any_origin; /* for a test server: no protection against foreign pages */
    const struct httpd_route *routes;
    unsigned n_routes;
    /* Who asks: sets rq->role, which is ROLE_NONE so far, and what belongs to it. Runs
     * where the handler will, on the lobby's thread too, so it does not block; for each
     * request that has a route. NULL: nobody is more than anybody. */
    void (*identify)(void *ctx, struct httpd_rq *rq);
    void *ctx;       /* for the handlers */
    struct hub *hub; /* for upgrade_ws; outlives the httpd */
};
void httpd_opts_default(struct httpd_opts *o);

/* Pointers in opts are kept. Answers when it returns 0; else -errno, and one line in
 * why. */
int httpd_start(struct httpd **out, const struct httpd_opts *o, char *why, size_t cap);
/* Ends requests in progress. After it nothing calls handlers or the hub. */
void httpd_stop(struct httpd *h);
/* Where it answers. */
const struct doors *httpd_doors(const struct httpd *h);

/* Any thread. Other names from the next request on; those before are not looked at any
 * more when it returns. Pointers are kept. */
void httpd_set_hosts(struct httpd *h, const char *const *names, unsigned n);

/* For handlers: each request is answered once. A body of another's is not copied. */
void httpd_reply(struct httpd_rq *rq, const struct reply *r);
/* detail: a sentence for people; extra: as in struct reply. */
void httpd_problem(struct httpd_rq *rq, int status, const char *extra,
                   const char *detail);
/* The worker's buffer of reply_bytes, to compose a body in. */
char *httpd_body(struct httpd_rq *rq, size_t *cap);
/* The whole request body into buf: 0 and its length, or -errno after it was answered
 * with what is wrong: 413, 408, or 503 when all workers but one wait for bodies
 * already. Of who is nobody in particular, what arrived in the lobby is all that is
 * waited for: HEAD_BYTES_MAX with the head. */
int httpd_read(struct httpd_rq *rq, void *buf, size_t cap, size_t *n);
/* For a body that need not fit anywhere: its next cap bytes, fewer only at its end, and
 * then none. The same otherwise; how long it may be is for the handler to say. cap:
 * HTTPD_PACE_BYTES or more, so that each call shows that it moves. */
int httpd_read_part(struct httpd_rq *rq, void *buf, size_t cap, size_t *n);

/* For upgrade.c: may what a page of this Origin asks be done? */
bool httpd_origin_ok(const struct httpd_rq *rq);
/* "https://HOST:PORT/" for the very host that was asked for. False: there is none. */
bool httpd_over_tls(const struct httpd_rq *rq, char *out, size_t cap);
/* Came this request by a way that only looks (PLAIN_VIEW and further), so that a
 * password must be sent elsewhere? */
bool httpd_only_looks(const struct httpd_rq *rq);

/* For assets.c and upgrade.c. */
struct assets *httpd_assets(struct httpd *h);
const struct httpd_opts *httpd_options(const struct httpd *h);
