#include "base/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static long plain_recv(struct transport *t, uint8_t *buf, size_t n) {
    ssize_t got;
    do
        got = recv(t->fd, buf, n, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static long plain_send(struct transport *t, const struct iovec *iov, int n) {
    /* One buffer is the common case, and send() costs less than sendmsg(). */
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov};
    m.msg_iovlen = (__typeof__(m.msg_iovlen))n; /* size_t; an int to musl */
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    ssize_t put;
    do
        put = n == 1 ? send(t->fd, iov[0].iov_base, iov[0].iov_len, flags)
                     : sendmsg(t->fd, &m, flags);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

static bool plain_pending(const struct transport *t) {
    (void)t;
    return false;
}

static void plain_finish(struct transport *t) { shutdown(t->fd, SHUT_WR); }

static void plain_close(struct transport *t) {
    close(t->fd);
    t->fd = -1;
}

static const struct transport_ops plain_ops = {
    .name = "ws",
    .bare = true,
    .recv = plain_recv,
    .send = plain_send,
    .pending = plain_pending,
    .unflushed = plain_pending,
    .finish = plain_finish,
    .close = plain_close,
};

void transport_plain(struct transport *t, int fd) {
    *t = (struct transport){.ops = &plain_ops, .fd = fd};
}

static void advance(struct iovec **iov, int *n, size_t k) {
    while (*n > 0 && k >= (*iov)->iov_len) {
        k -= (*iov)->iov_len;
        (*iov)++;
        (*n)--;
    }
    if (*n > 0) {
        (*iov)->iov_base = (uint8_t *)(*iov)->iov_base + k;
        (*iov)->iov_len -= k;
    }
}

int transport_push(struct transport *t, struct iovec **iov, int *n, uint64_t *moved) {
    advance(iov, n, 0);
    while (*n > 0 || t->ops->unflushed(t)) {
        long put = t->ops->send(t, *iov, *n);
        if (put < 0)
            return (int)put;
        advance(iov, n, (size_t)put);
        *moved += (uint64_t)put;
    }
    return 0;
}
