// link: http base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/inflate.h"

/* One per kind of block, as zlib writes them. The page, which zopfli packs, is compared
 * in tests/wire/test_http.py. */
static const uint8_t empty[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t stored[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x01, 0x03, 0x00,
    0xfc, 0xff, 0x61, 0x62, 0x63, 0xc2, 0x41, 0x24, 0x35, 0x03, 0x00, 0x00, 0x00,
};
static const uint8_t fixed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x4b, 0x4c,
    0x24, 0x0e, 0x00, 0x00, 0x25, 0x8a, 0x5b, 0xc9, 0x28, 0x00, 0x00, 0x00,
};
static const uint8_t dynamic[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x1d, 0x8f, 0xcb, 0x01,
    0xc0, 0x30, 0x08, 0x42, 0x57, 0xe9, 0x00, 0x39, 0xf8, 0x8b, 0x49, 0xf6, 0x5f, 0xac,
    0x3e, 0x2e, 0x2d, 0x41, 0x40, 0xb4, 0xf5, 0xf9, 0xfa, 0x6a, 0x7d, 0x6f, 0x40, 0xaf,
    0x2f, 0xf6, 0xfa, 0x72, 0xfe, 0x35, 0xef, 0x1e, 0xfa, 0xce, 0xd4, 0xcd, 0xe6, 0x13,
    0xa0, 0x2a, 0x64, 0x68, 0x1f, 0x62, 0xd4, 0xb1, 0x41, 0x77, 0xb8, 0x8c, 0xc2, 0x4c,
    0x1e, 0x8e, 0x2a, 0xd0, 0x1d, 0x6e, 0xc7, 0x4c, 0xf7, 0x19, 0x5d, 0xe3, 0x68, 0xd0,
    0x81, 0x3b, 0x4c, 0x2f, 0xba, 0x87, 0xe3, 0xb5, 0xb6, 0x11, 0xe3, 0x46, 0xa2, 0x3b,
    0xe1, 0xae, 0x3d, 0x1e, 0xac, 0xf4, 0xd4, 0xf6, 0x52, 0x91, 0xad, 0x4e, 0xad, 0x7a,
    0xad, 0xa6, 0x87, 0xce, 0x7e, 0x4b, 0x0d, 0xb9, 0x23, 0x4c, 0x1d, 0x5d, 0xb7, 0x85,
    0x0d, 0x1f, 0x69, 0xa3, 0x89, 0x32, 0xa7, 0x3b, 0xde, 0x68, 0xe1, 0x23, 0xfe, 0x4a,
    0xf3, 0xd0, 0xa7, 0xbc, 0xe9, 0xe4, 0xcc, 0x6d, 0x5c, 0x98, 0xe4, 0x67, 0xb1, 0xeb,
    0x07, 0x03, 0x00, 0x29, 0xda, 0x3a, 0x01, 0x00, 0x00,
};

#define TEXT_MAX 400u

struct sample {
    const uint8_t *gz;
    size_t n;
    char text[TEXT_MAX];
};

static const struct sample *samples(size_t *count) {
    static struct sample all[] = {{empty, sizeof empty, ""},
                                  {stored, sizeof stored, "abc"},
                                  {fixed, sizeof fixed, ""},
                                  {dynamic, sizeof dynamic, ""}};
    memset(all[2].text, 'a', 40);
    size_t at = 0;
    for (unsigned i = 0; i < 60; i++)
        at += (size_t)snprintf(all[3].text + at, TEXT_MAX - at, "%u, ", i * i);
    *count = sizeof all / sizeof all[0];
    return all;
}

/* From memory of just this size, which the sanitizers watch. */
static int unpack(const uint8_t *gz, size_t n, char *out, size_t cap) {
    uint8_t *in = malloc(n ? n : 1), *to = malloc(cap ? cap : 1);
    assert_true(in && to);
    memcpy(in, gz, n);
    int rc = inflate_gzip(in, n, to, cap);
    if (rc == 0)
        memcpy(out, to, cap);
    free(in);
    free(to);
    return rc;
}

static void every_kind_of_block(void **state) {
    (void)state;
    size_t count;
    const struct sample *s = samples(&count);
    for (size_t i = 0; i < count; i++) {
        char out[TEXT_MAX];
        size_t n = strlen(s[i].text);
        assert_int_equal(inflate_size(s[i].gz, s[i].n), n);
        assert_int_equal(unpack(s[i].gz, s[i].n, out, n), 0);
        assert_memory_equal(out, s[i].text, n);
        if (n > 0)
            assert_int_equal(unpack(s[i].gz, s[i].n, out, n - 1), -ENOSPC);
    }
}

static void what_is_cut_is_refused(void **state) {
    (void)state;
    size_t count;
    const struct sample *s = samples(&count);
    for (size_t i = 0; i < count; i++) {
        char out[TEXT_MAX];
        for (size_t n = 0; n < s[i].n; n++)
            assert_int_not_equal(unpack(s[i].gz, n, out, TEXT_MAX), 0);
    }
}

/* Behind the header every bit counts: the checksum sees what the codes do not. */
static void one_wrong_bit_is_refused(void **state) {
    (void)state;
    size_t count;
    const struct sample *s = samples(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t bit = 10 * 8; bit < s[i].n * 8; bit++) {
            uint8_t gz[sizeof dynamic];
            char out[TEXT_MAX];
            memcpy(gz, s[i].gz, s[i].n);
            gz[bit / 8] ^= (uint8_t)(1u << bit % 8);
            size_t n = strlen(s[i].text);
            int rc = unpack(gz, s[i].n, out, TEXT_MAX);
            /* Bits that fill the last byte of a block mean nothing. */
            if (rc == 0)
                assert_memory_equal(out, s[i].text, n);
            else
                assert_true(rc == -EBADMSG || rc == -ENOSPC);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_block),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(one_wrong_bit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
