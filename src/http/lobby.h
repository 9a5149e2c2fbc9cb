#pragma once
/* The lobby: an event loop in front of the workers. It accepts, shakes hands for TLS,
 * and waits until a request has arrived whole; what does not block is answered right
 * here, the rest goes to a worker and comes back for the next request (RFC 9112 9.3).
 * Whoever is silent, slow or does not read waits here, where any number of them costs
 * the others nothing.
 *
 * Thread: its own. Bounds: `seats` connections, LOBBY_..._MS for each step. When all
 * seats are taken somebody gives way, first of all those of the address that has most
 * (http/guests.h). Never blocks. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/transport.h"
#include "http/head.h"
#include "sec/tls.h"
#include "session/sess.h"

#define LOBBY_DOORS_MAX 17u
#define LOBBY_SEATS_DEFAULT 64u
#define LOBBY_SEATS_MAX 4096u

#define LOBBY_HELLO_MS 5000u /* TLS handshake, from accept */
#define LOBBY_HEAD_MS 5000u  /* a head, from accept, handshake or its first byte */
#define LOBBY_IDLE_MS 15000u /* from an answer to the next request */
/* A body or an answer moves on by this much, or its rest, in that time. */
#define LOBBY_PACE_MS 5000u
#define LOBBY_PACE_BYTES 4096u
/* What is read from one that goes on after our last word: a reset caused by unread
 * bytes would destroy that word. */
#define LOBBY_BYE_MS 500u
#define LOBBY_BYE_BYTES (256u * 1024)
/* Of an answer that is composed and not taken at once, this much can wait here; a few
 * can be larger (http/loads.h). When one more is to wait, the one that has waited
 * longest gives way, after this long. */
#define LOBBY_REST_MAX 4096u
#define LOBBY_LOADS 4u
#define LOBBY_LOAD_MS 2000u

struct lobby;

enum lobby_next {
    LOBBY_CLOSE,  /* after the answer */
    LOBBY_LINGER, /* the same, but the peer may still be sending */
    LOBBY_KEEP,   /* the next request may come */
};

/* A connection; of the lobby's thread, or of the worker that it is with. */
struct lobby_guest {
    struct transport t; /* ops is NULL once it was taken away: lobby_detach() */
    struct sess_addr addr;
    uint32_t seat;
    uint16_t port;        /* of the door */
    bool secure, local;   /* over TLS; over the Unix socket */
    enum lobby_next next; /* set with the answer */
    char *kept;           /* HEAD_BYTES_MAX: what has arrived and was not used */
    size_t kept_n;

    struct iovec rest[2]; /* of the answer; the remaining fields are the lobby's */
    int rest_n;
    char *load;       /* a place of http/loads.h that holds the rest, or NULL */
    uint64_t load_ms; /* since when */
    struct tls *shaking;
    size_t scanned; /* of a head */
    size_t want;    /* head and body, once that is known */
    uint64_t moved; /* bytes of a rest or a goodbye */
    int64_t taken;  /* of a rest, when last looked at */
    bool soiled;    /* its buffers were used */
    bool watched;   /* by epoll */
    bool ended;     /* nothing more will come */
    bool eager;     /* has more to do than one turn allowed, or a handshake step */
};

enum lobby_verdict {
    LOBBY_ANSWERED, /* lobby_say() and next were used; *used bytes are done with */
    LOBBY_WANTS,    /* *used bytes in all, HEAD_BYTES_MAX at most, before it is asked
                       again; lobby_say() may have been used, and next is set */
    LOBBY_ASIDE,    /* a worker shall answer */
};

/* All on the lobby's thread; none may block. */
struct lobby_app {
    /* p[0, head_n) is a whole head, p[head_n, n) what came behind it. */
    enum lobby_verdict (*head)(void *ctx, struct lobby_guest *g, const char *p,
                               size_t n, size_t head_n, size_t *used);
    /* There will be no head: answer with status 400, 408 or 431. */
    void (*fault)(void *ctx, struct lobby_guest *g, int status);
    /* What was asked lies in g->kept. lobby_return() follows, from any thread. */
    void (*aside)(void *ctx, struct lobby_guest *g);
};

enum lobby_kind { LOBBY_PLAIN, LOBBY_TLS, LOBBY_LOCAL };

struct lobby_door {
    int fd; /* listens, non-blocking; stays the caller's */
    enum lobby_kind kind;
    uint16_t port;
};

struct lobby_opts {
    const struct lobby_door *doors;
    unsigned n_doors;
    uint32_t seats;    /* 1 .. LOBBY_SEATS_MAX */
    size_t load_bytes; /* the largest composed answer that can wait, head included */
    struct lobby_counts *counts; /* outlives the lobby */
    struct tls_ctx *tls;         /* outlives the lobby; needed when a door is for TLS */
    const struct lobby_app *app;
    void *ctx;
};

/* 0 or -errno. Accepts when lobby_start() has returned 0. */
int lobby_init(struct lobby **out, const struct lobby_opts *o);
int lobby_start(struct lobby *l);
/* Joins the thread: nothing is accepted or answered any more. Workers may still return
 * guests until lobby_free(), which closes what is left. */
void lobby_stop(struct lobby *l);
void lobby_free(struct lobby *l);

struct lobby_guest *lobby_guest(struct lobby *l, uint32_t seat);

/* Whoever has the guest. Sends what the socket takes; what is left is kept to be sent
 * from here: 0, or what went wrong with the connection. A last iov of a lasting answer
 * stays where it is; the rest is copied: -EMSGSIZE when there is no place for it now,
 * with iov and *n moved on to what was not sent. Somebody may be made to give way, so
 * that it is worth to ask again. */
int lobby_say(struct lobby *l, struct lobby_guest *g, struct iovec **iov, int *n,
              bool lasting);

/* A worker is done with the guest: g->next says how it goes on. */
void lobby_return(struct lobby *l, struct lobby_guest *g);
/* Takes the connection away from the guest, who must be returned all the same. */
void lobby_detach(struct lobby *l, struct lobby_guest *g, struct transport *out);

/* What has come to pass; written by the lobby. */
struct lobby_counts {
    _Atomic uint32_t seats, taken;
    _Atomic uint64_t accepted, gave_way, late, no_files, no_seats;
};

struct lobby_stats {
    uint32_t seats, taken; /* there are, and now */
    uint64_t accepted;
    uint64_t gave_way, late;     /* of those, left because we wanted it */
    uint64_t no_files, no_seats; /* hung up on: no descriptor; all were with workers */
};
/* Any thread. */
void lobby_stats(const struct lobby_counts *c, struct lobby_stats *out);
