// link: base
#include "base/blocks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 64u
#define COUNT 5u

static int set_up(void **state) {
    static struct blocks b;
    *state = &b;
    return blocks_init(&b, SIZE, COUNT);
}

static int tear_down(void **state) {
    blocks_free(*state);
    return 0;
}

static void odd_sizes_are_refused(void **state) {
    (void)state;
    static const struct {
        uint32_t size, count;
    } bad[] = {{0, 1}, {8, 1}, {24, 1}, {65, 1}, {64, 0}};
    struct blocks b;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(blocks_init(&b, bad[i].size, bad[i].count), -EINVAL);
}

static void blocks_are_apart_aligned_and_bounded(void **state) {
    struct blocks *b = *state;
    uint8_t *all[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        all[i] = blocks_take(b);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % 16, 0);
        memset(all[i], (int)i + 1, SIZE);
    }
    assert_null(blocks_take(b));
    assert_int_equal(b->in_use, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        for (uint32_t k = 0; k < SIZE; k++)
            assert_int_equal(all[i][k], i + 1);
    }
}

static void the_last_one_given_is_the_next_one_taken(void **state) {
    struct blocks *b = *state;
    void *first = blocks_take(b), *second = blocks_take(b);
    blocks_give(b, first);
    blocks_give(b, second);
    assert_ptr_equal(blocks_take(b), second);
    assert_ptr_equal(blocks_take(b), first);
    assert_int_equal(b->fresh, 2);
}

static void a_full_pool_recovers(void **state) {
    struct blocks *b = *state;
    void *all[COUNT];
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < COUNT; i++)
            assert_non_null(all[i] = blocks_take(b));
        assert_null(blocks_take(b));
        for (uint32_t i = 0; i < COUNT; i++)
            blocks_give(b, all[i]);
        assert_int_equal(b->in_use, 0);
    }
    assert_int_equal(b->peak, COUNT);
}

static void pages_come_zeroed(void **state) {
    (void)state;
    const size_t n = 100000;
    uint8_t *p = pages_take(n);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], 0);
    pages_give(p, n);
    pages_give(NULL, n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_sizes_are_refused),
        cmocka_unit_test_setup_teardown(blocks_are_apart_aligned_and_bounded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_last_one_given_is_the_next_one_taken,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_pool_recovers, set_up, tear_down),
        cmocka_unit_test(pages_come_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
