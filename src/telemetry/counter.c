#include "telemetry/counter.h"

bool counter_rate(struct counter *c, uint64_t value, uint64_t now_ns, double *per_s) {
    struct counter last = *c;
    *c = (struct counter){.value = value, .at_ns = now_ns, .known = true};
    if (!last.known || now_ns <= last.at_ns || value < last.value)
        return false;
    *per_s = (double)(value - last.value) * 1e9 / (double)(now_ns - last.at_ns);
    return true;
}
