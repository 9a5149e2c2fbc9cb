#include "telemetry/history.h"

#include <math.h>
#include <stdbool.h>

void history_init(struct history *h) { h->seq = 0; }

void history_clear(struct history *h, uint32_t slot) {
    for (uint32_t i = 0; i < LIM_HISTORY_N; i++)
        h->value[slot][i] = NAN;
}

void history_push(struct history *h, int64_t wall_ms, uint64_t mono_ms,
                  const double *values, uint32_t slots) {
    uint64_t row = ++h->seq % LIM_HISTORY_N;
    h->wall_ms[row] = wall_ms;
    h->mono_ms[row] = mono_ms;
    for (uint32_t i = 0; i < slots; i++)
        h->value[i][row] = (float)values[i];
}

void history_times(const struct history *h, uint64_t since, uint32_t max,
                   struct history_times *out) {
    uint64_t n = since < h->seq ? h->seq - since : 0;
    if (n > LIM_HISTORY_N)
        n = LIM_HISTORY_N;
    if (n > max)
        n = max;
    out->seq0 = h->seq - n + 1;
    out->n = (uint32_t)n;
    for (uint32_t i = 0; i < out->n; i++) {
        out->wall_ms[i] = h->wall_ms[(out->seq0 + i) % LIM_HISTORY_N];
        out->mono_ms[i] = h->mono_ms[(out->seq0 + i) % LIM_HISTORY_N];
    }
}

void history_column(const struct history *h, uint32_t slot, uint64_t seq0, uint32_t n,
                    float *out) {
    uint64_t oldest = h->seq > LIM_HISTORY_N ? h->seq - LIM_HISTORY_N + 1 : 1;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t row = seq0 + i;
        bool held = row >= oldest && row <= h->seq;
        out[i] = held ? h->value[slot][row % LIM_HISTORY_N] : NAN;
    }
}
