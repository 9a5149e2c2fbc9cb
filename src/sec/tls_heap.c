#include "sec/tls_heap.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform.h>
#include <ssl_misc.h>

#include "base/blocks.h"

/* Where handshakes spend their requests: numbers of elliptic curves and small contexts.
 * What is more than these hold comes from malloc, as what is larger does. The memory
 * becomes resident as it is used. */
static const struct {
    uint32_t size, count;
} kinds[] = {{48, 1024}, {96, 512}, {192, 256}, {384, 128}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Before a piece from malloc: how long it is. Keeps what follows aligned. */
union large {
    size_t n;
    max_align_t align;
};

/* A record's buffers come and go with every record: the last few stay here, for those
 * who are past their handshake. So strangers whose handshakes take all memory that
 * there is cut off nobody who is in. */
#define SPARES 2
static const size_t records[] = {MBEDTLS_SSL_IN_BUFFER_LEN, MBEDTLS_SSL_OUT_BUFFER_LEN};
#define RECORDS (sizeof(records) / sizeof(records[0]))

static struct {
    pthread_mutex_t lock;
    struct blocks small[KINDS];
    union large *spare[RECORDS][SPARES];
    struct tls_heap_use use;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct tls_heap_use tls_heap_use(void) {
    pthread_mutex_lock(&heap.lock);
    struct tls_heap_use use = heap.use;
    pthread_mutex_unlock(&heap.lock);
    return use;
}

/* Locked. True: n more bytes are in use. */
static bool charge(size_t n) {
    if (n > heap.use.limit - heap.use.now)
        return false;
    heap.use.now += n;
    if (heap.use.now > heap.use.peak)
        heap.use.peak = heap.use.now;
    return true;
}

/* Locked. A piece of the smallest kind that n bytes fit in, or NULL. */
static void *take_small(size_t n) {
    for (size_t i = 0; i < KINDS; i++) {
        struct blocks *b = &heap.small[i];
        if (n > kinds[i].size || b->in_use == b->count)
            continue;
        return charge(kinds[i].size) ? blocks_take(b) : NULL;
    }
    return NULL;
}

/* Locked. The spares of this size, or NULL where it has none. */
static union large **spares(size_t n) {
    for (size_t i = 0; i < RECORDS; i++) {
        if (n == records[i])
            return heap.spare[i];
    }
    return NULL;
}

/* Locked. A spare of n bytes, or NULL. */
static union large *take_spare(size_t n) {
    union large **spare = spares(n);
    for (size_t i = 0; spare && i < SPARES; i++) {
        union large *l = spare[i];
        if (l) {
            spare[i] = NULL;
            return l;
        }
    }
    return NULL;
}

/* Locked. True: l is a spare now. */
static bool keep_spare(union large *l) {
    union large **spare = spares(l->n);
    for (size_t i = 0; spare && i < SPARES; i++) {
        if (!spare[i]) {
            spare[i] = l;
            return true;
        }
    }
    return false;
}

static void *take_large(size_t n, bool spares_too) {
    pthread_mutex_lock(&heap.lock);
    bool ok = charge(n + sizeof(union large));
    union large *l = ok && spares_too ? take_spare(n) : NULL;
    if (!ok)
        heap.use.refused++;
    pthread_mutex_unlock(&heap.lock);
    if (ok && !l)
        l = malloc(n + sizeof(*l));
    if (l) {
        l->n = n;
        return l + 1;
    }
    if (ok) {
        pthread_mutex_lock(&heap.lock);
        heap.use.now -= n + sizeof(*l);
        pthread_mutex_unlock(&heap.lock);
    }
    return NULL;
}

void *tls_heap_take(size_t n) { return take_large(n, true); }

static void *heap_calloc(size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    if (bytes <= kinds[KINDS - 1].size) {
        pthread_mutex_lock(&heap.lock);
        void *p = take_small(bytes);
        pthread_mutex_unlock(&heap.lock);
        if (p)
            return memset(p, 0, bytes);
    }
    void *p = take_large(bytes, false);
    return p ? memset(p, 0, bytes) : NULL;
}

static bool holds(const struct blocks *b, const void *p) {
    uintptr_t at = (uintptr_t)p, mem = (uintptr_t)b->mem;
    return at >= mem && at - mem < (size_t)b->size * b->count;
}

static void heap_free(void *p) {
    if (!p)
        return;
    pthread_mutex_lock(&heap.lock);
    for (size_t i = 0; i < KINDS; i++) {
        if (!holds(&heap.small[i], p))
            continue;
        blocks_give(&heap.small[i], p);
        heap.use.now -= kinds[i].size;
        pthread_mutex_unlock(&heap.lock);
        return;
    }
    union large *l = (union large *)p - 1;
    heap.use.now -= l->n + sizeof(*l);
    bool kept = keep_spare(l);
    pthread_mutex_unlock(&heap.lock);
    if (!kept)
        free(l);
}

int tls_heap_init(size_t bytes) {
    for (size_t i = 0; i < KINDS; i++) {
        int rc = blocks_init(&heap.small[i], kinds[i].size, kinds[i].count);
        if (rc != 0)
            return rc;
    }
    heap.use.limit = bytes;
    mbedtls_platform_set_calloc_free(heap_calloc, heap_free);
    return 0;
}
