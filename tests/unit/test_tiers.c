// link: telemetry base
/* History in tiers, on a clock that the test turns. */
#include "telemetry/tiers.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/blocks.h"
#include "telemetry/quant.h"
#include "telemetry/tiers_file.h"

#define MINUTE 60000u
#define HOUR (60u * MINUTE)

static const uint64_t boot_a[2] = {1, 2}, boot_b[2] = {3, 4};

static struct tiers *t;
static struct tiers_plan plan;
static struct tier_point points[TIERS_ROWS_MAX];
static uint8_t *file;

static int begin(void **state) {
    (void)state;
    t = pages_take(sizeof *t);
    file = pages_take(TIERS_FILE_MAX);
    if (!t || !file)
        return -1;
    tiers_begin(t, boot_a);
    return 0;
}

static int end(void **state) {
    (void)state;
    pages_give(t, sizeof *t);
    pages_give(file, TIERS_FILE_MAX);
    return 0;
}

/* The program ends, and starts again with what it kept. */
static void restart(const uint64_t boot_id[2]) {
    uint64_t generation;
    tiers_settle(t);
    size_t n = tiers_pack(t, 7, file);
    tiers_seal(file, n);
    assert_null(tiers_fault(file, n, &generation));
    assert_int_equal(generation, 7);
    pages_give(t, sizeof *t);
    t = pages_take(sizeof *t);
    assert_non_null(t);
    tiers_unpack(t, file);
    tiers_begin(t, boot_id);
}

/* One sample a second of one metric from `from` until before `to`, its value the
 * second. */
static void run(const char *id, uint64_t from_ms, uint64_t to_ms, int64_t wall_at_0) {
    uint32_t column = tiers_claim(t, id);
    for (uint64_t ms = from_ms; ms < to_ms; ms += 1000) {
        double v = (double)(ms / 1000);
        tiers_push(t, wall_at_0 + (int64_t)ms, ms, &column, &v, 1);
    }
}

static void look(const char *id, uint32_t tier, uint32_t n) {
    tiers_plan(t, tier, n, &plan);
    int column = tiers_find(t, id);
    assert_true(column >= 0);
    tiers_read(t, (uint32_t)column, &plan, points);
}

static unsigned known(void) {
    unsigned n = 0;
    for (uint32_t i = 0; i < plan.n; i++)
        n += points[i].avg != QUANT_NONE;
    return n;
}

static float avg(uint32_t i) { return quant_value(points[i].avg); }

static void near(float got, double want) {
    if (!(fabs((double)got - want) <= fabs(want) / 512 + 1e-7))
        fail_msg("%g is not %g", (double)got, want);
}

/* ---- numbers in 16 bits ---- */

static void codes_keep_a_thousandth(void **state) {
    (void)state;
    srand(1);
    for (int i = 0; i < 200000; i++) {
        double v = ldexp((double)rand() / RAND_MAX + 1, rand() % 62 - 16);
        v = rand() % 2 ? -v : v;
        double got = (double)quant_value(quant_code(v));
        assert_true(fabs(got - v) <= fabs(v) / 1023);
    }
}

static void codes_are_exact_where_people_look(void **state) {
    (void)state;
    static const double exact[] = {0,       1,   -1,   50,  100, 0.5,
                                   48.0625, 512, 1024, -40, 1e-9};
    for (size_t i = 0; i + 1 < sizeof exact / sizeof exact[0]; i++)
        assert_true((double)quant_value(quant_code(exact[i])) == exact[i]);
    assert_true(quant_value(quant_code(1e-9)) == 0);
    assert_true(isnan(quant_value(quant_code(NAN))));
    assert_true(isnan(quant_value(quant_code(INFINITY))));
    assert_true(isnan(quant_value(quant_code(1.5e14))));
    assert_true(isfinite(quant_value(quant_code(-1.3e14))));
}

static void codes_sort_and_come_back(void **state) {
    (void)state;
    for (unsigned c = 1; c < 0xffff; c++) {
        float v = quant_value((uint16_t)c);
        assert_int_equal(quant_code((double)v), c);
        assert_true(v < quant_value((uint16_t)(c + 1)));
    }
}

/* ---- steps ---- */

static void before_the_first_sample_there_is_nothing(void **state) {
    (void)state;
    tiers_plan(t, 0, 10, &plan);
    assert_int_equal(plan.n, 0);
}

