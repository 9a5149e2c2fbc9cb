#pragma once
/* Whose word a file is: ECDSA over P-256 with SHA-256 (FIPS 186-5), checked against a
 * few public keys that are known beforehand. Any thread, one per struct; keys take some
 * heap when they are added, checking gives back what it takes. */
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than one, so that a new key can be brought by an update that the old one signed.
 */
#define VERIFY_KEYS_MAX 4u
#define VERIFY_HASH_BYTES 32u
#define VERIFY_PEM_MAX 1024u

struct verify_keys {
    mbedtls_pk_context key[VERIFY_KEYS_MAX];
    unsigned n;
};

void verify_init(struct verify_keys *k);
void verify_free(struct verify_keys *k);
/* pem: text of one PUBLIC KEY, n bytes. 0; -ENOSPC, or -EINVAL: it is none of P-256. */
int verify_add(struct verify_keys *k, const char *pem, size_t n);
/* Did one of the keys sign these bytes? sig: as DER (RFC 3279 2.2.3). */
bool verify_signed(struct verify_keys *k, const void *p, size_t n, const uint8_t *sig,
                   size_t sig_n);

/* A hash of bytes that come in portions. */
struct verify_hash {
    mbedtls_sha256_context ctx;
};
void verify_hash_begin(struct verify_hash *h);
void verify_hash_add(struct verify_hash *h, const void *p, size_t n);
void verify_hash_end(struct verify_hash *h, uint8_t out[VERIFY_HASH_BYTES]);
