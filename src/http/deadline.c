#include "http/deadline.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"

int deadline_wait(const struct deadline *w, int fd, short events) {
    struct pollfd p[2] = {{.fd = fd, .events = events},
                          {.fd = w->stop_fd, .events = POLLIN}};
    for (;;) {
        uint64_t now_ms = clock_ms();
        if (now_ms >= w->at_ms)
            return -ETIMEDOUT;
        int n = poll(p, 2, (int)(w->at_ms - now_ms));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            return p[1].revents ? -ECANCELED : 0;
    }
}

void deadline_begin(struct deadline *w) {
    w->at_ms = clock_ms() + w->pace_ms;
    w->moved = 0;
}

static void move_on(struct deadline *w, size_t n) {
    if (w->pace_bytes == 0)
        return;
    w->moved += n < w->pace_bytes ? (uint32_t)n : w->pace_bytes;
    if (w->moved >= w->pace_bytes)
        deadline_begin(w);
}

long deadline_recv(struct transport *t, struct deadline *w, void *buf, size_t n) {
    for (;;) {
        long got = t->ops->recv(t, buf, n);
        if (got > 0)
            move_on(w, (size_t)got);
        if (got != -EAGAIN)
            return got;
        int rc = deadline_wait(w, t->fd, POLLIN);
        if (rc != 0)
            return rc;
    }
}

/* Moves iov on by n bytes; returns the entries left. */
static int advance(struct iovec **iov, int count, size_t n) {
    while (count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        (*iov)++;
        count--;
    }
    if (count > 0) {
        (*iov)->iov_base = (uint8_t *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
    }
    return count;
}

int deadline_send(struct transport *t, struct deadline *w, struct iovec *iov, int n) {
    n = advance(&iov, n, 0);
    while (n > 0 || t->ops->unflushed(t)) {
        long put = t->ops->send(t, iov, n);
        if (put == -EAGAIN) {
            int rc = deadline_wait(w, t->fd, POLLOUT);
            if (rc != 0)
                return rc;
        } else if (put < 0) {
            return (int)put;
        } else {
            n = advance(&iov, n, (size_t)put);
            move_on(w, (size_t)put);
        }
    }
    return 0;
}
