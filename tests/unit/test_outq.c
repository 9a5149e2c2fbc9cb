// link: session base
/* What a peer gets: whole frames, in order, each once, whatever the socket takes and
 * whatever the ring drops. The model test reads the byte streams of several readers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/outq.h"

#define LIMIT 1000u
#define BLOCK 64u

static uint64_t rnd_state;

static uint32_t rnd(uint32_t below) {
    rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rnd_state >> 33) % below;
}

/* A ring, a pool and one queue, with frames of text, for the tests by hand. */
struct desk {
    struct bcast ring;
    struct blocks pool;
    struct outq q;
    char sent[4096];
    size_t n_sent;
};

static void desk_open(struct desk *d, uint32_t ring_bytes, uint32_t blocks) {
    *d = (struct desk){0};
    assert_int_equal(bcast_init(&d->ring, ring_bytes, 64), 0);
    assert_int_equal(blocks_init(&d->pool, BLOCK, blocks), 0);
    outq_init(&d->q, 1, d->ring.next);
}

static void desk_close(struct desk *d) {
    outq_clear(&d->q, &d->pool);
    assert_int_equal(d->pool.in_use, 0);
    bcast_free(&d->ring);
    blocks_free(&d->pool);
}

static int desk_put(struct desk *d, const char *text) {
    size_t n = strlen(text);
    size_t half = n / 2;
    const uint8_t *p = (const uint8_t *)text;
    return outq_put(&d->q, &d->pool, LIMIT, p, half, p + half, n - half);
}

static int desk_broadcast(struct desk *d, uint8_t topic, const char *text) {
    size_t n = strlen(text);
    uint64_t keeps = bcast_keeps(&d->ring, n);
    int rc = 0;
    if (keeps != d->ring.first)
        rc = outq_rescue(&d->q, &d->pool, &d->ring, keeps);
    bcast_push(&d->ring, topic, 0, (const uint8_t *)text, n, NULL, 0);
    return rc;
}

/* The socket takes up to n bytes. */
static unsigned desk_send(struct desk *d, size_t n) {
    struct iovec iov[32];
    int k = outq_peek(&d->q, &d->ring, iov, 32, n);
    size_t sum = 0;
    for (int i = 0; i < k; i++) {
        assert_true(d->n_sent + iov[i].iov_len < sizeof(d->sent));
        memcpy(d->sent + d->n_sent, iov[i].iov_base, iov[i].iov_len);
        d->n_sent += iov[i].iov_len;
        sum += iov[i].iov_len;
    }
    d->sent[d->n_sent] = '\0';
    return outq_taken(&d->q, &d->pool, &d->ring, sum);
}

static void begun_then_own_then_broadcast(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 1000, 16);
    assert_true(outq_empty(&d.q, &d.ring));
    desk_broadcast(&d, 1, "<first>");
    assert_int_equal(desk_send(&d, 3), 1);
    desk_put(&d, "(own)");
    desk_broadcast(&d, 1, "<second>");
    desk_broadcast(&d, 2, "<other topic>");
    desk_broadcast(&d, 1, "<third>");
    assert_int_equal(outq_len(&d.q, &d.ring), 4 + 5 + 8 + 7);
    assert_false(outq_empty(&d.q, &d.ring));
    assert_int_equal(desk_send(&d, 1000), 2);
    assert_string_equal(d.sent, "<first>(own)<second><third>");
    assert_true(outq_empty(&d.q, &d.ring));
    assert_int_equal(outq_len(&d.q, &d.ring), 0);
    assert_int_equal(desk_send(&d, 1000), 0);
    desk_close(&d);
}

static void peek_keeps_to_its_bounds(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 1000, 16);
    desk_broadcast(&d, 1, "0123456789");
    desk_send(&d, 4);
    for (int i = 0; i < 10; i++)
        desk_put(&d, "abcdefghijklmnopqrstuvwxyz");
    for (int i = 0; i < 10; i++)
        desk_broadcast(&d, 1, "ABCDEFGHIJ");
    for (int max = 0; max <= 20; max++) {
        for (size_t budget = 0; budget < 400; budget++) {
            struct iovec iov[21];
            int n = outq_peek(&d.q, &d.ring, iov, max, budget);
            size_t sum = 0;
            for (int i = 0; i < n; i++)
                sum += iov[i].iov_len;
            assert_in_range(n, 0, max);
            assert_true(sum <= budget);
            /* Less than the budget only when all is shown, or there are no entries
             * left. */
            assert_true(sum == budget || n == max || sum == 6 + 260 + 100);
        }
    }
    desk_close(&d);
}

