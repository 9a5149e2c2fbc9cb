#pragma once
/* The last LIM_HISTORY_N samples of every slot, in columns. Pure; the owner locks (see
 * telemetry.h). Rows are numbered from 1 without gaps: row r is sample number r. */
#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

/* Columns of slots that were never used are never touched, so they cost no memory as
 * long as the structure stands in zeroed pages. */
struct history {
    uint64_t seq; /* number of the newest row; 0: none */
    int64_t wall_ms[LIM_HISTORY_N];
    uint64_t mono_ms[LIM_HISTORY_N];
    float value[LIM_METRICS][LIM_HISTORY_N]; /* NaN: absent */
};

/* The times of rows seq0 .. seq0 + n - 1, oldest first. */
struct history_times {
    uint64_t seq0;
    uint32_t n;
    int64_t wall_ms[LIM_HISTORY_N];
    uint64_t mono_ms[LIM_HISTORY_N];
};

void history_init(struct history *h);

/* The slot has a new tenant: nothing of the past is its own. */
void history_clear(struct history *h, uint32_t slot);

/* A row from values[0..slots-1]. Every slot ever used must be among them. */
void history_push(struct history *h, int64_t wall_ms, uint64_t mono_ms,
                  const double *values, uint32_t slots);

/* The newest rows, at most max, after row `since` (0: from the start). */
void history_times(const struct history *h, uint64_t since, uint32_t max,
                   struct history_times *out);

/* Rows seq0 .. seq0 + n - 1 of one slot; NaN for those not held (any more, or yet). */
void history_column(const struct history *h, uint32_t slot, uint64_t seq0, uint32_t n,
                    float *out);
