// link: sec
#include "sec/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sec/pbkdf2.h"

static void hexadecimal_there_and_back(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
    uint8_t back[4];
    char text[9];
    secret_hex(text, bytes, 4);
    assert_string_equal(text, "007f80ff");
    assert_int_equal(secret_unhex(back, 4, text, 8), 0);
    assert_memory_equal(back, bytes, 4);
    static const char *const bad[] = {"007f80fF", "007f80fg", "007f80f", "007f80ff0",
                                      ""};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(secret_unhex(back, 4, bad[i], strlen(bad[i])), -EINVAL);
}

static void no_two_are_the_same(void **state) {
    (void)state;
    uint8_t a[SECRET_BYTES] = {0}, b[SECRET_BYTES] = {0}, hash[SECRET_HASH];
    assert_int_equal(secret_random(a, sizeof a), 0);
    assert_int_equal(secret_random(b, sizeof b), 0);
    assert_false(secret_same(a, b, sizeof a));
    assert_true(secret_same(a, a, sizeof a));
    secret_hash("abc", 3, hash);
    /* FIPS 180-4's example */
    static const uint8_t known[4] = {0xba, 0x78, 0x16, 0xbf};
    assert_memory_equal(hash, known, 4);
}

static void a_code_is_read_as_people_type(void **state) {
    (void)state;
    char code[SECRET_CODE], again[SECRET_CODE];
    for (int i = 0; i < 50; i++) {
        assert_int_equal(secret_code(code), 0);
        assert_int_equal(strlen(code), SECRET_CODE - 1);
        assert_null(strpbrk(code, "ILOU"));
        assert_int_equal(secret_code_read(again, code), 0);
        assert_string_equal(again, code);
    }
    static const char *const same[] = {
        "0123-4ABC-1XYZ", "01234abc1xyz",         "  0123 4abc lxyz\n",
        "O1234AbcIxyz",   "0-1-2-3-4-a-b-c-1xyz", "o1234abcLxyz",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(secret_code_read(again, same[i]), 0);
        assert_string_equal(again, "0123-4ABC-1XYZ");
    }
    static const char *const bad[] = {"", "0123-4ABC-1XY", "0123-4ABC-1XYZZ",
                                      "0123-4ABC-1XYU", "0123_4ABC_1XYZ"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(secret_code_read(again, bad[i]), -EINVAL);
}

/* As python's hashlib.pbkdf2_hmac("sha256", ...) says. */
static void stretching_is_that_of_the_standard(void **state) {
    (void)state;
    static const struct {
        const char *password;
        uint32_t rounds;
        const char *hash;
    } cases[] = {
        {"password", 1,
         "f2e34bd950e91cf37d22e1135a399b02a17cb1937554a95319093792769f8975"},
        {"password", 2,
         "2b77275cc3120b1513f6f3e03649fd493376526056cd04462aa6fef64a5d19f0"},
        {"pass phrase", 4096,
         "00f151bd3a00a75e4a4d9728bf6d0c06746054f5b47a83970ae93c877fa2306a"},
        {"", 1000, "430eb7c7e0980728e4536dbe0eecee5e6ef07be9f74fd57b657f402424453d1e"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 3,
         "30b5e142bfce42d5a6d4a28cd2c13ec34fd36ff69644d57747efb2b13396f5a5"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 3,
         "18b49c77d243dc87fa27ef1481d827387ad39199cda206b1b29aa4ea632bc419"},
        {"long long long long long long long long long long long long long long long "
         "long long long long long long long long long long ",
         1000, "7f1822f7258021b2bc9c08ea038b26ee38f26dabf872e118262a70867063e955"},
    };
    static const uint8_t salt[PBKDF2_SALT + 1] = "saltSALTsaltSALT";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[PBKDF2_HASH];
        char text[2 * PBKDF2_HASH + 1];
        pbkdf2(cases[i].password, strlen(cases[i].password), salt, cases[i].rounds,
               out);
        secret_hex(text, out, sizeof out);
        assert_string_equal(text, cases[i].hash);
    }
}

static void no_machine_gets_fewer_rounds_than_the_floor(void **state) {
    (void)state;
    uint32_t rounds = pbkdf2_calibrate();
    assert_in_range(rounds, PBKDF2_ROUNDS_MIN, PBKDF2_ROUNDS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_there_and_back),
        cmocka_unit_test(no_two_are_the_same),
        cmocka_unit_test(a_code_is_read_as_people_type),
        cmocka_unit_test(stretching_is_that_of_the_standard),
        cmocka_unit_test(no_machine_gets_fewer_rounds_than_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