static void a_put_is_all_or_nothing(void **state) {
    (void)state;
    uint8_t big[LIMIT + 1] = {0};
    struct desk d;
    desk_open(&d, 100, 4); /* 4 * 48 bytes */
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 10, big, 183), -ENOBUFS);
    assert_int_equal(d.pool.in_use, 0);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 10, big, 182), 0);
    assert_int_equal(d.pool.in_use, 4);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 1, NULL, 0), -ENOBUFS);
    assert_int_equal(d.q.own.len, 192);
    desk_close(&d);

    desk_open(&d, 100, 100);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 2, big, LIMIT - 1), -ENOBUFS);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 2, big, LIMIT - 2), 0);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT, big, 1, NULL, 0), -ENOBUFS);
    assert_int_equal(outq_put(&d.q, &d.pool, LIMIT + 1, big, 1, NULL, 0), 0);
    desk_close(&d);
}

static void the_rest_of_an_evicted_frame_is_rescued(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 20, 16);
    desk_broadcast(&d, 1, "<123456789012>");
    assert_int_equal(desk_send(&d, 5), 1);
    desk_put(&d, "(own)");
    assert_int_equal(desk_broadcast(&d, 1, "<12345678901>"), 0);
    assert_int_equal(d.q.bcast_off, 0);
    assert_int_equal(desk_send(&d, 1000), 1);
    assert_string_equal(d.sent, "<123456789012>(own)<12345678901>");
    assert_int_equal(d.q.conflated, 0);
    desk_close(&d);
}

static void after_half_a_frame_nothing_follows(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 20, 1);
    desk_broadcast(&d, 1, "<123456789012>");
    desk_send(&d, 5);
    desk_put(&d, "(takes the last block)");
    assert_int_equal(desk_broadcast(&d, 1, "<12345678901>"), -ENOBUFS);
    assert_int_equal(d.pool.in_use, 0);
    assert_int_equal(desk_put(&d, "(close)"), -ENOBUFS);
    assert_int_equal(desk_broadcast(&d, 1, "<12>"), 0);
    assert_true(outq_empty(&d.q, &d.ring));
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<1234");
    desk_close(&d);
}

static void who_falls_behind_goes_on_with_the_newest(void **state) {
    (void)state;
    static const struct {
        uint8_t topic;
        const char *text;
    } frames[] = {{1, "<a1>"}, {4, "<b4>"}, {2, "<c2>"},
                  {1, "<d1>"}, {1, "<e1>"}, {2, "<f2>"}};
    static const struct {
        uint8_t topics;
        unsigned conflated;
        const char *sent;
    } row[] = {
        {1, 2, "<e1>"}, /* a, d are skipped */
        {2, 1, "<f2>"}, {3, 4, "<f2>"},
        {7, 5, "<f2>"}, {4, 1, ""}, /* its only frame goes, and there is no newer one */
        {0, 0, ""},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct desk d;
        desk_open(&d, 24, 16);
        d.q.topics = row[i].topics;
        for (size_t k = 0; k < 6; k++)
            desk_broadcast(&d, frames[k].topic, frames[k].text);
        assert_int_equal(bcast_keeps(&d.ring, 12), 3);
        desk_broadcast(&d, 8, "<evicts abc>");
        assert_int_equal(d.q.conflated, row[i].conflated);
        desk_send(&d, 1000);
        assert_string_equal(d.sent, row[i].sent);
        desk_close(&d);
    }
}

static void who_keeps_up_loses_nothing(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 12, 16);
    desk_broadcast(&d, 1, "<1>");
    desk_broadcast(&d, 1, "<2>");
    desk_broadcast(&d, 1, "<3>");
    desk_send(&d, 4); /* in the middle of 2 */
    desk_broadcast(&d, 1, "<4>");
    desk_broadcast(&d, 1, "<5>"); /* evicts 1 only */
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<1><2><3><4><5>");
    assert_int_equal(d.q.conflated, 0);
    desk_close(&d);
}

static void closing_finishes_the_frame_begun(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 100, 16);
    desk_broadcast(&d, 1, "<first>");
    desk_broadcast(&d, 1, "<second>");
    desk_send(&d, 3);
    outq_stop_bcast(&d.q);
    desk_put(&d, "(close)");
    desk_broadcast(&d, 1, "<third>");
    assert_int_equal(outq_len(&d.q, &d.ring), 4 + 7);
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<first>(close)");
    assert_true(outq_empty(&d.q, &d.ring));
    desk_close(&d);
}

