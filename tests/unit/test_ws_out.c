// link: proto
/* What we write: headers and close payloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "proto/ws.h"

static void header_has_the_shortest_length(void **state) {
    (void)state;
    static const struct {
        enum ws_op op;
        uint64_t len;
        size_t n;
        uint8_t head[WS_HEAD_MAX];
    } cases[] = {
        {WS_TEXT, 0, 2, {0x81, 0}},
        {WS_BINARY, 5, 2, {0x82, 5}},
        {WS_PING, 125, 2, {0x89, 125}},
        {WS_PONG, 1, 2, {0x8A, 1}},
        {WS_CLOSE, 2, 2, {0x88, 2}},
        {WS_TEXT, 126, 4, {0x81, 126, 0, 126}},
        {WS_TEXT, 0xFFFF, 4, {0x81, 126, 0xFF, 0xFF}},
        {WS_BINARY, 0x10000, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
        {WS_BINARY,
         0x123456789A,
         10,
         {0x82, 127, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9A}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[WS_HEAD_MAX];
        assert_int_equal(ws_head(out, cases[i].op, cases[i].len), cases[i].n);
        assert_memory_equal(out, cases[i].head, cases[i].n);
    }
}

static void close_payload_is_code_and_reason(void **state) {
    (void)state;
    uint8_t out[WS_CONTROL_MAX];
    assert_int_equal(ws_close_payload(out, 1000, ""), 2);
    assert_memory_equal(out, "\x03\xE8", 2);
    assert_int_equal(ws_close_payload(out, 4001, "bye"), 5);
    assert_memory_equal(out,
                        "\x0F\xA1"
                        "bye",
                        5);
    assert_int_equal(ws_close_payload(out, WS_CODE_NONE, "bye"), 0);
}

/* Every way for the cut to fall into a character of 1 to 4 bytes. */
static void long_reason_is_cut_between_characters(void **state) {
    (void)state;
    static const char *const chars[] = {"x", "\xC3\xA9", "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80"};
    for (size_t c = 0; c < 4; c++) {
        for (size_t before = 100; before < 130; before++) {
            char reason[200] = "";
            memset(reason, 'a', before);
            while (strlen(reason) < 150)
                strcat(reason, chars[c]);
            uint8_t out[WS_CONTROL_MAX];
            size_t n = ws_close_payload(out, 1001, reason);
            assert_in_range(n, WS_CONTROL_MAX - 3, WS_CONTROL_MAX);
            assert_memory_equal(out + 2, reason, n - 2);
            assert_int_equal(utf8_next(UTF8_WHOLE, out + 2, n - 2), UTF8_WHOLE);
        }
    }
}

static void reason_that_just_fits_is_whole(void **state) {
    (void)state;
    char reason[124] = "";
    memset(reason, 'a', 120);
    strcat(reason, "\xE2\x82\xAC");
    uint8_t out[WS_CONTROL_MAX];
    assert_int_equal(ws_close_payload(out, 1001, reason), WS_CONTROL_MAX);
    assert_memory_equal(out + 2, reason, 123);
}

/* RFC 6455 7.4.1 and 7.4.2, the IANA registry for 1012 to 1014. */
static void close_codes(void **state) {
    (void)state;
    for (unsigned code = 0; code <= 0xFFFF; code++) {
        bool ok = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                  (code >= 3000 && code <= 4999);
        assert_int_equal(ws_close_code_ok((uint16_t)code), ok);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_has_the_shortest_length),
        cmocka_unit_test(close_payload_is_code_and_reason),
        cmocka_unit_test(long_reason_is_cut_between_characters),
        cmocka_unit_test(reason_that_just_fits_is_whole),
        cmocka_unit_test(close_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
