#include "http/inflate.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/crc32.h"

#define HEADER_BYTES 10u
#define TRAILER_BYTES 8u
#define BITS_MAX 15u
#define LITERALS 288u
#define DISTANCES 30u
#define LENGTH_CODES 19u
#define END_OF_BLOCK 256u

struct stream {
    const uint8_t *in;
    size_t n, at; /* bytes in, and how many of them were taken */
    uint32_t bits;
    unsigned n_bits;
    uint8_t *out;
    size_t cap, made;
    int rc; /* the first thing that went wrong; zeros are read from then on */
};

/* A canonical code: how many symbols of each length there are, and the symbols in the
 * order of their codes. */
struct code {
    uint16_t count[BITS_MAX + 1];
    uint16_t symbol[LITERALS];
};

static int fail(struct stream *s, int rc) {
    if (s->rc == 0)
        s->rc = rc;
    return s->rc;
}

static unsigned take(struct stream *s, unsigned need) {
    while (s->n_bits < need) {
        if (s->at == s->n) {
            fail(s, -EBADMSG);
            return 0;
        }
        s->bits |= (uint32_t)s->in[s->at++] << s->n_bits;
        s->n_bits += 8;
    }
    unsigned v = s->bits & ((1u << need) - 1);
    s->bits >>= need;
    s->n_bits -= need;
    return v;
}

static void put(struct stream *s, uint8_t byte) {
    if (s->made < s->cap)
        s->out[s->made++] = byte;
    else
        fail(s, -ENOSPC);
}

/* ---- codes (RFC 1951 3.2.2) ---- */

/* -EBADMSG: more codes than the lengths have room for. A code that is not full is what
 * a block with one distance has. */
static int code_make(struct code *c, const uint8_t *length, unsigned n) {
    uint16_t next[BITS_MAX + 1];
    int left = 1;
    memset(c->count, 0, sizeof c->count);
    for (unsigned i = 0; i < n; i++)
        c->count[length[i]]++;
    c->count[0] = 0;
    next[1] = 0;
    for (unsigned bits = 1; bits <= BITS_MAX; bits++) {
        left = 2 * left - c->count[bits];
        if (left < 0)
            return -EBADMSG;
        if (bits < BITS_MAX)
            next[bits + 1] = (uint16_t)(next[bits] + c->count[bits]);
    }
    for (unsigned i = 0; i < n; i++) {
        if (length[i])
            c->symbol[next[length[i]]++] = (uint16_t)i;
    }
    return 0;
}

/* Bit by bit: slow, short, and the page is unpacked once. */
static unsigned symbol(struct stream *s, const struct code *c) {
    int value = 0, first = 0, index = 0;
    for (unsigned bits = 1; bits <= BITS_MAX && s->rc == 0; bits++) {
        value |= (int)take(s, 1);
        int count = c->count[bits];
        if (value - count < first)
            return c->symbol[index + (value - first)];
        index += count;
        first = (first + count) << 1;
        value <<= 1;
    }
    fail(s, -EBADMSG);
    return END_OF_BLOCK;
}

/* ---- blocks ---- */

