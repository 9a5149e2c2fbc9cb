// link: telemetry base
/* The metric list and what readers get of it. */
#include "telemetry/telemetry.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct metric_set set;
static struct telemetry board;
static struct telemetry_snap snap;
static struct telemetry_list list;
static struct history_times times;

static int begin(void **state) {
    (void)state;
    memset(&board, 0, sizeof board);
    metric_init(&set);
    return telemetry_init(&board);
}

static int end(void **state) {
    (void)state;
    telemetry_free(&board);
    return 0;
}

static int claim(const char *id) {
    struct metric m = metric_make(id, id, "1", "system", METRIC_GAUGE);
    return metric_claim(&set, &m);
}

static void publish(void) {
    telemetry_publish(&board, &set, 0, (int64_t)(1000 + board.history.seq), 1);
}

/* The whole history of one metric, as floats; returns the number of rows. */
static uint32_t history_of(const char *id, float *out) {
    telemetry_times(&board, 0, LIM_HISTORY_N, &times);
    assert_int_equal(telemetry_history(&board, id, times.seq0, times.n, out), 0);
    return times.n;
}

static void nothing_yet_is_sequence_zero(void **state) {
    (void)state;
    telemetry_snapshot(&board, &snap);
    telemetry_describe(&board, &list);
    assert_int_equal(snap.seq, 0);
    assert_int_equal(snap.n, 0);
    assert_int_equal(list.n, 0);
}

static void absent_values_are_not_in_the_snapshot(void **state) {
    (void)state;
    int a = claim("a"), b = claim("b"), c = claim("c");
    metric_blank(&set);
    metric_put(&set, a, 1);
    metric_put(&set, c, 0);
    metric_put(&set, b, NAN);
    metric_put(&set, b, INFINITY);
    metric_put(&set, -ENOSPC, 5);
    telemetry_publish(&board, &set, 3, 1234, 567);
    telemetry_snapshot(&board, &snap);
    assert_int_equal(snap.seq, 1);
    assert_int_equal(snap.wall_ms, 1234);
    assert_int_equal(snap.mono_ms, 567);
    assert_int_equal(snap.n, 2);
    assert_string_equal(snap.v[0].id, "a");
    assert_string_equal(snap.v[1].id, "c");
    assert_true(snap.v[0].value == 1 && snap.v[1].value == 0);
    telemetry_describe(&board, &list);
    assert_int_equal(list.n, 3);
    assert_int_equal(list.left_out, 3);
    assert_string_equal(list.m[1].id, "b");
}

static void the_layout_changes_with_the_list_only(void **state) {
    (void)state;
    int a = claim("a");
    publish();
    telemetry_snapshot(&board, &snap);
    uint32_t layout = snap.layout;
    publish();
    telemetry_snapshot(&board, &snap);
    assert_int_equal(snap.layout, layout);
    metric_drop(&set, a);
    publish();
    telemetry_snapshot(&board, &snap);
    assert_int_not_equal(snap.layout, layout);
    telemetry_describe(&board, &list);
    assert_int_equal(list.layout, snap.layout);
    assert_int_equal(list.n, 0);
}

static void ids_are_unique(void **state) {
    (void)state;
    char slug[METRIC_SLUG_MAX];
    claim("net.eth0.rx");
    assert_int_equal(claim("net.eth0.rx"), -EEXIST);
    metric_slug(&set, "net", "ETH0", "rx", slug);
    assert_string_equal(slug, "eth0-2");
    claim("net.eth0-2.rx");
    metric_slug(&set, "net", "eth0", "rx", slug);
    assert_string_equal(slug, "eth0-3");
    metric_slug(&set, "net", "eth0", "tx", slug);
    assert_string_equal(slug, "eth0");
    metric_slug(&set, "temp", "a name that is much too long to be an id", NULL, slug);
    assert_string_equal(slug, "a-name-that-is-much-too-long");
}

static void a_full_set_refuses_and_goes_on(void **state) {
    (void)state;
    char id[METRIC_ID_MAX];
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(id, sizeof id, "m.%u", i);
        assert_int_equal(claim(id), i);
    }
    assert_int_equal(claim("one.more"), -ENOSPC);
    metric_drop(&set, 17);
    assert_int_equal(claim("one.more"), 17);
    publish();
    telemetry_describe(&board, &list);
    assert_int_equal(list.n, LIM_METRICS);
}

static void a_metric_that_returns_has_its_past(void **state) {
    (void)state;
    float out[LIM_HISTORY_N];
    int a = claim("a");
    metric_put(&set, a, 1);
    publish();
    metric_drop(&set, a);
    publish();
    assert_int_equal(telemetry_history(&board, "a", 1, 1, out), -ENOENT);
    assert_int_equal(claim("a"), a);
    metric_put(&set, a, 3);
    publish();
    assert_int_equal(history_of("a", out), 3);
    assert_true(out[0] == 1 && isnan(out[1]) && out[2] == 3);
}

static void another_metric_in_the_slot_has_none(void **state) {
    (void)state;
    char id[METRIC_ID_MAX];
    float out[LIM_HISTORY_N];
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(id, sizeof id, "m.%u", i);
        claim(id);
    }
    metric_put(&set, 5, 1);
    metric_put(&set, 6, 2);
    publish();
    metric_drop(&set, 5);
    assert_int_equal(claim("other"), 5);
    metric_put(&set, 5, 9);
    publish();
    assert_int_equal(history_of("other", out), 2);
    assert_true(isnan(out[0]) && out[1] == 9);
    assert_int_equal(history_of("m.6", out), 2);
    assert_true(out[0] == 2 && out[1] == 2);
    /* There and back within one sample: still not the old one's. */
    metric_drop(&set, 6);
    assert_int_equal(claim("guest"), 6);
    metric_drop(&set, 6);
    assert_int_equal(claim("m.6"), 6);
    publish();
    assert_int_equal(history_of("m.6", out), 3);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
}

static void a_late_metric_begins_absent(void **state) {
    (void)state;
    float out[LIM_HISTORY_N];
    claim("a");
    for (int i = 0; i < 5; i++)
        publish();
    int b = claim("b");
    metric_put(&set, b, 4);
    publish();
    assert_int_equal(history_of("b", out), 6);
    for (int i = 0; i < 5; i++)
        assert_true(isnan(out[i]));
    assert_true(out[5] == 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_yet_is_sequence_zero, begin, end),
        cmocka_unit_test_setup_teardown(absent_values_are_not_in_the_snapshot, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_layout_changes_with_the_list_only, begin,
                                        end),
        cmocka_unit_test_setup_teardown(ids_are_unique, begin, end),
        cmocka_unit_test_setup_teardown(a_full_set_refuses_and_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(a_metric_that_returns_has_its_past, begin, end),
        cmocka_unit_test_setup_teardown(another_metric_in_the_slot_has_none, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_late_metric_begins_absent, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
