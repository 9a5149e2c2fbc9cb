#include "app/routes.h"

#include <assert.h>

#include "app/auth_routes.h"
#include "app/cert_routes.h"
#include "app/metrics_text.h"
#include "app/process.h"
#include "app/publish.h"
#include "app/stats_json.h"
#include "app/stats_text.h"
#include "app/update_routes.h"
#include "app/wellknown.h"
#include "base/clock.h"
#include "http/assets.h"
#include "http/upgrade.h"
#include "http/uri.h"
#include "sec/tls_heap.h"

/* Samples older than this many periods are no sign of life. */
#define FRESH_PERIODS 3

void routes_answer(struct httpd_rq *rq, const char *type, const char *body, size_t n) {
    if (n == 0) {
        httpd_problem(rq, 500, NULL, "The answer does not fit its buffer.");
        return;
    }
    httpd_reply(rq, &(struct reply){.status = 200, .type = type, .body = body, .n = n});
}

void routes_answer_json(struct httpd_rq *rq, const struct jsonw *w) {
    routes_answer(rq, "application/json", w->buf, jsonw_end(w));
}

static void refuse(struct httpd_rq *rq, const char *why) {
    httpd_problem(rq, 503, "Retry-After: 2\r\n", why);
}

/* ---- what the hub knows ---- */

struct question {
    struct hub_stats *out;
    struct hub_row *rows;
    uint32_t max_rows;
};

static void look(struct hub *h, void *arg) {
    struct question *q = arg;
    hub_stats(h, q->out, q->rows, q->max_rows);
}

bool routes_ask_hub(const struct routes *r, struct httpd_rq *rq,
                    void (*fn)(struct hub *h, void *arg), void *arg) {
    if (!atomic_load(&r->stopping) && hub_call(r->hub, fn, arg, ROUTES_HUB_MS) == 0)
        return true;
    refuse(rq, "The session hub does not answer.");
    return false;
}

static bool ask(const struct routes *r, struct httpd_rq *rq, struct question *q) {
    return routes_ask_hub(r, rq, look, q);
}

/* The buffer of the worker holds rows behind the text. */
static_assert(STATS_JSON_BASE % 16 == 0 && STATS_JSON_ROW % 16 == 0,
              "rows are aligned");
static size_t stats_text_bytes(uint32_t max_sessions) {
    return STATS_JSON_BASE + (size_t)max_sessions * STATS_JSON_ROW;
}

/* The view, with its rows behind the text in the worker's buffer. False: refused. */
static bool view(const struct routes *r, struct httpd_rq *rq, struct stats_view *v,
                 char **text) {
    size_t cap;
    *text = httpd_body(rq, &cap);
    void *rows = *text + stats_text_bytes(r->max_sessions);
    *v = (struct stats_view){.rows = rows};
    if (!ask(r, rq, &(struct question){&v->hub, rows, r->max_sessions}))
        return false;
    v->uptime_s = (clock_ms() - r->about->started_ms) / 1000;
    v->rss_bytes = process_rss_bytes();
    v->tls_bytes = tls_heap_use().now;
    if (r->lobby)
        lobby_stats(r->lobby, &v->lobby);
    return true;
}

void routes_stats(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct stats_view v;
    char *text;
    if (!view(r, rq, &v, &text))
        return;
    struct jsonw w;
    jsonw_init(&w, text, stats_text_bytes(r->max_sessions));
    stats_json(&w, &v);
    routes_answer_json(rq, &w);
}

/* For browsers without scripts, which the page sends here, and for people with curl. */
static void stats_plain(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct stats_view v;
    char *text;
    if (!view(r, rq, &v, &text))
        return;
    size_t n = stats_text(text, stats_text_bytes(r->max_sessions), &v);
    routes_answer(rq, "text/plain; charset=utf-8", text, n);
}

