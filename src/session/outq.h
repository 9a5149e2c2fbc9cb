#pragma once
/* What is owed to one peer: its own frames (replies, pongs, close) in blocks of a
 * shared pool, and a cursor into the broadcast ring. Hub thread only. Never allocates.
 *
 * Order on the wire: the rest of a broadcast frame already begun, then own frames, then
 * further broadcast frames of the session's topics. A frame, once begun, is always sent
 * whole, or else nothing follows it. Bounds: `limit` bytes of own frames per session;
 * the pool for all.
 *
 * The cursor stays within what the ring holds as long as outq_rescue() is called for
 * every session before each push. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blocks.h"
#include "base/chain.h"
#include "session/bcast.h"

struct outq {
    struct chain own;   /* own frames, in blocks of the pool (base/chain.h) */
    uint32_t bcast_off; /* bytes of frame `cursor` already sent */
    uint8_t topics;     /* mask of broadcast topics wanted */
    uint8_t lost;       /* those told in differences of which it needs a key first */
    bool over;          /* cleared: what a begun frame still lacks is lost */
    uint64_t cursor;    /* next broadcast frame */
    uint64_t conflated; /* broadcast frames skipped because it fell behind */
};

void outq_init(struct outq *q, uint8_t topics, uint64_t cursor);
/* The end: gives all blocks back, and nothing more can be queued or sent. */
void outq_clear(struct outq *q, struct blocks *pool);

/* Queues one whole own frame: all of it, or -ENOBUFS and nothing (limit or pool). */
int outq_put(struct outq *q, struct blocks *pool, uint32_t limit, const uint8_t *head,
             size_t head_n, const uint8_t *body, size_t body_n);

/* Frames older than `keeps` (bcast_keeps) are about to go. Takes the rest of one
 * already begun into the own queue, in front, and moves the cursor of a session left
 * behind to the newest frame it wants; of topics told in differences it has then lost
 * the thread. 0, or -ENOBUFS when the pool cannot take the
 * rest: the queue is then cleared, since nothing may follow half a frame. */
int outq_rescue(struct outq *q, struct blocks *pool, const struct bcast *b,
                uint64_t keeps);

/* Fills iov with what to send next, at most max entries and budget bytes; skips frames
 * of other topics. Returns entries used, 0: nothing owed. */
int outq_peek(struct outq *q, const struct bcast *b, struct iovec *iov, int max,
              size_t budget);
/* n bytes of what outq_peek showed were taken. Returns how many broadcast frames were
 * begun by them (each is counted once, and is sent whole unless the connection ends).
 */
unsigned outq_taken(struct outq *q, struct blocks *pool, const struct bcast *b,
                    size_t n);

bool outq_empty(struct outq *q, const struct bcast *b);
/* Bytes owed, own and broadcast, for the statistics: walks the ring from the cursor. */
uint64_t outq_len(const struct outq *q, const struct bcast *b);

/* Replaces the topics. Frames of a new topic that came before now are not owed, but for
 * those behind frames still owed; one told in differences begins with a key. */
void outq_subscribe(struct outq *q, const struct bcast *b, uint8_t topics);
/* Goes on with broadcast frame `cursor`, which is held or the next one to come: to
 * replay, or to begin with the newest. Not in the middle of a frame. */
void outq_seek(struct outq *q, uint64_t cursor);
/* Of topics told in differences it needs a key before anything else. */
void outq_lose(struct outq *q, const struct bcast *b);
/* From now on only own frames (CLOSING); the rest of one already begun still goes. */
void outq_stop_bcast(struct outq *q);
