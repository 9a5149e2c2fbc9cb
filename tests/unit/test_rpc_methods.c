// link: app
#include "app/rpc_methods.h"

#include <cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/live.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"

/* A board with telemetry but without a network: methods are called as the hub would. */
struct board {
    struct about about;
    struct telemetry telemetry;
    struct metric_set set;
    enum role role;
    struct events events;
    struct rpc_methods methods;
    struct hub *hub;
    cJSON *answer;
    char text[16 * 1024];
};

static void nobody_opened(void *ctx, struct hub *h, sess_id id,
                          const struct handoff_hello *hello) {
    (void)ctx, (void)h, (void)id, (void)hello;
}

static void nothing_said(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                         const uint8_t *p, size_t n) {
    (void)ctx, (void)h, (void)id, (void)op, (void)p, (void)n;
}

static void nobody_closed(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx, (void)h, (void)id, (void)why;
}

static void no_news(void *ctx, struct hub *h) { (void)ctx, (void)h; }

static const struct hub_app quiet = {
    .opened = nobody_opened,
    .message = nothing_said,
    .closed = nobody_closed,
    .kicked = no_news,
};

static int start_hub(struct board *b) {
    struct hub_opts o;
    hub_opts_default(&o);
    o.max_sessions = 4;
    o.app = &quiet;
    return hub_start(&b->hub, &o);
}

static int set_up(void **state) {
    struct board *b = pages_take(sizeof *b);
    if (!b)
        return -1;
    b->about = (struct about){.version = "1", .sample_ms = 1000};
    b->about.epoch = 0xabc;
    b->about.started_ms = clock_ms();
    snprintf(b->about.name, sizeof b->about.name, "Kitchen");
    snprintf(b->about.device.host, sizeof b->about.device.host, "board");
    b->role = ROLE_VIEWER;
    metric_init(&b->set);
    *state = b;
    if (telemetry_init(&b->telemetry) != 0 || events_init(&b->events) != 0 ||
        start_hub(b) != 0)
        return -1;
    return rpc_methods_init(&b->methods, &b->about, &b->telemetry, &b->events, 16384);
}

static int tear_down(void **state) {
    struct board *b = *state;
    cJSON_Delete(b->answer);
    hub_stop(b->hub);
    hub_free(b->hub);
    rpc_methods_free(&b->methods);
    events_free(&b->events);
    telemetry_free(&b->telemetry);
    pages_give(b, sizeof *b);
    return 0;
}

static void on_hub(struct hub *h, void *arg) {
    struct board *b = arg;
    const char *answer;
    size_t n = rpc_methods_handle(&b->methods, h, 1, (uint8_t)b->role, b->text,
                                  strlen(b->text), &answer);
    cJSON_Delete(b->answer);
    b->answer = n ? cJSON_ParseWithLength(answer, n) : NULL;
}

/* Calls method on the hub thread; params is JSON or NULL. Returns what is called `key`
 * of the answer. */
static const cJSON *call(struct board *b, const char *method, const char *params,
                         const char *key) {
    snprintf(b->text, sizeof b->text,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"%s%s}", method,
             params ? ",\"params\":" : "", params ? params : "");
    assert_int_equal(hub_call(b->hub, on_hub, b, 5000), 0);
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(b->answer, key);
    if (!v)
        fail_msg("%s %s: no %s", method, params ? params : "", key);
    return v;
}

static const cJSON *in(const cJSON *v, const char *key) {
    v = cJSON_GetObjectItemCaseSensitive(v, key);
    if (!v)
        fail_msg("%s is missing", key);
    return v;
}

static double number(const cJSON *v, const char *key) {
    assert_true(cJSON_IsNumber(in(v, key)));
    return in(v, key)->valuedouble;
}

static void refused(struct board *b, const char *method, const char *params, int code,
                    const char *word) {
    const cJSON *e = call(b, method, params, "error");
    assert_true(number(e, "code") == code);
    assert_string_equal(in(in(e, "data"), "code")->valuestring, word);
}

