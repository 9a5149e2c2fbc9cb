#include "sec/tls_kernel.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/platform_util.h>
#include <ssl_misc.h>
#include <ssl_tls13_keys.h>

/* What libraries without these names lack (linux/tcp.h, linux/socket.h). */
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* Types of records and what an alert says, RFC 8446 5.1 and 6. */
enum { ALERT = 21, DATA = 23 };
enum { WARNING = 1, FATAL = 2, CLOSE_NOTIFY = 0, UNEXPECTED_MESSAGE = 10 };

/* Records that may pass in one call without any data for us. */
#define IDLE_RECORDS_MAX 8

static atomic_bool missing;

bool tls_kernel_possible(void) { return !atomic_load(&missing); }

static void on_secret(void *arg, mbedtls_ssl_key_export_type type,
                      const unsigned char *secret, size_t n,
                      const unsigned char client_random[32],
                      const unsigned char server_random[32],
                      mbedtls_tls_prf_types prf) {
    struct tls_secrets *s = arg;
    if (n > sizeof(s->ours))
        return;
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET) {
        memcpy(s->theirs, secret, n);
        return;
    }
    if (type != MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET &&
        type != MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET)
        return;
    memcpy(s->ours, secret, n);
    memcpy(s->randoms, server_random, 32);
    memcpy(s->randoms + 32, client_random, 32);
    s->prf = prf;
    s->n = n;
}

void tls_kernel_listen(mbedtls_ssl_context *ssl, struct tls_secrets *s) {
    mbedtls_ssl_set_export_keys_cb(ssl, s ? on_secret : NULL, s);
}

/* ---- keys ---- */

/* Both directions, as far as both versions name them alike. */
struct keys {
    mbedtls_ssl_key_set set;
    bool is_1_3;
    mbedtls_cipher_type_t cipher;
};

static int make_1_3(struct keys *k, const struct tls_secrets *s, size_t key_n) {
    psa_algorithm_t hash = s->n == 48 ? PSA_ALG_SHA_384 : PSA_ALG_SHA_256;
    return mbedtls_ssl_tls13_make_traffic_keys(hash, s->theirs, s->ours, s->n, key_n,
                                               12, &k->set);
}

static int make_1_2(struct keys *k, const struct tls_secrets *s, size_t key_n,
                    size_t iv_n) {
    uint8_t block[2 * (32 + 12)];
    int rc = mbedtls_ssl_tls_prf(s->prf, s->ours, s->n, "key expansion", s->randoms,
                                 sizeof(s->randoms), block, 2 * (key_n + iv_n));
    memcpy(k->set.client_write_key, block, key_n);
    memcpy(k->set.server_write_key, block + key_n, key_n);
    memcpy(k->set.client_write_iv, block + 2 * key_n, iv_n);
    memcpy(k->set.server_write_iv, block + 2 * key_n + iv_n, iv_n);
    mbedtls_platform_zeroize(block, sizeof(block));
    return rc;
}

static int make_keys(struct keys *k, const mbedtls_ssl_context *ssl,
                     const struct tls_secrets *s) {
    const mbedtls_ssl_ciphersuite_t *suite =
        mbedtls_ssl_ciphersuite_from_id(mbedtls_ssl_get_ciphersuite_id_from_ssl(ssl));
    if (!suite || s->n == 0)
        return -EOPNOTSUPP;
    k->cipher = suite->cipher;
    k->is_1_3 = mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    size_t key_n = k->cipher == MBEDTLS_CIPHER_AES_128_GCM ? 16 : 32;
    size_t iv_n = k->cipher == MBEDTLS_CIPHER_CHACHA20_POLY1305 ? 12 : 4;
    int rc = k->is_1_3 ? make_1_3(k, s, key_n) : make_1_2(k, s, key_n, iv_n);
    return rc == 0 ? 0 : -EOPNOTSUPP;
}

/* ---- handing them down ---- */

union crypto {
    struct tls_crypto_info info;
    struct tls12_crypto_info_aes_gcm_128 aes_128;
    struct tls12_crypto_info_aes_gcm_256 aes_256;
    struct tls12_crypto_info_chacha20_poly1305 chacha;
};

