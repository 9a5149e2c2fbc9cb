#include "session/bcast.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/blocks.h"

static size_t idx_bytes(const struct bcast *b) { return b->frames * sizeof(*b->idx); }

int bcast_init(struct bcast *b, uint32_t bytes, uint32_t frames) {
    if (bytes == 0 || frames == 0)
        return -EINVAL;
    *b = (struct bcast){.bytes = bytes, .frames = frames};
    b->idx = pages_take(idx_bytes(b) + bytes);
    if (!b->idx)
        return -ENOMEM;
    b->mem = (uint8_t *)b->idx + idx_bytes(b);
    return 0;
}

void bcast_free(struct bcast *b) {
    pages_give(b->idx, idx_bytes(b) + b->bytes);
    *b = (struct bcast){0};
}

static struct bcast_frame *frame(const struct bcast *b, uint64_t seq) {
    return &b->idx[seq % b->frames];
}

/* Where n bytes go, and the first frame that is not in their way. The frames lie in the
 * ring in order, so what gives way is always the oldest. */
static uint64_t place(const struct bcast *b, size_t n, uint32_t *off) {
    uint64_t first = b->first;
    if (b->next - first == b->frames)
        first++;
    *off = b->head;
    if (n > b->bytes - b->head) {
        /* Over to the front; frames behind the head are older than those there. */
        while (first < b->next && frame(b, first)->off >= b->head)
            first++;
        *off = 0;
    }
    while (first < b->next && frame(b, first)->off >= *off &&
           frame(b, first)->off - *off < n)
        first++;
    return first;
}

uint64_t bcast_keeps(const struct bcast *b, size_t n) {
    uint32_t off;
    return n > b->bytes ? UINT64_MAX : place(b, n, &off);
}

uint64_t bcast_push(struct bcast *b, uint8_t topic, uint64_t tag, const uint8_t *head,
                    size_t head_n, const uint8_t *body, size_t body_n) {
    size_t n = head_n + body_n;
    assert(n > 0 && n <= b->bytes);
    uint32_t off;
    b->first = place(b, n, &off);
    b->head = off + (uint32_t)n;
    memcpy(b->mem + off, head, head_n);
    if (body_n)
        memcpy(b->mem + off + head_n, body, body_n);
    *frame(b, b->next) = (struct bcast_frame){
        .tag = tag, .off = off, .len = (uint32_t)n, .topic = topic};
    return b->next++;
}

void bcast_mark_key(struct bcast *b) { frame(b, b->next - 1)->key = true; }

const struct bcast_frame *bcast_at(const struct bcast *b, uint64_t seq) {
    return seq >= b->first && seq < b->next ? frame(b, seq) : NULL;
}

uint64_t bcast_newest(const struct bcast *b, uint8_t topics) {
    for (uint64_t seq = b->next; seq > b->first; seq--) {
        if (frame(b, seq - 1)->topic & topics)
            return seq - 1;
    }
    return b->next;
}

uint64_t bcast_after(const struct bcast *b, uint8_t topic, uint64_t after) {
    uint64_t found = b->next;
    for (uint64_t seq = b->next; seq > b->first; seq--) {
        const struct bcast_frame *f = frame(b, seq - 1);
        if (!(f->topic & topic))
            continue;
        if (f->tag <= after)
            return f->tag == after ? found : UINT64_MAX;
        if (!f->key)
            found = seq - 1;
    }
    return found < b->next && frame(b, found)->tag == after + 1 ? found : UINT64_MAX;
}

uint64_t bcast_key(const struct bcast *b, uint8_t topic, bool fresh) {
    for (uint64_t seq = b->next; seq > b->first; seq--) {
        const struct bcast_frame *f = frame(b, seq - 1);
        if (!(f->topic & topic))
            continue;
        if (f->key)
            return seq - 1;
        if (fresh)
            break;
    }
    return UINT64_MAX;
}
