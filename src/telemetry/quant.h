#pragma once
/* A number in 16 bits: for years of charts, not for sums. Pure.
 *
 * Sign, 6 bits of exponent, 9 of fraction: within 0.1 % from 1.5e-5 to 1.4e14, below it
 * in steps of 3e-8. Codes sort as their numbers do; 0 is no number at all, so that
 * zeroed memory holds none. */
#include <stdint.h>

#define QUANT_NONE 0u

/* NaN, and what is too large: QUANT_NONE. */
uint16_t quant_code(double v);
/* NaN for QUANT_NONE. */
float quant_value(uint16_t code);
