/* What other rooms may ask of the hub (hub.h). */
#include <errno.h>
#include <sys/eventfd.h>

#include "hub/hub_priv.h"

static void assert_thread(const struct hub *h) {
    assert(pthread_equal(pthread_self(), h->self));
    (void)h;
}

int hub_reserve(struct hub *h, uint8_t role) {
    return handoff_reserve(&h->box, h->o.first_role && role >= h->o.first_role);
}

void hub_cancel(struct hub *h) { handoff_cancel(&h->box); }

void hub_post(struct hub *h, const struct transport *t,
              const struct handoff_hello *hello, const uint8_t *leftover,
              uint32_t leftover_n) {
    handoff_post(&h->box, t, hello, leftover, leftover_n);
}

void hub_reject(struct hub *h, enum hub_reject why) {
    atomic_fetch_add_explicit(&h->rejected[why], 1, memory_order_relaxed);
}

void hub_kick(struct hub *h) {
    atomic_store(&h->kicked, true);
    eventfd_write(h->wake, 1);
}

uint64_t hub_now_ms(const struct hub *h) {
    assert_thread(h);
    return h->now_ms;
}

struct sess_addr hub_address(struct hub *h, sess_id id) {
    assert_thread(h);
    const struct sess *s = sess_find(&h->tab, id);
    return s ? s->addr : (struct sess_addr){0};
}

int hub_send(struct hub *h, sess_id id, enum ws_op op, const uint8_t *p, size_t n) {
    assert_thread(h);
    struct sess *s = sess_find(&h->tab, id);
    if (!s)
        return -ENOENT;
    return s->state == SESS_OPEN ? io_send(h, s, op, p, n) : -ESHUTDOWN;
}

int hub_close(struct hub *h, sess_id id, enum disc_why why) {
    return hub_close_with(h, id, why, 0, NULL);
}

int hub_close_with(struct hub *h, sess_id id, enum disc_why why, uint16_t code,
                   const char *reason) {
    assert_thread(h);
    struct sess *s = sess_find(&h->tab, id);
    if (!s)
        return -ENOENT;
    end_session(h, s, why, code, reason);
    return 0;
}

/* Room for n bytes is about to be made: whoever is in the middle of a frame that goes
 * takes its rest along; who has fallen behind continues with the newest. */
static void make_room(struct hub *h, size_t n) {
    uint64_t keeps = bcast_keeps(&h->ring, n);
    if (keeps == h->ring.first)
        return;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *s = &h->tab.slots[h->tab.live[i]];
        if (outq_rescue(&s->out, &h->pool, &h->ring, keeps) == 0)
            continue;
        end_session(h, s, DISC_SLOW_READER, 0, NULL);
        end_dead(h, s); /* its stream is cut within a frame: no close can follow */
    }
}

/* Into the ring: 0, or -EMSGSIZE. */
static int push(struct hub *h, uint8_t topic, uint64_t tag, enum ws_op op,
                const uint8_t *p, size_t n) {
    assert_thread(h);
    uint8_t head[WS_HEAD_MAX];
    size_t head_n = ws_head(head, op, n);
    if (bcast_keeps(&h->ring, head_n + n) == UINT64_MAX)
        return -EMSGSIZE;
    make_room(h, head_n + n);
    bcast_push(&h->ring, topic, tag, head, head_n, p, n);
    return 0;
}

/* To those of the topic whose thread is lost, or is not. */
static void flush_topic(struct hub *h, uint8_t topic, bool lost) {
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *s = &h->tab.slots[h->tab.live[i]];
        if (s->state == SESS_OPEN && (s->out.topics & topic) &&
            lost == ((s->out.lost & topic) != 0))
            io_dirty(h, s);
    }
}

int hub_broadcast(struct hub *h, uint8_t topic, uint64_t tag, enum ws_op op,
                  const uint8_t *p, size_t n) {
    int rc = push(h, topic, tag, op, p, n);
    if (rc == 0)
        flush_topic(h, topic, false);
    return rc;
}

int hub_broadcast_key(struct hub *h, uint8_t topic, uint64_t tag, enum ws_op op,
                      const uint8_t *p, size_t n) {
    int rc = push(h, topic, tag, op, p, n);
    if (rc)
        return rc;
    bcast_mark_key(&h->ring);
    flush_topic(h, topic, true);
    return 0;
}

bool hub_wants_key(struct hub *h, uint8_t topic) {
    assert_thread(h);
    uint64_t key = bcast_key(&h->ring, topic, false);
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        const struct outq *q = &h->tab.slots[h->tab.live[i]].out;
        if ((q->topics & q->lost & topic) && (key == UINT64_MAX || key < q->cursor))
            return true;
    }
    return false;
}

