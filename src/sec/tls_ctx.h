#pragma once
/* What tls.c and tls_ctx.c share; nobody else's. */
#include <mbedtls/ssl.h>

#include "sec/tls.h"

/* One certificate with its key and the configuration made from them. Any thread; lives
 * as long as somebody holds a reference. */
struct tls_ident;

/* A reference to the identity that new connections use. */
struct tls_ident *tls_ident_get(struct tls_ctx *ctx);
void tls_ident_put(struct tls_ident *id);
const mbedtls_ssl_config *tls_ident_conf(const struct tls_ident *id);
