#include "frames.h"

#include <string.h>

static size_t head_size(const struct frames *f) {
    if (f->head_n < 2)
        return 2;
    unsigned len = f->head[1] & 127;
    return len == 127 ? 10 : len == 126 ? 4 : 2;
}

static uint64_t payload(const struct frames *f, size_t head) {
    uint64_t n = 0;
    if (head == 2)
        return f->head[1] & 127;
    for (size_t i = 2; i < head; i++)
        n = n << 8 | f->head[i];
    return n;
}

int frames_take(struct frames *f, const uint8_t *p, size_t n, size_t *used) {
    size_t at = 0;
    while (f->head_n < head_size(f)) {
        if (at == n)
            goto more;
        f->head[f->head_n++] = p[at++];
        if (f->head_n == head_size(f)) {
            f->left = payload(f, f->head_n);
            f->text_n = 0;
        }
    }
    size_t take = f->left < n - at ? (size_t)f->left : n - at;
    size_t keep = FRAMES_TEXT - (size_t)f->text_n;
    keep = keep < take ? keep : take;
    memcpy(f->text + f->text_n, p + at, keep);
    f->text_n = (uint8_t)(f->text_n + keep);
    f->left -= take;
    at += take;
    if (f->left == 0) {
        f->head_n = 0;
        *used = at;
        return 1;
    }
more:
    *used = at;
    return 0;
}

size_t frames_make(uint8_t *out, unsigned op, const uint8_t *p, size_t n) {
    static const uint8_t key[4] = {0x5a, 0x17, 0xc3, 0x88};
    size_t at = 0;
    out[at++] = (uint8_t)(0x80 | op);
    out[at++] = (uint8_t)(0x80 | (n < 126 ? n : 126));
    if (n >= 126) {
        out[at++] = (uint8_t)(n >> 8);
        out[at++] = (uint8_t)n;
    }
    memcpy(out + at, key, 4);
    at += 4;
    for (size_t i = 0; i < n; i++)
        out[at++] = p[i] ^ key[i & 3];
    return at;
}
