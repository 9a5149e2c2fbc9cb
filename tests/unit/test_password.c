// link: sec
#include "sec/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *s, enum password_rc rc) {
    if (password_check(s) != rc)
        fail_msg("%s: %d", s, password_check(s));
}

static void length_is_counted_in_characters(void **state) {
    (void)state;
    char longest[PASSWORD_MAX + 2];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)('a' + i * i * 7 % 26);
    longest[PASSWORD_MAX + 1] = '\0';
    expect(longest, PASSWORD_LONG);
    longest[PASSWORD_MAX] = '\0';
    expect(longest, PASSWORD_OK);
    expect("", PASSWORD_SHORT);
    expect("kx9-vrw", PASSWORD_SHORT);
    expect("kx9-vrwq", PASSWORD_OK);
    expect("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", PASSWORD_SHORT); /* 4 in 8 bytes */
}

static void what_is_tried_first_is_refused(void **state) {
    (void)state;
    static const char *const common[] = {
        "password",     "Password1", "P@ssw0rd",    "p@$$w0rd!",    "passw0rd2024",
        "12345678",     "123456789", "1234567890",  "87654321",     "11111111",
        "00000000",     "12341234",  "qwertyuiop",  "qwerty123",    "qwertz12",
        "1qaz2wsx",     "1q2w3e4r",  "zaq12wsx",    "asdfghjkl",    "abcd1234",
        "abcdefgh",     "aaaaaaaa",  "aaaabbbb",    "abcabcabc",    "iloveyou",
        "ILoveYou2!",   "letmein1",  "welcome123",  "admin123",     "administrator",
        "adminadmin",   "rootroot",  "sunshine",    "princess1",    "football",
        "baseball2020", "superman",  "dragon2023!", "dragondragon", "monkey12345",
        "trustno1",     "raspberry", "raspberrypi", "pulseboard",   "Pulseboard1",
        "changeme",     "change.me", "secret!!",    "hello-world",  "2024summer",
        "!!!!!!!!",     "!@#$%^&*",  "michael1",    "mustang69",    "        ",
        "qwerty!@#",    "passwort1", "987654321a",
    };
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        expect(common[i], PASSWORD_COMMON);
}

static void what_an_owner_would_think_of_is_taken(void **state) {
    (void)state;
    static const char *const fine[] = {
        "correct horse battery staple",
        "dragonfly8",
        "my cat ate 3 sausages",
        "gruene-Tuere-im-Hof",
        "T7wq-mz0",
        "kitchen.window.left",
        "\xe5\xaf\x86\xe7\xa0\x81\xe5\xbe\x88\xe9\x95\xbf\xe5\xbe\x88\xe9\x95\xbf"
        "\xe5\x95\x8a\xe5\x93\x88",
        "hunter2isnotgood",
        "0x7f3a91c4",
    };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        expect(fine[i], PASSWORD_OK);
}

static void every_refusal_has_a_sentence(void **state) {
    (void)state;
    for (int rc = PASSWORD_SHORT; rc <= PASSWORD_COMMON; rc++)
        assert_true(strlen(password_why((enum password_rc)rc)) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_is_counted_in_characters),
        cmocka_unit_test(what_is_tried_first_is_refused),
        cmocka_unit_test(what_an_owner_would_think_of_is_taken),
        cmocka_unit_test(every_refusal_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
