#pragma once
/* How connections reach the hub: places are reserved before the 101 is sent, so that a
 * full table is a plain 503, and a bounded mailbox takes the detached connection. Any
 * thread posts, the hub thread takes. Reservations and live sessions together never
 * exceed the capacity, so a reserved post cannot fail. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/transport.h"
#include "session/sess.h"

/* The application's words for a session, set by whoever authenticated it. */
struct handoff_hello {
    struct sess_addr addr;
    uint8_t role;
    uint64_t resume_token[2]; /* as the client sent it; 0: none */
    uint64_t resume_seq;
    uint64_t resume_epoch;
    uint64_t credential; /* of the login or token that opened it; 0: none */
};

/* A whole request head buffer's worth: what a client sent before it saw the 101. */
#define HANDOFF_LEFTOVER_MAX 8192u

struct handoff_item {
    struct handoff_item *next;
    struct transport t;
    struct handoff_hello hello;
    uint32_t leftover_n; /* bytes that came behind the request head */
    uint8_t leftover[HANDOFF_LEFTOVER_MAX];
};

struct handoff {
    pthread_mutex_t lock;
    struct handoff_item *items; /* one for each session there can be */
    struct handoff_item *free, *first, *last;
    uint32_t capacity, taken; /* reserved, posted or live */
    uint32_t kept;            /* of them, for those who come first */
    uint32_t reserved;        /* not posted yet */
    uint32_t fresh;           /* items never used start here */
    int wake;                 /* eventfd of the hub, owned by the hub */
    bool shut;                /* no new reservations: we are stopping */
};

int handoff_init(struct handoff *b, uint32_t capacity, uint32_t kept, int wake);
void handoff_free(struct handoff *b);

/* Any thread. 0, -EAGAIN when full (first: when what is kept is taken, too), -ESHUTDOWN
 * when stopping. Follow with exactly one of handoff_cancel() and handoff_post(). */
int handoff_reserve(struct handoff *b, bool first);
void handoff_cancel(struct handoff *b);
/* Takes t over; leftover_n <= HANDOFF_LEFTOVER_MAX. */
void handoff_post(struct handoff *b, const struct transport *t,
                  const struct handoff_hello *hello, const uint8_t *leftover,
                  uint32_t leftover_n);
uint32_t handoff_reserved(struct handoff *b);

/* Hub thread. The oldest posted item or NULL; give it back when read. */
struct handoff_item *handoff_take(struct handoff *b);
void handoff_give(struct handoff *b, struct handoff_item *it);
/* A session that had come through here is gone: its place is free again. */
void handoff_release(struct handoff *b);
/* What is kept is taken: one should go. */
bool handoff_crowded(struct handoff *b);
void handoff_shut(struct handoff *b);