static void a_step_has_least_average_and_greatest(void **state) {
    (void)state;
    run("a", 0, 10 * MINUTE, 1000000);
    look("a", 0, 3);
    assert_int_equal(plan.n, 3);
    /* The newest whole step of 10 s is 580..590; 590..600 is under way. */
    assert_int_equal(plan.t0_ms, 1000000 + 560000);
    assert_true(avg(2) == 584.5f || fabs((double)avg(2) - 584.5) < 1);
    near(quant_value(points[2].min), 580);
    near(quant_value(points[2].max), 589);
    /* Of the coarser ones the step under way is told as far as it is known. */
    look("a", 1, 5);
    near(quant_value(points[4].min), 480);
    near(quant_value(points[4].max), 589);
    near(avg(3), 419.5);
    look("a", 2, 1);
    near(quant_value(points[0].min), 0);
    near(avg(0), 294.5);
}

static void tiers_hold_what_they_promise(void **state) {
    (void)state;
    run("a", 0, 25 * HOUR, 0);
    for (uint32_t k = 0; k < TIERS_N; k++) {
        look("a", k, TIERS_ROWS_MAX);
        uint32_t all = k < 2 ? tiers_shape[k].rows : 100;
        assert_int_equal(known(), all);
        assert_int_equal(plan.n, tiers_shape[k].rows);
        double newest = (double)plan.t0_ms / 1000 +
                        (plan.n - 1) * (tiers_shape[k].step_ms / 1000.0);
        near(quant_value(points[plan.n - 1].min), newest);
        near(quant_value(points[plan.n - all].min),
             newest - (all - 1) * (tiers_shape[k].step_ms / 1000.0));
    }
}

static void what_was_not_sampled_is_absent(void **state) {
    (void)state;
    run("a", 0, 2 * MINUTE, 0);
    run("a", 6 * MINUTE, 8 * MINUTE, 0); /* stopped for four minutes */
    look("a", 0, 47);
    assert_int_equal(plan.t0_ms, 0);
    for (uint32_t step = 0; step < 47; step++)
        assert_int_equal(points[step].avg != QUANT_NONE, step < 12 || step >= 36);
    look("a", 1, 4);
    near(avg(0), 59.5);
    assert_int_equal(points[1].avg, QUANT_NONE);
    assert_int_equal(points[2].avg, QUANT_NONE);
    /* Longer than the tier reaches back. */
    run("a", 60 * HOUR, 60 * HOUR + MINUTE, 0);
    look("a", 0, 360);
    assert_int_equal(known(), 5);
    look("a", 1, 720);
    assert_int_equal(known(), 1);
    look("a", 2, 672);
    assert_int_equal(known(), 2);
}

static void a_jump_of_the_wall_clock_moves_nothing(void **state) {
    (void)state;
    run("a", 0, 5 * MINUTE, 0);                    /* 1970 */
    run("a", 5 * MINUTE, 10 * MINUTE, 1700000000); /* the network told the time */
    look("a", 0, 60);
    assert_int_equal(known(), 59);
    assert_int_equal(plan.t0_ms, 1700000000 + 0 - 10000);
    for (uint32_t i = 1; i < 60; i++)
        near(quant_value(points[i].min), (i - 1) * 10);
    run("a", 10 * MINUTE, 11 * MINUTE, -3600000); /* and took it back */
    look("a", 0, 6);
    assert_int_equal(known(), 6);
    assert_int_equal(plan.t0_ms, -3600000 + 590000);
}

/* ---- restarts ---- */

static void a_restart_of_the_program_goes_on(void **state) {
    (void)state;
    run("a", 0, 20 * MINUTE, 5000);
    restart(boot_a);
    run("a", 21 * MINUTE, 25 * MINUTE, 5000);
    assert_int_equal(t->n_boots, 1);
    look("a", 0, 149);
    /* The minute between is absent. */
    for (uint32_t i = 0; i < 149; i++) {
        uint32_t step = (uint32_t)((plan.t0_ms - 5000) / 10000) + i;
        assert_int_equal(points[i].avg != QUANT_NONE, step < 120 || step >= 126);
    }
    look("a", 2, 2);
    near(quant_value(points[0].min), 0);
    near(quant_value(points[0].max), 899);
    near(quant_value(points[1].min), 900);
    near(quant_value(points[1].max), 25 * 60 - 11);
}

/* Ends within a step: both parts are in its point. */
static void a_step_survives_a_restart(void **state) {
    (void)state;
    run("a", 0, 25000, 0);
    restart(boot_a);
    run("a", 26000, 31000, 0);
    look("a", 0, 3);
    assert_int_equal(plan.t0_ms, 0);
    near(quant_value(points[2].min), 20);
    near(quant_value(points[2].max), 29);
    near(avg(2), (22 + 26 + 27 + 28 + 29) / 5.0);
}

