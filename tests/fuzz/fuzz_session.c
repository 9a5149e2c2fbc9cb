// link: session base
/* Random lives of sessions against a plain model: table, heartbeat, queues, counters.
 * Each input is a list of operations; whatever they are, opened = live + closed, ids
 * that are gone find nothing, every peer reads whole frames in order, and of the topic
 * that is told in differences none that it cannot apply. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "session/metrics.h"
#include "session/sess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP 5
#define LIMIT 300u
#define GONE 8
/* A frame: kind, number (4 bytes), length (2), and then bytes that follow from those.
 */
#define HEAD 7u
#define PUSHES 4096u
#define KEYED 0x80u /* the topic that is told in differences */

static const struct pulse_opts opts = {
    .start_ms = 15000, .min_ms = 5000, .max_ms = 60000, .misses = 3};

/* What the model knows of a session: who it is, and what its peer has read. */
struct peer {
    sess_id id;
    enum disc_why why; /* DISC_NONE: open */
    uint8_t frame[HEAD];
    uint32_t got; /* of the frame being read */
    uint32_t own_put, own_got, bcast_next;
    bool knows; /* the keyed topic, as of `tag` */
    uint32_t tag;
    uint64_t asked_ms; /* of the ping sent last; 0: none */
};

struct world {
    const uint8_t *p, *end;
    uint64_t now_ms;
    struct sess_table tab;
    struct blocks pool;
    struct bcast ring;
    struct metrics m;
    struct peer peer[CAP];
    uint32_t n_peers;
    sess_id gone[GONE];
    uint32_t n_gone;
    uint32_t tag;            /* the newest of the keyed topic */
    uint32_t tag_of[PUSHES]; /* of its frames, by number */
};

static uint8_t next(struct world *w) { return w->p < w->end ? *w->p++ : 0; }

static struct peer *pick(struct world *w) {
    return w->n_peers ? &w->peer[next(w) % w->n_peers] : NULL;
}

static struct sess *session_of(struct world *w, const struct peer *p) {
    struct sess *s = sess_find(&w->tab, p->id);
    assert(s && s->id == p->id);
    assert((s->state == SESS_OPEN) == (p->why == DISC_NONE));
    assert(s->why == p->why);
    return s;
}

static uint32_t number_in(const uint8_t *frame) {
    uint32_t n;
    memcpy(&n, frame + 1, 4);
    return n;
}

static uint32_t length_in(const uint8_t *frame) {
    return (uint32_t)frame[5] << 8 | frame[6];
}

static uint8_t byte_at(const uint8_t *frame, uint32_t i) {
    return (uint8_t)(number_in(frame) * 37 + frame[0] + i);
}

static size_t make_frame(uint8_t *out, char kind, uint32_t number, uint32_t len) {
    out[0] = (uint8_t)kind;
    memcpy(out + 1, &number, 4);
    out[5] = (uint8_t)(len >> 8);
    out[6] = (uint8_t)len;
    for (uint32_t i = HEAD; i < len; i++)
        out[i] = byte_at(out, i);
    return len;
}

/* 'O': its own; 'B': for all; of the keyed topic 'D': a difference, 'K': a key. */
static void begin_frame(const struct world *w, struct peer *p) {
    uint32_t number = number_in(p->frame), tag = w->tag_of[number];
    char kind = (char)p->frame[0];
    if (kind == 'O') {
        assert(number == p->own_got++);
        return;
    }
    assert((kind == 'B' || kind == 'D' || kind == 'K') && number >= p->bcast_next);
    p->bcast_next = number + 1;
    if (kind == 'B')
        return;
    assert(kind == 'D' ? p->knows && tag == p->tag + 1 : !p->knows || tag > p->tag);
    p->knows = true;
    p->tag = tag;
}

/* The peer reads one more byte. */
static void read_byte(const struct world *w, struct peer *p, uint8_t byte) {
    if (p->got >= HEAD)
        assert(byte == byte_at(p->frame, p->got));
    else
        p->frame[p->got] = byte;
    if (++p->got < HEAD)
        return;
    if (p->got == HEAD)
        begin_frame(w, p);
    if (p->got == length_in(p->frame))
        p->got = 0;
}

/* As the hub begins a session: with the newest of its topics, or with a key. */
static void begin(struct world *w, struct peer *p, struct outq *q) {
    outq_lose(q, &w->ring);
    uint64_t key = bcast_key(&w->ring, q->lost, true);
    outq_seek(q, key < UINT64_MAX ? key : bcast_newest(&w->ring, q->topics & 0x7f));
    p->bcast_next = (uint32_t)q->cursor;
    p->knows = false;
}

/* As the hub goes on with one that comes back, and knows the topic as of `tag`. */
static void resume(struct world *w, struct peer *p, struct outq *q, uint32_t tag) {
    uint64_t from = bcast_after(&w->ring, KEYED, tag);
    if (from == UINT64_MAX)
        return;
    outq_seek(q, from);
    q->lost = 0;
    p->bcast_next = (uint32_t)from;
    p->knows = true;
    p->tag = tag;
}

