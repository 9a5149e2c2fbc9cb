// link: proto
/* RFC 8259, production by production. Every case lies in a buffer of its exact size. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/json.h"

static bool ok(const char *text, size_t n) {
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    bool rc = json_ok(exact, n);
    free(exact);
    return rc;
}

static void valid_text(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "12",
        "1.5",
        "-1.5e10",
        "1E+5",
        "1e-05",
        "0.0",
        "0e0",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " \t\r\n[ ]\n",
        "[1]",
        "[1,2 , 3]",
        "[[],{}]",
        "{\"a\":1}",
        "{ \"a\" : 1 , \"b\" : [ ] }",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\uFFFF\\u0001\"",
        "\"\\uD834\\udd1e\"",
        "\"\x7F\xC3\xA9\xF0\x9F\x98\x80\"",
        "\"/\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!ok(texts[i], strlen(texts[i])))
            fail_msg("%s", texts[i]);
}

static const char *const invalid[] = {
    /* values */
    "", " ", "tru", "True", "nul", "nulll", "NaN", "Infinity", "undefined", "'a'", "a",
    /* numbers */
    "01", "-01", "00", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "1.5.5", "0x10",
    "1_000", "--1", "- 1", "1 2", "1a",
    /* strings */
    "\"", "\"abc", "\"\\\"", "\"\\", "\"\\x\"", "\"\\a\"", "\"\n\"", "\"\t\"",
    "\"\x1F\"", "\"\\u\"", "\"\\u12\"", "\"\\u123\"", "\"\\u12G4\"", "\"\\U0041\"",
    "\"\\u 041\"", "\"\\u-041\"", "\"\\u0000\"", "\"\\uD834\"", "\"\\uD834x\"",
    "\"\\uD834\\n\"", "\"\\uD834\\u0041\"", "\"\\uDD1E\"", "\"\\uDD1E\\uD834\"",
    "\"\\uD834\\uD834\"", "\"\\uDD1E\\uDD1E\"", "\"\\uD834\\uDD1\"", "\"\xFF\"",
    "\"\xC3\"", "\"\xED\xA0\x80\"", "\"\xC0\x80\"",
    /* arrays and objects */
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1}", "{", "}", "{]",
    "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}",
    "{\"a\" 1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}",
    "{\"a\"::1}", "{null:1}",
    /* around */
    "1,", "[]]", "{}{}", "[] x", "\xEF\xBB\xBF[]", "//c\n1", "/**/1", "\v1", "1\f",
    "\xC2\xA0[]"};

static void invalid_text(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        if (ok(invalid[i], strlen(invalid[i])))
            fail_msg("%s", invalid[i]);
}

static void nul_is_never_valid(void **state) {
    (void)state;
    assert_false(ok("1\0", 2));
    assert_false(ok("\0", 1));
    assert_false(ok("\"a\0b\"", 5));
    assert_false(ok("\"\\\0\"", 4));
    assert_false(ok("\"\\u\0\0\0\0\"", 8));
}

static void every_cut_of_a_text_is_invalid(void **state) {
    (void)state;
    static const char text[] = "{\"a\":[1.5e+3,-0,true,null],\"b\\u00e9\":{"
                               "\"\\uD834\\uDD1E\":\"\xE2\x82\xAC\"}}";
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_false(ok(text, n));
    assert_true(ok(text, sizeof text - 1));
}

static void depth_is_bounded(void **state) {
    (void)state;
    static char text[200002];
    static const size_t depths[] = {1, 2, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 100000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        size_t d = depths[i];
        memset(text, '[', d);
        memset(text + d, ']', d);
        assert_int_equal(ok(text, 2 * d), d <= JSON_DEPTH_MAX);
        memcpy(text + d - 1, "{}", 2);
        assert_int_equal(ok(text, 2 * d), d <= JSON_DEPTH_MAX);
        assert_false(ok(text, d));
    }
}

static void a_fault_has_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {
        {"{\"a\":1 \n \"b\":2}", 9}, /* the comma is missed where "b" stands */
        {"{\"a\":1,}", 7},
        {"[1,2", 4},
        {"[1] 2", 4},
        {"[01]", 2},
        {"[\"a\nb\"]", 3},
        {"[\"\\x\"]", 3},
        {"[trve]", 3},
        {"\"a\xC3", 3},
        {"\xFF", 0},
        {"[\"\xC3\xA9\xFF\"]", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *t = rows[i].text;
        assert_int_equal(json_fault(t, strlen(t)) - t, rows[i].at);
    }
    assert_null(json_fault("[]", 2));
}

/* Before the fault every cut of the text only lacks its end; with it, it is at fault
 * there. */
static void a_fault_is_the_first_one(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        const char *t = invalid[i];
        size_t n = strlen(t), at = (size_t)(json_fault(t, n) - t);
        for (size_t k = 0; k <= n; k++) {
            const char *fault = json_fault(t, k);
            if (fault ? fault != t + (k < at ? k : at) : k > at)
                fail_msg("%s, the first %zu", t, k);
        }
    }
}

static sem_t began, go_on;
static _Thread_local bool halts;

static void *halting_malloc(size_t n) {
    if (halts) {
        halts = false;
        sem_post(&began);
        sem_wait(&go_on);
    }
    return malloc(n);
}

static void *parse_and_halt(void *arg) {
    halts = true;
    return json_parse(arg, strlen(arg));
}

/* One thread is in the middle of its text for as long as it likes. */
static void nobody_waits_for_another_to_parse(void **state) {
    (void)state;
    cJSON_Hooks hooks = {.malloc_fn = halting_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
    assert_int_equal(sem_init(&began, 0, 0), 0);
    assert_int_equal(sem_init(&go_on, 0, 0), 0);
    pthread_t thread;
    alarm(20);
    assert_int_equal(pthread_create(&thread, NULL, parse_and_halt, "[1,2,3]"), 0);
    sem_wait(&began);
    cJSON *mine = json_parse("[4]", 3);
    assert_int_equal(cJSON_GetArraySize(mine), 1);
    cJSON_Delete(mine);
    sem_post(&go_on);
    void *theirs = NULL;
    assert_int_equal(pthread_join(thread, &theirs), 0);
    alarm(0);
    assert_int_equal(cJSON_GetArraySize(theirs), 3);
    cJSON_Delete(theirs);
    cJSON_InitHooks(NULL);
}

static void *fail_elsewhere(void *arg) {
    static const char text[] = "[1,x]";
    (void)arg;
    assert_null(cJSON_ParseWithLength(text, strlen(text)));
    assert_ptr_equal(cJSON_GetErrorPtr(), text + 3);
    return NULL;
}

/* What cJSON notes about a failure is the thread's own: there is nothing to share. */
static void a_failure_stays_in_its_thread(void **state) {
    (void)state;
    static const char text[] = "[y]";
    assert_null(cJSON_ParseWithLength(text, strlen(text)));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ptr_equal(cJSON_GetErrorPtr(), text + 1);
}

static void only_json_has_a_tree(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_null(json_parse(invalid[i], strlen(invalid[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text),
        cmocka_unit_test(invalid_text),
        cmocka_unit_test(nul_is_never_valid),
        cmocka_unit_test(every_cut_of_a_text_is_invalid),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_fault_has_its_place),
        cmocka_unit_test(a_fault_is_the_first_one),
        cmocka_unit_test(only_json_has_a_tree),
        cmocka_unit_test(nobody_waits_for_another_to_parse),
        cmocka_unit_test(a_failure_stays_in_its_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
