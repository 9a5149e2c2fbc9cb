// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "http/plain.h"

static void words_are_modes(void **state) {
    enum plain_mode m = PLAIN_FULL;
    (void)state;
    assert_int_equal(plain_parse("off", &m), 0);
    assert_int_equal(m, PLAIN_OFF);
    assert_int_equal(plain_parse("View", &m), -EINVAL);
    assert_int_equal(plain_parse("", &m), -EINVAL);
    assert_int_equal(m, PLAIN_OFF);
}

static void each_mode_has_its_verdicts(void **state) {
    static const struct {
        const char *path;
        enum http_method method;
        enum plain_verdict full, view, redirect;
    } rows[] = {
        {"/", HTTP_GET, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_MOVE},
        {"/ws", HTTP_GET, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_MOVE},
        {"/api/v1/login", HTTP_POST, PLAIN_ANSWER, PLAIN_REFUSE, PLAIN_REFUSE},
        {"/api/v1/tokens/1", HTTP_DELETE, PLAIN_ANSWER, PLAIN_REFUSE, PLAIN_REFUSE},
        {"/x", HTTP_PUT, PLAIN_ANSWER, PLAIN_REFUSE, PLAIN_REFUSE},
        {"/x", HTTP_PATCH, PLAIN_ANSWER, PLAIN_REFUSE, PLAIN_REFUSE},
        {"/x", HTTP_HEAD, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_MOVE},
        {"/ca.crt", HTTP_GET, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_ANSWER},
        {"/trust", HTTP_HEAD, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_ANSWER},
        {"/healthz", HTTP_GET, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_ANSWER},
        {"/healthz", HTTP_POST, PLAIN_ANSWER, PLAIN_REFUSE, PLAIN_REFUSE},
        {"/trust/x", HTTP_GET, PLAIN_ANSWER, PLAIN_ANSWER, PLAIN_MOVE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(plain_judge(PLAIN_FULL, rows[i].method, rows[i].path),
                         rows[i].full);
        assert_int_equal(plain_judge(PLAIN_VIEW, rows[i].method, rows[i].path),
                         rows[i].view);
        assert_int_equal(plain_judge(PLAIN_REDIRECT, rows[i].method, rows[i].path),
                         rows[i].redirect);
    }
}

static void the_host_is_kept_and_the_port_is_not(void **state) {
    static const struct {
        const char *host;
        unsigned port;
        const char *origin;
    } rows[] = {
        {"pb.local", 443, "https://pb.local"},
        {"pb.local:80", 443, "https://pb.local"},
        {"pb.local:8080", 8443, "https://pb.local:8443"},
        {"[::1]", 443, "https://[::1]"},
        {"[fd00::1]:8080", 8443, "https://[fd00::1]:8443"},
        {"127.0.0.1:1", 65535, "https://127.0.0.1:65535"},
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice host = {rows[i].host, strlen(rows[i].host)};
        assert_int_equal(plain_origin(host, rows[i].port, out, sizeof out),
                         strlen(rows[i].origin));
        assert_string_equal(out, rows[i].origin);
    }
    struct slice host = {"pb.local", 8};
    assert_int_equal(plain_origin(host, 443, out, 16), 0);
    assert_int_equal(plain_origin(host, 443, out, 17), 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_modes),
        cmocka_unit_test(each_mode_has_its_verdicts),
        cmocka_unit_test(the_host_is_kept_and_the_port_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
