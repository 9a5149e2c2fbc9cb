// link: session base
/* The shared ring: frames lie whole and unharmed, the oldest give way, and no more of
 * them than must. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/bcast.h"

static uint64_t rnd_state;

static uint32_t rnd(uint32_t below) {
    rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rnd_state >> 33) % below;
}

/* Every byte of a frame tells which frame and where. */
static uint8_t byte_of(uint64_t seq, size_t i) {
    return (uint8_t)(seq * 131 + i * 7 + (i >> 8));
}

static uint64_t push(struct bcast *b, uint8_t topic, uint64_t tag, size_t n) {
    static uint8_t frame[1 << 16];
    for (size_t i = 0; i < n; i++)
        frame[i] = byte_of(b->next, i);
    size_t head_n = n < 10 ? n : 10;
    return bcast_push(b, topic, tag, frame, head_n, frame + head_n, n - head_n);
}

static void assert_unharmed(const struct bcast *b) {
    for (uint64_t seq = b->first; seq < b->next; seq++) {
        const struct bcast_frame *f = bcast_at(b, seq);
        assert_true(f->len > 0 && f->off + f->len <= b->bytes);
        assert_int_equal(f->tag, seq * 3);
        const uint8_t *p = bcast_bytes(b, f);
        for (size_t i = 0; i < f->len; i++)
            assert_int_equal(p[i], byte_of(seq, i));
    }
    assert_null(bcast_at(b, b->first - 1));
    assert_null(bcast_at(b, b->next));
}

/* What has to go for n bytes, said differently: whatever they would overwrite, and all
 * that is older. */
static uint64_t must_keep(const struct bcast *b, size_t n) {
    uint32_t off = b->head + n <= b->bytes ? b->head : 0;
    uint64_t keeps = b->first;
    if (b->next - b->first == b->frames)
        keeps = b->first + 1;
    for (uint64_t seq = b->first; seq < b->next; seq++) {
        const struct bcast_frame *f = bcast_at(b, seq);
        if (f->off < off + n && off < f->off + f->len && keeps < seq + 1)
            keeps = seq + 1;
    }
    return keeps;
}

static void frames_stay_whole_until_they_give_way(void **state) {
    (void)state;
    static const struct {
        uint32_t bytes, frames, longest;
    } row[] = {{1, 1, 1},      {2, 3, 2},       {64, 4, 64},      {100, 128, 30},
               {100, 128, 3},  {1000, 8, 1000}, {1000, 16, 100},  {4096, 128, 700},
               {4096, 128, 1}, {4000, 100, 40}, {50000, 60, 2000}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct bcast b;
        assert_int_equal(bcast_init(&b, row[i].bytes, row[i].frames), 0);
        rnd_state = i;
        for (uint64_t seq = 0; seq < 2000; seq++) {
            size_t n = 1 + rnd(row[i].longest);
            uint64_t keeps = bcast_keeps(&b, n);
            assert_int_equal(keeps, must_keep(&b, n));
            assert_int_equal(push(&b, 1, seq * 3, n), seq);
            assert_int_equal(b.first, keeps);
            assert_int_equal(b.next, seq + 1);
            assert_true(b.next - b.first <= row[i].frames);
            if (seq % 16 == 0 || row[i].bytes <= 100)
                assert_unharmed(&b);
        }
        bcast_free(&b);
    }
}

static void a_frame_can_be_as_large_as_the_ring(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 100, 8), 0);
    push(&b, 1, 0, 30);
    push(&b, 1, 3, 30);
    assert_int_equal(bcast_keeps(&b, 101), UINT64_MAX);
    assert_int_equal(bcast_keeps(&b, SIZE_MAX), UINT64_MAX);
    assert_int_equal(bcast_keeps(&b, 100), b.next);
    push(&b, 1, 6, 100);
    assert_int_equal(b.first, 2);
    assert_unharmed(&b);
    /* And a small one after it. */
    assert_int_equal(bcast_keeps(&b, 1), b.next);
    push(&b, 1, 9, 1);
    assert_unharmed(&b);
    bcast_free(&b);
    assert_null(b.mem);
}

static void wrong_sizes_are_refused(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 0, 8), -EINVAL);
    assert_int_equal(bcast_init(&b, 8, 0), -EINVAL);
}

static void an_empty_ring_has_nothing(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 100, 8), 0);
    assert_null(bcast_at(&b, 0));
    assert_null(bcast_at(&b, UINT64_MAX));
    assert_int_equal(bcast_newest(&b, 0xff), b.next);
    assert_int_equal(bcast_after(&b, 1, 0), UINT64_MAX);
    assert_int_equal(bcast_keeps(&b, 100), 0);
    bcast_free(&b);
}

