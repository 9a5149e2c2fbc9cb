// link: app
#include "app/auth_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[AUTH_FILE_MAX];

static struct auth_store full(void) {
    struct auth_store s = {.claimed = true,
                           .viewer_set = true,
                           .view_login = true,
                           .rounds = PBKDF2_ROUNDS_MAX,
                           .last_id = UINT32_MAX,
                           .n_tokens = AUTH_TOKENS};
    memset(s.salt, 0xff, sizeof s.salt);
    memset(s.admin, 0x01, sizeof s.admin);
    memset(s.viewer, 0x80, sizeof s.viewer);
    for (uint32_t i = 0; i < AUTH_TOKENS; i++) {
        struct auth_token *t = &s.tokens[i];
        *t = (struct auth_token){.id = UINT32_MAX - i, .role = ROLE_ADMIN};
        t->made_s = t->ends_s = 99999999999;
        memset(t->name, 'n', sizeof t->name - 1);
        memset(t->hash, (int)i, sizeof t->hash);
    }
    return s;
}

static void what_was_written_is_read(void **state) {
    (void)state;
    struct auth_store all = full(), got = {0};
    size_t n = auth_file_write(&all, text, sizeof text);
    assert_in_range(n, 1, AUTH_FILE_MAX);
    assert_int_equal(auth_file_read(&got, text, n), 0);
    assert_memory_equal(&got.salt, &all.salt, sizeof all.salt);
    assert_memory_equal(&got.admin, &all.admin, sizeof all.admin);
    assert_memory_equal(&got.viewer, &all.viewer, sizeof all.viewer);
    assert_true(got.claimed && got.viewer_set && got.view_login);
    assert_int_equal(got.rounds, all.rounds);
    assert_int_equal(got.last_id, all.last_id);
    assert_int_equal(got.n_tokens, AUTH_TOKENS);
    for (uint32_t i = 0; i < AUTH_TOKENS; i++) {
        assert_int_equal(got.tokens[i].id, all.tokens[i].id);
        assert_int_equal(got.tokens[i].role, ROLE_ADMIN);
        assert_true(got.tokens[i].ends_s == 99999999999);
        assert_string_equal(got.tokens[i].name, all.tokens[i].name);
        assert_memory_equal(got.tokens[i].hash, all.tokens[i].hash, SECRET_HASH);
    }
    assert_int_equal(auth_file_write(&all, text, n - 1), 0);
}

static void a_board_with_one_password_has_one(void **state) {
    (void)state;
    struct auth_store s = {.claimed = true, .rounds = PBKDF2_ROUNDS_MIN}, got = full();
    size_t n = auth_file_write(&s, text, sizeof text);
    assert_int_equal(auth_file_read(&got, text, n), 0);
    assert_true(got.claimed);
    assert_false(got.viewer_set || got.view_login);
    assert_int_equal(got.n_tokens, 0);
}

#define SALT "00112233445566778899aabbccddeeff"
#define HASH SALT SALT
#define HEAD                                                                           \
    "{\"version\":1,\"view_login\":true,\"rounds\":100000,\"salt\":\"" SALT "\""
#define TOKEN(id)                                                                      \
    "{\"id\":" id                                                                      \
    ",\"name\":\"a\",\"role\":\"viewer\",\"made\":1,\"ends\":0,\"hash\":"              \
    "\"" HASH "\"}"

static void what_is_not_understood_is_refused_whole(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int rc;
    } cases[] = {
        {HEAD ",\"last_id\":0,\"tokens\":[]}", 0},
        {HEAD ",\"admin\":\"" HASH "\",\"last_id\":2,\"tokens\":[" TOKEN("2") "]}", 0},
        {"", -EINVAL},
        {"{}", -EINVAL},
        {"[]", -EINVAL},
        {"null", -EINVAL},
        {HEAD ",\"last_id\":0,\"tokens\":[]", -EINVAL},
        {HEAD ",\"last_id\":0,\"tokens\":{}}", -EINVAL},
        {HEAD ",\"last_id\":0}", -EINVAL},
        {HEAD ",\"tokens\":[]}", -EINVAL},
        {HEAD ",\"last_id\":-1,\"tokens\":[]}", -EINVAL},
        {HEAD ",\"last_id\":0.5,\"tokens\":[]}", -EINVAL},
        {HEAD ",\"admin\":\"00\",\"last_id\":0,\"tokens\":[]}", -EINVAL},
        {HEAD ",\"admin\":null,\"last_id\":0,\"tokens\":[]}", -EINVAL},
        {HEAD ",\"viewer\":7,\"last_id\":0,\"tokens\":[]}", -EINVAL},
        {HEAD ",\"last_id\":1,\"tokens\":[" TOKEN("2") "]}", -EINVAL},
        {HEAD ",\"last_id\":1,\"tokens\":[" TOKEN("0") "]}", -EINVAL},
        {HEAD ",\"last_id\":1,\"tokens\":[" TOKEN("1") "," TOKEN("1") "]}", -EINVAL},
        {HEAD ",\"last_id\":1,\"tokens\":[7]}", -EINVAL},
        /* cheaper than any machine's */
        {"{\"version\":1,\"view_login\":true,\"rounds\":99999,\"salt\":\"" SALT
         "\",\"last_id\":0,\"tokens\":[]}",
         -EINVAL},
        {"{\"version\":2,\"view_login\":true,\"rounds\":100000,\"salt\":\"" SALT
         "\",\"last_id\":0,\"tokens\":[]}",
         -EINVAL},
        {"{\"version\":1,\"view_login\":1,\"rounds\":100000,\"salt\":\"" SALT
         "\",\"last_id\":0,\"tokens\":[]}",
         -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct auth_store s = {.last_id = 77};
        int rc = auth_file_read(&s, cases[i].json, strlen(cases[i].json));
        if (rc != cases[i].rc || (rc && s.last_id != 77))
            fail_msg("%d: %s", rc, cases[i].json);
    }
}

static void names_of_tokens_are_plain(void **state) {
    (void)state;
    assert_true(auth_name_ok("grafana-2.local_X"));
    assert_true(auth_name_ok("12345678901234567890123456789012"));
    assert_false(auth_name_ok("123456789012345678901234567890123"));
    assert_false(auth_name_ok(""));
    assert_false(auth_name_ok("a b"));
    assert_false(auth_name_ok("\xc3\xa4"));
    assert_false(auth_name_ok("a\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_board_with_one_password_has_one),
        cmocka_unit_test(what_is_not_understood_is_refused_whole),
        cmocka_unit_test(names_of_tokens_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
