#pragma once
/* The inside of the hub, shared by its own files only. Hub thread, but where it says
 * so. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/blocks.h"
#include "base/chain.h"
#include "hub/burst.h"
#include "hub/hub.h"

/* Deadlines are met to the next multiple of this: sessions share their wake-ups. */
#define HUB_TICK_MS 100u
/* Later than this behind its deadline, and the hub itself is to blame. */
#define HUB_LATE_MS 250u
/* Read and written per session and tick at most; the rest waits for the next tick. */
#define HUB_READ_BYTES (64u * 1024)
/* One read, but for the middle of a long frame: what may have to wait undecoded. */
#define HUB_SIP_BYTES 4096u
/* Time for the messages of one session, and of all, per tick. Whoever is not done then,
 * or not heard yet, comes first in the next. */
#define HUB_TURN_NS 2000000u
#define HUB_TURNS_NS 8000000u
#define HUB_WRITE_BYTES (256u * 1024)
#define HUB_EVENTS 128
#define HUB_IOV 64
#define HUB_CALLS 16

enum conn_phase {
    CONN_RUN,
    CONN_CLOSE_SENT, /* our close is queued; the peer's is awaited */
    CONN_LAST_WORDS, /* once the queue is out, we send FIN */
    CONN_LINGER,     /* FIN sent; what comes is thrown away until the peer's FIN */
    CONN_DEAD,       /* reaped at the end of the tick */
};

/* The hub's half of a session, parallel to the table of session/sess. */
struct conn {
    struct transport t;
    struct chain rx;      /* message not complete yet */
    struct chain unread;  /* bytes received but not decoded: it asks too much */
    uint64_t rx_since_ms; /* when it began; 0: none */
    uint64_t blocked_ms;  /* last progress of an output that is stuck; 0: flows */
    union {
        uint64_t over_ms;     /* CONN_RUN: owes too much since; 0: does not */
        uint64_t deadline_ms; /* later: until then the closing may take */
    };
    uint32_t events;   /* as registered with epoll */
    uint16_t send_err; /* errno that a send ended with; 0: none */
    uint8_t phase;     /* enum conn_phase */
    bool dirty;        /* on the list of sessions to flush */
    bool more;         /* on the list of sessions to read again */
    struct ws_in in;
};
static_assert(sizeof(struct conn) + sizeof(struct sess) <= 480,
              "an idle session must stay small");

struct hub_call_slot {
    void (*fn)(struct hub *h, void *arg);
    void *arg;
    enum { CALL_FREE, CALL_WAITS, CALL_RUNS, CALL_DONE } state;
};

/* A set of slots, each at most once (the flag is in the conn). */
struct slot_list {
    uint32_t *slot;
    uint32_t n;
};

/* The same, first come first served. */
struct slot_queue {
    uint32_t *slot;
    uint32_t first, n, cap;
};

struct hub {
    struct hub_opts o;
    struct sess_table tab;
    struct conn *conn;
    struct blocks pool;
    struct bcast ring;
    struct metrics m;
    struct slot_list dirty, spare;
    struct burst burst;
    struct slot_queue more; /* sessions that have more to read */
    uint32_t *dead;         /* slots to reap */
    uint32_t n_dead;

    int ep, timer, wake;
    uint64_t now_ms;
    uint64_t turns_end_ns; /* of all in this tick */
    uint64_t turn_end_ns;  /* of the session being read */
    uint64_t due_ms;   /* no deadline is earlier; may be too early, never too late */
    uint64_t armed_ms; /* what the timerfd is set to; 0: not */
    uint64_t random;   /* state of the generator of ping delays */
    uint8_t *inbuf;    /* HUB_READ_BYTES */
    uint8_t *message;  /* max_message: a fragmented message, put together */
    bool stopping;
    bool in_closing; /* inside app.closing */

    pthread_t self;   /* set by the thread itself, read by it alone */
    pthread_t thread; /* for whoever joins */
    /* Any thread. */
    struct handoff box;
    atomic_bool kicked, stop;
    atomic_uint_fast64_t rejected[HUB_REJECT_N];
    pthread_mutex_t call_lock;
    pthread_cond_t call_done;
    struct hub_call_slot calls[HUB_CALLS];
};

/* Input that waits in the pool. */
static inline uint32_t io_in_held(const struct conn *c) {
    return c->rx.len + c->unread.len;
}

/* hub.c */
struct conn *hub_conn(struct hub *h, const struct sess *s);
/* Deadline of a session moved: the hub wakes no later than this. */
void hub_due(struct hub *h, uint64_t at_ms);

/* A session may owe more than half its limit for this long. */
static inline uint64_t hub_over_limit_ms(const struct hub *h) {
    return 4 * (uint64_t)h->o.stall_ms;
}

/* hub_out.c */
int io_send(struct hub *h, struct sess *s, enum ws_op op, const uint8_t *p, size_t n);
void io_dirty(struct hub *h, struct sess *s);
void io_flush(struct hub *h, struct sess *s);
void io_flush_all(struct hub *h);
/* Registers with epoll what the session waits for now. */
void io_watch(struct hub *h, const struct sess *s, struct conn *c);
/* Reading is held back while it owes us the reading of its replies. */
bool io_paused(const struct hub *h, const struct sess *s, const struct conn *c);
/* The pool is empty: whoever holds most of it pays, so that one hoarder cannot cost the
 * others theirs. True when s itself is still in good standing. */
bool io_relieve(struct hub *h, struct sess *s);

/* hub_in.c */
void io_adopt(struct hub *h, struct handoff_item *it);
void io_event(struct hub *h, sess_id id, uint32_t events);
/* all: do not hold back, the connection is about to end. */
void io_read(struct hub *h, struct sess *s, bool all);
void io_read_more(struct hub *h);
void io_read_again(struct hub *h, const struct sess *s);
/* The stream is over: rc is what recv or send returned, 0 or -errno. */
void io_ended(struct hub *h, struct sess *s, long rc);

/* hub_end.c: the one way out of the table. */
/* code 0: the cause's own. reason: for the close frame, may be NULL. */
void end_session(struct hub *h, struct sess *s, enum disc_why why, uint16_t code,
                 const char *reason);
/* Somebody came first who needs the place of another: the one of lesser role that has
 * asked nothing for longest. */
void end_idlest(struct hub *h, uint8_t role);
void end_dead(struct hub *h, struct sess *s);
void end_reap(struct hub *h);
/* TCP_INFO: the peer's kernel has acknowledged something within the last ms. */
bool end_peer_acks(const struct conn *c, uint64_t within_ms);

/* hub_time.c */
void time_expire(struct hub *h);
void time_arm(struct hub *h);
/* The hub woke at now: was it late, and by how much is everybody excused? */
void time_woke(struct hub *h, uint64_t now_ms);

/* hub_call.c */
void calls_run(struct hub *h);
