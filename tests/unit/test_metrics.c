// link: session
/* Percentiles out of buckets, against the sorted samples themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/metrics.h"

static void no_sample_no_percentile(void **state) {
    (void)state;
    struct metrics m = {0};
    uint32_t ms = 7;
    assert_false(metrics_rtt_percentile(&m, 50, &ms));
    assert_int_equal(ms, 7);
}

/* What a single kind of sample is shown as: never too low, at most an eighth too high.
 */
static void each_rtt_is_shown_to_an_eighth(void **state) {
    (void)state;
    uint32_t before = 0;
    for (uint32_t ms = 0; ms < 20000; ms++) {
        struct metrics m = {0};
        uint32_t shown;
        metrics_rtt(&m, ms);
        metrics_rtt(&m, 30000);
        assert_true(metrics_rtt_percentile(&m, 50, &shown));
        if (ms >= 15360)
            assert_int_equal(shown, 30000);
        else
            assert_in_range(shown, ms, ms + ms / 8);
        assert_true(shown >= before);
        before = shown;
    }
}

static void buckets_hold_any_rtt(void **state) {
    (void)state;
    static const uint32_t ms[] = {0, 7, 8, 15359, 15360, 1u << 20, UINT32_MAX};
    struct metrics m = {0};
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
        metrics_rtt(&m, ms[i]);
        uint32_t shown;
        assert_true(metrics_rtt_percentile(&m, 100, &shown));
        assert_in_range(shown, ms[i], (uint64_t)ms[i] + ms[i] / 8);
        assert_int_equal(m.rtt_max_ms, ms[i]);
    }
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void percentiles_are_those_of_the_samples(void **state) {
    (void)state;
    static const unsigned sizes[] = {1, 2, 3, 19, 20, 21, 100, 101, 5000};
    static const unsigned q[] = {1, 50, 90, 95, 99, 100};
    uint64_t rnd = 1;
    for (unsigned i = 0; i < 9; i++) {
        struct metrics m = {0};
        uint32_t ms[5000];
        for (unsigned k = 0; k < sizes[i]; k++) {
            rnd = rnd * 6364136223846793005u + 1442695040888963407u;
            /* Many short, some long, as on a network. */
            ms[k] = (uint32_t)(rnd >> 50) >> (rnd >> 40 & 7);
            metrics_rtt(&m, ms[k]);
        }
        qsort(ms, sizes[i], sizeof(ms[0]), by_value);
        for (unsigned k = 0; k < 6; k++) {
            uint32_t exact = ms[(sizes[i] * q[k] + 99) / 100 - 1];
            uint32_t shown;
            assert_true(metrics_rtt_percentile(&m, q[k], &shown));
            if (exact >= 15360)
                assert_int_equal(shown, m.rtt_max_ms);
            else
                assert_in_range(shown, exact, exact + exact / 8);
        }
    }
}

static void the_past_fades(void **state) {
    (void)state;
    struct metrics m = {0};
    uint32_t shown;
    for (unsigned i = 0; i < METRICS_RTT_FADE; i++)
        metrics_rtt(&m, i % 2 ? 0 : 1000);
    assert_int_equal(m.rtt_n, METRICS_RTT_FADE);
    metrics_rtt(&m, 1000);
    assert_int_equal(m.rtt_n, METRICS_RTT_FADE / 2 + 1);
    assert_int_equal(m.rtt[0], METRICS_RTT_FADE / 4);
    metrics_rtt_percentile(&m, 50, &shown);
    assert_in_range(shown, 1000, 1125);
    for (unsigned i = 0; i < 2 * METRICS_RTT_FADE; i++) {
        metrics_rtt(&m, 5);
        assert_true(m.rtt_n <= METRICS_RTT_FADE);
    }
    metrics_rtt_percentile(&m, 50, &shown);
    assert_int_equal(shown, 5);
    assert_int_equal(m.rtt_max_ms, 1000);
    uint32_t sum = 0;
    for (unsigned i = 0; i < METRICS_RTT_BUCKETS; i++)
        sum += m.rtt[i];
    assert_int_equal(sum, m.rtt_n);
}

static void closed_sums_all_causes(void **state) {
    (void)state;
    struct metrics m = {0};
    m.opened = m.pings = m.peak = 7;
    assert_int_equal(metrics_closed_sum(&m), 0);
    for (unsigned why = 0; why < DISC_N; why++)
        m.closed[why] = UINT64_C(1) << (4 * why);
    assert_int_equal(metrics_closed_sum(&m), UINT64_C(0x111111111111));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sample_no_percentile),
        cmocka_unit_test(each_rtt_is_shown_to_an_eighth),
        cmocka_unit_test(buckets_hold_any_rtt),
        cmocka_unit_test(percentiles_are_those_of_the_samples),
        cmocka_unit_test(the_past_fades),
        cmocka_unit_test(closed_sums_all_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
