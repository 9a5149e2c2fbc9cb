#include "hub/burst.h"

#include <assert.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Interrupted so often, the kernel is not to be relied on. */
#define TRIES_MAX 16

static void *map(int fd, size_t n, off_t what) {
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    return p == MAP_FAILED ? NULL : p;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static int map_rings(struct burst *b, const struct io_uring_params *p) {
    b->rings_n = larger(p->sq_off.array + p->sq_entries * sizeof(uint32_t),
                        p->cq_off.cqes + p->cq_entries * sizeof(*b->cqes));
    b->sqes_n = p->sq_entries * sizeof(*b->sqes);
    b->rings = map(b->fd, b->rings_n, IORING_OFF_SQ_RING);
    b->sqes = map(b->fd, b->sqes_n, (off_t)IORING_OFF_SQES);
    if (!b->rings || !b->sqes)
        return -ENOMEM;
    b->sq_head = (uint32_t *)(b->rings + p->sq_off.head);
    b->sq_tail = (uint32_t *)(b->rings + p->sq_off.tail);
    b->cq_head = (uint32_t *)(b->rings + p->cq_off.head);
    b->cq_tail = (uint32_t *)(b->rings + p->cq_off.tail);
    b->sq_mask = *(uint32_t *)(b->rings + p->sq_off.ring_mask);
    b->cq_mask = *(uint32_t *)(b->rings + p->cq_off.ring_mask);
    b->cqes = (const struct io_uring_cqe *)(b->rings + p->cq_off.cqes);
    /* Entry i of the queue is always sqes[i]. */
    uint32_t *array = (uint32_t *)(b->rings + p->sq_off.array);
    for (uint32_t i = 0; i <= b->sq_mask; i++)
        array[i] = i;
    return 0;
}

int burst_init(struct burst *b) {
    /* The flags are of 6.1: from then on a send that must not wait is over when the
     * call returns, and one mapping holds both rings. */
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                         IORING_SETUP_DEFER_TASKRUN};
    *b = (struct burst){.fd = -1};
    long fd = syscall(SYS_io_uring_setup, BURST_MAX, &p);
    if (fd < 0)
        return -errno;
    b->fd = (int)fd;
    int rc = map_rings(b, &p);
    if (rc != 0)
        burst_free(b);
    return rc;
}

void burst_free(struct burst *b) {
    if (b->sqes)
        munmap(b->sqes, b->sqes_n);
    if (b->rings)
        munmap(b->rings, b->rings_n);
    if (b->fd >= 0)
        close(b->fd);
    b->sqes = NULL;
    b->rings = NULL;
    b->fd = -1;
}

void burst_add(struct burst *b, int fd, const void *p, size_t n) {
    assert(b->fd >= 0 && b->n < BURST_MAX && n <= INT32_MAX);
    uint32_t tail = *b->sq_tail;
    b->sqes[tail & b->sq_mask] = (struct io_uring_sqe){
        .opcode = IORING_OP_SEND,
        .fd = fd,
        .addr = (uintptr_t)p,
        .len = (uint32_t)n,
        .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
        .user_data = b->n,
    };
    __atomic_store_n(b->sq_tail, tail + 1, __ATOMIC_RELEASE);
    b->result[b->n++] = 0;
}

/* Returns how many results there were. */
static uint32_t collect(struct burst *b) {
    uint32_t head = *b->cq_head, tail = __atomic_load_n(b->cq_tail, __ATOMIC_ACQUIRE);
    uint32_t n = tail - head;
    for (; head != tail; head++) {
        const struct io_uring_cqe *c = &b->cqes[head & b->cq_mask];
        assert(c->user_data < b->n);
        b->result[c->user_data] = c->res == -EINTR ? 0 : c->res;
    }
    __atomic_store_n(b->cq_head, head, __ATOMIC_RELEASE);
    return n;
}

void burst_send(struct burst *b) {
    uint32_t n = b->n, done = 0;
    for (int i = 0; i < TRIES_MAX && done < n; i++) {
        uint32_t rest = *b->sq_tail - __atomic_load_n(b->sq_head, __ATOMIC_ACQUIRE);
        long rc = syscall(SYS_io_uring_enter, b->fd, rest, n - done,
                          IORING_ENTER_GETEVENTS, NULL, 0);
        if (rc < 0 && errno != EINTR)
            break;
        done += collect(b);
    }
    /* What the kernel has not taken it never sees. */
    if (done < n)
        burst_free(b);
    b->n = 0;
}
