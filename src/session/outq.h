#pragma once
/* What is owed to one peer: its own frames (replies, pongs, close) in blocks of a shared
 * pool, and a cursor into the broadcast ring. Hub thread only. Never allocates.
 *
 * Order on the wire: the rest of a broadcast frame already begun, then own frames, then
 * further broadcast frames of the session's topics. A frame, once begun, is always sent
 * whole. Bounds: `limit` bytes of own frames per session; the pool for all. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blocks.h"
#include "session/bcast.h"

struct outq {
    void *head, *tail;  /* blocks of own bytes */
    uint32_t head_off;  /* first unsent byte in head */
    uint32_t own;       /* own bytes queued */
    uint32_t bcast_off; /* bytes of frame `cursor` already sent */
    uint8_t topics;     /* mask of broadcast topics wanted */
    uint64_t cursor;    /* next broadcast frame */
    uint64_t conflated; /* broadcast frames skipped because it fell behind */
};

void outq_init(struct outq *q, uint8_t topics, uint64_t cursor);
void outq_clear(struct outq *q, struct blocks *pool);

/* Queues one whole own frame: all of it, or -ENOBUFS and nothing (limit or pool). */
int outq_put(struct outq *q, struct blocks *pool, uint32_t limit, const uint8_t *head,
             size_t head_n, const uint8_t *body, size_t body_n);

/* Frames older than `keeps` are about to go: takes the rest of one already begun into the
 * own queue, in front (0 or -ENOBUFS: the session cannot continue), and moves the cursor of a session left
 * behind to the newest frame it wants. */
int outq_rescue(struct outq *q, struct blocks *pool, const struct bcast *b, uint64_t keeps);

/* Fills iov with what to send next, at most max entries and about budget bytes; skips
 * frames of other topics. Returns entries used, 0: nothing owed. */
int outq_peek(struct outq *q, const struct bcast *b, uint32_t block_size, struct iovec *iov,
              int max, size_t budget);
/* n bytes of what outq_peek showed were taken. Returns whole broadcast frames completed. */
unsigned outq_taken(struct outq *q, struct blocks *pool, const struct bcast *b, size_t n);

bool outq_empty(struct outq *q, const struct bcast *b);
/* Bytes owed, own and broadcast, for the statistics. */
uint64_t outq_len(const struct outq *q, const struct bcast *b);
/* From now on only own frames (CLOSING); the rest of one already begun still goes. */
void outq_stop_bcast(struct outq *q);
