#pragma once
/* Stretching a password: PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2), one block. Any
 * thread; slow on purpose: never on a thread that others wait for. */
#include <stddef.h>
#include <stdint.h>

#define PBKDF2_HASH 32u
#define PBKDF2_SALT 16u
#define PBKDF2_ROUNDS_MIN 100000u
#define PBKDF2_ROUNDS_MAX 10000000u
/* What one attempt shall cost this machine. */
#define PBKDF2_TARGET_MS 500u

void pbkdf2(const void *password, size_t n, const uint8_t salt[PBKDF2_SALT],
            uint32_t rounds, uint8_t out[PBKDF2_HASH]);

/* How many rounds take PBKDF2_TARGET_MS of a core here, within the bounds. Measures for
 * some milliseconds, in CPU time: a busy machine is no reason for fewer. */
uint32_t pbkdf2_calibrate(void);
