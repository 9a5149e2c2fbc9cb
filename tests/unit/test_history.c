// link: telemetry base
#include "telemetry/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct history h;
static struct history_times times;

/* Row r holds r and -r, at wall time 1000 r and monotonic time 10 r. */
static void push(uint64_t upto) {
    while (h.seq < upto) {
        double r = (double)(h.seq + 1);
        double values[2] = {r, -r};
        history_push(&h, (int64_t)(1000 * r), (uint64_t)(10 * r), values, 2);
    }
}

static int begin(void **state) {
    (void)state;
    history_init(&h);
    return 0;
}

static void an_empty_history_has_no_rows(void **state) {
    (void)state;
    float out[2] = {1, 1};
    history_times(&h, 0, LIM_HISTORY_N, &times);
    assert_int_equal(times.n, 0);
    assert_int_equal(times.seq0, 1);
    history_column(&h, 0, 0, 2, out);
    assert_true(isnan(out[0]) && isnan(out[1]));
}

static void rows_come_oldest_first(void **state) {
    (void)state;
    float out[3];
    push(3);
    history_times(&h, 0, LIM_HISTORY_N, &times);
    assert_int_equal(times.seq0, 1);
    assert_int_equal(times.n, 3);
    history_column(&h, 1, times.seq0, times.n, out);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(times.wall_ms[i], 1000 * (i + 1));
        assert_int_equal(times.mono_ms[i], 10 * (i + 1));
        assert_true(out[i] == -(float)(i + 1));
    }
}

static void the_newest_rows_stay(void **state) {
    (void)state;
    static float out[LIM_HISTORY_N];
    for (uint64_t upto = LIM_HISTORY_N - 1; upto < 3 * LIM_HISTORY_N; upto += 7) {
        push(upto);
        history_times(&h, 0, UINT32_MAX, &times);
        assert_int_equal(times.n, upto < LIM_HISTORY_N ? upto : LIM_HISTORY_N);
        assert_int_equal(times.seq0 + times.n - 1, upto);
        history_column(&h, 0, times.seq0, times.n, out);
        for (uint32_t i = 0; i < times.n; i++) {
            assert_true(out[i] == (float)(times.seq0 + i));
            assert_int_equal(times.mono_ms[i], 10 * (times.seq0 + i));
        }
    }
}

static void since_and_max_choose(void **state) {
    static const struct {
        uint64_t since;
        uint32_t max;
        uint64_t seq0;
        uint32_t n;
    } rows[] = {
        {0, 10, 991, 10},     {995, 300, 996, 5},       {995, 2, 999, 2},
        {1000, 300, 1001, 0}, {5000, 300, 1001, 0},     {100, 300, 701, 300},
        {0, 0, 1001, 0},      {UINT64_MAX, 1, 1001, 0},
    };
    (void)state;
    push(1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        history_times(&h, rows[i].since, rows[i].max, &times);
        assert_int_equal(times.seq0, rows[i].seq0);
        assert_int_equal(times.n, rows[i].n);
    }
}

static void rows_not_held_are_absent(void **state) {
    (void)state;
    float out[4];
    push(1000);
    history_column(&h, 0, 699, 4, out);
    assert_true(isnan(out[0]) && isnan(out[1]) && out[2] == 701 && out[3] == 702);
    history_column(&h, 0, 999, 4, out);
    assert_true(out[0] == 999 && out[1] == 1000 && isnan(out[2]) && isnan(out[3]));
    history_column(&h, 0, 0, 2, out);
    assert_true(isnan(out[0]) && isnan(out[1]));
    history_column(&h, 0, UINT64_MAX, 2, out);
    assert_true(isnan(out[0]) && isnan(out[1]));
}

static void a_cleared_slot_has_no_past(void **state) {
    (void)state;
    static float out[LIM_HISTORY_N];
    push(500);
    history_clear(&h, 1);
    push(502);
    history_column(&h, 1, 203, LIM_HISTORY_N, out);
    for (uint32_t i = 0; i < LIM_HISTORY_N - 2; i++)
        assert_true(isnan(out[i]));
    assert_true(out[LIM_HISTORY_N - 2] == -501 && out[LIM_HISTORY_N - 1] == -502);
    history_column(&h, 0, 203, 1, out);
    assert_true(out[0] == 203);
}

static void absent_stays_absent(void **state) {
    (void)state;
    double values[2] = {NAN, 7};
    float out[1];
    push(5);
    history_push(&h, 6000, 60, values, 2);
    history_column(&h, 0, 6, 1, out);
    assert_true(isnan(out[0]));
    history_column(&h, 1, 6, 1, out);
    assert_true(out[0] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_history_has_no_rows, begin),
        cmocka_unit_test_setup(rows_come_oldest_first, begin),
        cmocka_unit_test_setup(the_newest_rows_stay, begin),
        cmocka_unit_test_setup(since_and_max_choose, begin),
        cmocka_unit_test_setup(rows_not_held_are_absent, begin),
        cmocka_unit_test_setup(a_cleared_slot_has_no_past, begin),
        cmocka_unit_test_setup(absent_stays_absent, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
