#include "sec/pbkdf2.h"

#include <string.h>
#include <time.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#define BLOCK 64u
#define TRIAL_ROUNDS 8000u

/* HMAC with its key taken in already (RFC 2104 4). mbedTLS's own PBKDF2 hashes the key
 * anew in every round: in the time that we can give, this makes twice the rounds, and
 * whoever guesses does it like this. */
struct prf {
    mbedtls_sha256_context inner, outer, run;
};

static void prf_pad(mbedtls_sha256_context *c, const uint8_t key[BLOCK], uint8_t pad) {
    uint8_t block[BLOCK];
    for (unsigned i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    mbedtls_sha256_init(c);
    mbedtls_sha256_starts(c, 0);
    mbedtls_sha256_update(c, block, BLOCK);
    mbedtls_platform_zeroize(block, sizeof block);
}

static void prf_init(struct prf *f, const void *key, size_t n) {
    uint8_t block[BLOCK] = {0};
    if (n > BLOCK)
        mbedtls_sha256(key, n, block, 0);
    else
        memcpy(block, key, n);
    prf_pad(&f->inner, block, 0x36);
    prf_pad(&f->outer, block, 0x5c);
    mbedtls_sha256_init(&f->run);
    mbedtls_platform_zeroize(block, sizeof block);
}

/* out may be what p points to. */
static void prf_run(struct prf *f, const uint8_t *p, size_t n,
                    uint8_t out[PBKDF2_HASH]) {
    mbedtls_sha256_clone(&f->run, &f->inner);
    mbedtls_sha256_update(&f->run, p, n);
    mbedtls_sha256_finish(&f->run, out);
    mbedtls_sha256_clone(&f->run, &f->outer);
    mbedtls_sha256_update(&f->run, out, PBKDF2_HASH);
    mbedtls_sha256_finish(&f->run, out);
}

static void prf_free(struct prf *f) {
    mbedtls_sha256_free(&f->inner);
    mbedtls_sha256_free(&f->outer);
    mbedtls_sha256_free(&f->run);
}

void pbkdf2(const void *password, size_t n, const uint8_t salt[PBKDF2_SALT],
            uint32_t rounds, uint8_t out[PBKDF2_HASH]) {
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    uint8_t u[PBKDF2_HASH], seed[PBKDF2_SALT + sizeof first_block];
    struct prf f;
    memcpy(seed, salt, PBKDF2_SALT);
    memcpy(seed + PBKDF2_SALT, first_block, sizeof first_block);
    prf_init(&f, password, n);
    prf_run(&f, seed, sizeof seed, u);
    memcpy(out, u, sizeof u);
    for (uint32_t i = 1; i < rounds; i++) {
        prf_run(&f, u, sizeof u, u);
        for (unsigned k = 0; k < PBKDF2_HASH; k++)
            out[k] ^= u[k];
    }
    prf_free(&f);
    mbedtls_platform_zeroize(u, sizeof u);
}

static uint64_t cpu_ns(void) {
    struct timespec ts = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint32_t pbkdf2_calibrate(void) {
    static const uint8_t salt[PBKDF2_SALT];
    uint8_t out[PBKDF2_HASH];
    uint64_t began_ns = cpu_ns();
    pbkdf2("", 0, salt, TRIAL_ROUNDS, out);
    uint64_t took_ns = cpu_ns() - began_ns;
    uint64_t rounds = TRIAL_ROUNDS * (PBKDF2_TARGET_MS * UINT64_C(1000000)) /
                      (took_ns > 0 ? took_ns : 1);
    if (rounds < PBKDF2_ROUNDS_MIN)
        return PBKDF2_ROUNDS_MIN;
    return rounds < PBKDF2_ROUNDS_MAX ? (uint32_t)rounds : PBKDF2_ROUNDS_MAX;
}
