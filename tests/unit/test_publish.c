// link: app
/* The two bodies of POST /api/v1/publish, and datagrams of statsd: what is taken, what
 * is refused, and where. */
#include "app/intake.h"
#include "app/publish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct own own;

static int begin(void **state) {
    static const struct own_opts o = {.limit = 8, .stale_ms = 5000, .forget_ms = 20000};
    (void)state;
    memset(&own, 0, sizeof own);
    return own_init(&own, &o);
}

static int end(void **state) {
    (void)state;
    own_free(&own);
    return 0;
}

static void check_refusal(const struct publish_result *r, uint32_t i, uint32_t line,
                          const char *why) {
    assert_true(i < r->told);
    assert_int_equal(r->refusal[i].line, line);
    assert_string_equal(r->refusal[i].why, why);
}

static void json_is_taken_one_by_one(void **state) {
    static const char text[] =
        "{\"metrics\":[{\"name\":\"boiler\",\"value\":61.5,\"unit\":\"°C\"},"
        "{\"name\":\"a b\",\"value\":1},{\"value\":1},{\"name\":\"x\"},"
        "{\"name\":\"x\",\"value\":\"1\"},{\"name\":\"x\",\"value\":1,\"kind\":\"set\"}"
        ","
        "{\"name\":\"x\",\"value\":1,\"unit\":7},7,"
        "{\"name\":\"hits\",\"value\":1,\"kind\":\"counter\",\"label\":\"Hits\"}]}";
    (void)state;
    struct publish_result r = {0};
    assert_true(publish_json(&own, text, sizeof text - 1, 1000, &r));
    assert_int_equal(r.accepted, 2);
    assert_int_equal(r.refused, 7);
    check_refusal(&r, 0, 2, "a name has letters, digits, '.', '_' and '-' only");
    check_refusal(&r, 1, 3, "the name is missing");
    check_refusal(&r, 2, 4, "value is a number");
    check_refusal(&r, 3, 5, "value is a number");
    check_refusal(&r, 4, 6, "kind is none of gauge, counter, timing");
    check_refusal(&r, 5, 7, "unit is a string");
    check_refusal(&r, 6, 8, "a metric is an object");
}

static void what_is_not_of_the_form_is_refused_whole(void **state) {
    static const char *const bad[] = {
        "", "{}", "[]", "{\"metrics\":{}}", "{ ", "7", "{\"metrics\":[]} x"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct publish_result r = {0};
        assert_false(publish_json(&own, bad[i], strlen(bad[i]), 1000, &r));
        assert_int_equal(r.accepted + r.refused, 0);
    }
}

static void lines_are_taken_one_by_one(void **state) {
    static const char text[] = "boiler temp=61.5,flow=2 17\r\n\n# a comment\nbad\n"
                               "m x=1,y=\"no\"\nlast value=3";
    (void)state;
    struct publish_result r = {0};
    publish_lines(&own, text, sizeof text - 1, 1000, &r);
    assert_int_equal(r.accepted, 3);
    assert_int_equal(r.refused, 2);
    check_refusal(&r, 0, 4, "there is no field");
    check_refusal(&r, 1, 5, "text is no reading");
}

static void beyond_what_is_told_it_is_counted(void **state) {
    char text[PUBLISH_TOLD_MAX * 8] = "";
    (void)state;
    struct publish_result r = {0};
    for (unsigned i = 0; i < PUBLISH_TOLD_MAX + 10; i++)
        strcat(text, "bad\n");
    publish_lines(&own, text, strlen(text), 1000, &r);
    assert_int_equal(r.refused, PUBLISH_TOLD_MAX + 10);
    assert_int_equal(r.told, PUBLISH_TOLD_MAX);
}

static void a_datagram_has_many_lines(void **state) {
    static const char text[] = "a:1|g\r\n\nb:2|c\nbad\nalso bad|g\nc:3|ms";
    (void)state;
    struct intake in = {.own = &own};
    struct own_stats st;
    assert_int_equal(intake_lines(&in, text, sizeof text - 1, 1000), 2);
    own_stats(&own, &st);
    assert_int_equal(st.accepted, 3);
    assert_int_equal(st.refused, 2);
    assert_int_equal(st.metrics, 4);
    assert_int_equal(in.refused, 2);
    assert_string_equal(in.line, "bad"); /* the first is the example */
    assert_string_equal(in.why, "the type is none of g, c, ms");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(json_is_taken_one_by_one),
        WITH(what_is_not_of_the_form_is_refused_whole),
        WITH(lines_are_taken_one_by_one),
        WITH(beyond_what_is_told_it_is_counted),
        WITH(a_datagram_has_many_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
