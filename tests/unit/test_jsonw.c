// link: base
#include "base/jsonw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The text written so far, as a string. */
static const char *text_of(struct jsonw *w) {
    size_t n = jsonw_end(w);
    assert_true(n > 0 && n < w->cap);
    w->buf[n] = '\0';
    return w->buf;
}

static void commas_go_between(void **state) {
    (void)state;
    char buf[256];
    struct jsonw w;
    jsonw_init(&w, buf, sizeof buf);
    jsonw_obj(&w, NULL);
    jsonw_u64(&w, "a", 1);
    jsonw_arr(&w, "b");
    jsonw_bool(&w, NULL, true);
    jsonw_null(&w, NULL);
    jsonw_obj(&w, NULL);
    jsonw_obj_end(&w);
    jsonw_arr(&w, NULL);
    jsonw_arr_end(&w);
    jsonw_arr_end(&w);
    jsonw_key(&w, "c\"");
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "d", "e");
    jsonw_raw(&w, "f", "[0]", 3);
    jsonw_obj_end(&w);
    jsonw_key(&w, "g");
    jsonw_i64(&w, NULL, -1);
    jsonw_bool(&w, "h", false);
    jsonw_obj_end(&w);
    assert_string_equal(text_of(&w), "{\"a\":1,\"b\":[true,null,{},[]],"
                                     "\"c\\\"\":{\"d\":\"e\",\"f\":[0]},"
                                     "\"g\":-1,\"h\":false}");
}

static void strings_are_escaped(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", "\"\""},
        {NULL, "null"},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\x01\n\x1f\x7f", "\"\\u0001\\u000a\\u001f\x7f\""},
        {"\xc2\xb0"
         "C \xe2\x82\xac \xf0\x9f\x98\x80",
         "\"\xc2\xb0"
         "C \xe2\x82\xac \xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct jsonw w;
        jsonw_init(&w, buf, sizeof buf);
        jsonw_str(&w, NULL, rows[i].in);
        assert_string_equal(text_of(&w), rows[i].out);
    }
}

/* Interface names, sensor labels and mount points are bytes that anybody may choose;
 * RFC 8259 8.1 wants UTF-8, and a browser closes the connection over anything else in a
 * text frame. */
static void bytes_that_are_not_utf8_are_replaced(void **state) {
    (void)state;
#define R "\xef\xbf\xbd"
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"\x80", R},
        {"a\xff"
         "b",
         "a" R "b"},
        {"\xc0\xaf", R R},             /* overlong */
        {"\xe0\x80\xaf", R R R},       /* overlong */
        {"\xed\xa0\x80", R R R},       /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", R R R R}, /* beyond U+10FFFF */
        {"\xf0\x9f\x98", R R R},       /* cut short */
        {"\xe2\x82\"", R R "\\\""},    /* cut short by what must be escaped */
        {"\xf4\x8f\xbf\xbf\xed\x9f\xbf", "\xf4\x8f\xbf\xbf\xed\x9f\xbf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64], want[64] = "[\"";
        struct jsonw w;
        jsonw_init(&w, buf, sizeof buf);
        jsonw_arr(&w, NULL);
        jsonw_str(&w, NULL, rows[i].in);
        jsonw_arr_end(&w);
        strcat(strcat(want, rows[i].out), "\"]");
        assert_string_equal(text_of(&w), want);
    }
}

static void numbers_are_short_and_exact(void **state) {
    (void)state;
    static const struct {
        double v;
        int digits;
        const char *out;
    } rows[] = {
        {0, 6, "0"},
        {-0.0, 6, "0"},
        {12.5, 6, "12.5"},
        {1.0 / 3, 6, "0.333333"},
        {1.0 / 3, 3, "0.333"},
        {99.99999999, 6, "100"},
        {123456789, 6, "123456789"}, /* whole: nothing is lost */
        {9007199254740992.0, 6, "9007199254740992"},
        {-1234567.5, 6, "-1.23457e+06"},
        {0.1, 17, "0.10000000000000001"},
        {1e300, 6, "1e+300"},
        {NAN, 6, "null"},
        {INFINITY, 6, "null"},
        {-INFINITY, 6, "null"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct jsonw w;
        jsonw_init(&w, buf, sizeof buf);
        jsonw_num(&w, NULL, rows[i].v, rows[i].digits);
        assert_string_equal(text_of(&w), rows[i].out);
    }
    char buf[64];
    struct jsonw w;
    jsonw_init(&w, buf, sizeof buf);
    jsonw_arr(&w, NULL);
    jsonw_u64(&w, NULL, UINT64_MAX);
    jsonw_i64(&w, NULL, INT64_MIN);
    jsonw_arr_end(&w);
    assert_string_equal(text_of(&w), "[18446744073709551615,-9223372036854775808]");
}

static void write_sample(struct jsonw *w) {
    jsonw_obj(w, NULL);
    jsonw_str(w, "text", "a\"b\xff");
    jsonw_num(w, "n", 1.5, 6);
    jsonw_arr(w, "list");
    jsonw_u64(w, NULL, 7);
    jsonw_arr_end(w);
    jsonw_obj_end(w);
}

/* Every capacity up to the exact length: overflow is told, and not a byte beyond is
 * touched. */
static void too_small_is_told_and_stays_inside(void **state) {
    (void)state;
    char full[128], buf[128];
    struct jsonw w;
    jsonw_init(&w, full, sizeof full);
    write_sample(&w);
    size_t need = jsonw_end(&w);
    assert_true(need > 0);
    for (size_t cap = 0; cap < need; cap++) {
        memset(buf, '#', sizeof buf);
        jsonw_init(&w, buf, cap);
        write_sample(&w);
        assert_int_equal(jsonw_end(&w), 0);
        for (size_t i = cap; i < sizeof buf; i++)
            assert_int_equal(buf[i], '#');
    }
    jsonw_init(&w, buf, need);
    write_sample(&w);
    assert_int_equal(jsonw_end(&w), need);
    assert_memory_equal(buf, full, need);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_go_between),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(numbers_are_short_and_exact),
        cmocka_unit_test(too_small_is_told_and_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
