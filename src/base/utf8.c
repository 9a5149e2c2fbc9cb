#include "base/utf8.h"

#include <string.h>

/* An automaton in one table: row[byte] holds the next state for every state, in six
 * bits at the bit position that is the state's own number. What is not listed is 0,
 * UTF8_BAD. */
enum state {
    BAD = UTF8_BAD,
    WHOLE = UTF8_WHOLE,
    TAIL1 = 12, /* one more byte 80..BF makes a character */
    TAIL2 = 18,
    TAIL3 = 24,
    AFTER_E0 = 30, /* only A0..BF: shorter forms are not allowed */
    AFTER_ED = 36, /* only 80..9F: no surrogates */
    AFTER_F0 = 42, /* only 90..BF: shorter forms are not allowed */
    AFTER_F4 = 48, /* only 80..8F: nothing above U+10FFFF */
};

#define GO(from, to) ((uint64_t)(to) << (from))
#define TAIL (GO(TAIL1, WHOLE) | GO(TAIL2, TAIL1) | GO(TAIL3, TAIL2))

/* RFC 3629 section 4, line by line. */
static const uint64_t row[256] = {
    [0x00 ... 0x7F] = GO(WHOLE, WHOLE),
    [0x80 ... 0x8F] = TAIL | GO(AFTER_ED, TAIL1) | GO(AFTER_F4, TAIL2),
    [0x90 ... 0x9F] = TAIL | GO(AFTER_ED, TAIL1) | GO(AFTER_F0, TAIL2),
    [0xA0 ... 0xBF] = TAIL | GO(AFTER_E0, TAIL1) | GO(AFTER_F0, TAIL2),
    [0xC2 ... 0xDF] = GO(WHOLE, TAIL1),
    [0xE0] = GO(WHOLE, AFTER_E0),
    [0xE1 ... 0xEC] = GO(WHOLE, TAIL2),
    [0xED] = GO(WHOLE, AFTER_ED),
    [0xEE ... 0xEF] = GO(WHOLE, TAIL2),
    [0xF0] = GO(WHOLE, AFTER_F0),
    [0xF1 ... 0xF3] = GO(WHOLE, TAIL3),
    [0xF4] = GO(WHOLE, AFTER_F4),
};

#define STRIDE 32

static uint64_t high_bits(const uint8_t *p) {
    uint64_t w[STRIDE / 8];
    memcpy(w, p, STRIDE);
    return (w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u;
}

uint8_t utf8_next(uint8_t state, const uint8_t *p, size_t n) {
    uint64_t s = state;
    while (n > 0 && s != BAD) {
        size_t k = n < STRIDE ? n : STRIDE;
        if (s != WHOLE || k < STRIDE || high_bits(p))
            for (size_t i = 0; i < k; i++)
                s = row[p[i]] >> s & 63;
        p += k;
        n -= k;
    }
    return (uint8_t)s;
}
