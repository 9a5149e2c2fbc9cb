#pragma once
/* The hub: the heartbeat thread. It owns the session table, every byte read from or
 * written to a WebSocket, heartbeats, causes and metrics. It blocks on epoll alone (one
 * timerfd, one eventfd), allocates nothing of its own after hub_start(), and knows no
 * JSON, HTTP or sensors: the application hands it callbacks. What a TLS connection
 * takes while a record is under way comes from sec/tls_heap.h, within its limit, under
 * a lock that all who speak TLS hold for moments.
 *
 * Functions marked [hub] may be called on the hub thread only, that is from callbacks
 * and hub_call(); the others from any thread. Errors are 0 or -errno. */
#include <stdbool.h>
#include <stdint.h>

#include "hub/handoff.h"
#include "proto/ws.h"
#include "session/metrics.h"
#include "session/sess.h"

struct hub;

/* Places on top of max_sessions, with a first_role. */
#define HUB_KEPT 1u

/* All run on the hub thread and must not block. */
struct hub_app {
    /* A session is open; send it its greeting. */
    void (*opened)(void *ctx, struct hub *h, sess_id id,
                   const struct handoff_hello *hello);
    /* A whole message; p is valid during the call only. Text is valid UTF-8. */
    void (*message)(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                    const uint8_t *p, size_t n);
    /* We are about to close it for this reason; last chance to send a word. Not called
     * when nothing can be sent any more. */
    void (*closing)(void *ctx, struct hub *h, sess_id id, enum disc_why why);
    /* It is gone; id is no longer valid. */
    void (*closed)(void *ctx, struct hub *h, sess_id id, enum disc_why why);
    /* After hub_kick(), once per tick. */
    void (*kicked)(void *ctx, struct hub *h);
};

struct hub_opts {
    uint32_t max_sessions;
    /* From this role on a session finds a place even when all are taken: one is kept
     * for it on top, and whoever of a lesser role has asked nothing for longest gives
     * way (evicted). 0: all are equal. */
    uint8_t first_role;
    uint32_t max_message; /* inbound, bytes */
    uint32_t pool_bytes;  /* replies and unfinished messages, all sessions together; one
                             block for each session comes on top */
    uint32_t reply_bytes; /* replies owed to one session */
    uint32_t ring_bytes, ring_frames;
    uint32_t sndbuf;          /* SO_SNDBUF, 0: the kernel's choice */
    uint32_t notsent_lowat;   /* TCP_NOTSENT_LOWAT, 0: off */
    uint32_t user_timeout_ms; /* TCP_USER_TIMEOUT */
    uint32_t stall_ms;        /* output without progress for this long: slow_reader */
    uint32_t close_ms;        /* wait for the peer's close */
    uint32_t message_ms;      /* a message must be complete within */
    uint8_t topics;           /* that a new session is subscribed to */
    uint8_t keyed;            /* topics that are told in differences */
    struct pulse_opts pulse;
    const struct hub_app *app;
    void *ctx;
};
void hub_opts_default(struct hub_opts *o);

/* Starts the thread. The hub is one allocation, sized by opts. */
int hub_start(struct hub **out, const struct hub_opts *o);
/* No new sessions; every session gets close 1001 and up to close_ms to answer; joins.
 * After it reservations are refused and calls time out, so that HTTP can be stopped
 * next. */
void hub_stop(struct hub *h);
/* When no other thread can reach it any more. NULL is allowed. */
void hub_free(struct hub *h);

/* A place for one more session of this role: 0, -EAGAIN (full) or -ESHUTDOWN. Then post
 * or cancel. */
int hub_reserve(struct hub *h, uint8_t role);
void hub_cancel(struct hub *h);
/* Takes over the transport of a connection whose 101 has been sent whole. */
void hub_post(struct hub *h, const struct transport *t,
              const struct handoff_hello *hello, const uint8_t *leftover,
              uint32_t leftover_n);

