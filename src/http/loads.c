#include "http/loads.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/blocks.h"

#define PAGE 4096u

int loads_init(struct loads *p, uint32_t n, size_t each) {
    *p = (struct loads){.n = n, .each = (each + PAGE - 1) / PAGE * PAGE};
    pthread_mutex_init(&p->lock, NULL);
    if (n > 0)
        p->mem = pages_take(n * p->each);
    return n > 0 && !p->mem ? -ENOMEM : 0;
}

void loads_free(struct loads *p) {
    pages_give(p->mem, p->n * p->each);
    p->mem = NULL;
    p->n = 0;
}

char *loads_take(struct loads *p, size_t bytes) {
    char *place = NULL;
    if (bytes > p->each)
        return NULL;
    pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; i < p->n && !place; i++) {
        if (p->taken & 1u << i)
            continue;
        p->taken |= 1u << i;
        place = p->mem + i * p->each;
    }
    pthread_mutex_unlock(&p->lock);
    return place;
}

void loads_give(struct loads *p, char *place) {
    uint32_t i = (uint32_t)((size_t)(place - p->mem) / p->each);
    madvise(place, p->each, MADV_DONTNEED);
    pthread_mutex_lock(&p->lock);
    p->taken &= ~(1u << i);
    pthread_mutex_unlock(&p->lock);
}
