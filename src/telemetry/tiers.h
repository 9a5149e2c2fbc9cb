#pragma once
/* History beyond the last minutes: for each metric, by its id, least, average and
 * greatest of every 10 s of the last hour, 2 min of the last day and 15 min of the last
 * week. Pure; the owner locks (telemetry.h). Fixed memory, resident as it is used: 6 B
 * a point, 10.5 kB a metric with a week behind it.
 *
 * A point belongs to a step of CLOCK_MONOTONIC within one boot, so a jump of the wall
 * clock moves nothing. Each boot knows how far its wall clock is from that, as of its
 * newest sample: a clock that is set late sets the past right, too. Rows are numbered
 * from 1 in each tier; those of one boot follow each other step by step, and what was
 * not sampled is absent. */
#include "base/limits.h"
#include "telemetry/metric.h"

#include <assert.h>

#define TIERS_N 3
#define TIERS_ROWS_MAX 720u
#define TIERS_STEP_MS 10000u /* of the first, of which the others are made */
#define TIERS_BOOTS 32u      /* the past of earlier ones is forgotten */

struct tier_shape {
    uint32_t step_ms, rows;
};
extern const struct tier_shape tiers_shape[TIERS_N];

struct tier_point {
    uint16_t min, avg, max; /* quant.h */
};

struct tiers_boot {
    uint64_t id[2];
    int64_t wall_ms;          /* wall clock at monotonic time 0 */
    uint64_t row[TIERS_N];    /* its first in each tier; beyond the newest: none yet */
    uint64_t bucket[TIERS_N]; /* the step of that row */
};

struct tier_sum {
    double sum;
    float min, max;
    uint32_t n;
};

struct tiers {
    uint64_t last[TIERS_N]; /* the newest row */
    uint32_t n_boots;       /* the last of them is this one, once `joined` */
    bool joined;
    uint64_t boot_id[2]; /* of this boot */
    struct tiers_boot boot[TIERS_BOOTS];
    uint64_t mono_ms; /* of the newest sample */

    uint32_t n_columns;
    bool used[LIM_METRICS];     /* by a slot of the metric list */
    uint64_t seen[LIM_METRICS]; /* newest row of the last tier with a value */
    char id[LIM_METRICS][METRIC_ID_MAX];
    struct tier_sum sum[LIM_METRICS]; /* of the first tier's step under way */
    struct tier_point hour[LIM_METRICS][360];
    struct tier_point day[LIM_METRICS][720];
    struct tier_point week[LIM_METRICS][672];
};

/* t is zeroed, or was restored (tiers_file.h). boot_id: of this boot of the machine. */
void tiers_begin(struct tiers *t, const uint64_t boot_id[2]);

/* The column of this id, with its past if it is known: for a slot of the list. */
uint32_t tiers_claim(struct tiers *t, const char *id);
/* No slot has it any more. Its past stays until another id needs the column. */
void tiers_release(struct tiers *t, uint32_t column);
/* -ENOENT: the id is not known. */
int tiers_find(const struct tiers *t, const char *id);

/* values[i] is of column[i], NaN: absent. */
void tiers_push(struct tiers *t, int64_t wall_ms, uint64_t mono_ms,
                const uint32_t *column, const double *values, uint32_t n);

/* What is known of the step under way becomes its point, for now: before packing. */
void tiers_settle(struct tiers *t);

/* Points at even steps of the wall clock, the newest last. */
struct tiers_plan {
    uint32_t tier, n;
    int64_t t0_ms;                /* where the first step begins */
    uint64_t row[TIERS_ROWS_MAX]; /* 0: nothing is known */
};
/* At most n points, none before the first sample. Where boots overlap, since a clock
 * was wrong, the later one is believed. */
void tiers_plan(const struct tiers *t, uint32_t tier, uint32_t n,
                struct tiers_plan *out);
/* The points of the plan; those pushed out meanwhile are absent, too. */
void tiers_read(const struct tiers *t, uint32_t column, const struct tiers_plan *plan,
                struct tier_point *out);

/* For tiers_file.c. */
struct tier_point *tiers_at(struct tiers *t, uint32_t tier, uint32_t column,
                            uint64_t row);
const struct tier_point *tiers_get(const struct tiers *t, uint32_t tier,
                                   uint32_t column, uint64_t row);
static inline uint64_t tiers_oldest(const struct tiers *t, uint32_t tier) {
    uint64_t rows = tiers_shape[tier].rows;
    return t->last[tier] > rows ? t->last[tier] - rows + 1 : 1;
}