/* Why an upgrade was refused, for /ws/stats. */
enum hub_reject {
    HUB_REJECT_FULL,
    HUB_REJECT_ORIGIN,
    HUB_REJECT_HOST,
    HUB_REJECT_AUTH,
    HUB_REJECT_HANDSHAKE, /* not a valid RFC 6455 opening handshake */
    HUB_REJECT_STOPPING,
    HUB_REJECT_N
};
void hub_reject(struct hub *h, enum hub_reject why);

/* Wakes the hub; app.kicked runs in its next tick. */
void hub_kick(struct hub *h);

/* Runs fn on the hub thread and waits: 0, or -ETIMEDOUT when the hub did not come to it
 * in time (fn then never runs), -EAGAIN when too many calls wait already. */
int hub_call(struct hub *h, void (*fn)(struct hub *h, void *arg), void *arg,
             uint32_t timeout_ms);

/* [hub] Queues one message to one session: 0, -ENOENT (gone), -ESHUTDOWN (closing),
 * -ENOBUFS (it owes too much: the session is doomed as slow_reader). */
int hub_send(struct hub *h, sess_id id, enum ws_op op, const uint8_t *p, size_t n);
/* [hub] Encodes once, goes to every session of the topic. tag: for hub_replay.
 * -EMSGSIZE when it does not fit the ring. */
int hub_broadcast(struct hub *h, uint8_t topic, uint64_t tag, enum ws_op op,
                  const uint8_t *p, size_t n);
/* [hub] Topics told in differences: a frame of them says what has changed since the one
 * before, and means nothing to a session that has not read that one: it was skipped, or
 * is new to the topic. Such a session gets a key before anything else of the topic: the
 * whole state as of the newest frame, with the tag of that. It is encoded once and only
 * those who need it get it. */
int hub_broadcast_key(struct hub *h, uint8_t topic, uint64_t tag, enum ws_op op,
                      const uint8_t *p, size_t n);
/* [hub] Does a session wait for a key that is not there? To be asked after each frame.
 */
bool hub_wants_key(struct hub *h, uint8_t topic);
/* [hub] Is anybody subscribed to the topic? */
bool hub_has_audience(struct hub *h, uint8_t topic);
/* [hub] Closes it in order with this cause: 0 or -ENOENT. */
int hub_close(struct hub *h, sess_id id, enum disc_why why);
/* [hub] The same with a close code other than the cause's own, and a reason or NULL. */
int hub_close_with(struct hub *h, sess_id id, enum disc_why why, uint16_t code,
                   const char *reason);
/* [hub] Of its peer; in app.closed, too. */
struct sess_addr hub_address(struct hub *h, sess_id id);
/* [hub] The topics of a session; set replaces them. */
uint8_t hub_topics(struct hub *h, sess_id id);
void hub_subscribe(struct hub *h, sess_id id, uint8_t topics);
/* [hub] In app.opened: continue after the frame with this tag. Returns how many frames
 * will be replayed, or -ENOENT when one of them is no longer held (it then gets the
 * newest frame, or a key). */
long hub_replay(struct hub *h, sess_id id, uint8_t topic, uint64_t after_tag);
/* [hub] In app.opened: start with the newest frame of its topics, or with the key of
 * one that is told in differences. False: there is no such key at hand. */
bool hub_snapshot_first(struct hub *h, sess_id id);

/* One session, as people see it. */
struct hub_row {
    sess_id id;
    struct sess_addr addr;
    uint64_t age_ms, heard_ago_ms, queued_bytes, messages;
    uint32_t rtt_ms, interval_ms;
    enum sess_state state;
    uint8_t missed, role;
    bool rtt_known, secure;
};

struct hub_stats {
    struct metrics m;
    uint64_t rejected[HUB_REJECT_N];
    uint32_t capacity, active, closing, reserved;
    uint32_t interval_min_ms, interval_avg_ms, interval_max_ms;
    uint64_t queue_bytes; /* pool bytes in use */
    uint64_t table_bytes; /* everything sized by the capacity: slots, codecs, mailbox */
    uint32_t n_rows;
};
/* [hub] Fills *out and up to max rows. */
void hub_stats(struct hub *h, struct hub_stats *out, struct hub_row *rows,
               uint32_t max);
/* [hub] Monotonic ms of this tick. */
uint64_t hub_now_ms(const struct hub *h);
