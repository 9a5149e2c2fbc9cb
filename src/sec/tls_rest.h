#pragma once
/* What mbedTLS keeps for longer than it needs it, given back: the buffers of a record
 * between records, and what a handshake needed after the handshake. This looks into
 * mbedTLS 3.6; tests/unit/test_tls.c says what must hold. One thread at a time, as the
 * connection. */
#include <stdbool.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

/* What a connection without buffers must remember. */
struct tls_rest {
    uint8_t in_ctr[8]; /* number of the next record to come (RFC 8446 5.3) */
};

/* Gives the buffers back, unless a handshake goes on or a record has come or gone in
 * part: then nothing happens. */
void tls_rest(mbedtls_ssl_context *ssl, struct tls_rest *rest);
static inline bool tls_rests(const mbedtls_ssl_context *ssl) {
    return ssl->MBEDTLS_PRIVATE(in_buf) == NULL;
}
/* Before anything that reads or writes. 0; -ENOMEM: it rests as before. */
int tls_wake(mbedtls_ssl_context *ssl, const struct tls_rest *rest);

/* Once the handshake is over. */
void tls_rest_forget_handshake(mbedtls_ssl_context *ssl);
