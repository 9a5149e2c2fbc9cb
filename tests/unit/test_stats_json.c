// link: app
#include "app/stats_json.h"

#include <cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/stats_table.h"
#include "base/role.h"
#include "proto/json.h"

static char text[64 * 1024];

static cJSON *written(const struct stats_view *v) {
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    stats_json(&w, v);
    size_t n = jsonw_end(&w);
    assert_true(n > 0);
    assert_true(json_ok(text, n));
    cJSON *tree = cJSON_ParseWithLength(text, n);
    assert_non_null(tree);
    return tree;
}

static const cJSON *at(const cJSON *v, const char *path) {
    char copy[64], *save = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *k = strtok_r(copy, ".", &save); k; k = strtok_r(NULL, ".", &save)) {
        v = cJSON_GetObjectItemCaseSensitive(v, k);
        if (!v)
            fail_msg("%s is missing", path);
    }
    return v;
}

static double number(const cJSON *v, const char *path) {
    assert_true(cJSON_IsNumber(at(v, path)));
    return at(v, path)->valuedouble;
}

static void every_key_is_there_while_nothing_happened(void **state) {
    (void)state;
    static const char *const numbers[] = {
        "version",
        "sessions.live",
        "sessions.active",
        "sessions.closing",
        "sessions.peak",
        "sessions.capacity",
        "sessions.reserved",
        "sessions.opened",
        "sessions.rejected.full",
        "sessions.rejected.origin",
        "sessions.rejected.host",
        "sessions.rejected.auth",
        "sessions.rejected.handshake",
        "sessions.rejected.stopping",
        "closed.peer_closed",
        "closed.peer_gone",
        "closed.peer_reset",
        "closed.heartbeat_lost",
        "closed.slow_reader",
        "closed.logged_out",
        "closed.expired",
        "closed.evicted",
        "closed.protocol_error",
        "closed.shutdown",
        "closed.internal_error",
        "heartbeat.sent",
        "heartbeat.answered",
        "heartbeat.missed",
        "heartbeat.lost",
        "traffic.frames_in",
        "traffic.frames_out",
        "traffic.bytes_in",
        "traffic.bytes_out",
        "traffic.conflated",
        "traffic.resumed",
        "traffic.replayed",
        "hub.tick_max_us",
        "hub.loop_late",
        "hub.queue_bytes",
        "memory.table_bytes",
        "memory.rss_bytes",
        "memory.tls_bytes",
        "uptime_s",
        "list_omitted",
    };
    static const char *const unknown[] = {
        "heartbeat.interval_ms.min", "heartbeat.interval_ms.avg",
        "heartbeat.interval_ms.max", "heartbeat.rtt_ms.p50",
        "heartbeat.rtt_ms.p95",      "heartbeat.rtt_ms.max",
    };
    cJSON *t = written(&(struct stats_view){0});
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_true(number(t, numbers[i]) == (i == 0));
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_true(cJSON_IsNull(at(t, unknown[i])));
    assert_int_equal(cJSON_GetArraySize(at(t, "closed")), DISC_N - 1);
    assert_int_equal(cJSON_GetArraySize(at(t, "sessions.rejected")), HUB_REJECT_N);
    assert_true(cJSON_IsArray(at(t, "list")));
    cJSON_Delete(t);
}