static void sessions(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    char *text = httpd_body(rq, &cap);
    size_t text_cap = stats_text_bytes(r->max_sessions);
    struct hub_row *rows = (void *)(text + text_cap);
    struct hub_stats stats;
    if (!ask(r, rq, &(struct question){&stats, rows, r->max_sessions}))
        return;
    struct jsonw w;
    jsonw_init(&w, text, text_cap);
    jsonw_obj(&w, NULL);
    jsonw_arr(&w, "sessions");
    for (uint32_t i = 0; i < stats.n_rows; i++)
        stats_row(&w, &rows[i]);
    jsonw_arr_end(&w);
    jsonw_obj_end(&w);
    routes_answer_json(rq, &w);
}

struct closing {
    sess_id id;
    int rc;
};

static void do_close(struct hub *h, void *arg) {
    struct closing *c = arg;
    c->rc = hub_close(h, c->id, DISC_EVICTED);
}

static void close_session(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct closing c = {0};
    if (uri_hex64(rq->tail, &c.id) != 0) {
        httpd_problem(rq, 404, NULL, "There is no such session.");
        return;
    }
    if (!routes_ask_hub(r, rq, do_close, &c))
        return;
    if (c.rc)
        httpd_problem(rq, 404, NULL, "There is no such session.");
    else
        httpd_reply(rq, &(struct reply){.status = 204});
}

/* ---- what telemetry knows ---- */

/* How these answers share the worker's buffer. */
struct metrics_room {
    struct telemetry_list list;
    struct telemetry_snap snap;
    char text[METRICS_TEXT_MAX];
};

static void metrics(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    struct metrics_room *room = (void *)httpd_body(rq, &cap);
    struct hub_stats stats;
    if (!ask(r, rq, &(struct question){&stats, NULL, 0}))
        return;
    telemetry_describe(r->telemetry, &room->list);
    telemetry_snapshot(r->telemetry, &room->snap);
    struct metrics_view v = {
        .about = r->about,
        .hub = &stats,
        .list = &room->list,
        .snap = &room->snap,
        .rss_bytes = process_rss_bytes(),
        .cpu_s = process_cpu_s(),
    };
    own_stats(r->own, &v.own);
    lobby_stats(r->lobby, &v.lobby);
    size_t n = metrics_text(room->text, sizeof room->text, &v);
    routes_answer(rq, "text/plain; version=0.0.4; charset=utf-8", room->text, n);
}

struct info_room {
    struct telemetry_list list;
    char text[ABOUT_JSON_MAX];
};

static void info(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    struct info_room *room = (void *)httpd_body(rq, &cap);
    telemetry_describe(r->telemetry, &room->list);
    struct jsonw w;
    jsonw_init(&w, room->text, sizeof room->text);
    about_json(&w, r->about, &room->list);
    routes_answer_json(rq, &w);
}

static void publish(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    publish_route(r->own, rq);
}

/* ---- for those that watch us ---- */

static void nothing(struct hub *h, void *arg) {
    (void)h;
    (void)arg;
}

static bool hub_answers(const struct routes *r) {
    return hub_call(r->hub, nothing, NULL, ROUTES_HEALTH_MS) == 0;
}

static bool sampled(const struct routes *r, struct httpd_rq *rq) {
    size_t cap;
    struct telemetry_snap *snap = (void *)httpd_body(rq, &cap);
    telemetry_snapshot(r->telemetry, snap);
    uint64_t limit_ms = (uint64_t)FRESH_PERIODS * r->about->sample_ms;
    return snap->seq > 0 && clock_ms() - snap->mono_ms <= limit_ms;
}

static void answer_ok(struct httpd_rq *rq) {
    static const char body[] = "{\"status\":\"ok\"}";
    routes_answer(rq, "application/json", body, sizeof body - 1);
}

/* This answer itself shows that the front lives. While it stops on purpose nothing is
 * unhealthy. */
static void healthz(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    if (atomic_load(&r->stopping) || hub_answers(r))
        answer_ok(rq);
    else
        refuse(rq, "The session hub does not answer.");
}

static void readyz(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    if (atomic_load(&r->stopping))
        refuse(rq, "The server is stopping.");
    else if (!hub_answers(r))
        refuse(rq, "The session hub does not answer.");
    else if (!sampled(r, rq))
        refuse(rq, "There are no fresh samples.");
    else
        answer_ok(rq);
}

