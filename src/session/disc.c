#include "session/disc.h"

#include <assert.h>
#include <errno.h>

static const struct disc_info infos[DISC_N] = {
    [DISC_NONE] = {"none", 0, LOG_LVL_DEBUG, true},
    [DISC_PEER_CLOSED] = {"peer_closed", 0, LOG_LVL_DEBUG, true},
    [DISC_PEER_GONE] = {"peer_gone", 0, LOG_LVL_DEBUG, true},
    [DISC_PEER_RESET] = {"peer_reset", 0, LOG_LVL_DEBUG, true},
    [DISC_HEARTBEAT_LOST] = {"heartbeat_lost", 4001, LOG_LVL_INFO, true},
    [DISC_SLOW_READER] = {"slow_reader", 4008, LOG_LVL_INFO, true},
    [DISC_LOGGED_OUT] = {"logged_out", 1008, LOG_LVL_INFO, true},
    [DISC_EXPIRED] = {"expired", 1008, LOG_LVL_INFO, true},
    [DISC_EVICTED] = {"evicted", 4002, LOG_LVL_INFO, true},
    [DISC_PROTOCOL_ERROR] = {"protocol_error", 1002, LOG_LVL_NOTICE, false},
    [DISC_SHUTDOWN] = {"shutdown", 1001, LOG_LVL_INFO, true},
    [DISC_INTERNAL_ERROR] = {"internal_error", 1011, LOG_LVL_ERROR, false},
};

const struct disc_info *disc_info(enum disc_why why) {
    assert((unsigned)why < DISC_N);
    return &infos[why];
}

/* Errors that a connected TCP socket reports because of what happened outside. */
static bool caused_outside(int err) {
    switch (err) {
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN: /* reset while we were not looking */
    case ESHUTDOWN:
    case ECONNABORTED: /* also when an administrator kills the socket */
    case ETIMEDOUT:    /* also TCP_USER_TIMEOUT and keep-alive */
    case EPROTO:       /* also TLS spoken wrongly */
    case EBADMSG:      /* TLS record that does not verify */
    /* What an ICMP error becomes when TCP gives up (Linux icmp_err_convert[], and its
     * twin of IPv6). */
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ECONNREFUSED:
    case EMSGSIZE:
    case EOPNOTSUPP:
    case EHOSTDOWN:
    case ENONET:
    case EACCES:
    /* The interface went away, or a packet filter stands in between. */
    case ENETDOWN:
    case ENETRESET:
    case ENODEV:
    case EPERM:
        return true;
    default:
        return false;
    }
}

enum disc_why disc_classify(const struct disc_facts *f) {
    /* Nothing that the peer does may hide a fault of ours. */
    if (f->err && !caused_outside(f->err))
        return DISC_INTERNAL_ERROR;
    if (f->close_frame)
        return DISC_PEER_CLOSED;
    if (f->eof)
        return DISC_PEER_GONE;
    if (f->err)
        return DISC_PEER_RESET;
    if (f->stalled && f->peer_acks)
        return DISC_SLOW_READER;
    if (f->heartbeats_lost)
        return DISC_HEARTBEAT_LOST;
    return f->stalled ? DISC_PEER_RESET : DISC_NONE;
}