/* 257 and up (RFC 1951 3.2.5): a length, then a distance back. */
static void copy(struct stream *s, unsigned sym, const struct code *distances) {
    static const uint16_t length[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
    unsigned i = sym - END_OF_BLOCK - 1;
    if (i >= sizeof length / sizeof length[0]) {
        fail(s, -EBADMSG);
        return;
    }
    unsigned extra = i < 8 || i == 28 ? 0 : i / 4 - 1;
    unsigned n = length[i] + take(s, extra);
    unsigned d = symbol(s, distances);
    if (d >= DISTANCES) {
        fail(s, -EBADMSG);
        return;
    }
    extra = d < 4 ? 0 : d / 2 - 1;
    size_t back = d < 4 ? d + 1 : ((2u + (d & 1)) << extra) + 1;
    back += take(s, extra);
    if (back > s->made)
        fail(s, -EBADMSG);
    for (; n > 0 && s->rc == 0; n--)
        put(s, s->out[s->made - back]);
}

static void codes(struct stream *s, const struct code *literals,
                  const struct code *distances) {
    while (s->rc == 0) {
        unsigned sym = symbol(s, literals);
        if (sym == END_OF_BLOCK)
            return;
        if (sym < END_OF_BLOCK)
            put(s, (uint8_t)sym);
        else
            copy(s, sym, distances);
    }
}

static void stored(struct stream *s) {
    /* Bytes are taken as they are needed: what is left of one is all there is. */
    s->bits = s->n_bits = 0;
    unsigned n = take(s, 8);
    n |= take(s, 8) << 8;
    unsigned not_n = take(s, 8);
    not_n |= take(s, 8) << 8;
    if ((n ^ not_n) != 0xffff)
        fail(s, -EBADMSG);
    for (; n > 0 && s->rc == 0; n--)
        put(s, (uint8_t)take(s, 8));
}

static void fixed(struct stream *s) {
    struct code literals, distances;
    uint8_t length[LITERALS];
    for (unsigned i = 0; i < LITERALS; i++)
        length[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    code_make(&literals, length, LITERALS);
    memset(length, 5, DISTANCES);
    code_make(&distances, length, DISTANCES);
    codes(s, &literals, &distances);
}

/* The lengths of both codes, themselves coded (RFC 1951 3.2.7). */
static void lengths(struct stream *s, const struct code *c, uint8_t *length,
                    unsigned n) {
    unsigned i = 0;
    while (i < n && s->rc == 0) {
        unsigned sym = symbol(s, c), times = 1;
        uint8_t value = (uint8_t)sym;
        if (sym == 16 && i == 0)
            fail(s, -EBADMSG);
        if (sym >= 16)
            value = sym == 16 && i > 0 ? length[i - 1] : 0;
        if (sym == 16)
            times = 3 + take(s, 2);
        else if (sym == 17)
            times = 3 + take(s, 3);
        else if (sym == 18)
            times = 11 + take(s, 7);
        if (sym >= LENGTH_CODES || times > n - i)
            fail(s, -EBADMSG);
        for (; times > 0 && s->rc == 0; times--)
            length[i++] = value;
    }
}

static void dynamic(struct stream *s) {
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    struct code literals, distances;
    uint8_t length[LITERALS + 32] = {0};
    unsigned n_literals = take(s, 5) + 257, n_distances = take(s, 5) + 1;
    unsigned n = take(s, 4) + 4;
    if (n_literals > 286 || n_distances > DISTANCES)
        fail(s, -EBADMSG);
    for (unsigned i = 0; i < n; i++)
        length[order[i]] = (uint8_t)take(s, 3);
    if (s->rc == 0 && code_make(&literals, length, LENGTH_CODES) != 0)
        fail(s, -EBADMSG);
    if (s->rc == 0) {
        memset(length, 0, sizeof length);
        lengths(s, &literals, length, n_literals + n_distances);
    }
    if (s->rc == 0 && (code_make(&literals, length, n_literals) != 0 ||
                       code_make(&distances, length + n_literals, n_distances) != 0))
        fail(s, -EBADMSG);
    if (s->rc == 0)
        codes(s, &literals, &distances);
}

static int inflate(struct stream *s) {
    bool last = false;
    while (!last && s->rc == 0) {
        last = take(s, 1) != 0;
        switch (take(s, 2)) {
        case 0:
            stored(s);
            break;
        case 1:
            fixed(s);
            break;
        case 2:
            dynamic(s);
            break;
        default:
            fail(s, -EBADMSG);
        }
    }
    return s->rc;
}

/* ---- gzip ---- */

static uint32_t le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

size_t inflate_size(const uint8_t *gz, size_t n) {
    return n < HEADER_BYTES + TRAILER_BYTES ? 0 : le32(gz + n - 4);
}

int inflate_gzip(const uint8_t *gz, size_t n, uint8_t *out, size_t cap) {
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0};
    if (n < HEADER_BYTES + TRAILER_BYTES || memcmp(gz, head, sizeof head) != 0)
        return -EBADMSG;
    struct stream s = {.in = gz + HEADER_BYTES,
                       .n = n - HEADER_BYTES - TRAILER_BYTES,
                       .out = out,
                       .cap = cap};
    int rc = inflate(&s);
    if (rc)
        return rc;
    bool whole = s.at == s.n && s.made == inflate_size(gz, n) &&
                 crc32_of(out, s.made) == le32(gz + n - TRAILER_BYTES);
    return whole ? 0 : -EBADMSG;
}
