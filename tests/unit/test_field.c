// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/field.h"

static void gzip_when_it_is_welcome(void **state) {
    (void)state;
    static const struct {
        const char *accept;
        bool takes;
    } cases[] = {
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"deflate,gzip ; q=0.001", true},
        {"*", true},
        {"identity;q=0.5, *", true},
        {"gzip;q=1.000", true},
        {"identity;q=0.5, gzip;q=0.5", true},
        {"gzip;Q=1", true},
        {"", false},
        {"identity", false},
        {"br", false},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip;q=0, *", false},
        {"*;q=0", false},
        {"identity, gzip;q=0.5", false},
        {"gzipp", false},
        {"agzip", false},
        {"gzip;q=1.5", false},
        {"gzip;q=2", false},
        {"gzip;q=", false},
        {"gzip;x=1", false},
        {"gzip;q=0.5x", false},
        {"gzip q=1", false},
        {",,;,", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (field_takes_gzip(cases[i].accept) != cases[i].takes)
            fail_msg("%s", cases[i].accept);
}

static void a_known_etag(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool known;
    } cases[] = {
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"*", true},
        {" * ", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"abc\" , \"y\"", true},
        {",, \"abc\"", true},
        {"\"a,b\", \"abc\"", true},
        {"", false},
        {"\"ab\"", false},
        {"\"abcd\"", false},
        {"abc", false},
        {"w/\"abc\"", false},
        {"\"abc", false},
        {"\"x\" \"abc\"", false},
        {"*, \"abc\"", false},
        {"\"x\", abc", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (field_names_etag(cases[i].list, "\"abc\"") != cases[i].known)
            fail_msg("%s", cases[i].list);
}

static struct slice of(const char *s) { return (struct slice){s, strlen(s)}; }

static void cookies_are_found_by_their_whole_name(void **state) {
    (void)state;
    static const struct {
        const char *field;
        unsigned count;
        const char *value;
    } cases[] = {
        {"pulse=abc", 1, "abc"},
        {"a=1; pulse=abc; b=2", 1, "abc"},
        {"a=1;pulse=abc;b=2", 1, "abc"},
        {" \t pulse=abc \t ", 1, "abc"},
        {"pulse=", 1, ""},
        {"pulse=a=b", 1, "a=b"},
        {"pulse=1; pulse=2", 2, "2"},
        {"pulse=1; x=2; pulse=1; pulse=3", 3, "3"},
        {"pulses=abc", 0, ""},
        {"xpulse=abc", 0, ""},
        {"Pulse=abc", 0, ""},
        {"pulse", 0, ""},
        {"pulse =abc", 0, ""},
        {"x=pulse=abc", 0, ""},
        {"x=\"; pulse=abc", 1, "abc"},
        {"", 0, ""},
        {";;;", 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice v = {"", 0};
        if (field_cookie(of(cases[i].field), "pulse", &v) != cases[i].count ||
            !slice_is(v, cases[i].value))
            fail_msg("%s", cases[i].field);
    }
}

static void a_bearer_has_one_token(void **state) {
    (void)state;
    static const struct {
        const char *field, *token; /* NULL: it is none */
    } cases[] = {
        {"Bearer abc", "abc"},
        {"bearer abc", "abc"},
        {"Bearer   abc ", "abc"},
        {"Bearer", NULL},
        {"Bearer ", NULL},
        {"Bearer a b", NULL},
        {"Bearer a,Basic b", NULL},
        {"Bearerabc", NULL},
        {"Basic abc", NULL},
        {"", NULL},
        {"abc", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice t = {"", 0};
        bool is = field_bearer(of(cases[i].field), &t);
        if (is != (cases[i].token != NULL) || (is && !slice_is(t, cases[i].token)))
            fail_msg("%s", cases[i].field);
    }
}

static void a_type_is_itself_whatever_its_parameters(void **state) {
    (void)state;
    static const char *const json[] = {"application/json", "Application/JSON",
                                       "application/json; charset=utf-8",
                                       "application/json ;x"};
    static const char *const other[] = {"",
                                        "text/plain",
                                        "application/json2",
                                        "application/problem+json",
                                        "text/json",
                                        "text/plain; application/json",
                                        ";"};
    for (size_t i = 0; i < sizeof json / sizeof *json; i++)
        assert_true(field_is_type(of(json[i]), "application/json"));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_false(field_is_type(of(other[i]), "application/json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_when_it_is_welcome),
        cmocka_unit_test(a_known_etag),
        cmocka_unit_test(cookies_are_found_by_their_whole_name),
        cmocka_unit_test(a_bearer_has_one_token),
        cmocka_unit_test(a_type_is_itself_whatever_its_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
