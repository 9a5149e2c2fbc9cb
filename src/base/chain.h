#pragma once
/* A first-in first-out queue of bytes in blocks of a shared pool. One thread. An empty
 * chain holds no block. All operations name the pool that the chain was filled from. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blocks.h"

struct chain {
    struct chain_block *head, *tail;
    uint32_t len; /* bytes held */
};

/* Appends all n bytes, or nothing: -ENOBUFS when the pool has too few blocks. */
int chain_put(struct chain *c, struct blocks *pool, const uint8_t *p, size_t n);
/* The same, in front of what is held. */
int chain_put_front(struct chain *c, struct blocks *pool, const uint8_t *p, size_t n);
/* Fills iov with the first bytes, at most max entries and `budget` bytes; returns
 * entries. */
int chain_peek(const struct chain *c, struct iovec *iov, int max, size_t budget);
/* Removes the first n bytes; n <= len. */
void chain_drop(struct chain *c, struct blocks *pool, size_t n);
/* Copies everything to out, which holds len bytes, and empties the chain. */
void chain_move(struct chain *c, struct blocks *pool, uint8_t *out);
void chain_clear(struct chain *c, struct blocks *pool);
/* Blocks that n more bytes need at the most. */
size_t chain_blocks(const struct blocks *pool, size_t n);
