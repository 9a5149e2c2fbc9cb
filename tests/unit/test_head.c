// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"

/* head_end() on a copy that is exactly as long as the text. */
static ssize_t end_of(const char *text, size_t n) {
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    size_t scanned = 0;
    ssize_t whole = head_end(copy, n, &scanned);
    /* Byte by byte it says the same, and no byte sooner. */
    ssize_t rc = 0;
    scanned = 0;
    for (size_t i = 1; rc == 0 && i <= n; i++)
        rc = head_end(copy, i, &scanned);
    assert_int_equal(rc, whole);
    free(copy);
    return whole;
}

static void end_is_the_blank_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        ssize_t end;
    } cases[] = {
        {"", 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r", 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n", 27},
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"\r\nGET / HTTP/1.1\r\n\r\n", 20},
        {"a\tb \xff\r\n\r\n", 9},
        {"GET / HTTP/1.1\n\n", -EINVAL},
        {"GET / HTTP/1.1\r\nHost: a\n\n", -EINVAL},
        {"GET / HTTP/1.1\r\rHost", -EINVAL},
        {"GET /\x01 HTTP", -EINVAL},
        {"GET /\x7f HTTP", -EINVAL},
        {"\x16\x03\x01", -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (end_of(cases[i].text, strlen(cases[i].text)) != cases[i].end)
            fail_msg("case %zu", i);
    assert_int_equal(end_of("GET \0", 5), -EINVAL);
}

static int parse(struct head *h, const char *text) {
    return head_parse(h, text, strlen(text));
}

static void request_line(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int status;
        const char *path, *query, *authority;
    } cases[] = {
        {"GET / HTTP/1.1", 0, "/", "", ""},
        {"GET / HTTP/1.0", 0, "/", "", ""},
        {"GET /a/b?c=d?e&f HTTP/1.1", 0, "/a/b", "c=d?e&f", ""},
        {"GET /? HTTP/1.1", 0, "/", "", ""},
        {"GET //x HTTP/1.1", 0, "//x", "", ""},
        {"DELETE /%20 HTTP/1.1", 0, "/%20", "", ""},
        {"GET http://h:1/x?y HTTP/1.1", 0, "/x", "y", "h:1"},
        {"GET HTTPS://h/ HTTP/1.1", 0, "/", "", "h"},
        {"OPTIONS * HTTP/1.1", 0, "*", "", ""},
        {"GET * HTTP/1.1", 400, 0, 0, 0},
        {"GET http://h HTTP/1.1", 400, 0, 0, 0},
        {"GET http://h?x/y HTTP/1.1", 400, 0, 0, 0},
        {"GET http:///x HTTP/1.1", 400, 0, 0, 0},
        {"GET ftp://h/ HTTP/1.1", 400, 0, 0, 0},
        {"GET x HTTP/1.1", 400, 0, 0, 0},
        {"GET  / HTTP/1.1", 400, 0, 0, 0},
        {"GET / HTTP/1.1 ", 400, 0, 0, 0},
        {"GET /a b HTTP/1.1", 400, 0, 0, 0},
        {"GET /a\tb HTTP/1.1", 400, 0, 0, 0},
        {"GET /\xc3\xa9 HTTP/1.1", 400, 0, 0, 0},
        {"GET /#x HTTP/1.1", 400, 0, 0, 0},
        {" GET / HTTP/1.1", 400, 0, 0, 0},
        {"GET /", 400, 0, 0, 0},
        {"GET", 400, 0, 0, 0},
        {"", 400, 0, 0, 0},
        {"GET / http/1.1", 400, 0, 0, 0},
        {"GET / HTTP/11", 400, 0, 0, 0},
        {"GET / HTTP/1.2", 505, 0, 0, 0},
        {"GET / HTTP/2.0", 505, 0, 0, 0},
        {"PRI * HTTP/2.0", 505, 0, 0, 0},
        {"get / HTTP/1.1", 501, 0, 0, 0},
        {"BREW / HTTP/1.1", 501, 0, 0, 0},
        {"G(T / HTTP/1.1", 400, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        struct head h;
        snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", cases[i].line);
        if (parse(&h, text) != cases[i].status)
            fail_msg("%s", cases[i].line);
        if (cases[i].status)
            assert_non_null(h.why);
        else if (!slice_is(h.path, cases[i].path) ||
                 !slice_is(h.query, cases[i].query) ||
                 !slice_is(h.authority, cases[i].authority))
            fail_msg("%s", cases[i].line);
    }
}