static void sample(struct board *b, double v, int64_t wall_ms, uint64_t mono_ms) {
    metric_blank(&b->set);
    metric_put(&b->set, metric_find(&b->set, "load.1"), v);
    telemetry_publish(&b->telemetry, &b->set, 0, wall_ms, mono_ms);
}

static void measure(struct board *b, const char *id, const char *label) {
    struct metric m = metric_make(id, label, "1", "system", METRIC_GAUGE);
    assert_true(metric_claim(&b->set, &m) >= 0);
}

static void ping_tells_both_clocks(void **state) {
    struct board *b = *state;
    uint64_t before = clock_ms();
    const cJSON *r = call(b, "ping", NULL, "result");
    assert_true(number(r, "up") >= (double)before);
    assert_true(number(r, "t") > 1.6e12);
    call(b, "ping", "{}", "result");
}

static void info_describes_board_and_metrics(void **state) {
    struct board *b = *state;
    measure(b, "load.1", "Load, \"1\" min");
    sample(b, 1, 1, 1);
    const cJSON *r = call(b, "info", NULL, "result");
    assert_string_equal(in(in(r, "server"), "name")->valuestring, "Kitchen");
    assert_string_equal(in(in(r, "server"), "epoch")->valuestring, "abc");
    double age_ms = (double)clock_wall_ms() - number(in(r, "server"), "started");
    assert_true(age_ms >= 0 && age_ms < 60000); /* by the clock of now */
    assert_string_equal(in(in(r, "device"), "host")->valuestring, "board");
    assert_null(cJSON_GetObjectItem(in(r, "device"), "model"));
    assert_true(number(r, "sample_ms") == 1000);
    assert_true(number(in(r, "history"), "n") == LIM_HISTORY_N);
    const cJSON *m = cJSON_GetArrayItem(in(r, "metrics"), 0);
    assert_string_equal(in(m, "id")->valuestring, "load.1");
    assert_string_equal(in(m, "label")->valuestring, "Load, \"1\" min");
    assert_string_equal(in(m, "kind")->valuestring, "gauge");
    assert_null(cJSON_GetObjectItem(m, "max"));
}

static void the_largest_info_fits(void **state) {
    struct board *b = *state;
    char id[METRIC_ID_MAX], label[METRIC_LABEL_MAX];
    memset(label, '"', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(id, sizeof id, "%047u", i);
        struct metric m = metric_make(id, label, "B/s", "temperature", METRIC_COUNTER);
        m.min = m.max = m.warn = m.crit = -1.23456e-300;
        assert_true(metric_claim(&b->set, &m) >= 0);
    }
    telemetry_publish(&b->telemetry, &b->set, 0, 1, 1);
    const cJSON *r = call(b, "info", NULL, "result");
    assert_int_equal(cJSON_GetArraySize(in(r, "metrics")), LIM_METRICS);
    static char text[ABOUT_JSON_MAX];
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    memset(b->about.device.host, '"', sizeof b->about.device.host - 1);
    memset(b->about.device.os, '"', sizeof b->about.device.os - 1);
    memset(b->about.device.model, '"', sizeof b->about.device.model - 1);
    memset(b->about.device.kernel, '"', sizeof b->about.device.kernel - 1);
    memset(b->about.name, '"', sizeof b->about.name - 1);
    about_json(&w, &b->about, &b->methods.list);
    assert_true(jsonw_end(&w) > 0);
}

static void admins_may_more(void **state) {
    struct board *b = *state;
    static const char *const calls[][2] = {
        {"log.level", "{\"level\":\"notice\"}"},
        {"sessions.close", "{\"session\":\"100000000\"}"},
    };
    enum log_level before = log_level();
    for (size_t i = 0; i < 2; i++) {
        const cJSON *e = call(b, calls[i][0], calls[i][1], "error");
        assert_true(number(e, "code") == RPC_FORBIDDEN);
    }
    assert_int_equal(log_level(), before);
    b->role = ROLE_ADMIN;
    log_set_level(LOG_LVL_WARN);
    const cJSON *r = call(b, "log.level", NULL, "result");
    assert_string_equal(in(r, "level")->valuestring, "warn");
    r = call(b, "log.level", "{\"level\":\"error\"}", "result");
    assert_string_equal(in(r, "level")->valuestring, "error");
    assert_int_equal(log_level(), LOG_LVL_ERROR);
    const cJSON *e = call(b, "log.level", "{\"level\":\"loud\"}", "error");
    assert_true(number(e, "code") == RPC_INVALID_PARAMS);
    e = call(b, "sessions.close", "{\"session\":7}", "error");
    assert_true(number(e, "code") == RPC_INVALID_PARAMS);
    e = call(b, "sessions.close", "{\"session\":\"100000000\"}", "error");
    assert_true(number(e, "code") == RPC_NOT_FOUND);
    log_set_level(before);
}