/* The page itself is for anybody: it is where one logs in, and holds no figure. */
const struct httpd_route routes_table[] = {
    {"/", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/history", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/stats", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/events", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/device", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/messages/*", HTTP_GET, ROLE_NONE, assets_messages},
    {"/stats.txt", HTTP_GET, ROLE_VIEWER, stats_plain},
    {"/ws", HTTP_GET, ROLE_VIEWER, upgrade_ws},
    {"/ws/stats", HTTP_GET, ROLE_VIEWER, routes_stats},
    {"/metrics", HTTP_GET, ROLE_VIEWER, metrics},
    {"/healthz", HTTP_GET, ROLE_NONE, healthz},
    {"/readyz", HTTP_GET, ROLE_NONE, readyz},
    {"/api/v1/info", HTTP_GET, ROLE_VIEWER, info},
    {"/api/v1/openapi.json", HTTP_GET, ROLE_NONE, routes_openapi},
    {"/api/v1/telemetry", HTTP_GET, ROLE_VIEWER, routes_telemetry},
    {"/api/v1/history", HTTP_GET, ROLE_VIEWER, routes_history},
    {"/api/v1/events", HTTP_GET, ROLE_VIEWER, routes_events},
    {"/api/v1/publish", HTTP_POST, ROLE_ADMIN, publish},
    {"/api/v1/session", HTTP_GET, ROLE_NONE, auth_get_session},
    {"/api/v1/claim", HTTP_POST, ROLE_NONE, auth_post_claim},
    {"/api/v1/login", HTTP_POST, ROLE_NONE, auth_post_login},
    {"/api/v1/logout", HTTP_POST, ROLE_NONE, auth_post_logout},
    {"/api/v1/password", HTTP_POST, ROLE_ADMIN, auth_post_password},
    {"/api/v1/access", HTTP_GET, ROLE_ADMIN, auth_get_access},
    {"/api/v1/access", HTTP_POST, ROLE_ADMIN, auth_post_access},
    {"/api/v1/tokens", HTTP_GET, ROLE_ADMIN, auth_get_tokens},
    {"/api/v1/tokens", HTTP_POST, ROLE_ADMIN, auth_post_tokens},
    {"/api/v1/tokens/*", HTTP_DELETE, ROLE_ADMIN, auth_delete_token},
    {"/api/v1/sessions", HTTP_GET, ROLE_ADMIN, sessions},
    {"/api/v1/sessions/*", HTTP_DELETE, ROLE_ADMIN, close_session},
    {"/ca.crt", HTTP_GET, ROLE_NONE, cert_routes_ca},
    {"/trust", HTTP_GET, ROLE_NONE, cert_routes_trust},
    {"/.well-known/security.txt", HTTP_GET, ROLE_NONE, wellknown_security},
    {"/.well-known/change-password", HTTP_GET, ROLE_NONE, wellknown_password},
    {"/api/v1/certificate", HTTP_GET, ROLE_VIEWER, cert_routes_show},
    {"/api/v1/certificate", HTTP_POST, ROLE_ADMIN, cert_routes_install},
    {"/api/v1/certificate", HTTP_DELETE, ROLE_ADMIN, cert_routes_remove},
    {"/api/v1/update", HTTP_GET, ROLE_VIEWER, update_routes_status},
    {"/api/v1/update", HTTP_POST, ROLE_ADMIN, update_routes_take},
    {"/api/v1/reboot", HTTP_POST, ROLE_ADMIN, update_routes_reboot},
};
const unsigned routes_n = sizeof routes_table / sizeof routes_table[0];

uint32_t routes_reply_bytes(uint32_t max_sessions) {
    size_t n = stats_text_bytes(max_sessions) + max_sessions * sizeof(struct hub_row);
    size_t least = sizeof(struct metrics_room);
    least = least > sizeof(struct info_room) ? least : sizeof(struct info_room);
    least = least > routes_data_bytes ? least : routes_data_bytes;
    least = least > PUBLISH_REPLY_BYTES ? least : PUBLISH_REPLY_BYTES;
    least = least > CERT_ROUTES_BYTES ? least : CERT_ROUTES_BYTES;
    return (uint32_t)(n > least ? n : least);
}
