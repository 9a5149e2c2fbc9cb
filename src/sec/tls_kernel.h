#pragma once
/* A connection whose hands are shaken, handed to the kernel (Documentation/networking/
 * tls.rst): the keys go down, records are made and checked there, and what mbedTLS held
 * is given back. Where the kernel has no module `tls` (nobody loads it for us), or not
 * the cipher, the connection stays with mbedTLS; that the module is missing is
 * remembered. */
#include <stdbool.h>

#include <mbedtls/ssl.h>

#include "base/transport.h"
#include "sec/tls_rest.h"

/* What the keys of a connection are made of (RFC 5246 6.3, RFC 8446 7.3). Secret. */
struct tls_secrets {
    uint8_t ours[48], theirs[48]; /* of TLS 1.2: the master secret, nothing */
    uint8_t randoms[64];          /* of TLS 1.2: the server's, the client's */
    size_t n;                     /* bytes of each secret; 0: not known yet */
    mbedtls_tls_prf_types prf;
};

/* As far as is known. Any thread. */
bool tls_kernel_possible(void);
/* Before the handshake; *s outlives the connection, or is taken away with NULL. */
void tls_kernel_listen(mbedtls_ssl_context *ssl, struct tls_secrets *s);
/* For a connection that rests on the socket of t. 0: *t speaks through the kernel, and
 * nothing but its descriptor is left of the connection. -EOPNOTSUPP: all is as before.
 * Another -errno: the connection is lost. */
int tls_kernel_take(struct transport *t, const mbedtls_ssl_context *ssl,
                    const struct tls_rest *rest, const struct tls_secrets *s);
