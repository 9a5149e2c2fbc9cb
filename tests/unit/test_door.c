// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/door.h"

static void where_to_listen(void **state) {
    (void)state;
    static const struct {
        const char *text, *at;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"localhost:80", "127.0.0.1:80"},
        {"[::1]:8443", "[::1]:8443"},
        {"[::]:80", "[::]:80"},
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
    struct door d;
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = door_parse(cases[i].text, &d);
        if (rc != (cases[i].at ? 0 : -EINVAL))
            fail_msg("%s", cases[i].text);
        if (cases[i].at) {
            assert_string_equal(door_text((struct sockaddr *)&d.at, out, sizeof out),
                                cases[i].at);
            assert_false(d.both);
        }
    }
    assert_int_equal(door_parse("*:80", &d), 0);
    door_text((struct sockaddr *)&d.at, out, sizeof out);
    assert_string_equal(out, d.both ? "[::]:80" : "0.0.0.0:80");
}

/* A connection to port `at` of this address succeeds. */
static bool reaches(const char *ip, uint16_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return ok;
}

static int opened(const char *text) {
    struct door d;
    assert_int_equal(door_parse(text, &d), 0);
    return door_open(&d);
}

static void a_star_takes_both_families_and_their_zeros_do_not(void **state) {
    (void)state;
    int all = opened("*:0");
    assert_true(all >= 0);
    assert_true(reaches("127.0.0.1", door_port(all)));
    int six = opened("[::]:0");
    if (six >= 0) {
        assert_false(reaches("127.0.0.1", door_port(six)));
        close(six);
    }
    close(all);
}

static void a_port_in_use_is_a_reason(void **state) {
    (void)state;
    char text[32];
    int fd = opened("127.0.0.1:0");
    assert_true(fd >= 0);
    snprintf(text, sizeof text, "127.0.0.1:%u", door_port(fd));
    assert_int_equal(opened(text), -EADDRINUSE);
    close(fd);
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
        cmocka_unit_test(a_star_takes_both_families_and_their_zeros_do_not),
        cmocka_unit_test(a_port_in_use_is_a_reason),
        cmocka_unit_test(where_we_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