static void op_open(struct world *w) {
    struct sess *s = sess_open(&w->tab);
    assert(!s == (w->n_peers == CAP));
    if (!s)
        return;
    assert(s->state == SESS_OPEN && s->id != 0 && s->asked_ms == 0);
    for (uint32_t i = 0; i < w->n_gone && i < GONE; i++)
        assert(s->id != w->gone[i]);
    outq_init(&s->out, next(w), w->ring.next);
    pulse_start(&s->pulse, &opts, w->now_ms, next(w) * 100u);
    s->asked_ms = 1;
    w->m.opened++;
    struct peer *p = &w->peer[w->n_peers++];
    *p = (struct peer){.id = s->id};
    begin(w, p, &s->out);
    if ((s->out.topics & KEYED) && next(w) % 2)
        resume(w, p, &s->out, w->tag - next(w) % 8);
}

static void doom(struct world *w, struct peer *p, enum disc_why why) {
    struct sess *s = session_of(w, p);
    bool first = p->why == DISC_NONE;
    assert(sess_doom(&w->tab, s, why, w->now_ms) == first);
    outq_stop_bcast(&s->out);
    if (first)
        p->why = why;
}

static void op_doom(struct world *w) {
    struct peer *p = pick(w);
    if (p)
        doom(w, p, (enum disc_why)(1 + next(w) % (DISC_N - 1)));
}

static void op_close(struct world *w) {
    struct peer *p = pick(w);
    if (!p || p->why == DISC_NONE)
        return;
    struct sess *s = session_of(w, p);
    w->m.closed[s->why]++;
    w->m.conflated += s->out.conflated;
    outq_clear(&s->out, &w->pool);
    sess_close(&w->tab, s);
    assert(!sess_find(&w->tab, p->id));
    w->gone[w->n_gone++ % GONE] = p->id;
    *p = w->peer[--w->n_peers];
}

static void op_find(struct world *w) {
    if (w->n_gone)
        assert(!sess_find(&w->tab, w->gone[next(w) % GONE]));
    sess_id id = (uint64_t)next(w) << 32 | next(w);
    struct sess *s = sess_find(&w->tab, id);
    bool known = false;
    for (uint32_t i = 0; i < w->n_peers; i++)
        known |= w->peer[i].id == id;
    assert(!s == !known);
}

static void op_put(struct world *w) {
    uint8_t frame[HEAD + UINT8_MAX];
    struct peer *p = pick(w);
    if (!p)
        return;
    struct sess *s = session_of(w, p);
    size_t n = make_frame(frame, 'O', p->own_put, HEAD + next(w));
    uint32_t before = s->out.own.len;
    size_t part = next(w) % (n + 1);
    if (outq_put(&s->out, &w->pool, LIMIT, frame, part, frame + part, n - part) == 0) {
        p->own_put++;
        assert(s->out.own.len == before + n && s->out.own.len <= LIMIT + 600);
    } else {
        assert(s->out.own.len == before);
    }
}

static void push(struct world *w, uint8_t topic, char kind) {
    uint8_t frame[HEAD + UINT8_MAX];
    uint32_t number = (uint32_t)w->ring.next;
    size_t n = make_frame(frame, kind, number, HEAD + next(w));
    uint64_t keeps = bcast_keeps(&w->ring, n);
    if (keeps == UINT64_MAX || number == PUSHES)
        return;
    for (uint32_t i = 0; i < w->n_peers; i++) {
        struct sess *s = session_of(w, &w->peer[i]);
        if (outq_rescue(&s->out, &w->pool, &w->ring, keeps) != 0)
            doom(w, &w->peer[i], DISC_SLOW_READER);
        assert(s->out.cursor >= keeps);
    }
    w->tag += kind == 'D';
    w->tag_of[number] = w->tag;
    uint64_t tag = kind == 'B' ? w->ring.next : w->tag;
    bcast_push(&w->ring, topic, tag, frame, HEAD, frame + HEAD, n - HEAD);
    if (kind == 'K')
        bcast_mark_key(&w->ring);
    assert(w->ring.first == keeps);
}

static void op_broadcast(struct world *w) {
    uint8_t topic = (uint8_t)(1u << next(w) % 8);
    push(w, topic, topic == KEYED ? 'D' : 'B');
}

/* Says again what was told last. */
static void op_key(struct world *w) {
    if (w->tag > 0)
        push(w, KEYED, 'K');
}

static void op_send(struct world *w) {
    struct peer *p = pick(w);
    if (!p)
        return;
    struct outq *q = &session_of(w, p)->out;
    struct iovec iov[6];
    size_t budget = 1 + 2u * next(w);
    int n = outq_peek(q, &w->ring, iov, 1 + next(w) % 6, budget);
    size_t takes = 2u * next(w), taken = 0;
    for (int i = 0; i < n; i++) {
        const uint8_t *bytes = iov[i].iov_base;
        for (size_t k = 0; k < iov[i].iov_len && taken < takes; k++, taken++)
            read_byte(w, p, bytes[k]);
    }
    assert(taken <= budget && taken <= outq_len(q, &w->ring));
    w->m.frames_out += outq_taken(q, &w->pool, &w->ring, taken);
}