static void another_boot_is_placed_by_the_wall_clock(void **state) {
    (void)state;
    run("a", HOUR, HOUR + 10 * MINUTE, 0);
    restart(boot_b);
    run("a", 30000, 10 * MINUTE, HOUR + 20 * MINUTE); /* monotonic time began anew */
    assert_int_equal(t->n_boots, 2);
    look("a", 0, 180);
    assert_int_equal(known(), 60 + 56);
    uint32_t i = plan.n - 1;
    for (; i > 0 && points[i].avg != QUANT_NONE; i--)
        ;
    uint32_t gap = 0;
    for (; i > 0 && points[i].avg == QUANT_NONE; i--)
        gap++;
    assert_in_range(gap, 62, 64); /* ten minutes and thirty seconds */
    near(avg(i), HOUR / 1000 + 9 * 60 + 54.5);
}

/* A board without a clock of its own wakes up in 1970: its past waits until the time is
 * known, and is then where it belongs. */
static void a_late_clock_sets_the_past_right(void **state) {
    (void)state;
    const int64_t then = INT64_C(1700000000000);
    run("a", 0, 10 * MINUTE, then);
    restart(boot_b);
    run("a", 0, 2 * MINUTE, 0);
    look("a", 0, 360);
    assert_int_equal(known(), 11);
    run("a", 2 * MINUTE, 4 * MINUTE, then + 15 * MINUTE);
    look("a", 0, 360);
    assert_int_equal(known(), 60 + 23);
}

static void where_boots_overlap_the_later_is_believed(void **state) {
    (void)state;
    run("a", 0, 20 * MINUTE, 0);
    restart(boot_b);
    run("a", HOUR, HOUR + 5 * MINUTE, -(int64_t)HOUR + 10 * MINUTE);
    look("a", 0, 60);
    near(quant_value(points[59].min), (HOUR + 280000) / 1000);
    near(quant_value(points[0].min), 290);
    assert_int_equal(known(), 60);
}

static void many_boots_forget_the_first(void **state) {
    (void)state;
    for (uint64_t i = 0; i < TIERS_BOOTS + 5; i++) {
        uint64_t id[2] = {i, 9};
        if (i > 0)
            restart(id);
        else
            tiers_begin(t, id);
        run("a", 0, 2 * MINUTE, (int64_t)(i * 2 * MINUTE));
    }
    assert_int_equal(t->n_boots, TIERS_BOOTS);
    look("a", 0, 360);
    assert_int_equal(known(), 360); /* the newest hour */
}

/* ---- metrics ---- */

static void a_metric_is_found_by_its_id(void **state) {
    (void)state;
    run("a", 0, MINUTE, 0);
    tiers_release(t, (uint32_t)tiers_find(t, "a"));
    run("b", MINUTE, 2 * MINUTE, 0);
    restart(boot_a);
    run("b", 2 * MINUTE, 3 * MINUTE, 0);
    run("a", 3 * MINUTE, 4 * MINUTE, 0);
    look("a", 0, 23);
    assert_int_equal(known(), 6 + 5);
    look("b", 0, 23);
    assert_int_equal(known(), 6 + 6);
    assert_int_equal(tiers_find(t, "c"), -ENOENT);
}

static void the_longest_unseen_gives_way(void **state) {
    (void)state;
    char id[METRIC_ID_MAX];
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(id, sizeof id, "m%u", i);
        uint32_t column = tiers_claim(t, id);
        double v = i;
        for (uint64_t ms = 0; ms <= 10000; ms += 5000) {
            uint64_t at = i * HOUR + ms;
            tiers_push(t, (int64_t)at, at, &column, &v, 1);
        }
        if (i != 5)
            tiers_release(t, column);
    }
    tiers_release(t, (uint32_t)tiers_find(t, "m7"));
    tiers_claim(t, "new"); /* m0 has waited longest */
    assert_int_equal(tiers_find(t, "m0"), -ENOENT);
    look("new", 2, 672);
    assert_int_equal(known(), 0);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(id, sizeof id, "new%u", i);
        tiers_claim(t, id);
    }
    assert_true(tiers_find(t, "m5") >= 0); /* in use */
    assert_int_equal(tiers_find(t, "m6"), -ENOENT);
    assert_true(tiers_find(t, "m8") >= 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_keep_a_thousandth),
        cmocka_unit_test(codes_are_exact_where_people_look),
        cmocka_unit_test(codes_sort_and_come_back),
        WITH(before_the_first_sample_there_is_nothing),
        WITH(a_step_has_least_average_and_greatest),
        WITH(tiers_hold_what_they_promise),
        WITH(what_was_not_sampled_is_absent),
        WITH(a_jump_of_the_wall_clock_moves_nothing),
        WITH(a_restart_of_the_program_goes_on),
        WITH(a_step_survives_a_restart),
        WITH(another_boot_is_placed_by_the_wall_clock),
        WITH(a_late_clock_sets_the_past_right),
        WITH(where_boots_overlap_the_later_is_believed),
        WITH(many_boots_forget_the_first),
        WITH(a_metric_is_found_by_its_id),
        WITH(the_longest_unseen_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