bool hub_has_audience(struct hub *h, uint8_t topic) {
    assert_thread(h);
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        if (h->tab.slots[h->tab.live[i]].out.topics & topic)
            return true;
    }
    return false;
}

uint8_t hub_topics(struct hub *h, sess_id id) {
    assert_thread(h);
    const struct sess *s = sess_find(&h->tab, id);
    return s ? s->out.topics : 0;
}

void hub_subscribe(struct hub *h, sess_id id, uint8_t topics) {
    assert_thread(h);
    struct sess *s = sess_find(&h->tab, id);
    if (s && s->state == SESS_OPEN)
        outq_subscribe(&s->out, &h->ring, topics);
}

long hub_replay(struct hub *h, sess_id id, uint8_t topic, uint64_t after_tag) {
    assert_thread(h);
    struct sess *s = sess_find(&h->tab, id);
    uint64_t from = bcast_after(&h->ring, topic, after_tag);
    if (!s || s->state != SESS_OPEN || from == UINT64_MAX)
        return -ENOENT;
    long n = 0;
    for (uint64_t seq = from; seq < h->ring.next; seq++)
        n += (bcast_at(&h->ring, seq)->topic & topic) && !bcast_at(&h->ring, seq)->key;
    outq_seek(&s->out, from);
    h->m.resumed++;
    h->m.replayed += (uint64_t)n;
    io_dirty(h, s);
    return n;
}

bool hub_snapshot_first(struct hub *h, sess_id id) {
    assert_thread(h);
    struct sess *s = sess_find(&h->tab, id);
    if (!s || s->state != SESS_OPEN)
        return true;
    outq_lose(&s->out, &h->ring);
    uint64_t key = bcast_key(&h->ring, s->out.lost, true);
    uint8_t plain = s->out.topics & (uint8_t)~h->ring.keyed;
    outq_seek(&s->out, key < UINT64_MAX ? key : bcast_newest(&h->ring, plain));
    io_dirty(h, s);
    return s->out.lost == 0 || key < UINT64_MAX;
}

static void fill_row(struct hub *h, const struct sess *s, struct hub_row *r) {
    *r = (struct hub_row){
        .id = s->id,
        .addr = s->addr,
        .age_ms = h->now_ms - s->opened_ms,
        .heard_ago_ms = h->now_ms - s->pulse.heard_ms,
        .queued_bytes = outq_len(&s->out, &h->ring),
        .messages = s->msgs_in + s->msgs_out,
        .rtt_ms = s->pulse.srtt_ms,
        .interval_ms = s->pulse.interval_ms,
        .state = s->state,
        .missed = s->pulse.missed,
        .role = s->role,
        .rtt_known = s->pulse.rtt_known,
        .secure = s->secure,
    };
}

static void fill_intervals(const struct hub *h, struct hub_stats *out) {
    uint64_t sum = 0;
    uint32_t n = h->tab.n_live;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = h->tab.slots[h->tab.live[i]].pulse.interval_ms;
        sum += t;
        if (i == 0 || t < out->interval_min_ms)
            out->interval_min_ms = t;
        if (t > out->interval_max_ms)
            out->interval_max_ms = t;
    }
    out->interval_avg_ms = n ? (uint32_t)(sum / n) : 0;
}

void hub_stats(struct hub *h, struct hub_stats *out, struct hub_row *rows,
               uint32_t max) {
    assert_thread(h);
    uint32_t cap = h->o.max_sessions;
    *out = (struct hub_stats){
        .m = h->m,
        .capacity = cap - h->box.kept,
        .active = h->tab.n_live - h->tab.n_closing,
        .closing = h->tab.n_closing,
        .reserved = handoff_reserved(&h->box),
        .queue_bytes = (uint64_t)h->pool.in_use * h->pool.size,
        .table_bytes = cap * (uint64_t)(sizeof(struct sess) + sizeof(struct conn) +
                                        8 * sizeof(uint32_t)),
    };
    for (unsigned i = 0; i < HUB_REJECT_N; i++)
        out->rejected[i] = atomic_load_explicit(&h->rejected[i], memory_order_relaxed);
    fill_intervals(h, out);
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        const struct sess *s = &h->tab.slots[h->tab.live[i]];
        out->m.conflated += s->out.conflated;
        if (out->n_rows < max)
            fill_row(h, s, &rows[out->n_rows++]);
    }
}
