#include "sec/tls_ctx.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

#define TICKET_LIFE_S 86400

/* Ticket keys outlive a change of certificate, so that clients still resume after it;
 * hence a reference from each identity that uses them. */
struct tickets {
    _Atomic unsigned refs;
    mbedtls_ssl_ticket_context ctx;
};

struct tls_ident {
    _Atomic unsigned refs;
    struct tickets *tickets;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
};

struct tls_ctx {
    pthread_mutex_t lock; /* of current */
    struct tls_ident *current;
    struct tickets *tickets;
};

/* Our order counts: forward secrecy and AEAD throughout. */
static const int suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    0,
};
static const char *alpn[] = {"http/1.1", NULL};

static int refuse(char *why, size_t cap, const char *what, int rc) {
    if (rc == MBEDTLS_ERR_SSL_ALLOC_FAILED || rc == MBEDTLS_ERR_X509_ALLOC_FAILED ||
        rc == MBEDTLS_ERR_PK_ALLOC_FAILED) {
        snprintf(why, cap, "out of memory");
        return -ENOMEM;
    }
    if (rc < 0)
        snprintf(why, cap, "%s (mbedTLS -0x%04x)", what, (unsigned)-rc);
    else
        snprintf(why, cap, "%s", what);
    return -EINVAL;
}

static void tickets_put(struct tickets *t) {
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        mbedtls_ssl_ticket_free(&t->ctx);
        free(t);
    }
}

static struct tickets *tickets_new(void) {
    struct tickets *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    atomic_init(&t->refs, 1);
    mbedtls_ssl_ticket_init(&t->ctx);
    if (mbedtls_ssl_ticket_setup(&t->ctx, mbedtls_psa_get_random,
                                 MBEDTLS_PSA_RANDOM_STATE, MBEDTLS_CIPHER_AES_256_GCM,
                                 TICKET_LIFE_S) != 0) {
        tickets_put(t);
        return NULL;
    }
    return t;
}

void tls_ident_put(struct tls_ident *id) {
    if (!id || atomic_fetch_sub(&id->refs, 1) != 1)
        return;
    mbedtls_ssl_config_free(&id->conf);
    mbedtls_x509_crt_free(&id->chain);
    mbedtls_pk_free(&id->key);
    tickets_put(id->tickets);
    free(id);
}

const mbedtls_ssl_config *tls_ident_conf(const struct tls_ident *id) {
    return &id->conf;
}

/* mbedTLS writes the Certificate message (RFC 8446 4.4.2) as one record. */
static bool chain_fits(const mbedtls_x509_crt *chain) {
    size_t n = 64; /* heads of record, message and list */
    for (const mbedtls_x509_crt *c = chain; c; c = c->next)
        n += c->raw.len + 5;
    return n <= MBEDTLS_SSL_OUT_CONTENT_LEN;
}

static int load(struct tls_ident *id, const char *pem, char *why, size_t cap) {
    const unsigned char *text = (const unsigned char *)pem;
    size_t n = strlen(pem) + 1; /* mbedTLS tells PEM by the NUL */
    int rc = mbedtls_x509_crt_parse(&id->chain, text, n);
    if (rc != 0)
        return refuse(why, cap, "no usable certificate in it", rc);
    rc = mbedtls_pk_parse_key(&id->key, text, n, NULL, 0, mbedtls_psa_get_random,
                              MBEDTLS_PSA_RANDOM_STATE);
    if (rc != 0)
        return refuse(why, cap, "no usable private key in it", rc);
    rc = mbedtls_pk_check_pair(&id->chain.pk, &id->key, mbedtls_psa_get_random,
                               MBEDTLS_PSA_RANDOM_STATE);
    if (rc != 0)
        return refuse(why, cap, "the private key does not fit the first certificate",
                      rc);
    if (!chain_fits(&id->chain))
        return refuse(why, cap, "the certificate chain is over 4 kB long", 0);
    return 0;
}

static int configure(struct tls_ident *id, char *why, size_t cap) {
    mbedtls_ssl_config *c = &id->conf;
    int rc = mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc != 0)
        return refuse(why, cap, "TLS cannot be configured", rc);
    mbedtls_ssl_conf_rng(c, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_groups(c, groups);
    mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &id->tickets->ctx);
    rc = mbedtls_ssl_conf_alpn_protocols(c, alpn);
    if (rc == 0)
        rc = mbedtls_ssl_conf_own_cert(c, &id->chain, &id->key);
    return rc == 0 ? 0 : refuse(why, cap, "TLS cannot be configured", rc);
}

