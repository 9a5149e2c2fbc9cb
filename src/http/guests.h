#pragma once
/* Who waits in the lobby, for what, and who gives way: the bookkeeping behind
 * http/lobby.h, without a socket or a clock. A fixed table of seats; each seat that is
 * taken stands in the queue of its place. Everybody in one queue has the same patience
 * from the moment he joined it, so the first in it is the longest waiting and the next
 * due. One thread. Every operation takes constant time, but for those that count by
 * address, which look at all once. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum guest_place {
    GUEST_FREE,   /* nobody sits here */
    GUEST_IDLE,   /* has been answered, may ask again */
    GUEST_HELLO,  /* TLS: shakes hands */
    GUEST_HEAD,   /* a request head is to come, or the rest of it */
    GUEST_BODY,   /* a small body is to come */
    GUEST_ANSWER, /* has not taken all of its answer */
    GUEST_BYE,    /* was told that this is the end, and may still be sending */
    GUEST_ASIDE,  /* with a worker */
    GUEST_PLACES,
};

#define GUEST_NONE UINT32_MAX
#define GUEST_NEVER UINT64_MAX

struct guest_seat {
    uint64_t due_ms;
    uint64_t from; /* ip_host() of its address */
    uint32_t prev, next;
    uint32_t turn; /* how often the seat was taken: tells a guest from earlier ones */
    enum guest_place place;
};

/* Of one address. */
struct guest_tally {
    uint64_t from;
    uint32_t n;
};

struct guests {
    struct guest_seat *seats;
    struct guest_tally *tally; /* hashed by address, twice as many as seats or more */
    uint32_t cap, tally_mask;
    struct {
        uint32_t first, last, n;
    } queue[GUEST_PLACES];
};

/* 0 or -ENOMEM. */
int guests_init(struct guests *g, uint32_t cap);
void guests_free(struct guests *g);

/* A seat, the one used last among those that are free, in `place`; GUEST_NONE: all are
 * taken. */
uint32_t guests_take(struct guests *g, uint64_t from, enum guest_place place,
                     uint64_t due_ms);
/* To the end of another queue, or of the same. due_ms: as `patience` of that place
 * says, so never earlier than what stands there already. GUEST_FREE: he has left. */
void guests_move(struct guests *g, uint32_t i, enum guest_place place, uint64_t due_ms);

/* When the next one is due, GUEST_NEVER: nobody is. */
uint64_t guests_next_ms(const struct guests *g);
/* One who is due, GUEST_NONE: nobody is. */
uint32_t guests_due(const struct guests *g, uint64_t now_ms);

/* Counts those in places [first, last] by address, for guests_of(). */
void guests_count(struct guests *g, enum guest_place first, enum guest_place last);
/* How many of those are from there. */
uint32_t guests_of(const struct guests *g, uint64_t from);

/* Who gives way to a new one when all seats are taken: whoever has been idle longest.
 * Else, of the larger crowd, those who have not asked yet or those who do not take
 * their answer, so that neither can crowd out the other, the longest waiting of the
 * address that has most of them: who has few seats keeps them, however many another
 * takes, and one alone may have them all. Never one who is with a worker. */
uint32_t guests_victim(struct guests *g);
