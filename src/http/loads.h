#pragma once
/* Where large answers wait for those who read them slowly: a few places, taken by
 * workers and given back by the lobby. Any thread. The memory is reserved at start and
 * resident only while it is used. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define LOADS_MAX 8u

struct loads {
    pthread_mutex_t lock;
    char *mem;
    size_t each; /* bytes of a place */
    uint32_t n;
    uint32_t taken; /* a bit for each */
};

/* n: LOADS_MAX at most; each: rounded up to whole pages. 0 or -ENOMEM. */
int loads_init(struct loads *p, uint32_t n, size_t each);
/* Also of one that was only zeroed. */
void loads_free(struct loads *p);

/* A place for so many bytes, or NULL: all are taken, or it is too much for any. */
char *loads_take(struct loads *p, size_t bytes);
void loads_give(struct loads *p, char *place);
