#include "sec/verify.h"

#include <errno.h>
#include <string.h>

#include <mbedtls/ecp.h>

void verify_init(struct verify_keys *k) { memset(k, 0, sizeof *k); }

void verify_free(struct verify_keys *k) {
    for (unsigned i = 0; i < k->n; i++)
        mbedtls_pk_free(&k->key[i]);
    k->n = 0;
}

static bool is_p256(const mbedtls_pk_context *pk) {
    if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY)
        return false;
    return mbedtls_pk_ec(*pk)->MBEDTLS_PRIVATE(grp).id == MBEDTLS_ECP_DP_SECP256R1;
}

int verify_add(struct verify_keys *k, const char *pem, size_t n) {
    /* mbedTLS takes text for PEM only with its NUL. */
    unsigned char text[VERIFY_PEM_MAX + 1];
    if (k->n == VERIFY_KEYS_MAX)
        return -ENOSPC;
    if (n > VERIFY_PEM_MAX)
        return -EINVAL;
    memcpy(text, pem, n);
    text[n] = '\0';
    mbedtls_pk_context *pk = &k->key[k->n];
    mbedtls_pk_init(pk);
    if (mbedtls_pk_parse_public_key(pk, text, n + 1) != 0 || !is_p256(pk)) {
        mbedtls_pk_free(pk);
        return -EINVAL;
    }
    k->n++;
    return 0;
}

bool verify_signed(struct verify_keys *k, const void *p, size_t n, const uint8_t *sig,
                   size_t sig_n) {
    uint8_t hash[VERIFY_HASH_BYTES];
    if (mbedtls_sha256(p, n, hash, 0) != 0)
        return false;
    for (unsigned i = 0; i < k->n; i++) {
        if (mbedtls_pk_verify(&k->key[i], MBEDTLS_MD_SHA256, hash, sizeof hash, sig,
                              sig_n) == 0)
            return true;
    }
    return false;
}

/* mbedTLS's software SHA-256 cannot fail: its results are for hardware that can. */
void verify_hash_begin(struct verify_hash *h) {
    mbedtls_sha256_init(&h->ctx);
    (void)mbedtls_sha256_starts(&h->ctx, 0);
}

void verify_hash_add(struct verify_hash *h, const void *p, size_t n) {
    (void)mbedtls_sha256_update(&h->ctx, p, n);
}

void verify_hash_end(struct verify_hash *h, uint8_t out[VERIFY_HASH_BYTES]) {
    (void)mbedtls_sha256_finish(&h->ctx, out);
    mbedtls_sha256_free(&h->ctx);
}
