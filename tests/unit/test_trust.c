// link: app
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "app/trust.h"

static const struct trust_page page = {
    .name = "pb CA 1a2b3c", .sha256 = "AB:CD", .https = "https://pb.local/"};

static void every_place_is_filled(void **state) {
    char out[16384];
    (void)state;
    size_t n = trust_page(&page, out, sizeof out - 1);
    assert_in_range(n, 1000, sizeof out - 1);
    out[n] = '\0';
    assert_null(strstr(out, "{{"));
    assert_null(strstr(out, "}}\n<"));
    assert_non_null(strstr(out, "<b>pb CA 1a2b3c</b>"));
    assert_non_null(strstr(out, "<samp>AB:CD</samp>"));
    assert_non_null(strstr(out, "<a href=\"https://pb.local/\">https://pb.local/</a>"));
    assert_string_equal(out + n - 8, "</html>\n");
    assert_null(strstr(out, "<script"));
    assert_null(strstr(out, "style=\"")); /* the policy would not let it */
    assert_int_equal(trust_page(&page, out, n - 1), 0);
    assert_int_equal(trust_page(&page, out, n), n);
}

static void the_policy_lets_nothing_in(void **state) {
    char csp[TRUST_CSP_MAX];
    (void)state;
    trust_csp(csp);
    assert_non_null(strstr(csp, "default-src 'none'; style-src 'sha256-"));
    assert_non_null(strstr(csp, "=';"));
    assert_non_null(strstr(csp, "frame-ancestors 'none'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_is_filled),
        cmocka_unit_test(the_policy_lets_nothing_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
