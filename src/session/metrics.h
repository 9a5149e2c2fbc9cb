#pragma once
/* Counters of the hub and their snapshot. The hub thread writes; others get a copy.
 * Invariant, after every tick: opened == live + sum of closed[]. */
#include <stdbool.h>
#include <stdint.h>

#include "session/disc.h"

/* RTTs in logarithmic buckets: constant memory. Below 8 ms each value has its own,
 * above there are 8 to the octave, the last from 15,360 ms on. */
#define METRICS_RTT_BUCKETS 96
/* When so many are counted, all counts are halved: the distribution is that of lately
 * (some hours of 64 sessions), however many years it runs. */
#define METRICS_RTT_FADE 16384u

struct metrics {
    uint64_t opened, closed[DISC_N];
    uint32_t peak; /* sessions at a time */
    uint64_t pings, pongs, missed, lost, reprieved;
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t conflated, resumed, replayed;
    uint64_t tick_max_us, loop_late;
    uint32_t rtt_max_ms; /* ever */
    uint32_t rtt_n;      /* sum of rtt[] */
    uint32_t rtt[METRICS_RTT_BUCKETS];
};

void metrics_rtt(struct metrics *m, uint32_t rtt_ms);
/* The smallest RTT that at least q % of the samples do not exceed (nearest rank), q in
 * 1..100: never too low, at most 12.5 % too high up to 16 s, beyond that the maximum.
 * False while there is no sample. */
bool metrics_rtt_percentile(const struct metrics *m, unsigned q, uint32_t *out_ms);
uint64_t metrics_closed_sum(const struct metrics *m);
