// link: sec
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "sec/verify.h"

/* Made by firmware/keys and firmware/sign, that is by openssl. */
static const char signer[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENf2tEzofL5Fy8+GsIAFd7QxetX1N\n"
    "ixZo/2Fpzf2WQEmz28kTk/rTMibreu6/+jdZBHLPG5NHF4jqCU3ePPYEjg==\n"
    "-----END PUBLIC KEY-----\n";
static const char other[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwnIG9W3EMUpi4Wh/Uwb9oJvDdaMK\n"
    "9pwiQpOVYG2Xt/ErgrKe7ZqdxpyT4J7S7C06634sUYIodZmdjTUOTTRFWQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char p384[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEp3CkUKYriuZXl1tMdSLJkr4oYHcdvqdP\n"
    "Eyn2MfMEvi1wrAt1IFfIbSo4rUAMOIraoA4STYregXaa13n7oHdIyrsEa/DvFXh4\n"
    "axx5clWcoc9KORgbNj0ZfvEtR9HjxqhI\n"
    "-----END PUBLIC KEY-----\n";
static const char text[] =
    "{\"format\": \"pulseboard-update-1\", \"board\": \"virt\", "
    "\"version\": \"0.1.0+gabc\", \"built\": 17, \"size\": 3000, "
    "\"sha256\": "
    "\"7b0e2e854f88fb0a7d6f5b9ecc0832864022559a4a32feab1e68be86f888789f\"}";
static const uint8_t sig[] = {
    0x30, 0x44, 0x02, 0x20, 0x7d, 0xca, 0x88, 0x0d, 0x25, 0x5e, 0xa2, 0xf2, 0x8c, 0xe4,
    0x9b, 0x27, 0x18, 0x9c, 0x18, 0x0e, 0xf6, 0xb4, 0x61, 0xf7, 0xa7, 0x84, 0x32, 0xb1,
    0x4a, 0x2d, 0xd8, 0x79, 0x0c, 0xc8, 0x77, 0x00, 0x02, 0x20, 0x01, 0xdc, 0x9f, 0x07,
    0x67, 0x83, 0x10, 0xcf, 0x0e, 0x29, 0x87, 0xf4, 0x83, 0x82, 0xba, 0x2c, 0x5b, 0x32,
    0xa8, 0xad, 0xb5, 0x6c, 0x4d, 0x5a, 0xe1, 0xbd, 0x8d, 0x72, 0x8f, 0x3f, 0x56, 0xb8};

static void add(struct verify_keys *k, const char *pem, int rc) {
    assert_int_equal(verify_add(k, pem, strlen(pem)), rc);
}

static void openssl_and_we_agree(void **state) {
    (void)state;
    struct verify_keys k;
    verify_init(&k);
    assert_false(verify_signed(&k, text, strlen(text), sig, sizeof sig));
    add(&k, other, 0);
    assert_false(verify_signed(&k, text, strlen(text), sig, sizeof sig));
    add(&k, signer, 0);
    assert_true(verify_signed(&k, text, strlen(text), sig, sizeof sig));
    verify_free(&k);
}

static void any_bit_matters(void **state) {
    (void)state;
    struct verify_keys k;
    char words[sizeof text];
    uint8_t other_sig[sizeof sig + 1] = {0};
    verify_init(&k);
    add(&k, signer, 0);
    memcpy(words, text, sizeof text);
    words[20] ^= 1;
    assert_false(verify_signed(&k, words, strlen(text), sig, sizeof sig));
    assert_false(verify_signed(&k, text, strlen(text) - 1, sig, sizeof sig));
    for (size_t i = 0; i < sizeof sig; i++) {
        memcpy(other_sig, sig, sizeof sig);
        other_sig[i] ^= 0x10;
        assert_false(verify_signed(&k, text, strlen(text), other_sig, sizeof sig));
    }
    memcpy(other_sig, sig, sizeof sig);
    assert_false(verify_signed(&k, text, strlen(text), other_sig, sizeof other_sig));
    assert_false(verify_signed(&k, text, strlen(text), sig, sizeof sig - 1));
    assert_false(verify_signed(&k, text, strlen(text), sig, 0));
    verify_free(&k);
}

static void only_p256_is_a_key(void **state) {
    (void)state;
    struct verify_keys k;
    verify_init(&k);
    add(&k, p384, -EINVAL);
    add(&k, "", -EINVAL);
    add(&k, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", -EINVAL);
    assert_int_equal(verify_add(&k, signer, VERIFY_PEM_MAX + 1), -EINVAL);
    for (unsigned i = 0; i < VERIFY_KEYS_MAX; i++)
        add(&k, signer, 0);
    add(&k, signer, -ENOSPC);
    assert_true(verify_signed(&k, text, strlen(text), sig, sizeof sig));
    verify_free(&k);
}

static void a_hash_comes_in_portions(void **state) {
    (void)state;
    /* FIPS 180-4, "abc". */
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                  0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                  0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                  0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct verify_hash h;
    uint8_t got[VERIFY_HASH_BYTES];
    verify_hash_begin(&h);
    verify_hash_add(&h, "a", 1);
    verify_hash_add(&h, "", 0);
    verify_hash_add(&h, "bc", 2);
    verify_hash_end(&h, got);
    assert_memory_equal(got, abc, sizeof abc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_and_we_agree),
        cmocka_unit_test(any_bit_matters),
        cmocka_unit_test(only_p256_is_a_key),
        cmocka_unit_test(a_hash_comes_in_portions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
