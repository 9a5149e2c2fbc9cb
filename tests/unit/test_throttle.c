// link: sec
#include "sec/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct throttle t;
    uint64_t now_ms;
};

static int set_up(void **state) {
    static struct bench b;
    b = (struct bench){.now_ms = 1000000};
    *state = &b;
    return 0;
}

/* 10.0.0.0 and n. */
static uint64_t try_from(struct bench *b, uint32_t n) {
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    ip[13] = (uint8_t)(n >> 16);
    ip[14] = (uint8_t)(n >> 8);
    ip[15] = (uint8_t)n;
    return throttle_try(&b->t, ip, b->now_ms);
}

static void good_from(struct bench *b, uint32_t n) {
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = (uint8_t)n};
    throttle_good(&b->t, ip, b->now_ms);
}

static void an_address_waits_twice_as_long_each_time(void **state) {
    struct bench *b = *state;
    for (unsigned i = 0; i < THROTTLE_FREE; i++)
        assert_int_equal(try_from(b, 1), 0);
    uint64_t want_ms = THROTTLE_WAIT_MS;
    for (int i = 0; i < 15; i++) {
        assert_int_equal(try_from(b, 1), 0);
        assert_int_equal(try_from(b, 1), want_ms);
        /* To ask again changes nothing. */
        b->now_ms += want_ms - 1;
        assert_int_equal(try_from(b, 1), 1);
        b->now_ms += 1;
        want_ms *= 2;
        if (want_ms > THROTTLE_WAIT_MAX_MS)
            want_ms = THROTTLE_WAIT_MAX_MS;
    }
    b->now_ms += THROTTLE_FORGET_MS + 1;
    for (unsigned i = 0; i < THROTTLE_FREE; i++)
        assert_int_equal(try_from(b, 1), 0);
}

static void whoever_is_right_starts_anew(void **state) {
    struct bench *b = *state;
    for (int round = 0; round < 5; round++) {
        for (unsigned i = 0; i < THROTTLE_FREE + 1; i++)
            assert_int_equal(try_from(b, 1), 0);
        good_from(b, 1);
    }
}

static void a_crowd_is_slowed_but_not_those_who_were_here(void **state) {
    struct bench *b = *state;
    assert_int_equal(try_from(b, 1), 0);
    good_from(b, 1);
    for (uint32_t i = 0; i < THROTTLE_BURST; i++)
        assert_int_equal(try_from(b, 1000 + i), 0);
    assert_int_equal(try_from(b, 2000), THROTTLE_EACH_MS);
    assert_int_equal(try_from(b, 1), 0);
    b->now_ms += THROTTLE_EACH_MS;
    assert_int_equal(try_from(b, 2001), 0);
    assert_true(try_from(b, 2002) > 0);
    /* Hours of it: one in each THROTTLE_EACH_MS, however many they are. */
    unsigned through = 0;
    for (uint32_t i = 0; i < 3600; i++) {
        b->now_ms += 100;
        through += try_from(b, 3000 + i) == 0;
    }
    assert_in_range(through, 360000 / THROTTLE_EACH_MS - 1,
                    360000 / THROTTLE_EACH_MS + 1);
    assert_int_equal(try_from(b, 1), 0);
}

static void a_table_full_of_strangers_does_not_forget_the_known(void **state) {
    struct bench *b = *state;
    try_from(b, 1);
    good_from(b, 1);
    for (uint32_t i = 0; i < 4 * THROTTLE_SLOTS; i++) {
        b->now_ms += THROTTLE_EACH_MS;
        assert_int_equal(try_from(b, 1000 + i), 0);
    }
    for (uint32_t i = 0; i < THROTTLE_BURST; i++)
        try_from(b, 5000 + i);
    assert_true(try_from(b, 9000) > 0);
    assert_int_equal(try_from(b, 1), 0);
}

static void a_host_has_one_count_for_all_its_ipv6_addresses(void **state) {
    struct bench *b = *state;
    uint8_t ip[16] = {0xfd, 0x00, [7] = 1};
    for (uint8_t i = 0; i < THROTTLE_FREE + 1; i++) {
        ip[15] = i;
        assert_int_equal(throttle_try(&b->t, ip, b->now_ms), 0);
    }
    ip[8] = 77;
    assert_int_equal(throttle_try(&b->t, ip, b->now_ms), THROTTLE_WAIT_MS);
    ip[7] = 2;
    assert_int_equal(throttle_try(&b->t, ip, b->now_ms), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_waits_twice_as_long_each_time, set_up),
        cmocka_unit_test_setup(whoever_is_right_starts_anew, set_up),
        cmocka_unit_test_setup(a_crowd_is_slowed_but_not_those_who_were_here, set_up),
        cmocka_unit_test_setup(a_table_full_of_strangers_does_not_forget_the_known,
                               set_up),
        cmocka_unit_test_setup(a_host_has_one_count_for_all_its_ipv6_addresses, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
