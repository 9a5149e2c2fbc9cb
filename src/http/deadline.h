#pragma once
/* Blocking reads and writes on a transport, under a deadline that trickling bytes do
 * not move. For HTTP workers; nothing here knows HTTP. Errors: -ETIMEDOUT, -ECANCELED
 * (we stop), or the transport's own. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/transport.h"

struct deadline {
    uint64_t at_ms;             /* monotonic */
    uint64_t hurry_ms;          /* after it, give up as soon as others wait for us */
    int stop_fd;                /* readable: we stop */
    bool (*pressed)(void *arg); /* do others wait? NULL: never */
    void *arg;
};

/* 0 when fd is ready for the poll(2) events, else -errno. */
int deadline_wait(const struct deadline *w, int fd, short events);
/* Bytes read, at least 1, or 0 at the end of the stream. */
long deadline_recv(struct transport *t, const struct deadline *w, void *buf, size_t n);
/* All of it, or -errno. Changes iov. */
int deadline_send(struct transport *t, const struct deadline *w, struct iovec *iov,
                  int n);
/* Ends the stream in order and closes. linger: the peer may still be sending; what it
 * sends is read for a moment, because a reset caused by unread bytes would destroy our
 * answer. */
void deadline_close(struct transport *t, const struct deadline *w, bool linger);