static void figures_stand_where_they_belong(void **state) {
    (void)state;
    struct hub_row rows[2] = {
        {.id = 0x300000002,
         .addr = {.ip = {[10] = 0xff, [11] = 0xff, 192, 168, 1, 7}, .port = 51234},
         .age_ms = 61999,
         .heard_ago_ms = 12,
         .queued_bytes = 34,
         .messages = 56,
         .interval_ms = 15000,
         .state = SESS_OPEN,
         .role = ROLE_VIEWER,
         .missed = 1},
        {.id = 7,
         .state = SESS_CLOSING,
         .secure = true,
         .rtt_known = true,
         .rtt_ms = 8},
    };
    struct stats_view v = {
        .rows = rows,
        .uptime_s = 99,
        .rss_bytes = 1234567,
        .tls_bytes = 34567,
        .hub = {.active = 2, .closing = 1, .capacity = 64, .reserved = 4, .n_rows = 2},
    };
    v.hub.m.opened = 10;
    v.hub.m.closed[DISC_PEER_GONE] = 7;
    v.hub.m.pings = 20;
    v.hub.m.pongs = 19;
    v.hub.rejected[HUB_REJECT_ORIGIN] = 5;
    v.hub.interval_min_ms = 5000;
    metrics_rtt(&v.hub.m, 3);
    cJSON *t = written(&v);
    assert_true(number(t, "sessions.live") == 3);
    assert_true(number(t, "sessions.opened") == 10);
    assert_true(number(t, "sessions.rejected.origin") == 5);
    assert_true(number(t, "closed.peer_gone") == 7);
    assert_true(number(t, "heartbeat.sent") == 20);
    assert_true(number(t, "heartbeat.answered") == 19);
    assert_true(number(t, "heartbeat.interval_ms.min") == 5000);
    assert_true(number(t, "heartbeat.rtt_ms.max") == 3);
    assert_true(number(t, "memory.rss_bytes") == 1234567);
    assert_true(number(t, "memory.tls_bytes") == 34567);
    assert_true(number(t, "uptime_s") == 99);
    assert_true(number(t, "list_omitted") == 1);
    const cJSON *first = cJSON_GetArrayItem(at(t, "list"), 0);
    const cJSON *second = cJSON_GetArrayItem(at(t, "list"), 1);
    assert_string_equal(at(first, "id")->valuestring, "300000002");
    assert_string_equal(at(first, "address")->valuestring, "192.168.1.7:51234");
    assert_string_equal(at(first, "state")->valuestring, "open");
    assert_string_equal(at(first, "role")->valuestring, "viewer");
    assert_string_equal(at(first, "transport")->valuestring, "ws");
    assert_true(cJSON_IsNull(at(first, "rtt_ms")));
    assert_true(number(first, "age_s") == 61);
    assert_true(number(first, "interval_ms") == 15000);
    assert_true(number(first, "missed") == 1);
    assert_true(number(first, "queued_bytes") == 34);
    assert_true(number(first, "messages") == 56);
    assert_true(number(first, "last_heard_ms") == 12);
    assert_string_equal(at(second, "state")->valuestring, "closing");
    assert_string_equal(at(second, "transport")->valuestring, "wss");
    assert_true(number(second, "rtt_ms") == 8);
    cJSON_Delete(t);
}

/* The room that callers take per row and for the rest is enough, whatever the figures.
 */
static void the_longest_figures_fit(void **state) {
    (void)state;
    static struct hub_row rows[20];
    struct stats_view v = {.rows = rows};
    memset(&v.hub, 0xff, sizeof v.hub);
    memset(rows, 0xff, sizeof rows);
    memset(&v.hub.m.rtt, 0, sizeof v.hub.m.rtt);
    v.uptime_s = v.rss_bytes = v.tls_bytes = UINT64_MAX;
    for (uint32_t n = 0; n <= 20; n++) {
        v.hub.n_rows = n;
        for (uint32_t i = 0; i < n; i++) {
            rows[i].state = SESS_CLOSING;
            rows[i].role = ROLE_VIEWER;
            rows[i].rtt_known = rows[i].secure = true;
        }
        struct jsonw w;
        jsonw_init(&w, text, STATS_JSON_BASE + n * STATS_JSON_ROW);
        stats_json(&w, &v);
        assert_true(jsonw_end(&w) > 0);
    }
}

static char *table_of(const char *json) {
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    assert_non_null(f);
    cJSON *t = cJSON_Parse(json);
    assert_non_null(t);
    stats_table_print(f, t);
    cJSON_Delete(t);
    fclose(f);
    return out;
}

static void the_table_is_aligned(void **state) {
    (void)state;
    char *t =
        table_of("{\"sessions\":{\"live\":2},\"closed\":{\"peer_gone\":3,\"x\":0},"
                 "\"heartbeat\":{\"rtt_ms\":{\"p50\":null,\"p95\":4}},"
                 "\"list\":[{\"id\":\"100000000\",\"address\":\"[::1]:1\"},"
                 "{\"id\":\"2\",\"address\":\"127.0.0.1:65535\",\"age_s\":5}]}");
    assert_non_null(strstr(t, "Sessions  live 2, closing -, "));
    assert_non_null(strstr(t, "Closed    peer_gone 3\n"));
    assert_non_null(strstr(t, "round trip -, 4, - ms"));
    assert_non_null(strstr(t, "\nID         ADDRESS          AGE s  STATE"));
    assert_non_null(strstr(t, "\n100000000  [::1]:1              -"));
    assert_non_null(strstr(t, "\n2          127.0.0.1:65535      5"));
    free(t);
}

/* What a server sends cannot steer the terminal, and nothing of it is taken for
 * granted. */
static void the_table_takes_anything(void **state) {
    (void)state;
    static const char *const answers[] = {
        "{}",
        "[]",
        "3",
        "{\"sessions\":[],\"closed\":[1,2],\"heartbeat\":3,\"list\":{\"a\":1}}",
        "{\"list\":[1,\"x\",{\"id\":\"\\u001b[2J\\n\",\"address\":{}}]}",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char *t = table_of(answers[i]);
        assert_null(strchr(t, '\x1b'));
        free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_there_while_nothing_happened),
        cmocka_unit_test(figures_stand_where_they_belong),
        cmocka_unit_test(the_longest_figures_fit),
        cmocka_unit_test(the_table_is_aligned),
        cmocka_unit_test(the_table_takes_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
