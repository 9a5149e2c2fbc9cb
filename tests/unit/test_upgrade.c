// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/upgrade.h"

static void the_answer_to_a_key(void **state) {
    (void)state;
    char out[29];
    upgrade_accept("dGhlIHNhbXBsZSBub25jZQ==", out); /* RFC 6455 1.3 */
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    upgrade_accept("x3JJHMbDL1EzLkh9GBhXDw==", out);
    assert_string_equal(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

#define TOKEN "0123456789abcdef1123456789abcdef"

static void what_a_client_says_of_its_last_session(void **state) {
    (void)state;
    static const struct {
        const char *query;
        bool ok;
    } cases[] = {
        {"resume=" TOKEN "&seq=42&epoch=beef", true},
        {"epoch=BEEF&x=1&seq=42&resume=" TOKEN, true},
        {"", false},
        {"resume=" TOKEN, false},
        {"resume=" TOKEN "&seq=42", false},
        {"seq=42&epoch=beef", false},
        {"resume=" TOKEN "0&seq=42&epoch=beef", false},
        {"resume=123&seq=42&epoch=beef", false},
        {"resume=g123456789abcdef1123456789abcdef&seq=42&epoch=beef", false},
        {"resume=" TOKEN "&seq=-42&epoch=beef", false},
        {"resume=" TOKEN "&seq=99999999999999999999&epoch=beef", false},
        {"resume=" TOKEN "&seq=42&epoch=", false},
        {"resume=" TOKEN "&seq=42&epoch=11111111111111111", false},
        {"resume=" TOKEN "&seq=42&epoch=beef&seq=42", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_hello h = {.role = 7};
        upgrade_resume((struct slice){cases[i].query, strlen(cases[i].query)}, &h);
        bool ok = h.resume_token[0] == 0x0123456789abcdef &&
                  h.resume_token[1] == 0x1123456789abcdef && h.resume_seq == 42 &&
                  h.resume_epoch == 0xbeef;
        bool none = !h.resume_token[0] && !h.resume_token[1] && !h.resume_seq &&
                    !h.resume_epoch;
        if (ok != cases[i].ok || none == cases[i].ok)
            fail_msg("%s", cases[i].query);
        assert_int_equal(h.role, 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_to_a_key),
        cmocka_unit_test(what_a_client_says_of_its_last_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
