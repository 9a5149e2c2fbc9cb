/* Bytes in: adoption of new connections, reading and decoding. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "hub/hub_priv.h"

void io_read_again(struct hub *h, const struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->more)
        return;
    c->more = true;
    struct slot_queue *q = &h->more;
    q->slot[(q->first + q->n++) % q->cap] = sess_slot(s->id);
}

static void on_message(struct hub *h, struct sess *s, enum ws_op op, const uint8_t *p,
                       size_t n) {
    s->msgs_in++;
    s->asked_ms = h->now_ms;
    h->m.frames_in++;
    h->o.app->message(h->o.ctx, h, s->id, op, p, n);
}

static void on_data(struct hub *h, struct sess *s, struct conn *c,
                    const struct ws_event *ev) {
    if (c->phase != CONN_RUN)
        return;
    /* The common case, a message within what was just read, is not copied. */
    if (ev->first && ev->last) {
        on_message(h, s, ev->op, ev->data, ev->len);
        return;
    }
    if (ev->first) {
        c->rx_since_ms = h->now_ms;
        hub_due(h, h->now_ms + h->o.message_ms);
    }
    while (chain_put(&c->rx, &h->pool, ev->data, ev->len) != 0) {
        if (!io_relieve(h, s))
            return;
    }
    if (!ev->last)
        return;
    size_t n = c->rx.len;
    chain_move(&c->rx, &h->pool, h->message);
    c->rx_since_ms = 0;
    on_message(h, s, ev->op, h->message, n);
}

/* Nothing more is expected of the peer: what is queued goes, our close frame last. */
static void last_words(struct hub *h, struct sess *s, struct conn *c) {
    if (c->phase != CONN_CLOSE_SENT)
        return;
    c->phase = CONN_LAST_WORDS;
    io_dirty(h, s);
}

static void on_close(struct hub *h, struct sess *s, struct conn *c,
                     const struct ws_event *ev) {
    last_words(h, s, c);
    if (c->phase != CONN_RUN)
        return;
    struct disc_facts f = {.close_frame = true};
    end_session(h, s, disc_classify(&f), ev->code, NULL);
}

static void on_pong(struct hub *h, struct sess *s, const struct ws_event *ev) {
    if (ev->len != 8)
        return;
    if (!pulse_pong(&s->pulse, &h->o.pulse, h->now_ms, bytes_get64(ev->data)))
        return;
    h->m.pongs++;
    metrics_rtt(&h->m, s->pulse.rtt_ms);
}

static void on_control(struct hub *h, struct sess *s, struct conn *c,
                       const struct ws_event *ev) {
    h->m.frames_in++;
    if (ev->op == WS_CLOSE)
        on_close(h, s, c, ev);
    else if (ev->op == WS_PONG)
        on_pong(h, s, ev);
    else if (c->phase == CONN_RUN)
        io_send(h, s, WS_PONG, ev->data, ev->len); /* RFC 6455 5.5.2 */
}

/* p is h->inbuf, or else its bytes are in c->t no more: what cannot be looked at now is
 * kept, since a burst of requests may ask for more answers than may be owed. */
static void keep(struct hub *h, struct sess *s, struct conn *c, const uint8_t *p,
                 size_t n) {
    while (n > 0 && chain_put(&c->unread, &h->pool, p, n) != 0) {
        if (!io_relieve(h, s))
            return;
    }
}

/* Enough of this session for now: it owes too much, or its turn is over. */
static bool enough(const struct hub *h, const struct sess *s, const struct conn *c) {
    return c->phase == CONN_RUN && (io_paused(h, s, c) || clock_ns() >= h->turn_end_ns);
}

