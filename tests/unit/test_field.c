// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_when_it_is_welcome),
        cmocka_unit_test(a_known_etag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
