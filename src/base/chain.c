#include "base/chain.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct chain_block {
    struct chain_block *next;
    uint32_t from, to; /* bytes in use: data[from, to) */
    uint8_t data[];
};

static uint32_t room(const struct blocks *pool) {
    return pool->size - (uint32_t)sizeof(struct chain_block);
}

size_t chain_blocks(const struct blocks *pool, size_t n) {
    return (n + room(pool) - 1) / room(pool);
}

static bool affords(const struct blocks *pool, size_t n) {
    return chain_blocks(pool, n) <= pool->count - pool->in_use;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* The caller has seen to it that a block is there. */
static struct chain_block *take(struct blocks *pool) {
    struct chain_block *b = blocks_take(pool);
    assert(b);
    *b = (struct chain_block){0};
    return b;
}

int chain_put(struct chain *c, struct blocks *pool, const uint8_t *p, size_t n) {
    size_t fits = c->tail ? room(pool) - c->tail->to : 0;
    if (n > fits && !affords(pool, n - fits))
        return -ENOBUFS;
    c->len += (uint32_t)n;
    while (n > 0) {
        if (!c->tail || c->tail->to == room(pool)) {
            struct chain_block *b = take(pool);
            if (c->tail)
                c->tail->next = b;
            else
                c->head = b;
            c->tail = b;
        }
        size_t part = smaller(n, room(pool) - c->tail->to);
        memcpy(c->tail->data + c->tail->to, p, part);
        c->tail->to += (uint32_t)part;
        p += part;
        n -= part;
    }
    return 0;
}

int chain_put_front(struct chain *c, struct blocks *pool, const uint8_t *p, size_t n) {
    struct chain front = {0};
    int rc = chain_put(&front, pool, p, n);
    if (rc || n == 0)
        return rc;
    front.tail->next = c->head;
    c->head = front.head;
    if (!c->tail)
        c->tail = front.tail;
    c->len += front.len;
    return 0;
}

int chain_peek(const struct chain *c, struct iovec *iov, int max, size_t budget) {
    int n = 0;
    for (struct chain_block *b = c->head; b && n < max && budget > 0; b = b->next) {
        size_t part = smaller(b->to - b->from, budget);
        iov[n++] = (struct iovec){b->data + b->from, part};
        budget -= part;
    }
    return n;
}

void chain_drop(struct chain *c, struct blocks *pool, size_t n) {
    assert(n <= c->len);
    c->len -= (uint32_t)n;
    while (n > 0) {
        struct chain_block *b = c->head;
        assert(b);
        size_t part = smaller(n, b->to - b->from);
        b->from += (uint32_t)part;
        n -= part;
        if (b->from < b->to)
            break;
        c->head = b->next;
        if (!c->head)
            c->tail = NULL;
        blocks_give(pool, b);
    }
}

void chain_move(struct chain *c, struct blocks *pool, uint8_t *out) {
    for (const struct chain_block *b = c->head; b; b = b->next) {
        memcpy(out, b->data + b->from, b->to - b->from);
        out += b->to - b->from;
    }
    chain_clear(c, pool);
}

void chain_clear(struct chain *c, struct blocks *pool) { chain_drop(c, pool, c->len); }
