// link: base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/chain.h"

#define BLOCK 64u
#define BLOCKS 8u

static struct blocks pool;

static int setup(void **state) {
    (void)state;
    return blocks_init(&pool, BLOCK, BLOCKS);
}

static int teardown(void **state) {
    (void)state;
    assert_int_equal(pool.in_use, 0);
    blocks_free(&pool);
    return 0;
}

static void fill(uint8_t *p, size_t n, uint8_t from) {
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i);
}

static void bytes_leave_in_the_order_they_came(void **state) {
    (void)state;
    uint8_t in[300], out[300];
    fill(in, sizeof(in), 1);
    for (size_t step = 1; step <= 100; step += 9) {
        struct chain c = {0};
        for (size_t at = 0; at < 240; at += step) {
            size_t n = at + step <= 240 ? step : 240 - at;
            assert_int_equal(chain_put(&c, &pool, in + at, n), 0);
        }
        size_t got = 0;
        while (c.len > 0) {
            struct iovec iov[3];
            int n = chain_peek(&c, iov, 3, step);
            size_t seen = 0;
            for (int i = 0; i < n; i++) {
                memcpy(out + got + seen, iov[i].iov_base, iov[i].iov_len);
                seen += iov[i].iov_len;
            }
            assert_true(seen > 0 && seen <= step);
            chain_drop(&c, &pool, seen);
            got += seen;
        }
        assert_int_equal(got, 240);
        assert_memory_equal(in, out, 240);
        assert_null(c.head);
    }
}

static void what_does_not_fit_leaves_nothing_behind(void **state) {
    (void)state;
    uint8_t in[BLOCK * BLOCKS];
    fill(in, sizeof(in), 0);
    struct chain c = {0};
    assert_int_equal(chain_put(&c, &pool, in, 10), 0);
    assert_int_equal(chain_put(&c, &pool, in, sizeof(in)), -ENOBUFS);
    assert_int_equal(c.len, 10);
    assert_int_equal(pool.in_use, 1);
    assert_int_equal(chain_put_front(&c, &pool, in, sizeof(in)), -ENOBUFS);
    assert_int_equal(c.len, 10);
    chain_clear(&c, &pool);
}

static void front_goes_before(void **state) {
    (void)state;
    uint8_t in[200], out[200];
    fill(in, sizeof(in), 7);
    struct chain c = {0};
    assert_int_equal(chain_put(&c, &pool, in + 90, 110), 0);
    assert_int_equal(chain_put_front(&c, &pool, in, 90), 0);
    assert_int_equal(c.len, 200);
    chain_move(&c, &pool, out);
    assert_memory_equal(in, out, 200);
    assert_int_equal(c.len, 0);
    /* Into an empty chain, and then behind it. */
    assert_int_equal(chain_put_front(&c, &pool, in, 5), 0);
    assert_int_equal(chain_put(&c, &pool, in + 5, 60), 0);
    chain_move(&c, &pool, out);
    assert_memory_equal(in, out, 65);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_leave_in_the_order_they_came, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_leaves_nothing_behind, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(front_goes_before, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
