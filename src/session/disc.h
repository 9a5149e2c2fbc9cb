#pragma once
/* Why a session ended: a pure function from evidence to cause, and what each cause
 * means. It replaces matching on error strings. */
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

enum disc_why {
    DISC_NONE,
    DISC_PEER_CLOSED,
    DISC_PEER_GONE,
    DISC_PEER_RESET,
    DISC_HEARTBEAT_LOST,
    DISC_SLOW_READER,
    DISC_LOGGED_OUT,
    DISC_EXPIRED,
    DISC_EVICTED,
    DISC_PROTOCOL_ERROR,
    DISC_SHUTDOWN,
    DISC_INTERNAL_ERROR,
    DISC_N
};

/* What was seen of a connection that can no longer be used, or should not be. */
struct disc_facts {
    bool close_frame;     /* a close frame was received */
    bool eof;             /* the stream ended in order: FIN or TLS close_notify */
    int err;              /* positive errno of the failed call, 0 for none */
    bool stalled;         /* our output made no progress for the limit */
    bool heartbeats_lost; /* three missed and the double check failed */
    bool peer_acks;       /* its kernel still acknowledges: alive, but not reading */
};

/* A local fault (EBADF, ENOMEM, ...) is DISC_INTERNAL_ERROR, whatever else was seen;
 * anything that the network or the peer can cause is not. DISC_NONE: no evidence. */
enum disc_why disc_classify(const struct disc_facts *f);

struct disc_info {
    const char *name; /* as in /ws/stats */
    uint16_t
        close_code; /* that we send first; 0: none (the peer's is echoed, if any) */
    enum log_level level;
    bool expected; /* part of ordinary life, nobody's fault */
};
const struct disc_info *disc_info(enum disc_why why);
