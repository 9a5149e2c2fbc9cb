#include "sec/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>

#include "sec/tls_ctx.h"
#include "sec/tls_heap.h"
#include "sec/tls_kernel.h"
#include "sec/tls_rest.h"

/* Records that may pass in one call without any data for us (alerts, handshake
 * messages). */
#define IDLE_RECORDS_MAX 8

struct tls {
    mbedtls_ssl_context ssl;
    struct tls_ident *id;
    struct tls_rest rest;
    struct tls_secrets *secrets; /* for the kernel, should it take over; else NULL */
    int fd;
    int err; /* errno of the socket call that failed for good, 0: none */
    enum { TALKING, ENDING, NOTIFIED, ENDED } end; /* how far our goodbye has come */
};

static int sock_rc(struct tls *s, int want) {
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return want;
    s->err = errno;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR; /* s->err says it better */
}

static int sock_send(void *arg, const unsigned char *buf, size_t n) {
    struct tls *s = arg;
    ssize_t put;
    do
        put = send(s->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put < 0 ? sock_rc(s, MBEDTLS_ERR_SSL_WANT_WRITE) : (int)put;
}

static int sock_recv(void *arg, unsigned char *buf, size_t n) {
    struct tls *s = arg;
    ssize_t got;
    do
        got = recv(s->fd, buf, n, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? sock_rc(s, MBEDTLS_ERR_SSL_WANT_READ) : (int)got;
}

static bool wants(int rc) {
    return rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* -errno of a call that failed. A record that does not authenticate, an alert and an
 * end without close_notify (truncation, RFC 8446 6.1) are all a connection cut by
 * somebody. */
static long failure(const struct tls *s, int rc) {
    if (wants(rc))
        return -EAGAIN;
    if (s->err)
        return -s->err;
    return rc == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -ECONNRESET;
}

static void forget_secrets(struct tls *s) {
    tls_kernel_listen(&s->ssl, NULL);
    if (s->secrets)
        mbedtls_platform_zeroize(s->secrets, sizeof(*s->secrets));
    mbedtls_free(s->secrets);
    s->secrets = NULL;
}

int tls_begin(struct tls_ctx *ctx, int fd, struct tls **out) {
    assert(tls_heap_use().limit > 0); /* else no connection could wake from its rest */
    struct tls *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->fd = fd;
    s->id = tls_ident_get(ctx);
    mbedtls_ssl_init(&s->ssl);
    mbedtls_ssl_set_bio(&s->ssl, s, sock_send, sock_recv, NULL);
    if (mbedtls_ssl_setup(&s->ssl, tls_ident_conf(s->id)) != 0) {
        tls_free(s);
        return -ENOMEM;
    }
    /* Without memory for them it just stays where it is. */
    if (tls_kernel_possible())
        s->secrets = mbedtls_calloc(1, sizeof(*s->secrets));
    if (s->secrets)
        tls_kernel_listen(&s->ssl, s->secrets);
    *out = s;
    return 0;
}

int tls_shake(struct tls *s, int *detail) {
    int rc = mbedtls_ssl_handshake(&s->ssl);
    *detail = 0;
    if (rc == 0) {
        tls_rest_forget_handshake(&s->ssl);
        tls_rest(&s->ssl, &s->rest);
        return 0;
    }
    if (wants(rc))
        return -EAGAIN;
    *detail = rc;
    return s->err ? -s->err : rc == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EPROTO;
}

void tls_free(struct tls *s) {
    forget_secrets(s);
    mbedtls_ssl_free(&s->ssl);
    tls_ident_put(s->id);
    free(s);
}

static long op_recv(struct transport *t, uint8_t *buf, size_t n) {
    struct tls *s = t->tls;
    if (tls_wake(&s->ssl, &s->rest) != 0)
        return -ENOMEM;
    int rc = MBEDTLS_ERR_SSL_WANT_READ;
    for (int i = 0; i < IDLE_RECORDS_MAX && rc == MBEDTLS_ERR_SSL_WANT_READ; i++) {
        rc = mbedtls_ssl_read(&s->ssl, buf, n);
        if (rc == MBEDTLS_ERR_SSL_WANT_READ && !mbedtls_ssl_check_pending(&s->ssl))
            break;
    }
    tls_rest(&s->ssl, &s->rest);
    if (rc > 0)
        return rc;
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return 0;
    return rc == 0 ? -ECONNRESET : failure(s, rc);
}

static bool op_unflushed(const struct transport *t) {
    const struct tls *s = t->tls;
    return s->ssl.MBEDTLS_PRIVATE(out_left) != 0 || s->end == ENDING;
}

/* Sends the rest of a record that is encrypted already. mbedtls_ssl_write() does just
 * that while out_left is not 0, whatever bytes it is called with: they are not taken.
 * So nothing new may be written before this has returned 0. */
static int flush(struct transport *t) {
    struct tls *s = t->tls;
    static const unsigned char nothing[1];
    while (s->ssl.MBEDTLS_PRIVATE(out_left) != 0) {
        int rc = mbedtls_ssl_write(&s->ssl, nothing, sizeof(nothing));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* close_notify, then FIN, as far as the socket takes it. */
static int say_goodbye(struct transport *t) {
    struct tls *s = t->tls;
    int rc = flush(t);
    if (rc == 0 && s->end == ENDING) {
        s->end = NOTIFIED;
        rc = mbedtls_ssl_close_notify(&s->ssl);
    }
    if (wants(rc) || s->end == ENDED)
        return rc;
    /* A peer that cannot be told is told by FIN alone. */
    s->end = ENDED;
    shutdown(t->fd, SHUT_WR);
    return rc;
}

static void op_finish(struct transport *t) {
    struct tls *s = t->tls;
    if (s->end == TALKING)
        s->end = ENDING;
    if (tls_wake(&s->ssl, &s->rest) != 0) {
        s->end = ENDED;
        shutdown(t->fd, SHUT_WR);
        return;
    }
    say_goodbye(t);
    tls_rest(&s->ssl, &s->rest);
}

/* Gathers up to cap bytes from position `at` of iov, so that a frame's head and body
 * share a record. */
static size_t gather(uint8_t *out, size_t cap, const struct iovec *iov, int n,
                     size_t at) {
    size_t have = 0;
    for (int i = 0; i < n && have < cap; i++) {
        if (at >= iov[i].iov_len) {
            at -= iov[i].iov_len;
            continue;
        }
        size_t k = iov[i].iov_len - at < cap - have ? iov[i].iov_len - at : cap - have;
        memcpy(out + have, (const uint8_t *)iov[i].iov_base + at, k);
        have += k;
        at = 0;
    }
    return have;
}

/* A record that was encrypted counts as taken even when the socket took only a part of
 * it: the rest waits inside (unflushed) and goes first next time. */
static long op_send(struct transport *t, const struct iovec *iov, int n) {
    struct tls *s = t->tls;
    uint8_t record[MBEDTLS_SSL_OUT_CONTENT_LEN];
    int max = mbedtls_ssl_get_max_out_record_payload(&s->ssl);
    size_t cap = max > 0 && (size_t)max < sizeof(record) ? (size_t)max : sizeof(record);
    size_t taken = 0;
    if (tls_wake(&s->ssl, &s->rest) != 0)
        return -ENOMEM;
    int rc = s->end == TALKING ? flush(t) : say_goodbye(t);
    while (rc >= 0) {
        size_t k = gather(record, cap, iov, n, taken);
        if (k == 0)
            break;
        rc = mbedtls_ssl_write(&s->ssl, record, k);
        if (rc > 0)
            taken += (size_t)rc;
        else if (wants(rc) && op_unflushed(t))
            taken += k;
    }
    tls_rest(&s->ssl, &s->rest);
    if (taken > 0)
        return (long)taken;
    return rc < 0 ? failure(s, rc) : 0;
}

static bool op_pending(const struct transport *t) {
    const struct tls *s = t->tls;
    return mbedtls_ssl_check_pending(&s->ssl) != 0;
}

static int op_settle(struct transport *t) {
    struct tls *s = t->tls;
    if (!s->secrets)
        return 0;
    int rc = tls_rests(&s->ssl) ? tls_kernel_take(t, &s->ssl, &s->rest, s->secrets)
                                : -EOPNOTSUPP;
    if (rc == 0)
        tls_free(s);
    else
        forget_secrets(s);
    return rc == -EOPNOTSUPP ? 0 : rc;
}

static void op_close(struct transport *t) {
    tls_free(t->tls);
    t->tls = NULL;
    close(t->fd);
    t->fd = -1;
}

static const struct transport_ops tls_ops = {
    .name = "wss",
    .recv = op_recv,
    .send = op_send,
    .pending = op_pending,
    .unflushed = op_unflushed,
    .finish = op_finish,
    .settle = op_settle,
    .close = op_close,
};

void tls_transport(struct transport *t, struct tls *s) {
    *t = (struct transport){.ops = &tls_ops, .fd = s->fd, .tls = s};
}
