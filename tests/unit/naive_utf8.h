#pragma once
/* UTF-8 by its definition (RFC 3629 section 3), which speaks of code points: slow,
 * plain and unlike base/utf8.c, to compare it with. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Could some character begin with these n bytes? *whole: they are one. The bits that
 * have not come are filled with 0 and with 1: does a character lie between? */
static inline bool naive_utf8_begins(const uint8_t *p, size_t n, bool *whole) {
    static const struct {
        uint8_t mark, mask;
        long first, last;
    } form[4] = {{0x00, 0x80, 0, 0x7F},
                 {0xC0, 0xE0, 0x80, 0x7FF},
                 {0xE0, 0xF0, 0x800, 0xFFFF},
                 {0xF0, 0xF8, 0x10000, 0x10FFFF}};
    for (size_t len = n; len <= 4; len++) {
        if ((p[0] & form[len - 1].mask) != form[len - 1].mark)
            continue;
        long low = p[0] & ~form[len - 1].mask;
        for (size_t i = 1; i < n; i++) {
            if ((p[i] & 0xC0) != 0x80)
                return false;
            low = low << 6 | (p[i] & 0x3F);
        }
        long unknown = 1L << 6 * (len - n), high = (low + 1) * unknown - 1;
        low = low * unknown;
        low = low < form[len - 1].first ? form[len - 1].first : low;
        high = high > form[len - 1].last ? form[len - 1].last : high;
        *whole = len == n;
        return low <= high && !(low >= 0xD800 && high <= 0xDFFF);
    }
    return false;
}
