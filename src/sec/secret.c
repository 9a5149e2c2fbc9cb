#include "sec/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#define SYMBOLS 12u
#define GROUP 4u
/* Crockford's base 32: nothing that is mistaken for something else. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int secret_random(void *p, size_t n) {
    uint8_t *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno != EINTR)
            return -errno;
        at += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

void secret_hex(char *out, const void *p, size_t n) {
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", b[i]);
}

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int secret_unhex(void *out, size_t n, const char *text, size_t text_n) {
    uint8_t *b = out;
    if (text_n != 2 * n)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return -EINVAL;
        b[i] = (uint8_t)(hi << 4 | lo);
    }
    return 0;
}

void secret_hash(const void *p, size_t n, uint8_t out[SECRET_HASH]) {
    mbedtls_sha256(p, n, out, 0); /* of memory: cannot fail */
}

bool secret_same(const void *a, const void *b, size_t n) {
    return mbedtls_ct_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n) { mbedtls_platform_zeroize(p, n); }

static void write_code(char out[SECRET_CODE], const uint8_t symbol[SYMBOLS]) {
    char *p = out;
    for (unsigned i = 0; i < SYMBOLS; i++) {
        if (i > 0 && i % GROUP == 0)
            *p++ = '-';
        *p++ = alphabet[symbol[i]];
    }
    *p = '\0';
}

int secret_code(char out[SECRET_CODE]) {
    uint8_t symbol[SYMBOLS];
    int rc = secret_random(symbol, sizeof symbol);
    for (unsigned i = 0; i < SYMBOLS; i++)
        symbol[i] %= 32; /* of 256: each is as likely */
    if (rc == 0)
        write_code(out, symbol);
    return rc;
}

static int symbol_of(char c) {
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    c = (char)(c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

int secret_code_read(char out[SECRET_CODE], const char *typed) {
    uint8_t symbol[SYMBOLS];
    unsigned n = 0;
    for (const char *p = typed; *p; p++) {
        if (strchr(" -\r\n\t", *p))
            continue;
        int s = symbol_of(*p);
        if (s < 0 || n == SYMBOLS)
            return -EINVAL;
        symbol[n++] = (uint8_t)s;
    }
    if (n != SYMBOLS)
        return -EINVAL;
    write_code(out, symbol);
    return 0;
}
