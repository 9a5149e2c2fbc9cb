// link: telemetry base
/* Own metrics, on a clock of the test: sampled once a second. */
#include "telemetry/own.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct own own;
static struct metric_set set;
static uint64_t now_ms;

static void begin(uint32_t limit) {
    struct own_opts o = {.limit = limit, .stale_ms = 5000, .forget_ms = 20000};
    memset(&own, 0, sizeof own);
    metric_init(&set);
    now_ms = 1000;
    assert_int_equal(own_init(&own, &o), 0);
}

static const char *tell(const char *name, enum reading_kind kind, double value) {
    struct reading r;
    reading_init(&r);
    assert_null(reading_name(&r, name, strlen(name)));
    r.kind = kind;
    r.value = value;
    return own_tell(&own, &r, now_ms);
}

static void sample(uint64_t ms) {
    now_ms += ms;
    metric_blank(&set);
    own_sample(&own, &set, now_ms);
}

static void check(const char *id, double want) {
    int slot = metric_find(&set, id);
    if (slot < 0)
        fail_msg("%s is missing", id);
    double got = set.value[slot];
    if (isnan(want) ? !isnan(got) : got != want)
        fail_msg("%s is %g, not %g", id, got, want);
}

static void gauges_stay_and_change(void **state) {
    (void)state;
    begin(LIM_OWN);
    assert_null(tell("t", READING_GAUGE, 20));
    sample(1000);
    check("own.t", 20);
    struct reading r = {.name = "t", .relative = true, .value = -3};
    assert_null(own_tell(&own, &r, now_ms));
    assert_null(own_tell(&own, &r, now_ms));
    sample(1000);
    check("own.t", 14);
    sample(1000);
    check("own.t", 14);
    own_free(&own);
}

static void counters_are_rates(void **state) {
    (void)state;
    begin(LIM_OWN);
    sample(1000);
    for (int i = 0; i < 10; i++)
        assert_null(tell("hits", READING_COUNTER, 3));
    sample(2000);
    check("own.hits", 15);
    sample(1000);
    check("own.hits", 0); /* nothing came, which is known */
    const struct metric *m = &set.m[metric_find(&set, "own.hits")];
    assert_int_equal(m->kind, METRIC_RATE);
    assert_string_equal(m->unit, "1/s");
    own_free(&own);
}

static void timings_are_a_mean_and_a_maximum(void **state) {
    (void)state;
    begin(LIM_OWN);
    assert_null(tell("req", READING_TIMING, 10));
    assert_null(tell("req", READING_TIMING, 30));
    sample(1000);
    check("own.req", 20);
    check("own.req.max", 30);
    sample(1000);
    check("own.req", 20); /* of the last sample that had any */
    assert_null(tell("req", READING_TIMING, 4));
    sample(1000);
    check("own.req", 4);
    check("own.req.max", 4);
    const struct metric *m = &set.m[metric_find(&set, "own.req.max")];
    assert_int_equal(m->kind, METRIC_TIMING);
    assert_string_equal(m->unit, "ms");
    assert_string_equal(m->label, "req, maximum");
    own_free(&own);
}

static void silence_is_a_gap_and_then_the_end(void **state) {
    (void)state;
    struct own_stats st;
    begin(LIM_OWN);
    assert_null(tell("t", READING_GAUGE, 1));
    sample(5000);
    check("own.t", 1);
    assert_int_equal(set.m[metric_find(&set, "own.t")].heard_ms, 1000);
    sample(1);
    check("own.t", NAN);
    sample(14999);
    check("own.t", NAN);
    sample(1);
    assert_int_equal(metric_find(&set, "own.t"), -ENOENT);
    own_stats(&own, &st);
    assert_int_equal(st.metrics, 0);
    assert_null(tell("t", READING_COUNTER, 1)); /* a new life, of any kind */
    own_free(&own);
}

static void the_limit_holds(void **state) {
    (void)state;
    struct own_stats st;
    char name[16];
    begin(4);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "m%d", i);
        assert_null(tell(name, READING_GAUGE, i));
    }
    static const char full[] = "there are as many own metrics as there may be";
    assert_string_equal(tell("req", READING_TIMING, 1), full); /* takes two */
    assert_null(tell("m3", READING_GAUGE, 3));
    assert_string_equal(tell("m4", READING_GAUGE, 4), full);
    assert_null(tell("m0", READING_GAUGE, 9)); /* those that are known go on */
    own_stats(&own, &st);
    assert_int_equal(st.accepted, 5);
    assert_int_equal(st.refused, 2);
    assert_int_equal(st.metrics, 4);
    begin(LIM_OWN);
    for (unsigned i = 0; i < LIM_OWN; i++) {
        snprintf(name, sizeof name, "m%u", i);
        assert_null(tell(name, READING_GAUGE, i));
    }
    assert_string_equal(tell("more", READING_GAUGE, 4), full);
    sample(1000);
    check("own.m63", 63);
    own_free(&own);
}

static void a_name_keeps_its_kind(void **state) {
    (void)state;
    begin(LIM_OWN);
    assert_null(tell("a", READING_GAUGE, 1));
    assert_string_equal(tell("a", READING_COUNTER, 1), "it is known as another kind");
    assert_null(tell("req", READING_TIMING, 1));
    static const char taken[] = "the name is taken by the maximum of a timing";
    assert_string_equal(tell("req.max", READING_GAUGE, 1), taken);
    assert_null(tell("b.max", READING_GAUGE, 1));
    assert_string_equal(tell("b", READING_TIMING, 1), taken);
    own_free(&own);
}

static void another_label_keeps_the_slot(void **state) {
    (void)state;
    begin(LIM_OWN);
    assert_null(tell("t", READING_GAUGE, 1));
    sample(1000);
    int slot = metric_find(&set, "own.t");
    uint32_t tenant = set.tenant[slot], layout = set.layout;
    struct reading r = {.name = "t", .label = "Tank", .unit = "°C", .value = 2};
    assert_null(own_tell(&own, &r, now_ms));
    sample(1000);
    assert_int_equal(metric_find(&set, "own.t"), slot);
    assert_int_equal(set.tenant[slot], tenant);
    assert_int_not_equal(set.layout, layout);
    assert_string_equal(set.m[slot].label, "Tank");
    assert_string_equal(set.m[slot].unit, "°C");
    assert_null(tell("t", READING_GAUGE, 3)); /* says neither: they stay */
    layout = set.layout;
    sample(1000);
    assert_int_equal(set.layout, layout);
    assert_string_equal(set.m[slot].label, "Tank");
    own_free(&own);
}

static void nobody_may_ask_for_more_than_there_is(void **state) {
    struct own_opts o = {.limit = LIM_OWN + 1};
    (void)state;
    assert_int_equal(own_init(&own, &o), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauges_stay_and_change),
        cmocka_unit_test(counters_are_rates),
        cmocka_unit_test(timings_are_a_mean_and_a_maximum),
        cmocka_unit_test(silence_is_a_gap_and_then_the_end),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(a_name_keeps_its_kind),
        cmocka_unit_test(another_label_keeps_the_slot),
        cmocka_unit_test(nobody_may_ask_for_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
