#pragma once
/* The seam to CivetWeb, which is used as it is released: civet.c includes its
 * civetweb.c, and nothing else in the tree names it. CivetWeb listens, queues
 * connections for its workers, and parses requests. The connection itself is taken away
 * from it when a worker picks it up: all bytes move on a transport under our deadlines,
 * so a connection is detached by handing that transport over.
 *
 * Threads: one that accepts and `workers` that call the app. Bounds: the waiting room
 * (http/room.h), a queue of CIVET_QUEUE accepted connections, one connection per
 * worker. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/transport.h"
#include "http/deadline.h"
#include "http/head.h"
#include "sec/tls.h"

#define CIVET_DOORS_MAX 16u
#define CIVET_WORKERS_MAX 64u
#define CIVET_QUEUE 32
/* From picking a connection up until its head is whole, the TLS handshake included; and
 * how much of that a client gets while others wait for a worker. */
#define CIVET_HEAD_MS 5000u
#define CIVET_HURRY_MS 1000u

struct civet;

/* What a worker holds while it serves one connection. */
struct civet_conn {
    struct transport t;  /* ops is NULL once it was closed or detached */
    struct deadline due; /* of the head */
    const struct sockaddr *peer;
    bool secure;
    unsigned worker; /* 0 .. workers - 1 */
    char *buf;       /* cap bytes, for the head and what comes behind it */
    size_t cap, n;
};

/* All run on a worker. */
struct civet_app {
    /* A connection was picked up. Reads the whole head into buf, and sets n. Returns
     * its length: CivetWeb shall parse it, and request or refused follows. 0: it was
     * answered. */
    size_t (*arrived)(void *ctx, struct civet_conn *c);
    void (*request)(void *ctx, struct civet_conn *c);
    /* CivetWeb did not accept the head: its HTTP status. */
    void (*refused)(void *ctx, struct civet_conn *c, int status);
};

struct civet_door {
    const char
        *spec; /* as CivetWeb understands it, but for the 's' of TLS: http/door.h */
    const char *text; /* for people */
    bool tls;
};

struct civet_opts {
    const struct civet_door *doors;
    unsigned n_doors;    /* 1 .. CIVET_DOORS_MAX */
    unsigned workers;    /* 1 .. CIVET_WORKERS_MAX */
    struct tls_ctx *tls; /* outlives the civet; needed when a door is for TLS */
    const struct civet_app *app;
    void *ctx;
};

/* Listens when it returns 0. Else -errno, and one line in why. */
int civet_start(struct civet **out, const struct civet_opts *o, char *why, size_t cap);
/* Ends requests in progress at their next wait, and joins. */
void civet_stop(struct civet *cv);
/* Where door i listens, its port 0 resolved. */
const struct sockaddr *civet_bound(const struct civet *cv, unsigned i);

/* Does CivetWeb accept this head, a whole one as head_end() finds it? For tests: it
 * must accept what head_parse() does, or a client is refused for a reason that is not
 * ours. Changes p. */
bool civet_accepts(char *p, size_t n);

/* Takes the connection out of the worker's hands: *out is the caller's from now on. */
void civet_detach(struct civet_conn *c, struct transport *out);

/* "1.16": of the CivetWeb inside. */
const char *civet_version(void);
