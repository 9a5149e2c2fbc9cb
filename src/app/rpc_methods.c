#include "app/rpc_methods.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "app/process.h"
#include "app/sample_json.h"
#include "app/stats_json.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"
#include "http/uri.h"
#include "sec/tls_heap.h"

static int ping(struct rpc_call *c) {
    jsonw_obj(c->out, NULL);
    jsonw_i64(c->out, "t", clock_wall_ms());
    jsonw_u64(c->out, "up", clock_ms());
    jsonw_obj_end(c->out);
    return 0;
}

static int info(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    telemetry_describe(m->telemetry, &m->list);
    about_json(c->out, m->about, &m->list);
    return 0;
}

static int snapshot(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    telemetry_snapshot(m->telemetry, &m->snap);
    jsonw_obj(c->out, NULL);
    sample_json(c->out, &m->snap);
    jsonw_obj_end(c->out);
    return 0;
}

static int stats(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    struct stats_view v = {
        .rows = m->rows,
        .uptime_s = (clock_ms() - m->about->started_ms) / 1000,
        .rss_bytes = process_rss_bytes(),
        .tls_bytes = tls_heap_use().now,
    };
    hub_stats(m->hub, &v.hub, m->rows, m->max_rows);
    if (m->lobby)
        lobby_stats(m->lobby, &v.lobby);
    stats_json(c->out, &v);
    return 0;
}

/* ---- history ---- */

static const cJSON *param(const struct rpc_call *c, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(c->params, name);
}

/* All whole numbers up to it are themselves in a double. */
#define WHOLE_MAX 9007199254740992.0

/* A whole number in this range, or absent. */
static bool whole_ok(const cJSON *v, double least, double most) {
    return !v || (cJSON_IsNumber(v) && v->valuedouble >= least &&
                  v->valuedouble <= most && v->valuedouble == floor(v->valuedouble));
}

static bool strings_ok(const cJSON *v, int max) {
    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > max)
        return false;
    const cJSON *item;
    cJSON_ArrayForEach(item, v) {
        if (!cJSON_IsString(item))
            return false;
    }
    return true;
}

static bool came_before(const cJSON *array, const cJSON *item) {
    for (const cJSON *i = array->child; i != item; i = i->next) {
        if (strcmp(i->valuestring, item->valuestring) == 0)
            return true;
    }
    return false;
}

/* One metric that is measured (still); any other is absent from the answer. */
static void column(struct rpc_methods *m, struct jsonw *w, const char *id) {
    uint32_t n = m->times.n;
    if (telemetry_history(m->telemetry, id, m->times.seq0, n, m->column) != 0)
        return;
    jsonw_key(w, id);
    jsonw_arr(w, NULL);
    for (uint32_t i = 0; i < n; i++)
        jsonw_num(w, NULL, (double)m->column[i], 6);
    jsonw_arr_end(w);
}

static void columns(struct rpc_methods *m, struct jsonw *w, const cJSON *ids) {
    jsonw_obj(w, "values");
    for (uint32_t i = 0; !ids && i < m->list.n; i++)
        column(m, w, m->list.m[i].id);
    const cJSON *id;
    cJSON_ArrayForEach(id, ids) {
        if (!came_before(ids, id))
            column(m, w, id->valuestring);
    }
    jsonw_obj_end(w);
}

/* Row i is at t0 + i * step_ms; the newest row is exact, those before a pause are not.
 */
static void axis(const struct rpc_methods *m, struct jsonw *w) {
    const struct history_times *t = &m->times;
    uint64_t back = t->n ? (uint64_t)(t->n - 1) * m->about->sample_ms : 0;
    jsonw_u64(w, "seq0", t->seq0);
    jsonw_i64(w, "t0", t->n ? t->wall_ms[t->n - 1] - (int64_t)back : 0);
    jsonw_i64(w, "up0", t->n ? (int64_t)(t->mono_ms[t->n - 1] - back) : 0);
    jsonw_u64(w, "step_ms", m->about->sample_ms);
    jsonw_u64(w, "n", t->n);
}

static int too_much(struct rpc_call *c) {
    return rpc_fail(c, RPC_REPLY_TOO_LARGE, "reply_too_large",
                    "Ask for fewer metrics, or for less time");
}

