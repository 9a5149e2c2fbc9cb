#pragma once
/* Counters of the hub and their snapshot. The hub thread writes; others get a copy.
 * Invariant, after every tick: opened == live + sum of closed[]. */
#include <stdbool.h>
#include <stdint.h>

#include "session/disc.h"

/* RTT samples in buckets of about 12 %: constant memory, percentiles to that accuracy. */
#define METRICS_RTT_BUCKETS 96

struct metrics {
    uint64_t opened, closed[DISC_N];
    uint32_t peak; /* sessions at a time */
    uint64_t pings, pongs, missed, lost, reprieved;
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t conflated, resumed, replayed;
    uint64_t tick_max_us, loop_late;
    uint32_t rtt_max_ms;
    uint64_t rtt_n;
    uint32_t rtt[METRICS_RTT_BUCKETS];
};

void metrics_rtt(struct metrics *m, uint32_t rtt_ms);
/* q in 1..100; false while there is no sample. */
bool metrics_rtt_percentile(const struct metrics *m, unsigned q, uint32_t *out_ms);
uint64_t metrics_closed_sum(const struct metrics *m);
