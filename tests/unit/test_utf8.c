// link: base
/* The validator against the definition, which is code points and not bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "naive_utf8.h"

enum verdict { NO, PART, YES };

static enum verdict naive(const uint8_t *p, size_t n) {
    size_t from = 0;
    for (size_t to = 1; to <= n; to++) {
        bool whole;
        if (!naive_utf8_begins(p + from, to - from, &whole))
            return NO;
        if (whole)
            from = to;
    }
    return from == n ? YES : PART;
}

static enum verdict ours(uint8_t state) {
    return state == UTF8_BAD ? NO : state == UTF8_WHOLE ? YES : PART;
}

/* All strings of 1 to 4 bytes made of the bytes at which some rule begins or ends. */
static void every_combination_of_edge_bytes(void **state) {
    (void)state;
    static const uint8_t edge[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                   0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                   0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1,
                                   0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF};
    const size_t n_edge = sizeof edge;
    for (size_t len = 1, all = n_edge; len <= 4; len++, all *= n_edge) {
        for (size_t i = 0; i < all; i++) {
            uint8_t p[4];
            for (size_t k = 0, rest = i; k < len; k++, rest /= n_edge)
                p[k] = edge[rest % n_edge];
            assert_int_equal(ours(utf8_next(UTF8_WHOLE, p, len)), naive(p, len));
        }
    }
}

static void every_two_bytes(void **state) {
    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        uint8_t p[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        assert_int_equal(ours(utf8_next(UTF8_WHOLE, p, 2)), naive(p, 2));
    }
}

/* Plain text is skipped in strides: one odd byte, at every place and alignment, is
 * seen. */
static void one_byte_in_long_text(void **state) {
    (void)state;
    uint8_t p[200];
    for (size_t shift = 0; shift < 40; shift++) {
        for (size_t len = 1; len <= 120; len++) {
            for (size_t at = 0; at < len; at++) {
                memset(p, 'a', sizeof p);
                p[shift + at] = 0xFF;
                assert_int_equal(utf8_next(UTF8_WHOLE, p + shift, len), UTF8_BAD);
                p[shift + at] = 0xC3;
                enum verdict want = at + 1 == len ? PART : NO;
                assert_int_equal(ours(utf8_next(UTF8_WHOLE, p + shift, len)), want);
            }
        }
    }
}

/* Cut in two at every place, random text gives the same as whole. */
static void going_on_is_the_same_as_whole(void **state) {
    (void)state;
    static const char *const chars[] = {"a",
                                        "the plain words of a text ",
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xED\x9F\xBF",
                                        "\xF0\x9F\x98\x80",
                                        "\xF4\x8F\xBF\xBF",
                                        "\xE2\x82",
                                        "\xED\xA0\x80"};
    srand(1);
    for (int round = 0; round < 2000; round++) {
        char text[300] = "";
        /* The last two are invalid: rare enough for both outcomes to be common. */
        while (strlen(text) < 200)
            strcat(text, chars[rand() % 100 == 0 ? 7 + rand() % 2 : rand() % 7]);
        const uint8_t *p = (const uint8_t *)text;
        size_t n = strlen(text);
        enum verdict want = naive(p, n);
        for (size_t cut = 0; cut <= n; cut++) {
            uint8_t half = utf8_next(UTF8_WHOLE, p, cut);
            assert_int_equal(ours(half), naive(p, cut));
            assert_int_equal(ours(utf8_next(half, p + cut, n - cut)), want);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_edge_bytes),
        cmocka_unit_test(every_two_bytes),
        cmocka_unit_test(one_byte_in_long_text),
        cmocka_unit_test(going_on_is_the_same_as_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