/* all: whatever it costs. */
static void decode(struct hub *h, struct sess *s, struct conn *c, uint8_t *p, size_t n,
                   bool all) {
    for (;;) {
        size_t used;
        struct ws_event ev;
        enum ws_rc rc = ws_decode(&c->in, p, n, &used, &ev);
        p += used;
        n -= used;
        if (rc == WS_MORE || c->phase == CONN_DEAD)
            return;
        if (rc == WS_DATA)
            on_data(h, s, c, &ev);
        else if (rc == WS_CONTROL)
            on_control(h, s, c, &ev);
        else if (c->phase == CONN_RUN)
            end_session(h, s, DISC_PROTOCOL_ERROR, ev.code, ev.why);
        else
            last_words(h, s, c);
        if (!all && enough(h, s, c)) {
            keep(h, s, c, p, n);
            return;
        }
    }
}

static void take_in(struct hub *h, struct sess *s, struct conn *c, uint8_t *p, size_t n,
                    bool all) {
    s->bytes_in += n;
    h->m.bytes_in += n;
    if (c->phase == CONN_RUN)
        pulse_heard(&s->pulse, h->now_ms);
    decode(h, s, c, p, n, all);
}

/* The stream cannot be read any further. */
void io_ended(struct hub *h, struct sess *s, long rc) {
    /* A send that met a reset has used the error up: recv(2) then says 0. */
    int err = rc < 0 ? (int)-rc : hub_conn(h, s)->send_err;
    struct disc_facts f = {.eof = err == 0, .err = err};
    end_session(h, s, disc_classify(&f), 0, NULL);
    end_dead(h, s);
}

/* What was kept comes before anything newer. It fits: it came from the same buffer. */
static void decode_kept(struct hub *h, struct sess *s, struct conn *c, bool all) {
    size_t n = c->unread.len;
    if (n == 0 || (!all && enough(h, s, c)))
        return;
    chain_move(&c->unread, &h->pool, h->inbuf);
    decode(h, s, c, h->inbuf, n, all);
}

/* Bytes to ask for: few, but for the rest of a long frame, which is never kept. */
static size_t sip(const struct conn *c, size_t budget) {
    size_t n = c->in.left > HUB_SIP_BYTES ? c->in.left : HUB_SIP_BYTES;
    return n < budget ? n : budget;
}

static void read_some(struct hub *h, struct sess *s, struct conn *c, bool all) {
    size_t budget = HUB_READ_BYTES;
    while (budget > 0 && c->phase != CONN_DEAD && (all || !enough(h, s, c))) {
        size_t n = sip(c, budget);
        long got = c->t.ops->recv(&c->t, h->inbuf, n);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            io_ended(h, s, got);
            return;
        }
        take_in(h, s, c, h->inbuf, (size_t)got, all);
        /* A short read has emptied a plain socket; epoll tells of anything newer. */
        if ((size_t)got < n && !c->t.ops->pending(&c->t))
            return;
        budget -= (size_t)got;
    }
}

static void begin_turn(struct hub *h) {
    uint64_t end_ns = clock_ns() + HUB_TURN_NS;
    h->turn_end_ns = end_ns < h->turns_end_ns ? end_ns : h->turns_end_ns;
}

void io_read(struct hub *h, struct sess *s, bool all) {
    struct conn *c = hub_conn(h, s);
    begin_turn(h);
    decode_kept(h, s, c, all);
    read_some(h, s, c, all);
    if (c->phase == CONN_DEAD)
        return;
    /* What epoll cannot see, above the socket or out of it; and whoever's time ran out
     * before he was done, or before it was his turn at all. */
    if (!io_paused(h, s, c) &&
        (c->unread.len > 0 || c->t.ops->pending(&c->t) || clock_ns() >= h->turn_end_ns))
        io_read_again(h, s);
    if (c->t.ops->unflushed(&c->t))
        io_dirty(h, s); /* an alert or a key update of the layer's own */
    io_watch(h, s, c);
}

void io_read_more(struct hub *h) {
    struct slot_queue *q = &h->more;
    for (uint32_t n = q->n; n > 0 && clock_ns() < h->turns_end_ns; n--) {
        uint32_t slot = q->slot[q->first];
        q->first = (q->first + 1) % q->cap;
        q->n--;
        h->conn[slot].more = false;
        if (h->tab.slots[slot].state != SESS_FREE)
            io_read(h, &h->tab.slots[slot], false);
    }
}

