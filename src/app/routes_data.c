/* GET /api/v1/...: what was logged and measured, for programs and for people with curl.
 */
#include "app/routes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/sample_json.h"
#include "app/series.h"
#include "http/uri.h"

#define PARAM_MAX 24

/* A whole number of the query, where it stands; *given says whether. False: it is none,
 * or not in its range, and the request was refused. */
static bool number(struct httpd_rq *rq, const char *name, uint64_t min, uint64_t max,
                   uint64_t *out, bool *given) {
    char text[PARAM_MAX], why[96];
    uint64_t v;
    int rc = uri_param(rq->head->query, name, text, sizeof text);
    *given = rc == 0;
    if (rc == -ENOENT)
        return true;
    if (rc == 0 && uri_u64(text, &v) == 0 && v >= min && v <= max) {
        *out = v;
        return true;
    }
    snprintf(why, sizeof why, "%s is not a whole number in %llu..%llu.", name,
             (unsigned long long)min, (unsigned long long)max);
    httpd_problem(rq, 400, NULL, why);
    return false;
}

static bool level(struct httpd_rq *rq, enum log_level *out) {
    char text[PARAM_MAX];
    int rc = uri_param(rq->head->query, "level", text, sizeof text);
    if (rc == -ENOENT || (rc == 0 && log_level_parse(text, out) == 0))
        return true;
    httpd_problem(rq, 400, NULL, "level is not error, warn, notice or info.");
    return false;
}

void routes_events(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct events_query q = EVENTS_QUERY_ALL;
    uint64_t limit = EVENTS_N;
    bool given;
    if (!number(rq, "since", 0, UINT64_MAX, &q.since, &q.has_since) ||
        !number(rq, "limit", 1, UINT32_MAX, &limit, &given) || !level(rq, &q.level))
        return;
    q.limit = (uint32_t)limit;
    q.addresses = rq->role >= ROLE_ADMIN;
    size_t cap;
    char *text = httpd_body(rq, &cap);
    struct jsonw w;
    jsonw_init(&w, text, cap);
    events_json(&w, r->events, r->about->epoch, &q);
    routes_answer_json(rq, &w);
}

/* ---- what was measured ---- */

struct telemetry_room {
    struct telemetry_snap snap;
    char text[SAMPLE_JSON_MAX];
};

void routes_telemetry(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    struct telemetry_room *room = (void *)httpd_body(rq, &cap);
    telemetry_snapshot(r->telemetry, &room->snap);
    struct jsonw w;
    jsonw_init(&w, room->text, sizeof room->text);
    jsonw_obj(&w, NULL);
    sample_json(&w, &room->snap);
    jsonw_obj_end(&w);
    routes_answer_json(rq, &w);
}

/* Numbers in one answer, which bounds what a request can cost. */
#define HISTORY_VALUES 65536u
/* Of one as text, with what surrounds it; and what comes with a metric and a point. */
#define VALUE_TEXT 14u
#define METRIC_TEXT (3 * (METRIC_ID_MAX + 8))
#define POINT_TEXT 32u

/* Ids as they stand in a query: a name takes up a place in a head, and so few fit. */
#define IDS_TEXT 4096u

struct history_room {
    struct telemetry_list list;
    struct series series;
    const char *id[LIM_METRICS];
    uint32_t n_ids;
    char ids[IDS_TEXT];
    struct series_value column[TIERS_ROWS_MAX];
    struct series_value values[HISTORY_VALUES];
    char text[HISTORY_VALUES * VALUE_TEXT + LIM_METRICS * METRIC_TEXT +
              TIERS_ROWS_MAX * POINT_TEXT + 256];
};

static bool chosen(const struct history_room *h, const char *id) {
    for (uint32_t i = 0; i < h->n_ids; i++) {
        if (strcmp(h->id[i], id) == 0)
            return true;
    }
    return false;
}

/* ids=a,b, each once; or all that are measured now. */
static bool choose(struct httpd_rq *rq, struct telemetry *t, struct history_room *h) {
    h->n_ids = 0;
    int rc = uri_param(rq->head->query, "ids", h->ids, sizeof h->ids);
    if (rc == -ENOENT) {
        telemetry_describe(t, &h->list);
        for (; h->n_ids < h->list.n; h->n_ids++)
            h->id[h->n_ids] = h->list.m[h->n_ids].id;
        return true;
    }
    char *rest = h->ids, *id;
    while (rc == 0 && (id = strsep(&rest, ","))) {
        if (id[0] == '\0' || chosen(h, id))
            continue;
        if (h->n_ids == LIM_METRICS)
            rc = -ENOBUFS;
        else
            h->id[h->n_ids++] = id;
    }
    if (rc != 0)
        httpd_problem(rq, 400, NULL, "ids is not a list of metrics: a,b,c.");
    return rc == 0;
}

/* -1: refused. */
static int wants_csv(struct httpd_rq *rq) {
    char text[PARAM_MAX];
    int rc = uri_param(rq->head->query, "format", text, sizeof text);
    if (rc == -ENOENT || (rc == 0 && strcmp(text, "json") == 0))
        return 0;
    if (rc == 0 && strcmp(text, "csv") == 0)
        return 1;
    httpd_problem(rq, 400, NULL, "format is not json or csv.");
    return -1;
}

/* Lines go across the metrics, so all of them are read first; those that are not known
 * are left out. */
static void answer_csv(struct httpd_rq *rq, struct history_room *h, uint32_t range_s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_ids; i++) {
        h->id[n] = h->id[i];
        n += series_read(&h->series, h->id[n], &h->values[(size_t)n * h->series.n]);
    }
    size_t len = series_csv(h->text, sizeof h->text, &h->series, h->id, n, h->values);
    char extra[128];
    snprintf(
        extra, sizeof extra,
        "Content-Disposition: attachment; filename=\"pulseboard-%us-%ums.csv\"\r\n",
        range_s, h->series.step_ms);
    if (len == 0) {
        httpd_problem(rq, 500, NULL, "The answer does not fit its buffer.");
        return;
    }
    httpd_reply(rq, &(struct reply){.status = 200,
                                    .type = "text/csv; charset=utf-8",
                                    .extra = extra,
                                    .body = h->text,
                                    .n = len});
}

void routes_history(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    struct history_room *h = (void *)httpd_body(rq, &cap);
    uint64_t range = LIM_HISTORY_N * r->about->sample_ms / 1000, step = 0;
    bool given;
    int csv = wants_csv(rq);
    if (csv < 0 || !number(rq, "range", 1, SERIES_RANGE_MAX_S, &range, &given) ||
        !number(rq, "step", 0, SERIES_RANGE_MAX_S, &step, &given) ||
        !choose(rq, r->telemetry, h))
        return;
    series_plan(&h->series, r->telemetry, r->about->sample_ms, (uint32_t)range,
                (uint32_t)step);
    if (series_values(&h->series, h->n_ids) > HISTORY_VALUES) {
        httpd_problem(rq, 400, NULL,
                      "That is too much at once: ask for fewer ids, a shorter range or "
                      "a longer step.");
        return;
    }
    if (csv) {
        answer_csv(rq, h, (uint32_t)range);
        return;
    }
    struct jsonw w;
    jsonw_init(&w, h->text, sizeof h->text);
    series_json(&w, &h->series, h->id, h->n_ids, h->column);
    routes_answer_json(rq, &w);
}

static_assert(sizeof(struct history_room) >= EVENTS_JSON_MAX &&
                  sizeof(struct history_room) >= sizeof(struct telemetry_room),
              "the largest");
const size_t routes_data_bytes = sizeof(struct history_room);