static void a_new_topic_begins_now(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 100, 16);
    desk_broadcast(&d, 2, "<old>");
    outq_subscribe(&d.q, &d.ring, 3);
    desk_broadcast(&d, 2, "<new>");
    desk_send(&d, 2);
    outq_subscribe(&d.q, &d.ring, 1); /* what is begun is finished */
    desk_broadcast(&d, 2, "<unwanted>");
    desk_broadcast(&d, 1, "<wanted>");
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<new><wanted>");
    desk_close(&d);
}

static void desk_key(struct desk *d, const char *text) {
    desk_broadcast(d, 1, text);
    bcast_mark_key(&d->ring);
}

static void keys_are_not_for_those_who_follow(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 100, 16);
    d.ring.keyed = 1;
    desk_broadcast(&d, 1, "<1>");
    desk_key(&d, "<key 1>");
    desk_broadcast(&d, 1, "<2>");
    assert_int_equal(outq_len(&d.q, &d.ring), 6);
    assert_int_equal(desk_send(&d, 1000), 2);
    assert_string_equal(d.sent, "<1><2>");
    desk_key(&d, "<key 2>");
    assert_true(outq_empty(&d.q, &d.ring));
    desk_close(&d);
}

/* In portions of every size. */
static void who_lost_the_thread_waits_for_a_key(void **state) {
    (void)state;
    for (size_t portion = 1; portion < 24; portion++) {
        struct desk d;
        desk_open(&d, 30, 16);
        d.ring.keyed = 1;
        d.q.topics = 3;
        for (int i = 0; i < 11; i++)
            desk_broadcast(&d, 1, "<d>");
        assert_int_equal(d.q.conflated, 10);
        assert_int_equal(d.q.lost, 1);
        assert_int_equal(outq_len(&d.q, &d.ring), 0);
        desk_broadcast(&d, 2, "<ev>");
        desk_key(&d, "<key>");
        desk_broadcast(&d, 1, "<e>");
        assert_int_equal(outq_len(&d.q, &d.ring), 12);
        unsigned frames = 0;
        while (!outq_empty(&d.q, &d.ring))
            frames += desk_send(&d, portion);
        assert_int_equal(frames, 3);
        assert_string_equal(d.sent, "<ev><key><e>");
        assert_int_equal(d.q.lost, 0);
        desk_close(&d);
    }
}

static void a_key_cut_short_is_still_a_key(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 30, 16);
    d.ring.keyed = 1;
    outq_lose(&d.q, &d.ring);
    desk_key(&d, "<key>");
    assert_int_equal(desk_send(&d, 2), 1);
    desk_broadcast(&d, 1, "<d>");
    desk_broadcast(&d, 2, "<others, to the end..>");
    desk_broadcast(&d, 2, "<..>"); /* in place of the key */
    assert_int_equal(d.q.lost, 0);
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<key><d>");
    desk_close(&d);
}

static void a_topic_in_differences_begins_with_a_key(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 100, 16);
    d.ring.keyed = 2;
    desk_broadcast(&d, 1, "<a>");
    outq_subscribe(&d.q, &d.ring, 3);
    outq_subscribe(&d.q, &d.ring, 3);
    desk_broadcast(&d, 2, "<change>");
    desk_broadcast(&d, 1, "<b>");
    desk_broadcast(&d, 2, "<whole>");
    bcast_mark_key(&d.ring);
    desk_broadcast(&d, 2, "<more>");
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<a><b><whole><more>");
    desk_close(&d);
}

static void seek_replays(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d, 100, 16);
    desk_broadcast(&d, 1, "<1>");
    desk_broadcast(&d, 1, "<2>");
    desk_send(&d, 1000);
    outq_seek(&d.q, 1);
    desk_send(&d, 1000);
    outq_seek(&d.q, bcast_newest(&d.ring, 1));
    desk_send(&d, 1000);
    assert_string_equal(d.sent, "<1><2><2><2>");
    desk_close(&d);
}

/* The model. A frame on the wire is 8 bytes of head and then bytes that follow from it:
 * kind ('B' or 'O'), topic, length (2), number (4). */
#define HEAD 8u
#define READERS 5

struct head {
    uint8_t kind, topic;
    uint16_t len;
    uint32_t number;
};
_Static_assert(sizeof(struct head) == HEAD, "no padding");

