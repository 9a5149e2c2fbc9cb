#pragma once
/* History as charts want it: evenly spaced, the newest point last, null where nothing
 * is known. One memory per thread that asks; the work is bounded by its caller, who
 * counts series_values() before it reads. */
#include "base/jsonw.h"
#include "telemetry/telemetry.h"

struct series_value {
    float min, avg, max; /* NaN: not known; of a live series only avg */
};

struct series {
    struct telemetry *telemetry;
    bool live; /* samples as they were taken, not a tier */
    uint32_t step_ms, n;
    int64_t t0_ms; /* of the first point */
    struct tiers_plan plan;
    struct history_times times;
    uint16_t at[LIM_HISTORY_N]; /* which row of times a point is, from 1; 0: none */
    /* Of the column being read. */
    struct tier_point points[TIERS_ROWS_MAX];
    float column[LIM_HISTORY_N];
};

/* The last range_s seconds by steps of step_s at least (0: as fine as it is kept). What
 * is kept decides: the finest that reaches back so far, else the coarsest. */
#define SERIES_RANGE_MAX_S (7u * 24 * 3600)
void series_plan(struct series *s, struct telemetry *t, uint32_t sample_ms,
                 uint32_t range_s, uint32_t step_s);

/* Numbers in the answer for so many metrics. */
static inline uint64_t series_values(const struct series *s, uint64_t metrics) {
    return metrics * s->n * (s->live ? 1u : 3u);
}

/* n points of one metric; false: there is no such metric. */
bool series_read(struct series *s, const char *id, struct series_value *out);

/* {step_ms, t0, n, values}; ids that are not known are left out. */
void series_json(struct jsonw *w, struct series *s, const char *const *ids,
                 uint32_t n_ids, struct series_value room[TIERS_ROWS_MAX]);

/* The same as CSV (RFC 4180), a line for each point: time in UTC, then the columns. 0:
 * it does not fit. values: those of all metrics, read one behind the other. */
size_t series_csv(char *buf, size_t cap, const struct series *s, const char *const *ids,
                  uint32_t n_ids, const struct series_value *values);
