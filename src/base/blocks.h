#pragma once
/* A fixed pool of equal blocks. One thread. The memory is reserved at start and becomes
 * resident only when first used; blocks are reused last-in first-out, so that the
 * touched part stays as small as the load ever was. */
#include <stddef.h>
#include <stdint.h>

struct blocks {
    uint8_t *mem;
    void *free;      /* list through the first word of returned blocks */
    uint32_t size;   /* bytes per block */
    uint32_t count;  /* blocks in all */
    uint32_t fresh;  /* blocks never handed out start here */
    uint32_t in_use; /* now */
    uint32_t peak;
};

/* 0 or -errno (-EINVAL, -ENOMEM). size: a multiple of 16. */
int blocks_init(struct blocks *b, uint32_t size, uint32_t count);
void blocks_free(struct blocks *b);

/* A block, aligned to 16, contents undefined; or NULL when all are out. */
void *blocks_take(struct blocks *b);
void blocks_give(struct blocks *b, void *p);

/* Zeroed pages from the kernel for a table that lives as long as the program: not
 * resident until touched. NULL when there is no memory. */
void *pages_take(size_t bytes);
/* p may be NULL. */
void pages_give(void *p, size_t bytes);
