#include "session/outq.h"

#include <assert.h>
#include <errno.h>

void outq_init(struct outq *q, uint8_t topics, uint64_t cursor) {
    *q = (struct outq){.topics = topics, .cursor = cursor};
}

void outq_clear(struct outq *q, struct blocks *pool) {
    chain_clear(&q->own, pool);
    q->topics = 0;
    q->bcast_off = 0;
    q->over = true;
}

int outq_put(struct outq *q, struct blocks *pool, uint32_t limit, const uint8_t *head,
             size_t head_n, const uint8_t *body, size_t body_n) {
    size_t n = head_n + body_n;
    if (q->over || n > limit || q->own.len > limit - n ||
        chain_blocks(pool, n) > pool->count - pool->in_use)
        return -ENOBUFS;
    /* Neither can fail now. */
    chain_put(&q->own, pool, head, head_n);
    return chain_put(&q->own, pool, body, body_n);
}

/* Keys are for those who lost the thread, and nothing else is. */
static bool wants(const struct bcast_frame *f, uint8_t topics, uint8_t lost) {
    return (f->topic & topics) && f->key == ((f->topic & lost) != 0);
}

/* What is lost once this frame has been read. */
static uint8_t lost_after(const struct bcast_frame *f, uint8_t lost) {
    return f->key ? (uint8_t)(lost & ~f->topic) : lost;
}

/* The frame at the cursor when it is one to send; NULL: no more frames. */
static const struct bcast_frame *current(struct outq *q, const struct bcast *b) {
    assert(q->cursor >= b->first && q->cursor <= b->next);
    const struct bcast_frame *f = bcast_at(b, q->cursor);
    while (f && q->bcast_off == 0 && !wants(f, q->topics, q->lost))
        f = bcast_at(b, ++q->cursor);
    return f;
}

static int rescue_rest(struct outq *q, struct blocks *pool, const struct bcast *b) {
    const struct bcast_frame *f = bcast_at(b, q->cursor);
    int rc = chain_put_front(&q->own, pool, bcast_bytes(b, f) + q->bcast_off,
                             f->len - q->bcast_off);
    if (rc == 0) {
        q->bcast_off = 0;
        q->lost = lost_after(f, q->lost);
        q->cursor++;
    } else {
        outq_clear(q, pool);
    }
    return rc;
}

int outq_rescue(struct outq *q, struct blocks *pool, const struct bcast *b,
                uint64_t keeps) {
    int rc = 0;
    if (q->cursor < keeps && q->bcast_off > 0)
        rc = rescue_rest(q, pool, b);
    if (q->cursor >= keeps)
        return rc;
    uint64_t to = bcast_newest(b, q->topics & (uint8_t)~b->keyed);
    if (to < keeps)
        to = b->next;
    uint8_t lost = q->lost; /* as if they were read */
    for (; q->cursor < to; q->cursor++) {
        const struct bcast_frame *f = bcast_at(b, q->cursor);
        if (!wants(f, q->topics, lost))
            continue;
        q->conflated++;
        lost = lost_after(f, lost);
        q->lost |= f->topic & b->keyed;
    }
    return rc;
}

/* Room left in an iovec that is being filled. */
struct fill {
    struct iovec *iov;
    int n, max;
    size_t budget;
};

static bool is_full(const struct fill *to) {
    return to->n == to->max || to->budget == 0;
}

static void add_frame(struct fill *to, const struct bcast *b,
                      const struct bcast_frame *f, uint32_t off) {
    size_t n = f->len - off;
    if (n > to->budget)
        n = to->budget;
    to->iov[to->n++] = (struct iovec){b->mem + f->off + off, n};
    to->budget -= n;
}

static void add_own(struct fill *to, const struct chain *own) {
    int n = chain_peek(own, to->iov + to->n, to->max - to->n, to->budget);
    for (; n > 0; n--)
        to->budget -= to->iov[to->n++].iov_len;
}

int outq_peek(struct outq *q, const struct bcast *b, struct iovec *iov, int max,
              size_t budget) {
    struct fill to = {iov, 0, max, budget};
    const struct bcast_frame *f = current(q, b);
    uint64_t seq = q->cursor;
    uint8_t lost = q->lost;
    if (q->bcast_off > 0 && !is_full(&to)) {
        add_frame(&to, b, f, q->bcast_off);
        lost = lost_after(f, lost);
        f = bcast_at(b, ++seq);
    }
    add_own(&to, &q->own);
    for (; f && !is_full(&to); f = bcast_at(b, ++seq)) {
        if (!wants(f, q->topics, lost))
            continue;
        add_frame(&to, b, f, 0);
        lost = lost_after(f, lost);
    }
    return to.n;
}

/* Up to n bytes of the current broadcast frame have gone; returns how many. */
static size_t take_frame(struct outq *q, const struct bcast *b, size_t n) {
    const struct bcast_frame *f = current(q, b);
    uint32_t left = f->len - q->bcast_off;
    if (n < left) {
        q->bcast_off += (uint32_t)n;
        return n;
    }
    q->bcast_off = 0;
    q->lost = lost_after(f, q->lost);
    q->cursor++;
    return left;
}

unsigned outq_taken(struct outq *q, struct blocks *pool, const struct bcast *b,
                    size_t n) {
    if (q->bcast_off > 0)
        n -= take_frame(q, b, n);
    size_t own = n < q->own.len ? n : q->own.len;
    chain_drop(&q->own, pool, own);
    n -= own;
    unsigned begun = 0;
    for (; n > 0; begun++)
        n -= take_frame(q, b, n);
    return begun;
}

bool outq_empty(struct outq *q, const struct bcast *b) {
    return q->own.len == 0 && !current(q, b);
}

uint64_t outq_len(const struct outq *q, const struct bcast *b) {
    uint64_t n = q->own.len;
    uint64_t seq = q->cursor;
    uint8_t lost = q->lost;
    const struct bcast_frame *f = bcast_at(b, seq);
    if (q->bcast_off > 0) {
        n += f->len - q->bcast_off;
        lost = lost_after(f, lost);
        seq++;
    }
    for (; (f = bcast_at(b, seq)); seq++) {
        if (!wants(f, q->topics, lost))
            continue;
        n += f->len;
        lost = lost_after(f, lost);
    }
    return n;
}

void outq_subscribe(struct outq *q, const struct bcast *b, uint8_t topics) {
    current(q, b); /* past what is not owed */
    q->lost |= topics & (uint8_t)~q->topics & b->keyed;
    q->topics = topics;
}

void outq_seek(struct outq *q, uint64_t cursor) {
    assert(q->bcast_off == 0);
    q->cursor = cursor;
}

void outq_lose(struct outq *q, const struct bcast *b) {
    q->lost |= q->topics & b->keyed;
}

void outq_stop_bcast(struct outq *q) { q->topics = 0; }
