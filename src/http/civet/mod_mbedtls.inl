/* Stands in for CivetWeb's module of this name: the same functions, on sec/tls. CivetWeb shakes
 * hands through it and closes a connection that came no further; all reading and writing is
 * done on the transport that civet.c makes of it. */
#include <mbedtls/ssl.h>

#include "sec/tls.h"

typedef struct tls SSL;
typedef struct {
    char unused; /* the tls_ctx is in struct civet */
} SSL_CTX;

#define mbedtls_ssl_get_bytes_avail(ssl) ((void)(ssl), 0)

static int mbed_sslctx_init(SSL_CTX *ctx, const char *crt) {
    (void)ctx;
    (void)crt;
    return 0;
}

static void mbed_sslctx_uninit(SSL_CTX *ctx) { (void)ctx; }

static int mbed_ssl_accept(SSL **ssl, SSL_CTX *ctx, int *sock, struct mg_context *phys_ctx) {
    (void)ctx;
    return seam_accept_tls(phys_ctx, *sock, ssl);
}

static void mbed_ssl_close(SSL *ssl) { tls_free(ssl); }

/* Not reached: conn->ssl is NULL from the moment a connection can be read. */
static int mbed_ssl_read(SSL *ssl, unsigned char *buf, int len) {
    (void)ssl;
    (void)buf;
    (void)len;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int mbed_ssl_write(SSL *ssl, const unsigned char *buf, int len) {
    (void)ssl;
    (void)buf;
    (void)len;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}