static uint8_t byte_of(const struct head *h, size_t i) {
    return (uint8_t)(h->number * 31 + h->kind + i * 7);
}

static void make_frame(uint8_t *out, const struct head *h) {
    memcpy(out, h, HEAD);
    for (size_t i = HEAD; i < h->len; i++)
        out[i] = byte_of(h, i);
}

struct reader {
    struct outq q;
    uint32_t speed; /* most bytes its socket takes at a time */
    struct head at; /* the frame being read, of which `got` bytes have come */
    uint32_t got;
    uint32_t own_put, own_got; /* numbers of own frames: 0, 1, 2, ... */
    uint32_t bcast_next;       /* no broadcast below this number may come any more */
    uint64_t wanted, came;     /* broadcasts of its topics */
    uint64_t begun;            /* as outq_taken() says */
};

struct model {
    struct bcast ring;
    struct blocks pool;
    struct reader r[READERS];
    uint32_t longest;
    unsigned rescues, conflations, refusals, tears;
};

static void read_head(struct reader *r) {
    const struct head *h = &r->at;
    if (h->kind == 'O') {
        assert_int_equal(h->number, r->own_got++);
        return;
    }
    assert_int_equal(h->kind, 'B');
    assert_true(h->topic & r->q.topics);
    assert_true(h->number >= r->bcast_next);
    r->bcast_next = h->number + 1;
    r->came++;
}

static void read_bytes(struct reader *r, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (r->got < HEAD)
            ((uint8_t *)&r->at)[r->got] = p[i];
        else
            assert_int_equal(p[i], byte_of(&r->at, r->got));
        if (++r->got == HEAD)
            read_head(r);
        if (r->got >= HEAD && r->got == r->at.len)
            r->got = 0;
    }
}

static void start_reader(struct model *m, struct reader *r) {
    uint32_t speed = 1u << rnd(12);
    *r = (struct reader){.speed = speed, .bcast_next = (uint32_t)m->ring.next};
    outq_init(&r->q, (uint8_t)(1 + rnd(3)), m->ring.next);
}

/* Its stream is cut within a frame: nothing more may come, and no block is lost. */
static void end_torn(struct model *m, struct reader *r) {
    struct iovec iov[4];
    assert_true(r->got > 0 || r->begun > r->came);
    assert_int_equal(r->q.own.len, 0);
    assert_int_equal(outq_peek(&r->q, &m->ring, iov, 4, 1000), 0);
    m->tears++;
    start_reader(m, r);
}

static void rescue(struct model *m, struct reader *r, uint64_t keeps) {
    struct outq before = r->q;
    uint64_t newest = bcast_newest(&m->ring, r->q.topics);
    if (outq_rescue(&r->q, &m->pool, &m->ring, keeps) != 0) {
        end_torn(m, r);
        return;
    }
    assert_true(r->q.cursor >= keeps);
    m->rescues += r->q.own.len > before.own.len;
    if (r->q.conflated == before.conflated)
        return;
    m->conflations++;
    assert_int_equal(r->q.cursor, newest >= keeps ? newest : m->ring.next);
}

static void model_broadcast(struct model *m) {
    static uint8_t frame[UINT16_MAX];
    struct head h = {.kind = 'B',
                     .topic = (uint8_t)(1 + rnd(2)),
                     .len = (uint16_t)(HEAD + rnd(m->longest - HEAD + 1)),
                     .number = (uint32_t)m->ring.next};
    uint64_t keeps = bcast_keeps(&m->ring, h.len);
    for (unsigned i = 0; i < READERS; i++)
        rescue(m, &m->r[i], keeps);
    make_frame(frame, &h);
    bcast_push(&m->ring, h.topic, 0, frame, HEAD, frame + HEAD, h.len - HEAD);
    for (unsigned i = 0; i < READERS; i++)
        m->r[i].wanted += (h.topic & m->r[i].q.topics) != 0;
}

static void model_put(struct model *m, struct reader *r) {
    static uint8_t frame[UINT16_MAX];
    struct head h = {
        .kind = 'O', .len = (uint16_t)(HEAD + rnd(200)), .number = r->own_put};
    make_frame(frame, &h);
    uint32_t len = r->q.own.len, in_use = m->pool.in_use;
    int rc = outq_put(&r->q, &m->pool, LIMIT, frame, HEAD, frame + HEAD, h.len - HEAD);
    if (rc == 0) {
        r->own_put++;
        assert_int_equal(r->q.own.len, len + h.len);
        return;
    }
    assert_int_equal(rc, -ENOBUFS);
    assert_true(len + h.len > LIMIT ||
                chain_blocks(&m->pool, h.len) > m->pool.count - in_use);
    assert_int_equal(r->q.own.len, len);
    assert_int_equal(m->pool.in_use, in_use);
    m->refusals++;
}