static void stats_is_the_same_as_over_http(void **state) {
    struct board *b = *state;
    const cJSON *r = call(b, "stats", NULL, "result");
    assert_true(number(r, "version") == 1);
    assert_true(number(in(r, "sessions"), "capacity") == 4);
    assert_true(number(in(r, "memory"), "rss_bytes") > 100000);
}

static void history_is_in_columns(void **state) {
    struct board *b = *state;
    measure(b, "load.1", "Load");
    measure(b, "gone", "Gone");
    for (int i = 1; i <= 5; i++)
        sample(b, i == 3 ? NAN : i * 1.5, 10000 + i * 1000, (uint64_t)(500 + i * 1000));
    const cJSON *r = call(b, "history", NULL, "result");
    assert_true(number(r, "seq0") == 1);
    assert_true(number(r, "t0") == 11000);
    assert_true(number(r, "up0") == 1500);
    assert_true(number(r, "step_ms") == 1000);
    assert_true(number(r, "n") == 5);
    const cJSON *load = in(in(r, "values"), "load.1");
    assert_int_equal(cJSON_GetArraySize(load), 5);
    assert_true(cJSON_GetArrayItem(load, 0)->valuedouble == 1.5);
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(load, 2)));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(in(in(r, "values"), "gone"), 4)));

    r = call(b, "history", "{\"since\":3,\"ids\":[\"load.1\",\"none\",\"load.1\"]}",
             "result");
    assert_true(number(r, "seq0") == 4);
    assert_true(number(r, "n") == 2);
    assert_true(number(r, "up0") == 4500);
    assert_int_equal(cJSON_GetArraySize(in(r, "values")), 1);

    r = call(b, "history", "{\"since\":9007199254740991,\"ids\":[]}", "result");
    assert_true(number(r, "n") == 0);
    assert_int_equal(cJSON_GetArraySize(in(r, "values")), 0);
}

/* After a pause the newest row is where it was; step_ms leads back from there. */
static void the_newest_row_is_exact(void **state) {
    struct board *b = *state;
    measure(b, "load.1", "Load");
    sample(b, 1, 1000, 1000);
    sample(b, 2, 61000, 61000);
    const cJSON *r = call(b, "history", NULL, "result");
    assert_true(number(r, "up0") + number(r, "step_ms") == 61000);
    assert_true(number(r, "t0") + number(r, "step_ms") == 61000);
}

static void history_takes_sensible_questions_only(void **state) {
    struct board *b = *state;
    static const char *const bad[] = {
        "[]",
        "[1]",
        "{\"since\":-1}",
        "{\"since\":1.5}",
        "{\"since\":\"1\"}",
        "{\"since\":1e300}",
        "{\"since\":null}",
        "{\"ids\":\"load.1\"}",
        "{\"ids\":[1]}",
        "{\"ids\":null}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(b, "history", bad[i], RPC_INVALID_PARAMS, "invalid_params");
    char many[4 * (LIM_METRICS + 1) + 32] = "{\"ids\":[\"a\"";
    for (unsigned i = 0; i < LIM_METRICS; i++)
        strcat(many, ",\"a\"");
    refused(b, "history", strcat(many, "]}"), RPC_INVALID_PARAMS, "invalid_params");
}

static void too_much_history_is_refused_before_the_work(void **state) {
    struct board *b = *state;
    char id[METRIC_ID_MAX], ids[1024] = "{\"ids\":[\"m0\"";
    for (unsigned i = 0; i < LIM_METRICS; i++) {
        snprintf(id, sizeof id, "m%u", i);
        measure(b, id, id);
    }
    for (unsigned i = 0; i < LIM_HISTORY_N; i++)
        telemetry_publish(&b->telemetry, &b->set, 0, 1, 1);
    refused(b, "history", NULL, RPC_REPLY_TOO_LARGE, "reply_too_large");
    unsigned fit = RPC_HISTORY_VALUES / LIM_HISTORY_N;
    for (unsigned i = 1; i < fit; i++)
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), ",\"m%u\"", i);
    strcat(ids, "]}");
    const cJSON *r = call(b, "history", ids, "result");
    assert_int_equal(cJSON_GetArraySize(in(r, "values")), fit);
}

