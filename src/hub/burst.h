#pragma once
/* Sends to many sockets with one system call (io_uring(7)), for what is told to all at
 * once: most of what a send costs is then the network's own work. Needs Linux 6.1;
 * where the kernel does not have it, or does not let us, there are no bursts and
 * send(2) does as well.
 *
 * One thread, the one that called burst_init(). Nothing is left in flight between
 * calls. Memory: 6 kB here and 8 kB of the kernel's, mapped. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BURST_MAX 64u

struct burst {
    int fd; /* -1: no bursts */
    uint32_t n;
    long result[BURST_MAX];
    uint8_t *rings; /* what the kernel and we share */
    struct io_uring_sqe *sqes;
    size_t rings_n, sqes_n;
    uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail; /* in rings */
    uint32_t sq_mask, cq_mask;
    const struct io_uring_cqe *cqes;
};

/* 0 or -errno; then fd is -1 and everything below may still be called but burst_add().
 */
int burst_init(struct burst *b);
void burst_free(struct burst *b);

/* Not more than BURST_MAX. The socket is non-blocking; the bytes stay as they are until
 * burst_send(). */
void burst_add(struct burst *b, int fd, const void *p, size_t n);
/* Sends what was added; result[i] is, in the order of adding, how many bytes were taken
 * or -errno, as send(2) would say, and 0 where it did not come to that. After a failure
 * of the kernel's there are no more bursts. */
void burst_send(struct burst *b);
