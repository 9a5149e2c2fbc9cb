/* Bytes out: queueing, flushing, and holding back those who do not read. */
#include <errno.h>
#include <sys/epoll.h>

#include "hub/hub_priv.h"

/* For fewer a burst is not worth its while. */
#define BURST_MIN 4u

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

void io_watch(struct hub *h, const struct sess *s, struct conn *c) {
    /* Level-triggered: what is not going to be read must not be asked for. */
    uint32_t events = io_paused(h, s, c) ? 0 : EPOLLIN | EPOLLRDHUP;
    if (c->blocked_ms)
        events |= EPOLLOUT;
    set_events(h, s, c, events);
}

static void note_debt(struct hub *h, const struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->phase != CONN_RUN)
        return;
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

bool io_relieve(struct hub *h, struct sess *s) {
    struct sess *worst = s;
    uint32_t most = 0;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *other = &h->tab.slots[h->tab.live[i]];
        uint32_t held = other->out.own.len + io_in_held(hub_conn(h, other));
        if (held > most) {
            most = held;
            worst = other;
        }
    }
    struct conn *c = hub_conn(h, worst);
    /* An unfinished message is its doing; requests that wait are not. */
    if (c->rx.len > worst->out.own.len + c->unread.len)
        end_session(h, worst, DISC_PROTOCOL_ERROR, 1008, "message held back too long");
    else
        end_session(h, worst, DISC_SLOW_READER, 0, NULL);
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
        if (h->in_closing || !io_relieve(h, s))
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

/* n bytes of what outq_peek() showed were taken. */
static void sent(struct hub *h, struct sess *s, struct conn *c, size_t n) {
    unsigned frames = outq_taken(&s->out, &h->pool, &h->ring, n);
    s->msgs_out += frames;
    h->m.frames_out += frames;
    s->bytes_out += n;
    h->m.bytes_out += n;
    if (n > 0)
        c->blocked_ms = 0;
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
        sent(h, s, c, (size_t)put);
        if ((size_t)put >= budget)
            return 1;
        budget -= (size_t)put;
    }
}

static void all_out(struct hub *h, struct conn *c) {
    c->blocked_ms = 0;
    if (c->phase != CONN_LAST_WORDS)
        return;
    c->t.ops->finish(&c->t);
    c->phase = CONN_LINGER;
    /* The layer's own goodbye may have met a full socket. */
    if (c->t.ops->unflushed(&c->t))
        c->blocked_ms = h->now_ms;
}

/* Sending came to rc, see send_some(). */
static void flushed(struct hub *h, struct sess *s, struct conn *c, long rc,
                    bool was_paused) {
    if (rc == -EAGAIN) {
        if (!c->blocked_ms) {
            c->blocked_ms = h->now_ms;
            hub_due(h, h->now_ms + h->o.stall_ms);
        }
    } else if (rc < 0) {
        /* What the peer said before it broke off still counts: its close frame, say. */
        c->send_err = (uint16_t)-rc;
        io_read(h, s, true);
        io_ended(h, s, rc);
        return;
    } else if (rc == 1) {
        c->blocked_ms = 0;
        io_dirty(h, s);
    } else {
        all_out(h, c);
    }
    note_debt(h, s);
    if (was_paused && !io_paused(h, s, c))
        io_read_again(h, s); /* bytes may wait where epoll does not see them */
    io_watch(h, s, c);
}

void io_flush(struct hub *h, struct sess *s) {
    struct conn *c = hub_conn(h, s);
    if (c->phase == CONN_DEAD)
        return;
    bool was_paused = io_paused(h, s, c);
    flushed(h, s, c, send_some(h, s, c), was_paused);
}

/* The common case: one piece, to be sent as it is. */
static bool joins_burst(struct hub *h, struct sess *s, struct conn *c) {
    struct iovec iov[2];
    if (!c->t.ops->bare || c->phase == CONN_DEAD || io_paused(h, s, c) ||
        outq_peek(&s->out, &h->ring, iov, 2, HUB_WRITE_BYTES) != 1)
        return false;
    burst_add(&h->burst, c->t.fd, iov[0].iov_base, iov[0].iov_len);
    return true;
}

/* Those of the slots that can, all at once. Whatever a flush may lead to (replies, the
 * end of others) comes after the last of them is accounted for. */
static void flush_burst(struct hub *h, const uint32_t *slot, uint32_t n) {
    uint32_t joined[BURST_MAX], k = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct sess *s = &h->tab.slots[slot[i]];
        struct conn *c = hub_conn(h, s);
        if (s->state != SESS_FREE && !(c->events & EPOLLOUT) && joins_burst(h, s, c))
            joined[k++] = slot[i];
    }
    burst_send(&h->burst);
    for (uint32_t i = 0; i < k; i++) {
        struct sess *s = &h->tab.slots[joined[i]];
        if (h->burst.result[i] > 0)
            sent(h, s, hub_conn(h, s), (size_t)h->burst.result[i]);
    }
    for (uint32_t i = 0; i < k; i++) {
        struct sess *s = &h->tab.slots[joined[i]];
        struct conn *c = hub_conn(h, s);
        if (h->burst.result[i] < 0 && c->phase != CONN_DEAD)
            flushed(h, s, c, h->burst.result[i], false);
    }
}

void io_flush_all(struct hub *h) {
    struct slot_list now = h->dirty;
    h->dirty = h->spare;
    h->dirty.n = 0;
    h->spare = now;
    for (uint32_t i = 0; i + BURST_MIN <= now.n && h->burst.fd >= 0; i += BURST_MAX)
        flush_burst(h, now.slot + i, now.n - i < BURST_MAX ? now.n - i : BURST_MAX);
    for (uint32_t i = 0; i < now.n; i++) {
        struct sess *s = &h->tab.slots[now.slot[i]];
        struct conn *c = hub_conn(h, s);
        c->dirty = false;
        /* One that is stuck waits for EPOLLOUT; trying again would only cost a call. */
        if (s->state != SESS_FREE && !(c->events & EPOLLOUT))
            io_flush(h, s);
    }
}
