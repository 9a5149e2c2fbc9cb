// link: app
#include "app/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/blocks.h"

/* Everything at its largest: the longest ids and figures. */
struct room {
    struct about about;
    struct hub_stats hub;
    struct telemetry_list list;
    struct telemetry_snap snap;
    char text[METRICS_TEXT_MAX + 1];
};

static int set_up(void **state) {
    struct room *r = pages_take(sizeof *r);
    if (!r)
        return -1;
    r->about.version = "1.2.3+g0123456789.dirty";
    memset(&r->hub, 0xff, sizeof r->hub);
    memset(&r->hub.m.rtt, 0, sizeof r->hub.m.rtt);
    r->hub.m.rtt_n = 0;
    metrics_rtt(&r->hub.m, 3);
    r->list.n = r->snap.n = LIM_METRICS;
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(r->list.m[i].id, METRIC_ID_MAX, "%047u", i);
        memcpy(r->snap.v[i].id, r->list.m[i].id, METRIC_ID_MAX);
        memset(r->list.m[i].unit, '"', METRIC_UNIT_MAX - 1); /* each takes two */
        r->list.m[i].group = "temperature";
        r->snap.v[i].value = -1.23456789012e-300;
    }
    *state = r;
    return 0;
}

static int tear_down(void **state) {
    pages_give(*state, sizeof(struct room));
    return 0;
}

static const struct lobby_stats most = {UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX,
                                        UINT64_MAX, UINT64_MAX, UINT64_MAX};

static char *write_text(struct room *r) {
    struct metrics_view v = {&r->about,
                             &r->hub,
                             &r->list,
                             &r->snap,
                             UINT64_MAX,
                             1e9,
                             {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX},
                             most};
    size_t n = metrics_text(r->text, METRICS_TEXT_MAX, &v);
    assert_true(n > 0);
    r->text[n] = '\0';
    return r->text;
}

static void the_largest_fits_and_smaller_buffers_say_so(void **state) {
    struct room *r = *state;
    size_t n = strlen(write_text(r));
    struct metrics_view v = {&r->about,
                             &r->hub,
                             &r->list,
                             &r->snap,
                             UINT64_MAX,
                             1e9,
                             {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX},
                             most};
    for (size_t cap = 0; cap <= n; cap += 97)
        assert_int_equal(metrics_text(r->text, cap, &v), 0);
    assert_int_equal(metrics_text(r->text, n, &v), 0);
    assert_int_equal(metrics_text(r->text, n + 1, &v), n);
}

/* Every sample stands behind the HELP and TYPE of its own name, and no name comes
 * twice. */
static void families_are_whole_and_samples_are_numbers(void **state) {
    char *text = write_text(*state), *save = NULL, seen[8192] = "", name[128] = "",
         type[16];
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        if (strncmp(l, "# HELP ", 7) == 0) {
            char once[140];
            assert_int_equal(sscanf(l, "# HELP %127s", name), 1);
            snprintf(once, sizeof once, "|%s|", name);
            assert_null(strstr(seen, once));
            strcat(seen, once);
            char *next = strtok_r(NULL, "\n", &save), of[128];
            assert_int_equal(sscanf(next, "# TYPE %127s %15s", of, type), 2);
            assert_string_equal(of, name);
            size_t n = strlen(name);
            bool total = n > 6 && strcmp(name + n - 6, "_total") == 0;
            assert_int_equal(total, strcmp(type, "counter") == 0);
            continue;
        }
        assert_int_equal(strncmp(l, name, strlen(name)), 0);
        assert_non_null(strchr("{ _", l[strlen(name)]));
        char *end, *value = strrchr(l, ' ');
        strtod(value + 1, &end);
        assert_true(end > value + 1 && *end == '\0');
    }
}

static void what_is_absent_is_not_there(void **state) {
    struct room *r = *state;
    r->snap.n = 2;
    r->list.n = 1;
    r->hub.m.rtt_n = 0;
    memset(r->hub.m.rtt, 0, sizeof r->hub.m.rtt);
    const char *text = write_text(r);
    assert_non_null(strstr(text, "pulseboard_value{id=\"000"));
    assert_null(strstr(text, "0001\",unit"));
    assert_null(strstr(text, "rtt_seconds"));
}

/* Values of one family stand together, wherever they come from, in base units. */
static void units_become_base_units(void **state) {
    static const struct {
        const char *unit, *line;
        double value;
    } rows[] = {
        {"°C", "pulseboard_temperature_celsius{id=\"m0\",group=\"own\"} 21.5", 21.5},
        {"%", "pulseboard_usage_ratio{id=\"m1\",group=\"own\"} 0.125", 12.5},
        {"ms", "pulseboard_duration_seconds{id=\"m2\",group=\"own\"} 0.02", 20},
        {"L", "pulseboard_value{id=\"m3\",group=\"own\",unit=\"L\"} 7", 7},
        {"hPa", "pulseboard_pressure_pascals{id=\"m4\",group=\"own\"} 101325", 1013.25},
        {"s", "pulseboard_duration_seconds{id=\"m5\",group=\"own\"} 3", 3},
        {"1", "pulseboard_value{id=\"m6\",group=\"own\",unit=\"1\"} -1", -1},
    };
    struct room *r = *state;
    r->list.n = r->snap.n = sizeof rows / sizeof rows[0];
    for (unsigned i = 0; i < r->list.n; i++) {
        snprintf(r->list.m[i].id, METRIC_ID_MAX, "m%u", i);
        memcpy(r->snap.v[i].id, r->list.m[i].id, METRIC_ID_MAX);
        snprintf(r->list.m[i].unit, METRIC_UNIT_MAX, "%s", rows[i].unit);
        r->list.m[i].group = "own";
        r->snap.v[i].value = rows[i].value;
    }
    char *text = write_text(r);
    for (unsigned i = 0; i < r->list.n; i++)
        if (!strstr(text, rows[i].line))
            fail_msg("%s is missing", rows[i].line);
    families_are_whole_and_samples_are_numbers(state);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(the_largest_fits_and_smaller_buffers_say_so),
        WITH(families_are_whole_and_samples_are_numbers),
        WITH(what_is_absent_is_not_there),
        WITH(units_become_base_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