static void events_are_told_in_portions(void **state) {
    struct board *b = *state;
    static const char *const bad[] = {
        "[]",
        "{\"since\":-1}",
        "{\"limit\":0}",
        "{\"limit\":\"1\"}",
        "{\"level\":\"loud\"}",
        "{\"level\":6}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(b, "events", bad[i], RPC_INVALID_PARAMS, "invalid_params");
    char worst[EVENT_TEXT_MAX];
    memset(worst, 0xff, sizeof worst - 1);
    worst[sizeof worst - 1] = '\0';
    for (unsigned i = 0; i < 2 * EVENTS_N; i++)
        events_tap(&b->events, LOG_LVL_WARN, worst, worst);
    const cJSON *r = call(b, "events", "{\"since\":0}", "result");
    assert_string_equal(in(r, "epoch")->valuestring, "abc");
    assert_true(number(r, "first") == EVENTS_N + 1);
    assert_int_equal(cJSON_GetArraySize(in(r, "events")), RPC_EVENTS);
    assert_true(number(r, "next") == EVENTS_N + 1 + RPC_EVENTS);
    r = call(b, "events", "{\"limit\":2,\"level\":\"warn\"}", "result");
    assert_true(number(cJSON_GetArrayItem(in(r, "events"), 1), "seq") == 2 * EVENTS_N);
    r = call(b, "events", "{\"level\":\"error\"}", "result");
    assert_int_equal(cJSON_GetArraySize(in(r, "events")), 0);
    assert_true(number(r, "next") == 2 * EVENTS_N + 1);
}

static void topics_are_named(void **state) {
    struct board *b = *state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"topics\":\"telemetry\"}",
        "{\"topics\":[1]}",
        "{\"topics\":null}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(b, "subscribe", bad[i], RPC_INVALID_PARAMS, "invalid_params");
        refused(b, "unsubscribe", bad[i], RPC_INVALID_PARAMS, "invalid_params");
    }
    refused(b, "subscribe", NULL, RPC_INVALID_PARAMS, "invalid_params");
    refused(b, "subscribe", "{\"topics\":[\"telemetry\",\"x\"]}", RPC_INVALID_PARAMS,
            "unknown_topic");
    const cJSON *r = call(b, "subscribe", "{\"topics\":[\"telemetry\"]}", "result");
    assert_string_equal(cJSON_GetArrayItem(in(r, "topics"), 0)->valuestring,
                        "telemetry");
    call(b, "subscribe", "{\"topics\":[\"events\",\"telemetry\"]}", "result");
    r = call(b, "unsubscribe", "{\"topics\":[\"telemetry\"]}", "result");
    assert_int_equal(cJSON_GetArraySize(in(r, "topics")), 0);
}

static void unknown_methods_are_named_so(void **state) {
    refused(*state, "sessions.open", NULL, RPC_METHOD_NOT_FOUND, "method_not_found");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(ping_tells_both_clocks),
        WITH(info_describes_board_and_metrics),
        WITH(the_largest_info_fits),
        WITH(admins_may_more),
        WITH(stats_is_the_same_as_over_http),
        WITH(history_is_in_columns),
        WITH(the_newest_row_is_exact),
        WITH(history_takes_sensible_questions_only),
        WITH(too_much_history_is_refused_before_the_work),
        WITH(events_are_told_in_portions),
        WITH(topics_are_named),
        WITH(unknown_methods_are_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
