#include "http/guests.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/blocks.h"
#include "base/bytes.h"

int guests_init(struct guests *g, uint32_t cap) {
    *g = (struct guests){.cap = cap, .seats = pages_take(cap * sizeof(*g->seats))};
    if (!g->seats)
        return -ENOMEM;
    for (int p = 0; p < GUEST_PLACES; p++)
        g->queue[p].first = g->queue[p].last = GUEST_NONE;
    for (uint32_t i = cap; i-- > 0;) {
        g->seats[i].prev = g->seats[i].next = GUEST_NONE;
        guests_move(g, i, GUEST_FREE, GUEST_NEVER);
    }
    return 0;
}

void guests_free(struct guests *g) {
    if (g->seats)
        pages_give(g->seats, g->cap * sizeof(*g->seats));
    g->seats = NULL;
}

uint64_t guests_from(const struct sess_addr *a) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(a->ip, mapped, sizeof(mapped)) == 0;
    return bytes_get64(a->ip + (four ? 8 : 0));
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

uint32_t guests_victim(const struct guests *g) {
    static const enum guest_place asking[] = {GUEST_HELLO, GUEST_HEAD, GUEST_BODY};
    uint32_t i = g->queue[GUEST_IDLE].first;
    if (i == GUEST_NONE)
        i = g->queue[GUEST_BYE].first;
    if (i != GUEST_NONE)
        return i;
    uint32_t n = g->queue[GUEST_HELLO].n + g->queue[GUEST_HEAD].n;
    n += g->queue[GUEST_BODY].n;
    return n < g->queue[GUEST_ANSWER].n
               ? g->queue[GUEST_ANSWER].first
               : soonest(g, asking, sizeof(asking) / sizeof(asking[0]));
}

uint32_t guests_count(const struct guests *g, uint64_t from, uint32_t *oldest) {
    uint32_t n = 0, best = GUEST_NONE;
    for (uint32_t i = 0; i < g->cap; i++) {
        const struct guest_seat *s = &g->seats[i];
        bool asks = s->place >= GUEST_IDLE && s->place <= GUEST_BODY;
        if (s->from != from || !asks)
            continue;
        n++;
        bool idle = s->place == GUEST_IDLE,
             best_idle = best != GUEST_NONE && g->seats[best].place == GUEST_IDLE;
        if (best == GUEST_NONE || (idle && !best_idle) ||
            (idle == best_idle && s->due_ms < g->seats[best].due_ms))
            best = i;
    }
    *oldest = best;
    return n;
}
