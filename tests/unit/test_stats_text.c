// link: app
#include "app/stats_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char text[64 * 1024];

static void figures_stand_beside_their_names(void **state) {
    (void)state;
    static struct hub_row rows[2] = {
        {.id = 0x300000002, .age_ms = 61000, .messages = 56},
        {.id = 0x100000003, .rtt_known = true, .rtt_ms = 8, .secure = true},
    };
    struct stats_view v = {.rows = rows, .uptime_s = 99};
    v.hub.active = 3;
    v.hub.n_rows = 2;
    v.hub.m.closed[DISC_PEER_GONE] = 7;
    v.hub.rejected[HUB_REJECT_FULL] = 5;
    size_t n = stats_text(text, sizeof text, &v);
    assert_true(n > 0 && n == strlen(text));
    assert_non_null(strstr(text, "\n  live                                3\n"));
    assert_non_null(strstr(text, "\n  peer_gone                           7\n"));
    assert_non_null(strstr(text, "\n  full                                5\n"));
    assert_non_null(strstr(text, "\n  running for                        99 s\n"));
    assert_non_null(strstr(text, "\n  300000002 "));
    assert_non_null(strstr(text, "wss "));
    assert_non_null(strstr(text, "\n  and 1 more\n"));
}

/* What is cut off would be taken for the whole. */
static void all_of_it_or_nothing(void **state) {
    (void)state;
    struct stats_view v = {0};
    size_t n = stats_text(text, sizeof text, &v);
    assert_true(n > 0);
    assert_int_equal(stats_text(text, n + 1, &v), n);
    for (size_t cap = 1; cap <= n; cap++)
        assert_int_equal(stats_text(text, cap, &v), 0);
}

static void the_longest_figures_fit_where_the_json_does(void **state) {
    (void)state;
    static struct hub_row rows[20];
    struct stats_view v = {.rows = rows};
    memset(&v.hub, 0xff, sizeof v.hub);
    memset(rows, 0xff, sizeof rows);
    memset(&v.hub.m.rtt, 0, sizeof v.hub.m.rtt);
    v.uptime_s = v.rss_bytes = UINT64_MAX;
    for (uint32_t i = 0; i < 20; i++) {
        rows[i].role = 0;
        rows[i].rtt_known = rows[i].secure = true;
    }
    for (uint32_t n = 0; n <= 20; n++) {
        v.hub.n_rows = n;
        assert_true(stats_text(text, STATS_JSON_BASE + n * STATS_JSON_ROW, &v) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_stand_beside_their_names),
        cmocka_unit_test(all_of_it_or_nothing),
        cmocka_unit_test(the_longest_figures_fit_where_the_json_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
