#include "http/uri.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int uri_decode(struct slice s, char *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '%') {
            int hi = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
            int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
            if (lo < 0)
                return -EINVAL;
            c = hi << 4 | lo;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return -EINVAL;
        if (n + 1 < cap)
            out[n] = (char)c;
        n++;
    }
    out[n < cap ? n : cap - 1] = '\0';
    return n < cap ? 0 : -ENOBUFS;
}

int uri_param(struct slice query, const char *name, char *out, size_t cap) {
    size_t k = strlen(name);
    int rc = -ENOENT;
    while (query.n > 0) {
        const char *amp = memchr(query.p, '&', query.n);
        struct slice pair = {query.p, amp ? (size_t)(amp - query.p) : query.n};
        query.n -= amp ? pair.n + 1 : pair.n;
        query.p += amp ? pair.n + 1 : pair.n;
        if (pair.n <= k || memcmp(pair.p, name, k) != 0 || pair.p[k] != '=')
            continue;
        if (rc != -ENOENT)
            return -EINVAL;
        rc = uri_decode((struct slice){pair.p + k + 1, pair.n - k - 1}, out, cap);
    }
    return rc;
}

int uri_u64(const char *text, uint64_t *out) {
    uint64_t v = 0;
    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
            return -EINVAL;
    }
    *out = v;
    return 0;
}

int uri_hex64(const char *text, uint64_t *out) {
    uint64_t v = 0;
    size_t n = strlen(text);
    if (n == 0 || n > 16)
        return -EINVAL;
    for (; *text; text++) {
        int digit = hex_digit(*text);
        if (digit < 0)
            return -EINVAL;
        v = v << 4 | (uint64_t)digit;
    }
    *out = v;
    return 0;
}
