// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "http/uri.h"

static struct slice slice(const char *text) {
    return (struct slice){text, strlen(text)};
}

static void escapes(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
        int rc;
    } cases[] = {
        {"", "", 0},
        {"/abc", "/abc", 0},
        {"%41%62", "Ab", 0},
        {"a%2Fb", "a/b", 0},
        {"%c3%A9", "\xc3\xa9", 0},
        {"a+b", "a+b", 0},
        {"%", "", -EINVAL},
        {"%4", "", -EINVAL},
        {"%4g", "", -EINVAL},
        {"%g4", "", -EINVAL},
        {"%00", "", -EINVAL},
        {"%0a", "", -EINVAL},
        {"%7F", "", -EINVAL},
        {"1234567", "1234567", 0},
        {"12345678", "1234567", -ENOBUFS},
        {"1234567%", "", -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[8];
        if (uri_decode(slice(cases[i].in), out, sizeof out) != cases[i].rc)
            fail_msg("%s", cases[i].in);
        if (cases[i].rc != -EINVAL)
            assert_string_equal(out, cases[i].out);
    }
}

static void parameters(void **state) {
    (void)state;
    static const struct {
        const char *query, *value;
        int rc;
    } cases[] = {
        {"seq=12", "12", 0},
        {"a=1&seq=12&b", "12", 0},
        {"&&seq=1%32", "12", 0},
        {"seq=", "", 0},
        {"seq=a=b", "a=b", 0},
        {"", NULL, -ENOENT},
        {"seq", NULL, -ENOENT},
        {"seqq=1", NULL, -ENOENT},
        {"xseq=1", NULL, -ENOENT},
        {"SEQ=1", NULL, -ENOENT},
        {"seq=1&seq=1", NULL, -EINVAL},
        {"seq=%", NULL, -EINVAL},
        {"seq=123456789", NULL, -ENOBUFS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[8];
        if (uri_param(slice(cases[i].query), "seq", out, sizeof out) != cases[i].rc)
            fail_msg("%s", cases[i].query);
        if (cases[i].value)
            assert_string_equal(out, cases[i].value);
    }
}

static void numbers(void **state) {
    (void)state;
    uint64_t v;
    assert_int_equal(uri_u64("0", &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(uri_u64("18446744073709551615", &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(uri_hex64("dEADbeef", &v), 0);
    assert_true(v == 0xdeadbeef);
    assert_int_equal(uri_hex64("ffffffffffffffff", &v), 0);
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "-1",
                                      "0x1",
                                      "1g",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(uri_u64(bad[i], &v), -EINVAL);
        assert_int_equal(uri_hex64(bad[i], &v), -EINVAL);
    }
    assert_int_equal(uri_hex64("10000000000000000", &v), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(parameters),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