void io_event(struct hub *h, sess_id id, uint32_t events) {
    struct sess *s = sess_find(&h->tab, id);
    if (!s)
        return; /* the slot was recycled within this batch */
    struct conn *c = hub_conn(h, s);
    /* EPOLLERR and EPOLLHUP cannot be turned off: they are dealt with even when reading
     * is held back. */
    bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    /* Who stands in the queue has had his turn, or comes first in the next tick. */
    if (broken || (!c->more && (events & (EPOLLIN | EPOLLRDHUP))))
        io_read(h, s, broken);
    if ((events & EPOLLOUT) && c->phase != CONN_DEAD)
        io_flush(h, s);
}

/* The first ping comes between half a second and a third of the interval, at random, so
 * that sessions which opened together do not beat together. */
static uint32_t first_ping_ms(struct hub *h) {
    h->random = h->random * 6364136223846793005u + 1442695040888963407u;
    uint32_t span = h->o.pulse.start_ms / 3;
    return 500 + (uint32_t)(h->random >> 33) % (span ? span : 1);
}

static void tune(const struct hub *h, int fd) {
    /* Best effort: an option that this kind of socket lacks is no reason to refuse. */
    int v = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v));
    v = (int)h->o.user_timeout_ms;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &v, sizeof(v));
    v = (int)h->o.sndbuf;
    if (v)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v));
    v = (int)h->o.notsent_lowat;
    if (v)
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &v, sizeof(v));
}

static void fill(struct hub *h, struct sess *s, const struct handoff_item *it) {
    struct conn *c = hub_conn(h, s);
    /* The slot may still stand on a list from its life before. */
    *c = (struct conn){
        .t = it->t, .events = EPOLLIN | EPOLLRDHUP, .dirty = c->dirty, .more = c->more};
    ws_in_init(&c->in, h->o.max_message);
    s->addr = it->hello.addr;
    s->role = it->hello.role;
    s->secure = it->t.tls != NULL;
    s->opened_ms = s->asked_ms = h->now_ms;
    outq_init(&s->out, h->o.topics, h->ring.next);
    pulse_start(&s->pulse, &h->o.pulse, h->now_ms, first_ping_ms(h));
    hub_due(h, pulse_due_ms(&s->pulse, &h->o.pulse));
}

void io_adopt(struct hub *h, struct handoff_item *it) {
    struct sess *s = sess_open(&h->tab);
    assert(s); /* it holds a reservation */
    fill(h, s, it);
    struct conn *c = hub_conn(h, s);
    h->m.opened++;
    if (h->tab.n_live > h->m.peak)
        h->m.peak = h->tab.n_live;
    if (h->o.first_role && s->role >= h->o.first_role && handoff_crowded(&h->box))
        end_idlest(h, h->o.first_role);
    tune(h, c->t.fd);
    h->o.app->opened(h->o.ctx, h, s->id, &it->hello);
    struct epoll_event ev = {.events = c->events, .data.u64 = s->id};
    if (epoll_ctl(h->ep, EPOLL_CTL_ADD, c->t.fd, &ev) != 0) {
        end_session(h, s, DISC_INTERNAL_ERROR, 0, NULL);
        end_dead(h, s);
        return;
    }
    int rc = c->t.ops->settle ? c->t.ops->settle(&c->t) : 0;
    if (rc != 0) {
        io_ended(h, s, rc);
        return;
    }
    if (h->stopping)
        end_session(h, s, DISC_SHUTDOWN, 0, NULL);
    begin_turn(h);
    if (it->leftover_n)
        take_in(h, s, c, it->leftover, it->leftover_n, false);
    /* Records that were decrypted before the hub looked do not show in epoll, and
     * neither do frames that there was no time for. */
    if (c->unread.len > 0 || c->t.ops->pending(&c->t))
        io_read_again(h, s);
}
