#pragma once
/* The session table: a fixed array of slots, ids that carry a generation, one state
 * enum with one door. Hub thread only. Capacity is given at start and never grows;
 * untouched slots are not resident. Every operation takes constant time. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "session/disc.h"
#include "session/outq.h"
#include "session/pulse.h"

/* generation << 32 | slot. 0 is never a session; a slot has 2^32 - 1 generations before
 * one comes back. */
typedef uint64_t sess_id;

/* FREE -> OPEN -> CLOSING -> FREE, and nothing else: any other move aborts. */
enum sess_state { SESS_FREE, SESS_OPEN, SESS_CLOSING };

/* An address as small as it can be kept: IPv4 is stored mapped (RFC 4291 2.5.5.2). */
struct sess_addr {
    uint8_t ip[16];
    uint16_t port;
};

/* What a tick looks at comes first. */
struct sess {
    sess_id id; /* of a free slot: the next session's, 0 before the first */
    enum sess_state state;
    enum disc_why why;
    struct pulse pulse;
    struct outq out;
    uint64_t opened_ms;
    uint64_t asked_ms;   /* its newest message; before the first: opened */
    uint64_t closing_ms; /* entered CLOSING */
    uint64_t msgs_in, msgs_out, bytes_in, bytes_out;
    uint32_t
        where; /* index in the table's live list; of a free slot: the next free one */
    struct sess_addr addr;
    uint8_t role;
    bool secure;
};
static_assert(sizeof(struct sess) <= 256, "per session: raise it knowingly");

struct sess_table {
    struct sess *slots;
    uint32_t *live; /* slots in use, dense: live[0, n_live), in no order */
    uint32_t cap;
    uint32_t fresh;  /* slots never used start here */
    uint32_t free;   /* slot freed last; cap: none */
    uint32_t n_live; /* OPEN and CLOSING */
    uint32_t n_closing;
};

/* cap: 1 to LIM_SESSIONS_SLOTS. 0 or -EINVAL, -ENOMEM. */
int sess_table_init(struct sess_table *t, uint32_t cap);
void sess_table_free(struct sess_table *t);
/* A slot in state OPEN, zeroed but for id and state; NULL when the table is full. */
struct sess *sess_open(struct sess_table *t);
/* NULL for an id whose slot was recycled, or that never was. */
struct sess *sess_find(struct sess_table *t, sess_id id);
/* OPEN -> CLOSING with this cause; the first cause wins, later calls change nothing.
 * True when this call was the first. */
bool sess_doom(struct sess_table *t, struct sess *s, enum disc_why why,
               uint64_t now_ms);
/* CLOSING -> FREE; the generation moves on, all else is wiped. Its queue must be
 * cleared (outq_clear). The last of the live list takes its place there: walk that list
 * backwards to close on the way. */
void sess_close(struct sess_table *t, struct sess *s);
static inline uint32_t sess_slot(sess_id id) { return (uint32_t)id; }

/* Families other than IPv4 and IPv6 (a Unix socket) are stored as zeros. */
void sess_addr_from(struct sess_addr *a, const struct sockaddr *sa);
/* "192.168.1.7:51234", "[fe80::1]:51234" (RFC 5952), "local" for all zeros. Returns
 * out. */
#define SESS_ADDR_TEXT 56
const char *sess_addr_text(const struct sess_addr *a, char *out, size_t cap);