static int ident_new(struct tls_ident **out, struct tickets *tickets, const char *pem,
                     char *why, size_t cap) {
    struct tls_ident *id = calloc(1, sizeof(*id));
    if (!id)
        return refuse(why, cap, "", MBEDTLS_ERR_SSL_ALLOC_FAILED);
    atomic_init(&id->refs, 1);
    atomic_fetch_add(&tickets->refs, 1);
    id->tickets = tickets;
    mbedtls_ssl_config_init(&id->conf);
    mbedtls_x509_crt_init(&id->chain);
    mbedtls_pk_init(&id->key);
    int rc = load(id, pem, why, cap);
    if (rc == 0)
        rc = configure(id, why, cap);
    if (rc != 0) {
        tls_ident_put(id);
        return rc;
    }
    *out = id;
    return 0;
}

int tls_ctx_new(struct tls_ctx **out, const char *pem, char *why, size_t cap) {
    /* TLS 1.3 computes in PSA; the call may be repeated. */
    if (psa_crypto_init() != PSA_SUCCESS)
        return refuse(why, cap, "no source of randomness", 0);
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return refuse(why, cap, "", MBEDTLS_ERR_SSL_ALLOC_FAILED);
    ctx->tickets = tickets_new();
    int rc = ctx->tickets ? ident_new(&ctx->current, ctx->tickets, pem, why, cap)
                          : refuse(why, cap, "", MBEDTLS_ERR_SSL_ALLOC_FAILED);
    if (rc != 0) {
        tickets_put(ctx->tickets);
        free(ctx);
        return rc;
    }
    pthread_mutex_init(&ctx->lock, NULL);
    *out = ctx;
    return 0;
}

int tls_ctx_reload(struct tls_ctx *ctx, const char *pem, char *why, size_t cap) {
    struct tls_ident *fresh;
    int rc = ident_new(&fresh, ctx->tickets, pem, why, cap);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&ctx->lock);
    struct tls_ident *old = ctx->current;
    ctx->current = fresh;
    pthread_mutex_unlock(&ctx->lock);
    tls_ident_put(old);
    return 0;
}

struct tls_ident *tls_ident_get(struct tls_ctx *ctx) {
    pthread_mutex_lock(&ctx->lock);
    struct tls_ident *id = ctx->current;
    atomic_fetch_add(&id->refs, 1);
    pthread_mutex_unlock(&ctx->lock);
    return id;
}

void tls_ctx_free(struct tls_ctx *ctx) {
    if (!ctx)
        return;
    tls_ident_put(ctx->current);
    tickets_put(ctx->tickets);
    pthread_mutex_destroy(&ctx->lock);
    free(ctx);
}

/* The whole file with a NUL behind it. */
int tls_pem_read(const char *path, char **out, char *why, size_t cap) {
    char *text = NULL;
    size_t n = 0;
    ssize_t got = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && (text = malloc(TLS_PEM_MAX + 1)) != NULL) {
        while (n <= TLS_PEM_MAX && (got = read(fd, text + n, TLS_PEM_MAX + 1 - n)) > 0)
            n += (size_t)got;
    }
    int err = fd >= 0 && text && got >= 0 ? 0 : errno;
    if (err == 0 && n > TLS_PEM_MAX)
        err = EFBIG;
    if (fd >= 0)
        close(fd);
    if (err != 0) {
        snprintf(why, cap, "%s", strerror(err));
        free(text);
        return -err;
    }
    assert(text);
    text[n] = '\0';
    *out = text;
    return 0;
}

void tls_pem_wipe(char *pem) {
    if (pem)
        mbedtls_platform_zeroize(pem, TLS_PEM_MAX + 1);
    free(pem);
}

int tls_ctx_open(struct tls_ctx **out, const char *path, char *why, size_t cap) {
    char *pem = NULL;
    int rc = tls_pem_read(path, &pem, why, cap);
    if (rc != 0)
        return rc;
    assert(pem);
    rc = tls_ctx_new(out, pem, why, cap);
    tls_pem_wipe(pem);
    return rc;
}

int tls_ctx_reopen(struct tls_ctx *ctx, const char *path, char *why, size_t cap) {
    char *pem = NULL;
    int rc = tls_pem_read(path, &pem, why, cap);
    if (rc != 0)
        return rc;
    assert(pem);
    rc = tls_ctx_reload(ctx, pem, why, cap);
    tls_pem_wipe(pem);
    return rc;
}