static void fields_and_framing(void **state) {
    (void)state;
    static const struct {
        const char *fields;
        int status;
    } cases[] = {
        {"", 0},
        {"A:b\r\n", 0},
        {"A:\r\n", 0},
        {"A: \t b c \t\r\n", 0},
        {"A: caf\xc3\xa9\r\n", 0},
        {"A : b\r\n", 400},
        {" A: b\r\n", 400},
        {"A: b\r\n folded\r\n", 400},
        {"A b\r\n", 400},
        {": b\r\n", 400},
        {"A(: b\r\n", 400},
        {"Content-Length: 5\r\n", 0},
        {"Content-Length: 0\r\n", 0},
        {"Content-Length: 999999999999999999\r\n", 0},
        {"Content-Length: 9999999999999999999\r\n", 400},
        {"Content-Length: \r\n", 400},
        {"Content-Length: +5\r\n", 400},
        {"Content-Length: -5\r\n", 400},
        {"Content-Length: 0x5\r\n", 400},
        {"Content-Length: 5, 5\r\n", 400},
        {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
        {"Transfer-Encoding: chunked\r\n", 411},
        {"Transfer-Encoding: identity\r\n", 411},
        {"transfer-encoding: chunked\r\nContent-Length: 5\r\n", 400},
        {"Expect: 100-continue\r\nContent-Length: 5\r\n", 0},
        {"Expect: 100-Continue\r\n", 0},
        {"Expect: the worst\r\n", 417},
        {"Expect: 100-continue\r\nExpect: 100-continue\r\n", 417},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        struct head h;
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\n%s\r\n", cases[i].fields);
        if (parse(&h, text) != cases[i].status)
            fail_msg("%s", cases[i].fields);
    }
}

static void values_are_trimmed_and_found(void **state) {
    (void)state;
    struct head h;
    char joined[16];
    struct slice v;
    assert_int_equal(
        parse(&h, "GET / HTTP/1.1\r\nX:\t a b \r\nY: 1\r\ny:2\r\nZ:\r\n\r\n"), 0);
    assert_int_equal(head_get(&h, "x", &v), 1);
    assert_true(slice_is(v, "a b"));
    assert_int_equal(head_get(&h, "Y", &v), 2);
    assert_true(slice_is(v, "1"));
    assert_int_equal(head_get(&h, "z", &v), 1);
    assert_true(slice_is(v, ""));
    assert_int_equal(head_get(&h, "w", &v), 0);
    assert_int_equal(head_join(&h, "Y", joined, sizeof joined), 2);
    assert_string_equal(joined, "1, 2");
    assert_int_equal(head_join(&h, "w", joined, sizeof joined), 0);
    assert_string_equal(joined, "");
    assert_int_equal(head_join(&h, "Y", joined, 5), 2);
    assert_int_equal(head_join(&h, "Y", joined, 4), -ENOBUFS);
}

static void expect_is_for_a_body_that_is_yet_to_come(void **state) {
    (void)state;
    struct head h;
    assert_int_equal(parse(&h, "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
                               "Content-Length: 3\r\n\r\n"),
                     0);
    assert_true(h.expects_continue);
    assert_int_equal(h.content_length, 3);
    assert_int_equal(parse(&h, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
                               "Content-Length: 3\r\n\r\n"),
                     0);
    assert_false(h.expects_continue);
    assert_int_equal(parse(&h, "POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"), 0);
    assert_false(h.expects_continue);
}

static void as_many_fields_as_there_is_room_for(void **state) {
    (void)state;
    char text[2048] = "GET / HTTP/1.1\r\n";
    struct head h;
    for (unsigned i = 0; i < HEAD_FIELDS_MAX; i++)
        strcat(text, "A: b\r\n");
    size_t n = strlen(text);
    strcpy(text + n, "\r\n");
    assert_int_equal(parse(&h, text), 0);
    assert_int_equal(h.n_fields, HEAD_FIELDS_MAX);
    strcpy(text + n, "A: b\r\n\r\n");
    assert_int_equal(parse(&h, text), 431);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_is_the_blank_line),
        cmocka_unit_test(request_line),
        cmocka_unit_test(fields_and_framing),
        cmocka_unit_test(values_are_trimmed_and_found),
        cmocka_unit_test(expect_is_for_a_body_that_is_yet_to_come),
        cmocka_unit_test(as_many_fields_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