static size_t model_send(struct model *m, struct reader *r) {
    struct iovec iov[16];
    int n = outq_peek(&r->q, &m->ring, iov, 1 + (int)rnd(16), 1 + rnd(r->speed));
    size_t shown = 0;
    for (int i = 0; i < n; i++)
        shown += iov[i].iov_len;
    size_t takes = rnd(2) ? shown : rnd((uint32_t)shown + 1);
    size_t left = takes;
    for (int i = 0; left > 0; i++) {
        size_t part = left < iov[i].iov_len ? left : iov[i].iov_len;
        read_bytes(r, iov[i].iov_base, part);
        left -= part;
    }
    r->begun += outq_taken(&r->q, &m->pool, &m->ring, takes);
    return shown;
}

static void check_reader(struct model *m, struct reader *r) {
    static struct iovec iov[4096];
    size_t shown = 0;
    uint64_t len = outq_len(&r->q, &m->ring);
    for (int i = 0, n = outq_peek(&r->q, &m->ring, iov, 4096, SIZE_MAX); i < n; i++)
        shown += iov[i].iov_len;
    assert_int_equal(shown, len);
    assert_int_equal(outq_empty(&r->q, &m->ring), len == 0);
    /* Counted when the first byte goes, known to the reader once the head is whole. */
    assert_in_range(r->begun - r->came, 0, 1);
}

static void model_end(struct model *m) {
    for (unsigned i = 0; i < READERS; i++) {
        struct reader *r = &m->r[i];
        while (model_send(m, r) > 0)
            ;
        assert_int_equal(r->got, 0);
        assert_int_equal(r->own_got, r->own_put);
        assert_int_equal(r->begun, r->came);
        assert_int_equal(r->came + r->q.conflated, r->wanted);
        assert_int_equal(r->q.cursor, m->ring.next);
    }
    assert_int_equal(m->pool.in_use, 0);
    bcast_free(&m->ring);
    blocks_free(&m->pool);
}

static void readers_get_whole_frames_in_order(void **state) {
    (void)state;
    unsigned rescues = 0, conflations = 0, refusals = 0, tears = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct model m = {0};
        rnd_state = seed;
        uint32_t bytes = 40 + rnd(2000);
        assert_int_equal(bcast_init(&m.ring, bytes, 1 + rnd(40)), 0);
        assert_int_equal(blocks_init(&m.pool, BLOCK, 1 + rnd(seed % 2 ? 20 : 300)), 0);
        m.longest = HEAD + rnd(bytes - HEAD + 1);
        for (unsigned i = 0; i < READERS; i++)
            start_reader(&m, &m.r[i]);
        for (unsigned i = 0; i < 3000; i++) {
            struct reader *r = &m.r[rnd(READERS)];
            uint32_t what = rnd(10);
            if (what == 0)
                model_broadcast(&m);
            else if (what == 1)
                model_put(&m, r);
            else
                model_send(&m, r);
            check_reader(&m, r);
        }
        rescues += m.rescues;
        conflations += m.conflations;
        refusals += m.refusals;
        tears += m.tears;
        model_end(&m);
    }
    /* The model has been where it hurts. */
    assert_true(rescues > 100 && conflations > 100 && refusals > 100 && tears > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begun_then_own_then_broadcast),
        cmocka_unit_test(peek_keeps_to_its_bounds),
        cmocka_unit_test(a_put_is_all_or_nothing),
        cmocka_unit_test(the_rest_of_an_evicted_frame_is_rescued),
        cmocka_unit_test(after_half_a_frame_nothing_follows),
        cmocka_unit_test(who_falls_behind_goes_on_with_the_newest),
        cmocka_unit_test(who_keeps_up_loses_nothing),
        cmocka_unit_test(closing_finishes_the_frame_begun),
        cmocka_unit_test(a_new_topic_begins_now),
        cmocka_unit_test(keys_are_not_for_those_who_follow),
        cmocka_unit_test(who_lost_the_thread_waits_for_a_key),
        cmocka_unit_test(a_key_cut_short_is_still_a_key),
        cmocka_unit_test(a_topic_in_differences_begins_with_a_key),
        cmocka_unit_test(seek_replays),
        cmocka_unit_test(readers_get_whole_frames_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
