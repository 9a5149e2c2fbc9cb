/* Bytes in and out: adoption of new connections, reading and decoding, flushing. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "base/bytes.h"
#include "hub/hub_priv.h"

/* Reading stops while a session owes more than this share of its limit, so that one
 * that asks but does not read is held back by TCP instead of costing memory. */
static uint32_t pause_at(const struct hub *h) { return h->o.reply_bytes / 2; }

static void set_events(struct hub *h, const struct sess *s, struct conn *c,
                       uint32_t events) {
    if (c->events == events || c->phase == CONN_DEAD)
        return;
    struct epoll_event ev = {.events = events, .data.u64 = s->id};
    /* Cannot fail for a descriptor that is registered (epoll_ctl(2)). */
    epoll_ctl(h->ep, EPOLL_CTL_MOD, c->t.fd, &ev);
    c->events = events;
}

bool io_paused(const struct hub *h, const struct sess *s, const struct conn *c) {
    return c->phase == CONN_RUN && s->out.own.len > pause_at(h);
}

static void watch(struct hub *h, const struct sess *s, struct conn *c) {
    /* Level-triggered: what is not going to be read must not be asked for. */
    uint32_t events = io_paused(h, s, c) ? 0 : EPOLLIN | EPOLLRDHUP;
    if (c->blocked_ms)
        events |= EPOLLOUT;
    set_events(h, s, c, events);
}

static void note_debt(struct hub *h, const struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (s->out.own.len <= pause_at(h)) {
        c->over_ms = 0;
    } else if (!c->over_ms) {
        c->over_ms = h->now_ms;
        hub_due(h, h->now_ms + hub_over_limit_ms(h));
    }
}

void io_dirty(struct hub *h, struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->dirty)
        return;
    c->dirty = true;
    h->dirty.slot[h->dirty.n++] = sess_slot(s->id);
}

static void read_again(struct hub *h, const struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->more)
        return;
    c->more = true;
    h->more.slot[h->more.n++] = sess_slot(s->id);
}

/* The pool is empty: whoever holds most of it pays, so that one hoarder cannot cost the
 * others theirs. True when s itself is still in good standing. */
static bool relieve(struct hub *h, struct sess *s) {
    struct sess *worst = s;
    uint32_t most = 0;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *other = &h->tab.slots[h->tab.live[i]];
        uint32_t held = other->out.own.len + hub_conn(h, other)->rx.len;
        if (held > most) {
            most = held;
            worst = other;
        }
    }
    struct conn *c = hub_conn(h, worst);
    if (c->rx.len > worst->out.own.len)
        end_session(h, worst, DISC_PROTOCOL_ERROR, 1008, "message held back too long");
    else
        end_session(h, worst, DISC_SLOW_READER, 0, NULL);
    chain_clear(&c->rx, &h->pool);
    end_dead(h, worst);
    outq_clear(&worst->out, &h->pool);
    return worst != s;
}

static int put_own(struct hub *h, struct sess *s, enum ws_op op, const uint8_t *p,
                   size_t n) {
    uint8_t head[WS_HEAD_MAX];
    size_t head_n = ws_head(head, op, n);
    if (head_n + n + s->out.own.len > h->o.reply_bytes)
        return -ENOBUFS;
    while (outq_put(&s->out, &h->pool, h->o.reply_bytes, head, head_n, p, n) != 0) {
        if (h->in_closing || !relieve(h, s))
            return -ENOBUFS;
    }
    note_debt(h, s);
    s->msgs_out += op < WS_CLOSE;
    h->m.frames_out++;
    io_dirty(h, s);
    return 0;
}

int io_send(struct hub *h, struct sess *s, enum ws_op op, const uint8_t *p, size_t n) {
    int rc = put_own(h, s, op, p, n);
    if (rc == -ENOBUFS && !h->in_closing)
        end_session(h, s, DISC_SLOW_READER, 0, NULL);
    return rc;
}

static void on_message(struct hub *h, struct sess *s, enum ws_op op, const uint8_t *p,
                       size_t n) {
    s->msgs_in++;
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
        if (!relieve(h, s))
            return;
    }
    if (!ev->last)
        return;
    size_t n = c->rx.len;
    chain_move(&c->rx, &h->pool, h->message);
    c->rx_since_ms = 0;
    on_message(h, s, ev->op, h->message, n);
}

static void on_close(struct hub *h, struct sess *s, struct conn *c,
                     const struct ws_event *ev) {
    if (c->phase == CONN_CLOSE_SENT) {
        c->phase = CONN_LAST_WORDS;
        io_dirty(h, s);
        return;
    }
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

static void decode(struct hub *h, struct sess *s, struct conn *c, uint8_t *p,
                   size_t n) {
    s->bytes_in += n;
    h->m.bytes_in += n;
    if (c->phase == CONN_RUN)
        pulse_heard(&s->pulse, h->now_ms);
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
            end_dead(h, s);
    }
}

