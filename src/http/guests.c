#include "http/guests.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/blocks.h"

/* So many entries that half of them stay free: a search ends soon. */
static uint32_t tally_size(uint32_t cap) {
    uint32_t n = 2;
    while (n < 2 * cap)
        n *= 2;
    return n;
}

int guests_init(struct guests *g, uint32_t cap) {
    uint32_t n = tally_size(cap);
    *g = (struct guests){.cap = cap,
                         .tally_mask = n - 1,
                         .seats = pages_take(cap * sizeof(*g->seats)),
                         .tally = pages_take(n * sizeof(*g->tally))};
    if (!g->seats || !g->tally) {
        guests_free(g);
        return -ENOMEM;
    }
    for (int p = 0; p < GUEST_PLACES; p++)
        g->queue[p].first = g->queue[p].last = GUEST_NONE;
    for (uint32_t i = cap; i-- > 0;) {
        g->seats[i].prev = g->seats[i].next = GUEST_NONE;
        guests_move(g, i, GUEST_FREE, GUEST_NEVER);
    }
    return 0;
}

void guests_free(struct guests *g) {
    pages_give(g->seats, g->cap * sizeof(*g->seats));
    pages_give(g->tally, tally_size(g->cap) * sizeof(*g->tally));
    g->seats = NULL;
    g->tally = NULL;
}

/* The link that points to seat i from before it, or from behind it. */
static uint32_t *link_before(struct guests *g, uint32_t i) {
    struct guest_seat *s = &g->seats[i];
    return s->prev == GUEST_NONE ? &g->queue[s->place].first : &g->seats[s->prev].next;
}

static uint32_t *link_behind(struct guests *g, uint32_t i) {
    struct guest_seat *s = &g->seats[i];
    return s->next == GUEST_NONE ? &g->queue[s->place].last : &g->seats[s->next].prev;
}

static void leave(struct guests *g, uint32_t i) {
    struct guest_seat *s = &g->seats[i];
    uint32_t *before = link_before(g, i), *behind = link_behind(g, i);
    *before = s->next;
    *behind = s->prev;
    g->queue[s->place].n--;
}

static void join(struct guests *g, uint32_t i) {
    struct guest_seat *s = &g->seats[i];
    s->prev = g->queue[s->place].last;
    s->next = GUEST_NONE;
    *link_before(g, i) = i;
    g->queue[s->place].last = i;
    g->queue[s->place].n++;
}

/* Free seats are used again last-in first-out, so that few pages are ever touched. */
static void join_front(struct guests *g, uint32_t i) {
    struct guest_seat *s = &g->seats[i];
    s->prev = GUEST_NONE;
    s->next = g->queue[s->place].first;
    *link_behind(g, i) = i;
    g->queue[s->place].first = i;
    g->queue[s->place].n++;
}

/* Is it in a queue? Only before the table is filled it is not. */
static bool stands(const struct guests *g, uint32_t i) {
    const struct guest_seat *s = &g->seats[i];
    return s->prev != GUEST_NONE || g->queue[s->place].first == i;
}

void guests_move(struct guests *g, uint32_t i, enum guest_place place,
                 uint64_t due_ms) {
    struct guest_seat *s = &g->seats[i];
    if (stands(g, i))
        leave(g, i);
    s->place = place;
    s->due_ms = due_ms;
    if (place == GUEST_FREE)
        join_front(g, i);
    else
        join(g, i);
}

uint32_t guests_take(struct guests *g, uint64_t from, enum guest_place place,
                     uint64_t due_ms) {
    uint32_t i = g->queue[GUEST_FREE].first;
    if (i == GUEST_NONE)
        return GUEST_NONE;
    g->seats[i].from = from;
    g->seats[i].turn++;
    guests_move(g, i, place, due_ms);
    return i;
}

/* Those who are due first, a queue each. */
static const enum guest_place waiting[] = {GUEST_IDLE, GUEST_HELLO,  GUEST_HEAD,
                                           GUEST_BODY, GUEST_ANSWER, GUEST_BYE};
#define N_WAITING (sizeof(waiting) / sizeof(waiting[0]))

/* The queue whose first is due first, of those in places[0, n): GUEST_NONE, or he. */
static uint32_t soonest(const struct guests *g, const enum guest_place *places,
                        size_t n) {
    uint32_t best = GUEST_NONE;
    for (size_t k = 0; k < n; k++) {
        uint32_t i = g->queue[places[k]].first;
        if (i != GUEST_NONE &&
            (best == GUEST_NONE || g->seats[i].due_ms < g->seats[best].due_ms))
            best = i;
    }
    return best;
}

uint64_t guests_next_ms(const struct guests *g) {
    uint32_t i = soonest(g, waiting, N_WAITING);
    return i == GUEST_NONE ? GUEST_NEVER : g->seats[i].due_ms;
}

uint32_t guests_due(const struct guests *g, uint64_t now_ms) {
    uint32_t i = soonest(g, waiting, N_WAITING);
    return i != GUEST_NONE && g->seats[i].due_ms <= now_ms ? i : GUEST_NONE;
}

/* Where the count of an address is, or belongs. */
static struct guest_tally *tally_of(const struct guests *g, uint64_t from) {
    /* Fibonacci hashing: the upper bits depend on all of it. */
    uint32_t at = (uint32_t)((from * 0x9e3779b97f4a7c15u) >> 32) & g->tally_mask;
    while (g->tally[at].n > 0 && g->tally[at].from != from)
        at = (at + 1) & g->tally_mask;
    return &g->tally[at];
}

void guests_count(struct guests *g, enum guest_place first, enum guest_place last) {
    memset(g->tally, 0, (g->tally_mask + 1) * sizeof(*g->tally));
    for (uint32_t i = 0; i < g->cap; i++) {
        const struct guest_seat *s = &g->seats[i];
        if (s->place < first || s->place > last)
            continue;
        struct guest_tally *t = tally_of(g, s->from);
        t->from = s->from;
        t->n++;
    }
}

uint32_t guests_of(const struct guests *g, uint64_t from) {
    return tally_of(g, from)->n;
}

/* The longest waiting in these places of the address that has most of them. */
static uint32_t of_the_heaviest(struct guests *g, enum guest_place first,
                                enum guest_place last) {
    uint32_t best = GUEST_NONE, most = 0;
    guests_count(g, first, last);
    for (uint32_t i = 0; i < g->cap; i++) {
        const struct guest_seat *s = &g->seats[i];
        if (s->place < first || s->place > last)
            continue;
        uint32_t n = guests_of(g, s->from);
        if (n > most || (n == most && s->due_ms < g->seats[best].due_ms)) {
            best = i;
            most = n;
        }
    }
    return best;
}

uint32_t guests_victim(struct guests *g) {
    uint32_t i = g->queue[GUEST_IDLE].first;
    if (i == GUEST_NONE)
        i = g->queue[GUEST_BYE].first;
    if (i != GUEST_NONE)
        return i;
    uint32_t n = g->queue[GUEST_HELLO].n + g->queue[GUEST_HEAD].n;
    n += g->queue[GUEST_BODY].n;
    return n < g->queue[GUEST_ANSWER].n ? of_the_heaviest(g, GUEST_ANSWER, GUEST_ANSWER)
                                        : of_the_heaviest(g, GUEST_HELLO, GUEST_BODY);
}