static void op_topics(struct world *w) {
    struct peer *p = pick(w);
    /* A frame whose head is not read yet belongs to the topics so far. */
    if (!p || p->why != DISC_NONE || (p->got > 0 && p->got < HEAD))
        return;
    struct outq *q = &session_of(w, p)->out;
    uint8_t had = q->topics;
    outq_subscribe(q, &w->ring, next(w));
    if (q->topics & ~had & KEYED)
        p->knows = false;
    if (p->got > 0 || next(w) % 2)
        return;
    if (q->topics & KEYED) {
        begin(w, p, q);
        return;
    }
    uint64_t to = bcast_after(&w->ring, q->topics, next(w));
    outq_seek(q, to == UINT64_MAX ? bcast_newest(&w->ring, q->topics) : to);
    p->bcast_next = (uint32_t)q->cursor;
}

static void tick(struct world *w, struct peer *p) {
    struct pulse *pulse = &session_of(w, p)->pulse;
    enum pulse_act act = pulse_tick(pulse, &opts, w->now_ms);
    if (act == PULSE_SUSPECT && !pulse_verdict(pulse, w->now_ms, next(w) % 2)) {
        doom(w, p, DISC_HEARTBEAT_LOST);
    } else if (act != PULSE_NONE) {
        pulse_sent(pulse, w->now_ms);
        p->asked_ms = w->now_ms;
    }
    assert(p->why != DISC_NONE || pulse_due_ms(pulse, &opts) > w->now_ms);
}

/* The clock jumps, by a millisecond or by hours; the hub may own up to it. */
static void op_time(struct world *w) {
    uint64_t ms = (uint64_t)next(w) << next(w) % 20;
    bool excused = next(w) % 4 == 0;
    w->now_ms += ms;
    for (uint32_t i = 0; i < w->n_peers; i++) {
        struct peer *p = &w->peer[i];
        if (excused)
            pulse_excuse(&session_of(w, p)->pulse, w->now_ms, ms);
        if (p->why == DISC_NONE)
            tick(w, p);
    }
}

static void op_heard(struct world *w) {
    struct peer *p = pick(w);
    if (!p)
        return;
    struct pulse *pulse = &session_of(w, p)->pulse;
    pulse_heard(pulse, w->now_ms);
    assert(pulse->missed == 0);
    uint64_t says = next(w) % 2 ? p->asked_ms : next(w);
    bool asked = says != 0 && (says == pulse->ping_ms || says == pulse->pinged_ms);
    if (!pulse_pong(pulse, &opts, w->now_ms, says))
        return;
    assert(asked && pulse->rtt_known);
    metrics_rtt(&w->m, pulse->rtt_ms);
}

static void check(struct world *w) {
    assert(w->m.opened == w->tab.n_live + metrics_closed_sum(&w->m));
    assert(w->tab.n_live == w->n_peers);
    uint32_t closing = 0, owing = 0;
    for (uint32_t i = 0; i < w->tab.n_live; i++) {
        struct sess *s = &w->tab.slots[w->tab.live[i]];
        const struct pulse *p = &s->pulse;
        closing += s->state == SESS_CLOSING;
        owing += s->out.own.len;
        assert(s->state != SESS_FREE && s->where == i);
        assert(p->heard_ms <= w->now_ms && p->base_ms <= w->now_ms);
        assert(p->interval_ms >= opts.min_ms && p->interval_ms <= opts.max_ms);
        assert(pulse_grace_ms(p) < p->interval_ms);
        assert(p->missed <= opts.misses + 1);
        assert(outq_empty(&s->out, &w->ring) == (outq_len(&s->out, &w->ring) == 0));
    }
    assert(closing == w->tab.n_closing);
    assert((owing == 0) == (w->pool.in_use == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const ops[])(struct world *) = {
        op_open, op_doom,   op_close, op_find,  op_put, op_broadcast,
        op_send, op_topics, op_time,  op_heard, op_key,
    };
    static struct world w;
    w = (struct world){.p = data, .end = data + size, .now_ms = 1};
    int rc = sess_table_init(&w.tab, CAP);
    rc |= blocks_init(&w.pool, 64, 8);
    rc |= bcast_init(&w.ring, 600, 6);
    assert(rc == 0);
    w.ring.keyed = KEYED;
    while (w.p < w.end) {
        ops[next(&w) % (sizeof(ops) / sizeof(ops[0]))](&w);
        check(&w);
    }
    for (uint32_t i = 0; i < w.n_peers; i++)
        outq_clear(&session_of(&w, &w.peer[i])->out, &w.pool);
    assert(w.pool.in_use == 0);
    bcast_free(&w.ring);
    blocks_free(&w.pool);
    sess_table_free(&w.tab);
    return 0;
}
