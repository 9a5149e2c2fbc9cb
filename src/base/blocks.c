#include "base/blocks.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void *pages_take(size_t bytes) {
    void *p =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void pages_give(void *p, size_t bytes) {
    if (p)
        munmap(p, bytes);
}

int blocks_init(struct blocks *b, uint32_t size, uint32_t count) {
    if (size < sizeof(void *) || size % 16 != 0 || count == 0)
        return -EINVAL;
    *b = (struct blocks){.size = size, .count = count};
    b->mem = pages_take((size_t)size * count);
    return b->mem ? 0 : -ENOMEM;
}

void blocks_free(struct blocks *b) {
    pages_give(b->mem, (size_t)b->size * b->count);
    *b = (struct blocks){0};
}

void *blocks_take(struct blocks *b) {
    void *p = b->free;
    if (p)
        memcpy(&b->free, p, sizeof(b->free));
    else if (b->fresh < b->count)
        p = b->mem + (size_t)b->size * b->fresh++;
    else
        return NULL;
    if (++b->in_use > b->peak)
        b->peak = b->in_use;
    return p;
}

void blocks_give(struct blocks *b, void *p) {
    assert(b->in_use > 0);
    memcpy(p, &b->free, sizeof(b->free));
    b->free = p;
    b->in_use--;
}
