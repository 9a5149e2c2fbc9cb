#pragma once
/* TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) for servers, on mbedTLS. Suites: ECDHE with
 * AES-GCM or ChaCha20-Poly1305; curves X25519 and P-256; RSA and ECDSA keys; session
 * tickets; ALPN http/1.1. No renegotiation, no client certificates.
 *
 * A tls_ctx serves any number of threads. A tls belongs to one thread at a time.
 * Memory, from the heap: about 2 kB per connection; and 21 kB while it shakes hands or
 * a record has come or gone in part. Errors are 0 or -errno. */
#include <stddef.h>
#include <stdint.h>

#include "base/transport.h"

struct tls_ctx;
struct tls;

/* pem: NUL-terminated text with the private key and the certificate chain, leaf first.
 * On failure -EINVAL (or -ENOMEM) and one line in why that says what is wrong. */
int tls_ctx_new(struct tls_ctx **out, const char *pem, char *why, size_t cap);
/* New connections use the new certificate, live ones go on with theirs. On failure
 * nothing changes. */
int tls_ctx_reload(struct tls_ctx *ctx, const char *pem, char *why, size_t cap);
/* The same from a file; -errno of opening or reading it, too. A file over TLS_PEM_MAX
 * bytes is -EFBIG. */
#define TLS_PEM_MAX (64u * 1024)
int tls_ctx_open(struct tls_ctx **out, const char *path, char *why, size_t cap);
int tls_ctx_reopen(struct tls_ctx *ctx, const char *path, char *why, size_t cap);
/* Only the text of such a file: to be given to tls_pem_wipe(), which takes NULL, too.
 */
int tls_pem_read(const char *path, char **out, char *why, size_t cap);
void tls_pem_wipe(char *pem);
/* Any time: connections keep what they need of it. */
void tls_ctx_free(struct tls_ctx *ctx);

/* On a non-blocking socket, which stays the caller's. 0 or -ENOMEM. */
int tls_begin(struct tls_ctx *ctx, int fd, struct tls **out);
/* Shakes hands as far as it goes without waiting: 0 when that is done, -EAGAIN when the
 * socket must become readable or writable first. -EPROTO: the peer's words made no
 * sense or offered nothing we accept; *detail is then mbedTLS's code, for the log. A
 * step may take tens of milliseconds of computing on a small board. */
int tls_shake(struct tls *s, int *detail);
/* Without a word to the peer; the socket stays open. */
void tls_free(struct tls *s);

/* From now on t owns the connection and its socket. */
void tls_transport(struct transport *t, struct tls *s);
