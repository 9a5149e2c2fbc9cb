/* GET /api/v1/...: what was logged and measured, for programs and for people with curl.
 */
#include "app/routes.h"

#include <errno.h>
#include <stdio.h>

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
    size_t cap;
    char *text = httpd_body(rq, &cap);
    struct jsonw w;
    jsonw_init(&w, text, cap);
    events_json(&w, r->events, r->about->epoch, &q);
    routes_answer_json(rq, &w);
}

const size_t routes_data_bytes = EVENTS_JSON_MAX;
