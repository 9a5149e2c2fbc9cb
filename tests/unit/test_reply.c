// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/reply.h"

#define NOW_MS 1795382414333 /* Sun, 22 Nov 2026 21:20:14 UTC */

static void a_whole_head(void **state) {
    (void)state;
    char out[REPLY_HEAD_MAX];
    struct reply r = {.status = 200, .type = "text/plain", .n = 5};
    size_t n = reply_head(&r, false, false, NOW_MS, out, sizeof out);
    assert_string_equal(
        out, "HTTP/1.1 200 OK\r\n"
             "Date: Sun, 22 Nov 2026 21:20:14 GMT\r\n"
             "Content-Type: text/plain\r\n"
             "Content-Length: 5\r\n"
             "Cache-Control: no-store\r\n"
             "Content-Security-Policy: default-src 'none'; "
             "frame-ancestors 'none'\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Frame-Options: DENY\r\n"
             "Referrer-Policy: no-referrer\r\n"
             "Cross-Origin-Resource-Policy: same-origin\r\n"
             "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"
             "Connection: close\r\n\r\n");
    assert_int_equal(n, strlen(out));
    /* It fits to the byte, with its NUL, or not at all. */
    assert_int_equal(reply_head(&r, false, false, NOW_MS, out, n + 1), n);
    assert_int_equal(reply_head(&r, false, false, NOW_MS, out, n), 0);
}

static void what_is_asked_for_is_in_it(void **state) {
    (void)state;
    char out[REPLY_HEAD_MAX];
    struct reply r = {.status = 304,
                      .cache = "no-cache",
                      .csp = "default-src 'self'",
                      .extra = "ETag: \"x\"\r\n"};
    assert_true(reply_head(&r, true, true, NOW_MS, out, sizeof out) > 0);
    assert_non_null(strstr(out, "HTTP/1.1 304 Not Modified\r\n"));
    assert_non_null(strstr(out, "\r\nCache-Control: no-cache\r\n"));
    assert_non_null(strstr(out, "\r\nContent-Security-Policy: default-src 'self'\r\n"));
    assert_non_null(strstr(out, "\r\nETag: \"x\"\r\n"));
    assert_non_null(strstr(out, "\r\nCross-Origin-Opener-Policy: same-origin\r\n"));
    assert_null(strstr(out, "Content-Length"));
    assert_null(strstr(out, "Content-Type:"));
}

static void no_date_from_a_clock_that_was_never_set(void **state) {
    (void)state;
    char out[REPLY_HEAD_MAX];
    struct reply r = {.status = 204};
    assert_true(reply_head(&r, false, true, 12345, out, sizeof out) > 0);
    assert_null(strstr(out, "Date"));
    assert_null(strstr(out, "Content-Length"));
}

static void problems(void **state) {
    (void)state;
    char out[REPLY_PROBLEM_MAX];
    size_t n = reply_problem(404, "Not \"here\".", out, sizeof out);
    const char want[] =
        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
        "\"detail\":\"Not \\\"here\\\".\"}";
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, n);
    n = reply_problem(421, NULL, out, sizeof out);
    const char bare[] =
        "{\"type\":\"about:blank\",\"title\":\"Misdirected Request\",\"status\":421}";
    assert_int_equal(n, strlen(bare));
    assert_memory_equal(out, bare, n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head),
        cmocka_unit_test(what_is_asked_for_is_in_it),
        cmocka_unit_test(no_date_from_a_clock_that_was_never_set),
        cmocka_unit_test(problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