/* The samples since one that is known: what a client that was away has missed. */
static int history_since(struct rpc_call *c, const cJSON *ids) {
    struct rpc_methods *m = c->ctx;
    const cJSON *since = param(c, "since");
    telemetry_times(m->telemetry, since ? (uint64_t)since->valuedouble : 0,
                    LIM_HISTORY_N, &m->times);
    uint64_t n = ids ? (uint64_t)cJSON_GetArraySize(ids) : m->list.n;
    if (n * m->times.n > RPC_HISTORY_VALUES)
        return too_much(c);
    jsonw_obj(c->out, NULL);
    axis(m, c->out);
    columns(m, c->out, ids);
    jsonw_obj_end(c->out);
    return 0;
}

/* The ids that were asked for, each once, or all. */
static uint32_t chosen(const struct rpc_methods *m, const cJSON *ids,
                       const char *out[LIM_METRICS]) {
    uint32_t n = 0;
    for (uint32_t i = 0; !ids && i < m->list.n; i++)
        out[n++] = m->list.m[i].id;
    const cJSON *id;
    cJSON_ArrayForEach(id, ids) {
        if (!came_before(ids, id))
            out[n++] = id->valuestring;
    }
    return n;
}

/* A span of time up to now. */
static int history_range(struct rpc_call *c, const cJSON *ids) {
    struct rpc_methods *m = c->ctx;
    const cJSON *range = param(c, "range_s"), *step = param(c, "step_s");
    const char *id[LIM_METRICS];
    uint32_t n = chosen(m, ids, id);
    series_plan(&m->series, m->telemetry, m->about->sample_ms,
                (uint32_t)range->valuedouble, step ? (uint32_t)step->valuedouble : 0);
    if (series_values(&m->series, n) > RPC_HISTORY_VALUES)
        return too_much(c);
    series_json(c->out, &m->series, id, n, m->points);
    return 0;
}

static int history(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    const cJSON *range = param(c, "range_s"), *ids = param(c, "ids");
    if (cJSON_IsArray(c->params) || !whole_ok(param(c, "since"), 0, WHOLE_MAX) ||
        !whole_ok(range, 1, SERIES_RANGE_MAX_S) ||
        !whole_ok(param(c, "step_s"), 0, SERIES_RANGE_MAX_S) ||
        (ids && !strings_ok(ids, LIM_METRICS)))
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params",
                        "since, range_s and step_s are numbers, ids are strings");
    telemetry_describe(m->telemetry, &m->list);
    return range ? history_range(c, ids) : history_since(c, ids);
}

/* ---- events ---- */

static int events(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    const cJSON *since = param(c, "since"), *limit = param(c, "limit");
    const cJSON *level = param(c, "level");
    struct events_query q = {.level = LOG_LVL_INFO, .limit = RPC_EVENTS};
    if (cJSON_IsArray(c->params) || !whole_ok(since, 0, WHOLE_MAX) ||
        !whole_ok(limit, 1, WHOLE_MAX) ||
        (level && (!cJSON_IsString(level) ||
                   log_level_parse(level->valuestring, &q.level) != 0)))
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params",
                        "since and limit are numbers, level is one of the log's");
    q.addresses = c->role >= ROLE_ADMIN;
    q.has_since = since != NULL;
    q.since = since ? (uint64_t)since->valuedouble : 0;
    if (limit && limit->valuedouble < RPC_EVENTS)
        q.limit = (uint32_t)limit->valuedouble;
    events_json(c->out, m->events, m->about->epoch, &q);
    return 0;
}

/* ---- topics ---- */

static const struct {
    const char *name;
    uint8_t bit;
} topics[] = {{"telemetry", TOPIC_TELEMETRY}, {"events", TOPIC_EVENTS}};
#define N_TOPICS (sizeof topics / sizeof topics[0])

/* What a topic is for this role: an admin's events have addresses. */
static uint8_t bit_of(const struct rpc_call *c, size_t i) {
    bool admin = c->role >= ROLE_ADMIN;
    return admin && topics[i].bit == TOPIC_EVENTS ? TOPIC_EVENTS_ADMIN : topics[i].bit;
}

/* 0: there is no such topic. */
static uint8_t topic_bit(const struct rpc_call *c, const char *name) {
    for (size_t i = 0; i < N_TOPICS; i++) {
        if (strcmp(topics[i].name, name) == 0)
            return bit_of(c, i);
    }
    return 0;
}

