#include "sec/throttle.h"

#include <stddef.h>

#include "base/ip.h"

static struct throttle_slot *find(struct throttle *t, uint64_t host) {
    for (unsigned i = 0; i < THROTTLE_SLOTS; i++) {
        struct throttle_slot *s = &t->slot[i];
        if (s->last_ms && s->host == host)
            return s;
    }
    return NULL;
}

/* Strangers go before the known, the quiet before the loud. */
static bool gives_way_to(const struct throttle_slot *a, const struct throttle_slot *b) {
    return a->known != b->known ? b->known : a->last_ms < b->last_ms;
}

static struct throttle_slot *take(struct throttle *t, uint64_t host) {
    struct throttle_slot *s = find(t, host);
    if (s)
        return s;
    s = &t->slot[0];
    for (unsigned i = 1; i < THROTTLE_SLOTS; i++) {
        if (gives_way_to(&t->slot[i], s))
            s = &t->slot[i];
    }
    *s = (struct throttle_slot){.host = host};
    return s;
}

static uint64_t wait_ms(unsigned fails) {
    if (fails <= THROTTLE_FREE)
        return 0;
    unsigned doublings = fails - THROTTLE_FREE - 1;
    uint64_t ms =
        doublings < 16 ? (uint64_t)THROTTLE_WAIT_MS << doublings : THROTTLE_WAIT_MAX_MS;
    return ms < THROTTLE_WAIT_MAX_MS ? ms : THROTTLE_WAIT_MAX_MS;
}

/* Until the failures of all leave room for one more. */
static uint64_t all_wait_ms(const struct throttle *t, uint64_t now_ms) {
    uint64_t most_ms = now_ms + (uint64_t)(THROTTLE_BURST - 1) * THROTTLE_EACH_MS;
    return t->all_ms > most_ms ? t->all_ms - most_ms : 0;
}

uint64_t throttle_try(struct throttle *t, const uint8_t ip[16], uint64_t now_ms) {
    struct throttle_slot *s = find(t, ip_host(ip));
    if (s && now_ms - s->last_ms > THROTTLE_FORGET_MS)
        s->fails = 0;
    else if (s && s->next_ms > now_ms)
        return s->next_ms - now_ms;
    bool known = s && s->known;
    uint64_t all_ms = known ? 0 : all_wait_ms(t, now_ms);
    if (all_ms > 0)
        return all_ms;
    s = take(t, ip_host(ip));
    s->last_ms = now_ms ? now_ms : 1;
    if (s->fails < UINT8_MAX)
        s->fails++;
    s->next_ms = now_ms + wait_ms(s->fails);
    if (!known)
        t->all_ms = (t->all_ms > now_ms ? t->all_ms : now_ms) + THROTTLE_EACH_MS;
    return 0;
}

void throttle_good(struct throttle *t, const uint8_t ip[16], uint64_t now_ms) {
    struct throttle_slot *s = take(t, ip_host(ip));
    if (!s->known && t->all_ms >= now_ms + THROTTLE_EACH_MS)
        t->all_ms -= THROTTLE_EACH_MS;
    s->last_ms = now_ms ? now_ms : 1;
    s->next_ms = 0;
    s->fails = 0;
    s->known = true;
}
