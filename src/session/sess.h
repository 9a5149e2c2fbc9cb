#pragma once
/* The session table: a fixed array of slots, ids that carry a generation, one state enum
 * with one door. Hub thread only. Capacity is given at start and never grows; untouched
 * slots are not resident. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "session/disc.h"
#include "session/outq.h"
#include "session/pulse.h"

/* generation << 32 | slot. 0 is never a session. */
typedef uint64_t sess_id;

enum sess_state { SESS_FREE, SESS_OPEN, SESS_CLOSING };

/* An address as small as it can be kept: IPv4 is stored mapped (RFC 4291 2.5.5.2). */
struct sess_addr {
    uint8_t ip[16];
    uint16_t port;
};

struct sess {
    sess_id id;
    enum sess_state state;
    enum disc_why why;
    struct pulse pulse;
    struct outq out;
    uint64_t opened_ms;
    uint64_t closing_ms; /* entered CLOSING */
    uint64_t msgs_in, msgs_out, bytes_in, bytes_out;
    uint64_t token[2]; /* to resume; 0: none */
    struct sess_addr addr;
    uint8_t role;
    bool secure;
};

struct sess_table {
    struct sess *slots;
    uint32_t *gen;
    uint32_t *free; /* stack of free slots */
    uint32_t *live; /* dense list of used slots, for iteration */
    uint32_t *where; /* slot -> index in live */
    uint32_t cap, n_free, n_live, n_closing;
};

/* 0 or -EINVAL, -ENOMEM. */
int sess_table_init(struct sess_table *t, uint32_t cap);
void sess_table_free(struct sess_table *t);
/* A slot in state OPEN, zeroed but for id and state; NULL when the table is full. */
struct sess *sess_open(struct sess_table *t);
/* NULL for an id whose slot was recycled, or that never was. */
struct sess *sess_find(struct sess_table *t, sess_id id);
/* OPEN -> CLOSING with this cause; the first cause wins, later calls change nothing.
 * True when this call was the first. */
bool sess_doom(struct sess_table *t, struct sess *s, enum disc_why why, uint64_t now_ms);
/* CLOSING -> FREE; the generation moves on. */
void sess_close(struct sess_table *t, struct sess *s);
static inline uint32_t sess_slot(sess_id id) {
    return (uint32_t)id;
}
void sess_addr_from(struct sess_addr *a, const struct sockaddr *sa);
/* "192.168.1.7:51234", "[fe80::1]:51234". cap >= 56. */
const char *sess_addr_text(const struct sess_addr *a, char *out, size_t cap);
