#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define STEADY_MS 1000

static uint64_t read_ns(clockid_t id) {
    struct timespec ts;
    /* Cannot fail for these two ids and a valid pointer (clock_gettime(2)). */
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock_ns(void) { return read_ns(CLOCK_MONOTONIC); }

uint64_t clock_ms(void) { return clock_ns() / 1000000u; }

int64_t clock_wall_ms(void) { return (int64_t)(read_ns(CLOCK_REALTIME) / 1000000u); }

int64_t clock_wall_at_zero_ms(void) {
    static _Atomic int64_t told; /* 0: nothing yet */
    int64_t was = atomic_load(&told), now = clock_wall_ms() - (int64_t)clock_ms();
    if (was != 0 && llabs(now - was) < STEADY_MS)
        return was;
    return atomic_compare_exchange_strong(&told, &was, now) ? now : was;
}
