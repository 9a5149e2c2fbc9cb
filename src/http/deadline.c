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

static void move_on(struct deadline *w, uint64_t n) {
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

int deadline_send(struct transport *t, struct deadline *w, struct iovec *iov, int n) {
    for (;;) {
        uint64_t moved = 0;
        int rc = transport_push(t, &iov, &n, &moved);
        move_on(w, moved);
        if (rc != -EAGAIN)
            return rc;
        rc = deadline_wait(w, t->fd, POLLOUT);
        if (rc != 0)
            return rc;
    }
}
