#include "hub/handoff.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/blocks.h"

int handoff_init(struct handoff *b, uint32_t capacity, uint32_t kept, int wake) {
    *b = (struct handoff){.capacity = capacity, .kept = kept, .wake = wake};
    /* Reserved, not resident: an item is touched only when a connection passes through,
     * and the same few are used again. */
    b->items = pages_take(capacity * sizeof(*b->items));
    if (!b->items)
        return -ENOMEM;
    pthread_mutex_init(&b->lock, NULL);
    return 0;
}

void handoff_free(struct handoff *b) {
    if (!b->items)
        return;
    while (b->first) {
        struct handoff_item *it = b->first;
        b->first = it->next;
        it->t.ops->close(&it->t);
    }
    pages_give(b->items, b->capacity * sizeof(*b->items));
    pthread_mutex_destroy(&b->lock);
    b->items = NULL;
}

int handoff_reserve(struct handoff *b, bool first) {
    pthread_mutex_lock(&b->lock);
    uint32_t places = first ? b->capacity : b->capacity - b->kept;
    int rc = b->shut ? -ESHUTDOWN : b->taken >= places ? -EAGAIN : 0;
    if (rc == 0) {
        b->taken++;
        b->reserved++;
    }
    pthread_mutex_unlock(&b->lock);
    return rc;
}

void handoff_cancel(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    assert(b->reserved > 0);
    b->reserved--;
    b->taken--;
    pthread_mutex_unlock(&b->lock);
}

/* With the lock held. A reservation guarantees that there is one. */
static struct handoff_item *new_item(struct handoff *b) {
    struct handoff_item *it = b->free;
    if (it)
        b->free = it->next;
    else
        it = &b->items[b->fresh++];
    return it;
}

void handoff_post(struct handoff *b, const struct transport *t,
                  const struct handoff_hello *hello, const uint8_t *leftover,
                  uint32_t leftover_n) {
    assert(leftover_n <= HANDOFF_LEFTOVER_MAX);
    pthread_mutex_lock(&b->lock);
    assert(b->reserved > 0);
    b->reserved--;
    struct handoff_item *it = new_item(b);
    it->next = NULL;
    it->t = *t;
    it->hello = *hello;
    it->leftover_n = leftover_n;
    if (leftover_n)
        memcpy(it->leftover, leftover, leftover_n);
    if (b->last)
        b->last->next = it;
    else
        b->first = it;
    b->last = it;
    pthread_mutex_unlock(&b->lock);
    eventfd_write(b->wake, 1);
}

uint32_t handoff_reserved(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    uint32_t n = b->reserved;
    pthread_mutex_unlock(&b->lock);
    return n;
}

struct handoff_item *handoff_take(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    struct handoff_item *it = b->first;
    if (it) {
        b->first = it->next;
        if (!b->first)
            b->last = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    return it;
}

void handoff_give(struct handoff *b, struct handoff_item *it) {
    pthread_mutex_lock(&b->lock);
    it->next = b->free;
    b->free = it;
    pthread_mutex_unlock(&b->lock);
}

void handoff_release(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    assert(b->taken > 0);
    b->taken--;
    pthread_mutex_unlock(&b->lock);
}

bool handoff_crowded(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    bool crowded = b->taken > b->capacity - b->kept;
    pthread_mutex_unlock(&b->lock);
    return crowded;
}

void handoff_shut(struct handoff *b) {
    pthread_mutex_lock(&b->lock);
    b->shut = true;
    pthread_mutex_unlock(&b->lock);
}