static void the_newest_of_some_topics(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 1000, 4), 0);
    static const uint8_t topics[] = {1, 2, 4, 4, 2}; /* the first is gone */
    for (size_t i = 0; i < 5; i++)
        push(&b, topics[i], 0, 10);
    static const struct {
        uint8_t topics;
        uint64_t newest;
    } row[] = {{1, 5}, {2, 4}, {4, 3}, {3, 4}, {5, 3}, {0xff, 4}, {0, 5}, {8, 5}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(bcast_newest(&b, row[i].topics), row[i].newest);
    bcast_free(&b);
}

/* Held: telemetry 12 to 15 as frames 3, 5, 6, 7; events 90 and 91 as frames 4 and 8. */
static void a_reader_goes_on_after_what_it_saw(void **state) {
    (void)state;
    static const struct {
        uint8_t topic;
        uint64_t tag;
    } frames[] = {{1, 10}, {2, 89}, {1, 11}, {1, 12}, {2, 90},
                  {1, 13}, {1, 14}, {1, 15}, {2, 91}};
    static const struct {
        uint8_t topic;
        uint64_t after, next;
    } row[] = {
        {1, 15, 9}, /* has seen all */
        {1, 14, 7},
        {1, 13, 6},
        {1, 12, 5},
        {1, 11, 3}, /* itself gone, the one after it not */
        {1, 10, UINT64_MAX},
        {1, 0, UINT64_MAX},
        {1, 16, UINT64_MAX}, /* of another life of the server */
        {1, UINT64_MAX, UINT64_MAX},
        {2, 91, 9},
        {2, 90, 8},
        {2, 89, 4},
        {2, 88, UINT64_MAX},
        {4, 0, UINT64_MAX},
        {4, 11, UINT64_MAX}, /* as a frame that is gone was tagged */
    };
    struct bcast b;
    assert_int_equal(bcast_init(&b, 1000, 6), 0);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        push(&b, frames[i].topic, frames[i].tag, 10);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(bcast_after(&b, row[i].topic, row[i].after), row[i].next);
    bcast_free(&b);
}

static void tags_may_begin_at_zero(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 1000, 6), 0);
    push(&b, 1, 0, 10);
    assert_int_equal(bcast_after(&b, 1, 0), 1);
    assert_int_equal(bcast_after(&b, 1, UINT64_MAX), UINT64_MAX);
    push(&b, 1, 1, 10);
    assert_int_equal(bcast_after(&b, 1, 0), 1);
    bcast_free(&b);
}

/* Frames 0 to 5: 10, 11, the key of 11, 12, another topic's, the key of 12. */
static void a_key_is_whole_and_no_step(void **state) {
    (void)state;
    struct bcast b;
    assert_int_equal(bcast_init(&b, 1000, 4), 0);
    assert_int_equal(bcast_key(&b, 1, true), UINT64_MAX);
    push(&b, 1, 10, 10);
    push(&b, 1, 11, 10);
    push(&b, 1, 11, 10);
    bcast_mark_key(&b);
    assert_int_equal(bcast_key(&b, 1, true), 2);
    assert_int_equal(bcast_after(&b, 1, 11), 3);
    assert_int_equal(bcast_after(&b, 1, 10), 1);
    push(&b, 1, 12, 10);
    assert_int_equal(bcast_key(&b, 1, true), UINT64_MAX);
    assert_int_equal(bcast_key(&b, 1, false), 2);
    assert_int_equal(bcast_after(&b, 1, 11), 3);
    push(&b, 2, 7, 10);
    push(&b, 1, 12, 10);
    bcast_mark_key(&b);
    assert_int_equal(bcast_key(&b, 1, true), 5);
    assert_int_equal(bcast_key(&b, 2, true), UINT64_MAX);
    /* 10 and 11 are gone: who has 11 goes on with 12, which the key does not replace.
     */
    assert_int_equal(b.first, 2);
    assert_int_equal(bcast_after(&b, 1, 11), 3);
    assert_int_equal(bcast_after(&b, 1, 10), UINT64_MAX);
    push(&b, 2, 8, 10);
    push(&b, 2, 9, 10);
    assert_int_equal(b.first, 4);
    assert_int_equal(bcast_after(&b, 1, 11), UINT64_MAX);
    assert_int_equal(bcast_after(&b, 1, 12), 8);
    bcast_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_stay_whole_until_they_give_way),
        cmocka_unit_test(a_frame_can_be_as_large_as_the_ring),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(an_empty_ring_has_nothing),
        cmocka_unit_test(the_newest_of_some_topics),
        cmocka_unit_test(a_reader_goes_on_after_what_it_saw),
        cmocka_unit_test(tags_may_begin_at_zero),
        cmocka_unit_test(a_key_is_whole_and_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