static int change_topics(struct rpc_call *c, bool add) {
    struct rpc_methods *m = c->ctx;
    const cJSON *list = param(c, "topics"), *t;
    if (!strings_ok(list, 8))
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params", "topics are strings");
    unsigned now = hub_topics(m->hub, c->sess);
    cJSON_ArrayForEach(t, list) {
        unsigned bit = topic_bit(c, t->valuestring);
        if (!bit)
            return rpc_fail(c, RPC_INVALID_PARAMS, "unknown_topic", "No such topic");
        now = add ? now | bit : now & ~bit;
    }
    hub_subscribe(m->hub, c->sess, (uint8_t)now);
    jsonw_obj(c->out, NULL);
    jsonw_arr(c->out, "topics");
    for (size_t i = 0; i < N_TOPICS; i++) {
        if (now & bit_of(c, i))
            jsonw_str(c->out, NULL, topics[i].name);
    }
    jsonw_arr_end(c->out);
    jsonw_obj_end(c->out);
    return 0;
}

static int subscribe(struct rpc_call *c) { return change_topics(c, true); }

static int unsubscribe(struct rpc_call *c) { return change_topics(c, false); }

/* ---- for admins ---- */

static int close_session(struct rpc_call *c) {
    struct rpc_methods *m = c->ctx;
    const cJSON *session = param(c, "session");
    sess_id id = 0;
    if (!cJSON_IsString(session) || uri_hex64(session->valuestring, &id) != 0)
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params", "session is an id");
    if (hub_close(m->hub, id, DISC_EVICTED) != 0)
        return rpc_fail(c, RPC_NOT_FOUND, "not_found", "There is no such session");
    return 0;
}

/* Without a level: which it is. */
static int level(struct rpc_call *c) {
    const cJSON *word = param(c, "level");
    enum log_level to = log_level();
    if (word && (!cJSON_IsString(word) || log_level_parse(word->valuestring, &to) != 0))
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params",
                        "level is error, warn, notice, info or debug");
    if (to != log_level()) {
        log_set_level(to);
        log_notice("log_level", "level=%s", log_level_name(to));
    }
    jsonw_obj(c->out, NULL);
    jsonw_str(c->out, "level", log_level_name(to));
    jsonw_obj_end(c->out);
    return 0;
}

/* ---- all of them ---- */

const struct rpc_method rpc_methods_table[] = {
    {"ping", ROLE_VIEWER, ping, false},
    {"info", ROLE_VIEWER, info, false},
    {"snapshot", ROLE_VIEWER, snapshot, false},
    {"stats", ROLE_VIEWER, stats, false},
    {"history", ROLE_VIEWER, history, false},
    {"events", ROLE_VIEWER, events, false},
    {"subscribe", ROLE_VIEWER, subscribe, true},
    {"unsubscribe", ROLE_VIEWER, unsubscribe, true},
    {"sessions.close", ROLE_ADMIN, close_session, true},
    {"log.level", ROLE_ADMIN, level, true},
};
const size_t rpc_methods_n = sizeof rpc_methods_table / sizeof rpc_methods_table[0];

int rpc_methods_init(struct rpc_methods *m, const struct about *about,
                     struct telemetry *telemetry, struct events *events,
                     uint32_t max_message) {
    m->about = about;
    m->telemetry = telemetry;
    m->events = events;
    /* Enough for what people send; a message that needs more is told so. */
    m->arena_bytes = (size_t)max_message * 8;
    m->out_bytes = RPC_REPLY_BYTES;
    m->max_rows = (RPC_REPLY_BYTES - STATS_JSON_BASE) / STATS_JSON_ROW;
    m->rows_bytes = m->max_rows * sizeof *m->rows;
    m->arena = pages_take(m->arena_bytes);
    m->out = pages_take(m->out_bytes);
    m->rows = pages_take(m->rows_bytes);
    if (!m->arena || !m->out || !m->rows) {
        rpc_methods_free(m);
        return -ENOMEM;
    }
    rpc_init(&m->rpc, rpc_methods_table, rpc_methods_n, m->arena, m->arena_bytes);
    return 0;
}

void rpc_methods_free(struct rpc_methods *m) {
    pages_give(m->arena, m->arena_bytes);
    pages_give(m->out, m->out_bytes);
    pages_give(m->rows, m->rows_bytes);
}

size_t rpc_methods_handle(struct rpc_methods *m, struct hub *hub, sess_id id,
                          uint8_t role, const char *text, size_t n,
                          const char **answer) {
    m->hub = hub;
    *answer = m->out;
    return rpc_handle(&m->rpc, m, id, role, text, n, m->out, m->out_bytes);
}