struct part {
    const uint8_t *key, *iv, *seq; /* of one direction */
};

/* The part of a nonce that TLS 1.2 sends along is the record's number, as mbedTLS does
 * it (RFC 5288 3): the kernel counts on from there, so that none comes twice. */
static void fill_gcm(uint8_t *key, size_t key_n, uint8_t salt[4], uint8_t iv[8],
                     uint8_t seq[8], const struct part *from, bool is_1_3) {
    memcpy(key, from->key, key_n);
    memcpy(salt, from->iv, 4);
    memcpy(iv, is_1_3 ? from->iv + 4 : from->seq, 8);
    memcpy(seq, from->seq, 8);
}

/* Length of what was filled in, 0: the kernel has no such cipher. */
static socklen_t fill(union crypto *u, const struct keys *k, const struct part *from) {
    struct tls12_crypto_info_aes_gcm_128 *a = &u->aes_128;
    struct tls12_crypto_info_aes_gcm_256 *b = &u->aes_256;
    struct tls12_crypto_info_chacha20_poly1305 *c = &u->chacha;
    *u = (union crypto){
        .info = {.version = k->is_1_3 ? TLS_1_3_VERSION : TLS_1_2_VERSION}};
    if (k->cipher == MBEDTLS_CIPHER_AES_128_GCM) {
        u->info.cipher_type = TLS_CIPHER_AES_GCM_128;
        fill_gcm(a->key, sizeof(a->key), a->salt, a->iv, a->rec_seq, from, k->is_1_3);
        return sizeof(*a);
    }
    if (k->cipher == MBEDTLS_CIPHER_AES_256_GCM) {
        u->info.cipher_type = TLS_CIPHER_AES_GCM_256;
        fill_gcm(b->key, sizeof(b->key), b->salt, b->iv, b->rec_seq, from, k->is_1_3);
        return sizeof(*b);
    }
    if (k->cipher != MBEDTLS_CIPHER_CHACHA20_POLY1305)
        return 0;
    u->info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
    memcpy(c->key, from->key, sizeof(c->key));
    memcpy(c->iv, from->iv, sizeof(c->iv));
    memcpy(c->rec_seq, from->seq, sizeof(c->rec_seq));
    return sizeof(*c);
}

/* way: TLS_TX or TLS_RX. */
static int hand(int fd, int way, const struct keys *k, const uint8_t *seq) {
    struct part from = {k->set.client_write_key, k->set.client_write_iv, seq};
    if (way == TLS_TX)
        from = (struct part){k->set.server_write_key, k->set.server_write_iv, seq};
    union crypto u;
    socklen_t n = fill(&u, k, &from);
    int rc = n && setsockopt(fd, SOL_TLS, way, &u, n) == 0 ? 0 : n ? -errno : -EINVAL;
    mbedtls_platform_zeroize(&u, sizeof(u));
    return rc;
}

/* ---- the transport ---- */

/* How far our goodbye has come is what t->tls is used for. */
enum end { TALKING, ENDING, ENDED };

static enum end end_of(const struct transport *t) {
    return (enum end)(uintptr_t)t->tls;
}

static void set_end(struct transport *t, enum end end) {
    t->tls = (void *)(uintptr_t)end;
}

