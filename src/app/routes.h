#pragma once
/* What the program answers over HTTP. Handlers run on the workers of http/httpd.h; what
 * belongs to the hub is asked of it by hub_call, with a limit: then it is a 503. */
#include <stdatomic.h>

#include "app/about.h"
#include "app/events.h"
#include "http/httpd.h"
#include "hub/hub.h"
#include "telemetry/own.h"

#define ROUTES_HUB_MS 1000u
#define ROUTES_HEALTH_MS 500u

/* The context of the handlers. Read-only while they run, but for stopping. */
struct routes {
    struct auth *auth; /* NULL for a program without */
    const struct about *about;
    struct telemetry *telemetry; /* NULL for a program without */
    struct events *events;       /* the same */
    struct own *own;             /* the same */
    struct hub *hub;
    const struct lobby_counts *lobby;      /* NULL for a program that does not tell */
    struct identity *identity;             /* NULL: no TLS */
    const char *contact, *contact_expires; /* for security.txt; "": none */
    uint32_t max_sessions;
    const char *updater; /* socket of the half with rights; "": there is none */
    struct update_told *update_told; /* what it said last */
    atomic_bool stopping;            /* not ready any more */
};

extern const struct httpd_route routes_table[];
extern const unsigned routes_n;

/* The composing buffer that the answers need (httpd_opts.reply_bytes). */
uint32_t routes_reply_bytes(uint32_t max_sessions);

/* Runs fn on the hub. False: it did not come to it in time, and the request was
 * refused. */
bool routes_ask_hub(const struct routes *r, struct httpd_rq *rq,
                    void (*fn)(struct hub *h, void *arg), void *arg);

/* GET /ws/stats, for other programs' tables too. */
void routes_stats(void *ctx, struct httpd_rq *rq);

/* For the handlers in routes_*.c. */

/* 200 with a body; n = 0: it did not fit, which is a 500. */
void routes_answer(struct httpd_rq *rq, const char *type, const char *body, size_t n);
void routes_answer_json(struct httpd_rq *rq, const struct jsonw *w);

/* The whole description of the API; every row of the table must stand in it. */
void routes_openapi(void *ctx, struct httpd_rq *rq);

/* The rows of the table that routes_data.c handles, and the buffer that they need. */
void routes_events(void *ctx, struct httpd_rq *rq);
void routes_telemetry(void *ctx, struct httpd_rq *rq);
void routes_history(void *ctx, struct httpd_rq *rq);
extern const size_t routes_data_bytes;
