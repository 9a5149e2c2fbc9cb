#include "session/sess.h"

#include <errno.h>
#include <stdlib.h>

#include "base/blocks.h"
#include "base/limits.h"

static size_t table_bytes(uint32_t cap) {
    return cap * (sizeof(struct sess) + sizeof(uint32_t));
}

int sess_table_init(struct sess_table *t, uint32_t cap) {
    if (cap == 0 || cap > LIM_SESSIONS_SLOTS)
        return -EINVAL;
    *t = (struct sess_table){.cap = cap, .free = cap};
    t->slots = pages_take(table_bytes(cap));
    if (!t->slots)
        return -ENOMEM;
    t->live = (uint32_t *)&t->slots[cap];
    return 0;
}

void sess_table_free(struct sess_table *t) {
    pages_give(t->slots, table_bytes(t->cap));
    *t = (struct sess_table){0};
}

/* The one door. */
static void enter(struct sess *s, enum sess_state to) {
    static const uint8_t allowed[] = {
        [SESS_FREE] = 1u << SESS_OPEN,
        [SESS_OPEN] = 1u << SESS_CLOSING,
        [SESS_CLOSING] = 1u << SESS_FREE,
    };
    /* In a release too: a slot with two owners would be worse. */
    if (!(allowed[s->state] & 1u << to))
        abort();
    s->state = to;
}

static sess_id make_id(uint32_t generation, uint32_t slot) {
    return (uint64_t)generation << 32 | slot;
}

/* The slot freed last, so that no more memory is touched than the load ever needed. */
static struct sess *free_slot(struct sess_table *t) {
    if (t->free < t->cap) {
        struct sess *s = &t->slots[t->free];
        t->free = s->where;
        return s;
    }
    if (t->fresh == t->cap)
        return NULL;
    struct sess *s = &t->slots[t->fresh];
    s->id = make_id(1, t->fresh++);
    return s;
}

struct sess *sess_open(struct sess_table *t) {
    struct sess *s = free_slot(t);
    if (!s)
        return NULL;
    enter(s, SESS_OPEN);
    s->where = t->n_live;
    t->live[t->n_live++] = sess_slot(s->id);
    return s;
}

struct sess *sess_find(struct sess_table *t, sess_id id) {
    uint32_t slot = sess_slot(id);
    if (slot >= t->fresh)
        return NULL;
    struct sess *s = &t->slots[slot];
    return s->id == id && s->state != SESS_FREE ? s : NULL;
}

bool sess_doom(struct sess_table *t, struct sess *s, enum disc_why why,
               uint64_t now_ms) {
    assert(why != DISC_NONE);
    if (s->state == SESS_CLOSING)
        return false;
    enter(s, SESS_CLOSING);
    s->why = why;
    s->closing_ms = now_ms;
    t->n_closing++;
    return true;
}

static void unlist(struct sess_table *t, const struct sess *s) {
    uint32_t last = t->live[--t->n_live];
    t->live[s->where] = last;
    t->slots[last].where = s->where;
}

void sess_close(struct sess_table *t, struct sess *s) {
    uint32_t slot = sess_slot(s->id);
    uint32_t generation = (uint32_t)(s->id >> 32) + 1;
    assert(s->out.own.len == 0);
    enter(s, SESS_FREE);
    unlist(t, s);
    t->n_closing--;
    *s = (struct sess){
        .id = make_id(generation ? generation : 1, slot),
        .where = t->free,
    };
    t->free = slot;
}
