// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "http/door.h"

static void where_to_listen(void **state) {
    (void)state;
    static const struct {
        const char *text, *spec;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"localhost:80", "127.0.0.1:80"},
        {"[::1]:8443", "[::1]:8443"},
        {"[fe80::1]:65535", "[fe80::1]:65535"},
        {"127.0.0.1", NULL},
        {"8080", NULL},
        {":8080", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:80s", NULL},
        {"127.0.0.1:80,127.0.0.1:81", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.1:80", NULL},
        {"256.0.0.1:80", NULL},
        {"::1:80", NULL},
        {"[::1]", NULL},
        {"[::1:80", NULL},
        {"[]:80", NULL},
        {"[", NULL},
        {"example.org:80", NULL},
        {"", NULL},
        {"1111111111111111111111111111111111111111111111111111111111111111:1", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char spec[DOOR_SPEC_MAX] = "";
        int rc = door_parse(cases[i].text, spec);
        if (rc != (cases[i].spec ? 0 : -EINVAL))
            fail_msg("%s", cases[i].text);
        if (cases[i].spec)
            assert_string_equal(spec, cases[i].spec);
    }
    char spec[DOOR_SPEC_MAX];
    assert_int_equal(door_parse("*:80", spec), 0);
    assert_true(strcmp(spec, "+80") == 0 || strcmp(spec, "0.0.0.0:80") == 0);
}

static void where_we_listen(void **state) {
    (void)state;
    char out[64];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(8080)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
    inet_pton(AF_INET6, "::1", &v6.sin6_addr);
    assert_string_equal(door_text((struct sockaddr *)&v4, out, sizeof out),
                        "127.0.0.1:8080");
    assert_string_equal(door_text((struct sockaddr *)&v6, out, sizeof out),
                        "[::1]:443");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_to_listen),
        cmocka_unit_test(where_we_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
