#include "telemetry/quant.h"

#include <math.h>

#define FRACTION 512 /* of a power of two */
#define LEAST (-16)  /* exponent of the least number with a full fraction */
#define ZERO 32768

/* Steps from zero: those of the least exponent as far as they are even, then FRACTION
 * for each doubling. */
static int steps_of(double v) {
    int e;
    double m = 2 * frexp(v, &e); /* v = m * 2^(e - 1), m = 1..2 */
    e--;
    if (e < LEAST)
        return (int)(ldexp(v, -LEAST) * FRACTION + 0.5);
    return (int)((m - 1) * FRACTION + 0.5) + (e - LEAST + 1) * FRACTION;
}

uint16_t quant_code(double v) {
    if (!isfinite(v))
        return QUANT_NONE;
    int m = v == 0 ? 0 : steps_of(fabs(v));
    if (m >= ZERO)
        return QUANT_NONE;
    return (uint16_t)(ZERO + (v < 0 ? -m : m));
}

float quant_value(uint16_t code) {
    if (code == QUANT_NONE)
        return NAN;
    int s = (int)code - ZERO, m = s < 0 ? -s : s;
    double v = m < FRACTION ? ldexp((double)m / FRACTION, LEAST)
                            : ldexp(1 + (double)(m % FRACTION) / FRACTION,
                                    m / FRACTION - 1 + LEAST);
    return (float)(s < 0 ? -v : v);
}