static int alert(const struct transport *t, uint8_t level, uint8_t what) {
    uint8_t body[2] = {level, what};
    union {
        char buf[CMSG_SPACE(1)];
        struct cmsghdr align;
    } u = {.buf = {0}};
    struct iovec iov = {body, sizeof(body)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf};
    m.msg_controllen = sizeof(u.buf);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_TLS;
    c->cmsg_type = TLS_SET_RECORD_TYPE;
    c->cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(c) = ALERT;
    m.msg_controllen = c->cmsg_len;
    ssize_t put;
    do
        put = sendmsg(t->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : 0;
}

/* Bytes, with their type in *type (0: none was told), or -errno. */
static long recv_record(const struct transport *t, uint8_t *buf, size_t n,
                        uint8_t *type) {
    union {
        char buf[CMSG_SPACE(1)];
        struct cmsghdr align;
    } u;
    struct iovec iov = {buf, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf};
    m.msg_controllen = sizeof(u.buf);
    ssize_t got;
    do
        got = recvmsg(t->fd, &m, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    bool told = c && c->cmsg_level == SOL_TLS && c->cmsg_type == TLS_GET_RECORD_TYPE;
    *type = told ? *CMSG_DATA(c) : 0;
    return got;
}

/* A record that the kernel cannot make sense of is a connection cut by somebody. */
static long failure(long rc) {
    switch (-rc) {
    case EBADMSG:
    case EINVAL:
    case EIO:
    case EMSGSIZE:
        return -ECONNRESET;
    default:
        return rc;
    }
}

static long kernel_recv(struct transport *t, uint8_t *buf, size_t n) {
    for (int i = 0; i < IDLE_RECORDS_MAX; i++) {
        uint8_t type = 0;
        long got = recv_record(t, buf, n, &type);
        if (got < 0)
            return failure(got);
        if (got == 0 && type == 0)
            return -ECONNRESET; /* FIN and no close_notify: truncation, RFC 8446 6.1 */
        if (type == DATA || type == 0) {
            if (got > 0)
                return got;
            continue;
        }
        if (type == ALERT && got == 2 && buf[1] == CLOSE_NOTIFY)
            return 0;
        if (type == ALERT && got == 2 && buf[0] == WARNING)
            continue;
        /* A handshake after the handshake, as mbedTLS takes it: not at all. */
        if (type != ALERT)
            (void)alert(t, FATAL, UNEXPECTED_MESSAGE);
        return -ECONNRESET;
    }
    return -EAGAIN;
}

/* close_notify, then FIN, as far as the socket takes it. */
static int say_goodbye(struct transport *t) {
    int rc = end_of(t) == ENDING ? alert(t, WARNING, CLOSE_NOTIFY) : 0;
    if (rc == -EAGAIN || end_of(t) == ENDED)
        return rc;
    set_end(t, ENDED);
    shutdown(t->fd, SHUT_WR);
    return rc;
}

static long kernel_send(struct transport *t, const struct iovec *iov, int n) {
    if (end_of(t) != TALKING)
        return say_goodbye(t);
    struct transport plain;
    transport_plain(&plain, t->fd);
    return n == 0 ? 0 : plain.ops->send(&plain, iov, n);
}

static bool kernel_pending(const struct transport *t) {
    (void)t;
    return false;
}

static bool kernel_unflushed(const struct transport *t) { return end_of(t) == ENDING; }

static void kernel_finish(struct transport *t) {
    if (end_of(t) == TALKING)
        set_end(t, ENDING);
    say_goodbye(t);
}

static void kernel_close(struct transport *t) {
    close(t->fd);
    t->fd = -1;
}

static const struct transport_ops kernel_ops = {
    .name = "wss",
    .bare = true,
    .recv = kernel_recv,
    .send = kernel_send,
    .pending = kernel_pending,
    .unflushed = kernel_unflushed,
    .finish = kernel_finish,
    .close = kernel_close,
};

int tls_kernel_take(struct transport *t, const mbedtls_ssl_context *ssl,
                    const struct tls_rest *rest, const struct tls_secrets *s) {
    struct keys k;
    int rc = make_keys(&k, ssl, s);
    if (rc == 0 && setsockopt(t->fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) != 0) {
        if (errno == ENOENT || errno == ENOPROTOOPT)
            atomic_store(&missing, true);
        rc = -EOPNOTSUPP;
    }
    /* Until one direction has keys the socket is as it was. */
    if (rc == 0 && hand(t->fd, TLS_TX, &k, ssl->cur_out_ctr) != 0)
        rc = -EOPNOTSUPP;
    else if (rc == 0)
        rc = hand(t->fd, TLS_RX, &k, rest->in_ctr);
    mbedtls_platform_zeroize(&k, sizeof(k));
    if (rc == 0)
        *t = (struct transport){.ops = &kernel_ops, .fd = t->fd};
    return rc;
}
