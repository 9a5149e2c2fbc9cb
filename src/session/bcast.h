#pragma once
/* The shared output: a fixed ring of frames, each encoded once, that every session
 * reads through a cursor of its own. Hub thread only. Bounds: `bytes` of frames,
 * `frames` of them; the oldest gives way. Nothing is copied per session and nothing
 * allocated per message.
 *
 * A topic may be told in differences (`keyed`). A frame of it marked as a key is whole
 * in itself and says again what was told last, with the tag of that: only a reader who
 * lost the thread takes it, and only that one waits for it.
 *
 * A frame lies in one piece: one that does not fit behind the newest starts over at the
 * front of the ring, and what is left at the end stays unused for that round. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bcast_frame {
    uint64_t tag; /* the application's own sequence, for resume */
    uint32_t off, len;
    uint8_t topic; /* one bit */
    bool key;
};

struct bcast {
    uint8_t *mem;
    struct bcast_frame *idx;
    uint32_t bytes, frames; /* capacities */
    uint64_t first, next;   /* frames [first, next) are held */
    uint32_t head;          /* where the next frame would start */
    uint8_t keyed;          /* the topics told in differences; 0 at first */
};

/* 0 or -EINVAL, -ENOMEM. The memory becomes resident as it is used. */
int bcast_init(struct bcast *b, uint32_t bytes, uint32_t frames);
void bcast_free(struct bcast *b);

/* The first frame that would still be held after a push of n bytes; every session that
 * is in the middle of an older one must take its rest away before (outq_rescue).
 * Returns b->next for a frame that evicts all; UINT64_MAX when n does not fit at all.
 */
uint64_t bcast_keeps(const struct bcast *b, size_t n);
/* Copies a whole WebSocket frame in; 0 < head_n + body_n <= bytes. Returns its number.
 */
uint64_t bcast_push(struct bcast *b, uint8_t topic, uint64_t tag, const uint8_t *head,
                    size_t head_n, const uint8_t *body, size_t body_n);
/* The newest frame is a key. */
void bcast_mark_key(struct bcast *b);
/* NULL when seq is not held. */
const struct bcast_frame *bcast_at(const struct bcast *b, uint64_t seq);
static inline const uint8_t *bcast_bytes(const struct bcast *b,
                                         const struct bcast_frame *f) {
    return b->mem + f->off;
}
/* The newest held frame of one of the topics, or b->next for none. */
uint64_t bcast_newest(const struct bcast *b, uint8_t topics);
/* Where a reader goes on that has seen the topic up to tag `after`: the frame with tag
 * after + 1, or b->next when `after` is the newest. UINT64_MAX when that cannot be
 * told, because neither of the two is held. The tags of one topic count up by one. */
uint64_t bcast_after(const struct bcast *b, uint8_t topic, uint64_t after);
/* The newest key of a topic; fresh: that nothing of it has followed yet. UINT64_MAX:
 * there is none. */
uint64_t bcast_key(const struct bcast *b, uint8_t topic, bool fresh);
