#include "app/series.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "telemetry/quant.h"

/* Significant digits: what the 16 bits of a tier hold, and what frames tell. */
#define TIER_DIGITS 4
#define LIVE_DIGITS 6

/* ---- what to read ---- */

static uint32_t points_in(uint32_t range_s, uint32_t step_ms, uint32_t rows) {
    uint64_t n = ((uint64_t)range_s * 1000 + step_ms - 1) / step_ms;
    return n < rows ? (uint32_t)n : rows;
}

/* Does it serve, or is there nothing coarser? */
static bool serves(uint32_t step_ms, uint32_t rows, uint32_t sample_ms,
                   uint32_t range_s, uint32_t step_s) {
    return step_ms >= sample_ms && (uint64_t)step_s * 1000 <= step_ms &&
           (uint64_t)range_s * 1000 <= (uint64_t)step_ms * rows;
}

/* Samples come in time, but for those that were late: each goes to the step next to it.
 */
static void plan_live(struct series *s, uint32_t sample_ms, uint32_t n) {
    struct history_times *h = &s->times;
    telemetry_times(s->telemetry, 0, LIM_HISTORY_N, h);
    s->live = true;
    s->step_ms = sample_ms;
    s->n = h->n ? n : 0;
    s->t0_ms = h->n ? h->wall_ms[h->n - 1] - (int64_t)(n - 1) * sample_ms : 0;
    memset(s->at, 0, sizeof s->at);
    for (uint32_t i = 0; i < h->n; i++) {
        uint64_t ago = h->mono_ms[h->n - 1] - h->mono_ms[i];
        uint64_t back = (ago + sample_ms / 2) / sample_ms;
        if (back < s->n)
            s->at[s->n - 1 - back] = (uint16_t)(i + 1);
    }
}

void series_plan(struct series *s, struct telemetry *t, uint32_t sample_ms,
                 uint32_t range_s, uint32_t step_s) {
    s->telemetry = t;
    if (serves(sample_ms, LIM_HISTORY_N, sample_ms, range_s, step_s)) {
        plan_live(s, sample_ms, points_in(range_s, sample_ms, LIM_HISTORY_N));
        return;
    }
    uint32_t tier = 0;
    while (tier + 1 < TIERS_N &&
           !serves(tiers_shape[tier].step_ms, tiers_shape[tier].rows, sample_ms,
                   range_s, step_s))
        tier++;
    s->live = false;
    s->step_ms = tiers_shape[tier].step_ms;
    telemetry_plan(t, tier, points_in(range_s, s->step_ms, tiers_shape[tier].rows),
                   &s->plan);
    s->n = s->plan.n;
    s->t0_ms = s->plan.t0_ms;
}

/* ---- reading ---- */

static bool read_live(struct series *s, const char *id, struct series_value *out) {
    const struct history_times *h = &s->times;
    if (telemetry_history(s->telemetry, id, h->seq0, h->n, s->column) != 0)
        return false;
    for (uint32_t i = 0; i < s->n; i++) {
        float v = s->at[i] ? s->column[s->at[i] - 1] : NAN;
        out[i] = (struct series_value){NAN, v, NAN};
    }
    return true;
}

bool series_read(struct series *s, const char *id, struct series_value *out) {
    if (s->live)
        return read_live(s, id, out);
    if (telemetry_points(s->telemetry, id, &s->plan, s->points) != 0)
        return false;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct tier_point *p = &s->points[i];
        out[i] = (struct series_value){quant_value(p->min), quant_value(p->avg),
                                       quant_value(p->max)};
    }
    return true;
}

/* ---- JSON ---- */

static void column_json(struct jsonw *w, const char *key, const float *first,
                        uint32_t n, int digits) {
    const size_t stride = sizeof(struct series_value) / sizeof(float);
    jsonw_arr(w, key);
    for (uint32_t i = 0; i < n; i++)
        jsonw_num(w, NULL, (double)first[i * stride], digits);
    jsonw_arr_end(w);
}

void series_json(struct jsonw *w, struct series *s, const char *const *ids,
                 uint32_t n_ids, struct series_value room[TIERS_ROWS_MAX]) {
    jsonw_obj(w, NULL);
    jsonw_u64(w, "step_ms", s->step_ms);
    jsonw_i64(w, "t0", s->t0_ms);
    jsonw_u64(w, "n", s->n);
    jsonw_obj(w, "values");
    for (uint32_t i = 0; i < n_ids; i++) {
        if (!series_read(s, ids[i], room))
            continue;
        jsonw_key(w, ids[i]);
        jsonw_obj(w, NULL);
        column_json(w, "avg", &room->avg, s->n, s->live ? LIVE_DIGITS : TIER_DIGITS);
        if (!s->live) {
            column_json(w, "min", &room->min, s->n, TIER_DIGITS);
            column_json(w, "max", &room->max, s->n, TIER_DIGITS);
        }
        jsonw_obj_end(w);
    }
    jsonw_obj_end(w);
    jsonw_obj_end(w);
}

/* ---- CSV ---- */

struct text {
    char *buf;
    size_t cap, n;
};

static void put(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = t->n < t->cap ? vsnprintf(t->buf + t->n, t->cap - t->n, fmt, ap) : 0;
    va_end(ap);
    t->n = n < 0 ? t->cap : t->n + (size_t)n;
}

static void put_time(struct text *t, int64_t wall_ms) {
    /* Before 1970 lies what a board without a clock has not seen yet. */
    int64_t below = wall_ms < 0 ? 999 : 0;
    time_t s = (time_t)((wall_ms - below) / 1000);
    struct tm tm;
    char when[24];
    gmtime_r(&s, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    put(t, "%s.%03dZ", when, (int)(wall_ms - (int64_t)s * 1000));
}

static void put_number(struct text *t, float v, int digits) {
    char num[40];
    struct jsonw w;
    put(t, ",");
    if (isnan(v))
        return;
    jsonw_init(&w, num, sizeof num);
    jsonw_num(&w, NULL, (double)v, digits);
    put(t, "%.*s", (int)w.len, num);
}

size_t series_csv(char *buf, size_t cap, const struct series *s, const char *const *ids,
                  uint32_t n_ids, const struct series_value *values) {
    struct text t = {buf, cap, 0};
    put(&t, "time");
    for (uint32_t c = 0; c < n_ids; c++) {
        if (s->live)
            put(&t, ",%s", ids[c]);
        else
            put(&t, ",%s avg,%s min,%s max", ids[c], ids[c], ids[c]);
    }
    put(&t, "\r\n");
    for (uint32_t i = 0; i < s->n && t.n < cap; i++) {
        put_time(&t, s->t0_ms + (int64_t)i * s->step_ms);
        for (uint32_t c = 0; c < n_ids; c++) {
            const struct series_value *v = &values[(size_t)c * s->n + i];
            put_number(&t, v->avg, s->live ? LIVE_DIGITS : TIER_DIGITS);
            if (!s->live) {
                put_number(&t, v->min, TIER_DIGITS);
                put_number(&t, v->max, TIER_DIGITS);
            }
        }
        put(&t, "\r\n");
    }
    return t.n < cap ? t.n : 0;
}
