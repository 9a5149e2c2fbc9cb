/* How sessions end: doomed now, with one cause; reaped at the end of the tick. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hub/hub_priv.h"

/* Causes where a word of the application still helps the peer (it may retry later). */
static bool deserves_word(enum disc_why why) {
    return why == DISC_SHUTDOWN || why == DISC_EVICTED || why == DISC_LOGGED_OUT ||
           why == DISC_EXPIRED;
}

static void say_word(struct hub *h, struct sess *s, enum disc_why why) {
    if (s->state != SESS_OPEN || h->in_closing || !h->o.app->closing ||
        !deserves_word(why))
        return;
    h->in_closing = true;
    h->o.app->closing(h->o.ctx, h, s->id, why);
    h->in_closing = false;
}

/* Queues the close frame; false when there is no room even for that. */
static bool queue_close(struct hub *h, struct sess *s, uint16_t code,
                        const char *reason) {
    uint8_t head[WS_HEAD_MAX], body[WS_CONTROL_MAX];
    size_t n = ws_close_payload(body, code, reason ? reason : "");
    size_t head_n = ws_head(head, WS_CLOSE, n);
    if (outq_put(&s->out, &h->pool, UINT32_MAX, head, head_n, body, n) != 0)
        return false;
    h->m.frames_out++;
    io_dirty(h, s);
    return true;
}

static uint64_t patience_ms(const struct hub *h, enum disc_why why) {
    /* A peer that was silent for three intervals is told, but not waited for. */
    return why == DISC_HEARTBEAT_LOST ? 0 : h->o.close_ms;
}

void end_session(struct hub *h, struct sess *s, enum disc_why why, uint16_t code,
                 const char *reason) {
    say_word(h, s, why);
    if (!sess_doom(&h->tab, s, why, h->now_ms))
        return;
    struct conn *c = hub_conn(h, s);
    outq_stop_bcast(&s->out);
    chain_clear(&c->rx, &h->pool);
    chain_clear(&c->unread, &h->pool);
    c->rx_since_ms = 0;
    if (code == 0)
        code = disc_info(why)->close_code;
    if (code == 0 || !queue_close(h, s, code, reason)) {
        end_dead(h, s);
        return;
    }
    /* Nothing that comes after an error, or after its close frame, is of interest. */
    bool last = why == DISC_PEER_CLOSED || why == DISC_PROTOCOL_ERROR ||
                why == DISC_INTERNAL_ERROR;
    c->phase = last ? CONN_LAST_WORDS : CONN_CLOSE_SENT;
    c->deadline_ms = h->now_ms + patience_ms(h, why);
    hub_due(h, c->deadline_ms);
}

void end_idlest(struct hub *h, uint8_t role) {
    struct sess *idlest = NULL;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *s = &h->tab.slots[h->tab.live[i]];
        if (s->state == SESS_OPEN && s->role < role &&
            (!idlest || s->asked_ms < idlest->asked_ms))
            idlest = s;
    }
    if (idlest)
        end_session(h, idlest, DISC_EVICTED, 0, NULL);
}

void end_dead(struct hub *h, struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->phase == CONN_DEAD)
        return;
    c->phase = CONN_DEAD;
    h->dead[h->n_dead++] = sess_slot(s->id);
}

void end_reap(struct hub *h) {
    for (uint32_t i = 0; i < h->n_dead; i++) {
        struct sess *s = &h->tab.slots[h->dead[i]];
        struct conn *c = hub_conn(h, s);
        sess_id id = s->id;
        enum disc_why why = s->why;
        h->m.closed[why]++;
        h->m.conflated += s->out.conflated;
        outq_clear(&s->out, &h->pool);
        c->t.ops->close(&c->t); /* also takes it out of epoll */
        h->o.app->closed(h->o.ctx, h, id, why);
        sess_close(&h->tab, s);
        handoff_release(&h->box);
    }
    h->n_dead = 0;
}

bool end_peer_acks(const struct conn *c, uint64_t within_ms) {
    struct tcp_info ti;
    socklen_t n = sizeof(ti);
    memset(&ti, 0, sizeof(ti));
    if (getsockopt(c->t.fd, IPPROTO_TCP, TCP_INFO, &ti, &n) != 0)
        return false;
    /* tcp(7): milliseconds since the last ACK of any kind came in. */
    return ti.tcpi_last_ack_recv <= within_ms;
}
