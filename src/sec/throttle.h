#pragma once
/* How fast passwords may be tried: each address by itself, and all together. Pure; the
 * owner brings a lock. Fixed memory: a table of addresses, of which the quietest gives
 * way.
 *
 * An address (of IPv6 its /64, which one host can fill) has a few attempts free; after
 * each further failure it waits twice as long, up to THROTTLE_WAIT_MAX_MS. All together
 * may fail THROTTLE_BURST times, and once every THROTTLE_EACH_MS in the long run;
 * addresses from which somebody logged in are not held to that, so that a crowd that
 * guesses does not keep the owner out. */
#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_SLOTS 64u
#define THROTTLE_FREE 3u
#define THROTTLE_WAIT_MS 1000u
#define THROTTLE_WAIT_MAX_MS 300000u
/* Quiet for this long, an address starts anew. */
#define THROTTLE_FORGET_MS 900000u
#define THROTTLE_BURST 30u
#define THROTTLE_EACH_MS 2000u

struct throttle {
    struct throttle_slot {
        uint64_t host;    /* ip_host() */
        uint64_t last_ms; /* newest attempt; 0: the slot is free */
        uint64_t next_ms; /* none before */
        uint8_t fails;
        bool known; /* somebody logged in from here */
    } slot[THROTTLE_SLOTS];
    uint64_t all_ms; /* when the failures of all would be paid off */
};

/* 0: it may try, and has failed until throttle_good() says otherwise. Else how long to
 * wait: nothing changed. ip: IPv4 mapped. */
uint64_t throttle_try(struct throttle *t, const uint8_t ip[16], uint64_t now_ms);
void throttle_good(struct throttle *t, const uint8_t ip[16], uint64_t now_ms);
