#pragma once
/* Blocking reads and writes on a transport, at a minimum pace: trickling bytes do not
 * move the deadline, PACE of them do. For HTTP workers; nothing here knows HTTP.
 * Errors: -ETIMEDOUT, -ECANCELED (we stop), or the transport's own. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/transport.h"

struct deadline {
    uint64_t at_ms; /* monotonic */
    int stop_fd;    /* readable: we stop */
    /* Whenever pace_bytes have moved it begins anew: pace_ms from then. 0: it stands.
     */
    uint32_t pace_bytes, pace_ms;
    uint32_t moved; /* since it began */
};

/* Begins, by the pace. */
void deadline_begin(struct deadline *w);
/* 0 when fd is ready for the poll(2) events, else -errno. */
int deadline_wait(const struct deadline *w, int fd, short events);
/* Bytes read, at least 1, or 0 at the end of the stream. */
long deadline_recv(struct transport *t, struct deadline *w, void *buf, size_t n);
/* All of it, or -errno. Changes iov. */
int deadline_send(struct transport *t, struct deadline *w, struct iovec *iov, int n);
