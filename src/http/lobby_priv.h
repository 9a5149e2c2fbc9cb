#pragma once
/* What lobby.c (doors, time, the loop) and lobby_guest.c (one connection) share; nobody
 * else's. */
#include <pthread.h>
#include <stdatomic.h>

#include "http/guests.h"
#include "http/loads.h"
#include "http/lobby.h"

struct lobby {
    struct lobby_opts o;
    struct lobby_door doors[LOBBY_DOORS_MAX];
    struct guests book;
    struct lobby_guest *guests; /* one for each seat */
    char *kept, *rests;         /* HEAD_BYTES_MAX and LOBBY_REST_MAX for each seat */
    struct loads loads;
    atomic_bool short_of_loads; /* a worker found none */
    int ep, bell, spare_fd;
    uint64_t now_ms;      /* read once per turn */
    uint64_t doors_at_ms; /* doors are shut until then; 0: they are open */
    uint32_t n_eager;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the three below */
    uint32_t *back;       /* seats that workers returned */
    uint32_t n_back;
    bool rung;
    char glimpse[HEAD_BYTES_MAX]; /* where a request is read that comes in one piece */
};

enum guest_place guest_place(const struct lobby *l, const struct lobby_guest *g);
/* Until when one who comes to this place now may stay there. */
uint64_t guest_due_ms(const struct lobby *l, enum guest_place place);
/* A new connection, non-blocking: its seat is taken. */
void guest_welcome(struct lobby *l, struct lobby_guest *g, int fd,
                   const struct lobby_door *door);
/* Its socket has something for us: `ended`, that nothing will come after it. */
void guest_serve(struct lobby *l, struct lobby_guest *g, bool ended);
/* One step of a TLS handshake. */
void guest_shake(struct lobby *l, struct lobby_guest *g);
/* A worker returned it. */
void guest_back(struct lobby *l, struct lobby_guest *g);
/* Its time is up. */
void guest_late(struct lobby *l, struct lobby_guest *g);
/* Closes, and frees the seat. */
void guest_leave(struct lobby *l, struct lobby_guest *g);