/* The stream cannot be read any further. */
static void on_end(struct hub *h, struct sess *s, long rc) {
    struct disc_facts f = {.eof = rc == 0, .err = (int)-rc};
    end_session(h, s, disc_classify(&f), 0, NULL);
    end_dead(h, s);
}

static void read_some(struct hub *h, struct sess *s, struct conn *c, bool broken) {
    size_t budget = HUB_READ_BYTES;
    while (c->phase != CONN_DEAD && (broken || !io_paused(h, s, c))) {
        long got = c->t.ops->recv(&c->t, h->inbuf, budget);
        if (got == -EAGAIN)
            break;
        if (got <= 0) {
            on_end(h, s, got);
            return;
        }
        decode(h, s, c, h->inbuf, (size_t)got);
        /* A short read has emptied a plain socket; epoll tells of anything newer. */
        if ((size_t)got < budget && !c->t.ops->pending(&c->t))
            break;
        budget -= (size_t)got;
        if (budget == 0) {
            read_again(h, s);
            break;
        }
    }
    watch(h, s, c);
}

void io_read(struct hub *h, struct sess *s) { read_some(h, s, hub_conn(h, s), false); }

void io_read_more(struct hub *h) {
    struct slot_list now = h->more;
    h->more = h->spare;
    h->more.n = 0;
    h->spare = now;
    for (uint32_t i = 0; i < now.n; i++) {
        struct sess *s = &h->tab.slots[now.slot[i]];
        hub_conn(h, s)->more = false;
        if (s->state != SESS_FREE)
            io_read(h, s);
    }
}

/* Sends what is owed. Returns 0 (all out), 1 (budget used up), -EAGAIN, or -errno. */
static long send_some(struct hub *h, struct sess *s, struct conn *c) {
    size_t budget = HUB_WRITE_BYTES;
    for (;;) {
        struct iovec iov[HUB_IOV];
        int n = outq_peek(&s->out, &h->ring, iov, HUB_IOV, budget);
        if (n == 0 && !c->t.ops->unflushed(&c->t))
            return 0;
        long put = c->t.ops->send(&c->t, iov, n);
        if (put < 0)
            return put;
        unsigned frames = outq_taken(&s->out, &h->pool, &h->ring, (size_t)put);
        s->msgs_out += frames;
        h->m.frames_out += frames;
        s->bytes_out += (uint64_t)put;
        h->m.bytes_out += (uint64_t)put;
        if (put > 0)
            c->blocked_ms = 0;
        if ((size_t)put >= budget)
            return 1;
        budget -= (size_t)put;
    }
}

static void flush(struct hub *h, struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->phase == CONN_DEAD || c->phase == CONN_LINGER)
        return;
    bool was_paused = io_paused(h, s, c);
    long rc = send_some(h, s, c);
    if (rc == -EAGAIN) {
        if (!c->blocked_ms) {
            c->blocked_ms = h->now_ms;
            hub_due(h, h->now_ms + h->o.stall_ms);
        }
    } else if (rc < 0) {
        /* What the peer said before it broke off still counts: its close frame, say. */
        read_some(h, s, c, true);
        on_end(h, s, rc);
        return;
    } else {
        c->blocked_ms = 0;
        if (rc == 1)
            io_dirty(h, s);
        else if (c->phase == CONN_LAST_WORDS) {
            c->t.ops->finish(&c->t);
            c->phase = CONN_LINGER;
        }
    }
    note_debt(h, s);
    if (was_paused && !io_paused(h, s, c))
        read_again(h, s); /* decrypted bytes may wait where epoll does not see them */
    watch(h, s, c);
}

void io_flush_all(struct hub *h) {
    struct slot_list now = h->dirty;
    h->dirty = h->spare;
    h->dirty.n = 0;
    h->spare = now;
    for (uint32_t i = 0; i < now.n; i++) {
        struct sess *s = &h->tab.slots[now.slot[i]];
        struct conn *c = hub_conn(h, s);
        c->dirty = false;
        /* One that is stuck waits for EPOLLOUT; trying again would only cost a call. */
        if (s->state != SESS_FREE && !(c->events & EPOLLOUT))
            flush(h, s);
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
    if (broken || (events & (EPOLLIN | EPOLLRDHUP)))
        read_some(h, s, c, broken);
    if ((events & EPOLLOUT) && c->phase != CONN_DEAD)
        flush(h, s);
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
    s->opened_ms = h->now_ms;
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
    tune(h, c->t.fd);
    h->o.app->opened(h->o.ctx, h, s->id, &it->hello);
    struct epoll_event ev = {.events = c->events, .data.u64 = s->id};
    if (epoll_ctl(h->ep, EPOLL_CTL_ADD, c->t.fd, &ev) != 0) {
        end_session(h, s, DISC_INTERNAL_ERROR, 0, NULL);
        end_dead(h, s);
        return;
    }
    if (h->stopping)
        end_session(h, s, DISC_SHUTDOWN, 0, NULL);
    if (it->leftover_n)
        decode(h, s, c, it->leftover, it->leftover_n);
    /* Records that were decrypted before the hub looked do not show in epoll. */
    if (c->t.ops->pending(&c->t))
        read_again(h, s);
}
