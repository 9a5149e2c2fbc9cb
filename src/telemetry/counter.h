#pragma once
/* A rate from two readings of a counter that only goes up. Pure; sampler thread. */
#include <stdbool.h>
#include <stdint.h>

struct counter {
    uint64_t value;
    uint64_t at_ns; /* CLOCK_MONOTONIC of the reading */
    bool known;
};

/* Takes a reading; true and *per_s, per second of real time, when there was an earlier
 * one to compare it with. A counter that went back wrapped (32 bits) or belongs to a
 * device made anew: the truth about this interval is not known, and the count starts
 * afresh. */
bool counter_rate(struct counter *c, uint64_t value, uint64_t now_ns, double *per_s);
