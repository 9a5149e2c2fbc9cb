// link: proto base
/* Requests as text, answers as text: a table, and what the table cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/jsonrpc.h"

enum { VIEWER = 1, ADMIN = 2 };

struct world {
    int calls;
    uint64_t sess;
};

static int echo(struct rpc_call *c) {
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(c->params, "text");
    if (!cJSON_IsString(text))
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params", "text: a string");
    jsonw_str(c->out, NULL, text->valuestring);
    return 0;
}

static int count(struct rpc_call *c) {
    struct world *w = c->ctx;
    w->calls++;
    w->sess = c->sess;
    return 0;
}

static int sum(struct rpc_call *c) {
    double total = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, c->params) total += v->valuedouble;
    jsonw_obj(c->out, NULL);
    jsonw_num(c->out, "total", total, 6);
    jsonw_obj_end(c->out);
    return 0;
}

/* Writes as many bytes as it is asked for. */
static int flood(struct rpc_call *c) {
    jsonw_arr(c->out, NULL);
    for (double n = cJSON_GetArrayItem(c->params, 0)->valuedouble; n > 0; n -= 10)
        jsonw_str(c->out, NULL, "1234567");
    jsonw_arr_end(c->out);
    return 0;
}

static int fail_late(struct rpc_call *c) {
    jsonw_obj(c->out, NULL);
    jsonw_u64(c->out, "half", 1);
    return rpc_fail(c, -32050, "too_late", "Half a result is none");
}

static int fail_without_words(struct rpc_call *c) {
    (void)c;
    return -1;
}

static int fail_at_length(struct rpc_call *c) {
    static char text[257];
    memset(text, 'x', 256 - strlen("word"));
    return rpc_fail(c, RPC_INVALID_PARAMS, "word", text);
}

static int leave_open(struct rpc_call *c) {
    jsonw_arr(c->out, NULL);
    return 0;
}

static const struct rpc_method methods[] = {
    {"echo", VIEWER, echo, false},
    {"count", VIEWER, count, true},
    {"look", VIEWER, count, false},
    {"sum", VIEWER, sum, false},
    {"flood", VIEWER, flood, false},
    {"fail_late", VIEWER, fail_late, false},
    {"fail_without_words", VIEWER, fail_without_words, false},
    {"fail_at_length", VIEWER, fail_at_length, false},
    {"leave_open", VIEWER, leave_open, false},
    {"reboot", ADMIN, count, true},
};

static struct rpc rpc;
static struct world world;
static uint64_t arena[8192];
static char out[RPC_OUT_MIN + 1];

static int setup(void **state) {
    (void)state;
    rpc_init(&rpc, methods, sizeof methods / sizeof *methods, arena, sizeof arena);
    world = (struct world){0, 0};
    return 0;
}

static const char *ask_n(const char *text, size_t n) {
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    size_t len = rpc_handle(&rpc, &world, 77, VIEWER, exact, n, out, RPC_OUT_MIN);
    free(exact);
    assert_in_range(len, 0, RPC_OUT_MIN);
    out[len] = '\0';
    return out;
}

static const char *ask(const char *text) { return ask_n(text, strlen(text)); }

#define V "{\"jsonrpc\":\"2.0\","
#define RESULT(id, result) V "\"id\":" id ",\"result\":" result "}"
#define ERROR(id, code, text, word)                                                    \
    V "\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" text                 \
      "\",\"data\":{\"code\":\"" word "\"}}}"
#define PARSE_ERROR ERROR("null", "-32700", "Parse error", "parse_error")
#define INVALID(id) ERROR(id, "-32600", "Invalid request", "invalid_request")
#define NOT_FOUND(id) ERROR(id, "-32601", "Method not found", "method_not_found")
#define INTERNAL(id) ERROR(id, "-32603", "Internal error", "internal_error")
#define TOO_LARGE(id) ERROR(id, "-32001", "Reply too large", "reply_too_large")

struct rpc_case {
    const char *ask, *answer;
};

static void check_cases(const struct rpc_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *got = ask(cases[i].ask);
        if (strcmp(got, cases[i].answer) != 0)
            fail_msg("%s\n  got  %s\n  want %s", cases[i].ask, got, cases[i].answer);
    }
}
#define CHECK(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

static void requests(void **state) {
    (void)state;
    static const struct rpc_case cases[] = {
        {V "\"method\":\"echo\",\"params\":{\"text\":\"hi\"},\"id\":1}",
         RESULT("1", "\"hi\"")},
        {" {\"id\":1 , \"params\":[1,2.5],\"method\":\"sum\",\"jsonrpc\":\"2.0\"}\n",
         RESULT("1", "{\"total\":3.5}")},
        {V "\"method\":\"count\",\"id\":1}", RESULT("1", "null")},
        {V "\"method\":\"count\",\"id\":1,\"more\":[]}", RESULT("1", "null")},
        {V "\"method\":\"\\u0065cho\",\"params\":{\"text\":\"\\u00e9\\n\"},\"id\":1}",
         RESULT("1", "\"\xC3\xA9\\u000a\"")},
        {V "\"method\":\"nope\",\"id\":1}", NOT_FOUND("1")},
        {V "\"method\":\"Echo\",\"id\":1}", NOT_FOUND("1")},
        {V "\"method\":\"\",\"id\":1}", NOT_FOUND("1")},
        {V "\"method\":\"echo\",\"id\":1}",
         ERROR("1", "-32602", "text: a string", "invalid_params")},
        {V "\"method\":\"reboot\",\"id\":1}",
         ERROR("1", "-32003", "Not allowed in this role", "forbidden")},
        {V "\"method\":\"fail_late\",\"id\":1}",
         ERROR("1", "-32050", "Half a result is none", "too_late")},
        {V "\"method\":\"fail_without_words\",\"id\":1}", INTERNAL("1")},
        {V "\"method\":\"leave_open\",\"id\":1}", INTERNAL("1")},
        {V "\"method\":\"flood\",\"params\":[100000],\"id\":1}", TOO_LARGE("1")},
    };
    CHECK(cases);
}

static void not_a_request(void **state) {
    (void)state;
    static const struct rpc_case cases[] = {
        {"", PARSE_ERROR},
        {"hello", PARSE_ERROR},
        {V "\"method\":\"count\",\"id\":01}", PARSE_ERROR},
        {V "\"method\":\"count\",\"id\":1}}", PARSE_ERROR},
        {V "\"method\":\"count\\u0000\",\"id\":1}", PARSE_ERROR},
        {V "\"method\":\"count\",\"params\":[\"\xFF\"],\"id\":1}", PARSE_ERROR},
        {"1", INVALID("null")},
        {"null", INVALID("null")},
        {"\"count\"", INVALID("null")},
        {"{}", INVALID("null")},
        {"{\"foo\":\"boo\"}", INVALID("null")},
        {V "\"id\":5}", INVALID("5")},
        {V "\"method\":1,\"params\":\"bar\"}", INVALID("null")},
        {V "\"method\":\"count\",\"params\":null,\"id\":5}", INVALID("5")},
        {V "\"method\":\"count\",\"params\":\"a\",\"id\":5}", INVALID("5")},
        {V "\"method\":\"count\",\"params\":7}", INVALID("null")},
        {"{\"jsonrpc\":2.0,\"method\":\"count\",\"id\":5}", INVALID("5")},
        {"{\"jsonrpc\":\"1.0\",\"method\":\"count\",\"id\":\"x\"}", INVALID("\"x\"")},
        {"{\"method\":\"count\",\"id\":5}", INVALID("5")},
        {"{\"JSONRPC\":\"2.0\",\"method\":\"count\",\"id\":5}", INVALID("5")},
        {V "\"result\":1,\"id\":5}", INVALID("5")},
    };
    CHECK(cases);
    assert_int_equal(world.calls, 0);
}

static void ids_come_back(void **state) {
    (void)state;
    static const struct rpc_case cases[] = {
#define ID(id) {V "\"method\":\"count\",\"id\":" id "}", RESULT(id, "null")}
#define NO_ID(id)                                                                      \
    { V "\"method\":\"count\",\"id\":" id "}", INVALID("null") }
        ID("0"),
        ID("-1"),
        ID("2147483648"),
        ID("9007199254740991"),
        ID("-9007199254740991"),
        ID("null"),
        ID("\"\""),
        ID("\"a\\\"\\\\\\u0001\xE2\x82\xAC\""),
        ID("\"0123456789012345678901234567890123456789012345678901234567890123\""),
        NO_ID("\"01234567890123456789012345678901234567890123456789012345678901234\""),
        NO_ID("9007199254740992"),
        NO_ID("-9007199254740992"),
        NO_ID("1.5"),
        NO_ID("1e400"),
        NO_ID("true"),
        NO_ID("[]"),
        NO_ID("{}"),
    };
    CHECK(cases);
}

static void notifications_get_no_answer(void **state) {
    (void)state;
    static const struct rpc_case cases[] = {
        {V "\"method\":\"count\"}", ""},
        {V "\"method\":\"look\"}", ""}, /* has no effect: is not even called */
        {V "\"method\":\"nope\"}", ""},
        {V "\"method\":\"reboot\"}", ""},
        {V "\"method\":\"echo\",\"params\":[]}", ""},
        {V "\"method\":\"fail_late\"}", ""},
        {V "\"method\":\"flood\",\"params\":[100000]}", ""},
    };
    CHECK(cases);
    assert_int_equal(world.calls, 1);
    assert_int_equal(world.sess, 77);
}

#define CALL(name, id) V "\"method\":\"" name "\",\"id\":" id "}"
#define COUNT(id) CALL("count", id)
#define NOTE V "\"method\":\"count\"}"
#define FLOOD(n, id) V "\"method\":\"flood\",\"params\":[" n "],\"id\":" id "}"
#define FOUR(x) x "," x "," x "," x

static void batches(void **state) {
    (void)state;
    static const struct rpc_case cases[] = {
        {"[" COUNT("1") "]", "[" RESULT("1", "null") "]"},
        {"[" COUNT("1") "," NOTE ",7," COUNT("\"b\"") "]",
         "[" RESULT("1", "null") "," INVALID("null") "," RESULT("\"b\"", "null") "]"},
        {"[" NOTE "," COUNT("1") "," NOTE "]", "[" RESULT("1", "null") "]"},
        {"[" NOTE "," NOTE "]", ""},
        {"[" CALL("fail_late", "1") "," CALL("fail_without_words", "2") "]",
         "[" ERROR("1", "-32050", "Half a result is none",
                   "too_late") "," INTERNAL("2") "]"},
        {"[1,[],{}]", "[" INVALID("null") "," INVALID("null") "," INVALID("null") "]"},
        {"[" COUNT("1") ",]", PARSE_ERROR},
        {"[]", ERROR("null", "-32600", "Batch empty or too long", "invalid_request")},
        {"[" FOUR(FOUR(NOTE)) "]", ""},
        {"[" FOUR(FOUR(NOTE)) "," NOTE "]",
         ERROR("null", "-32600", "Batch empty or too long", "invalid_request")},
        {"[" FLOOD("99999", "1") "," COUNT("2") "," FLOOD("99999", "3") "]",
         "[" TOO_LARGE("1") "," RESULT("2", "null") "," TOO_LARGE("3") "]"},
    };
    CHECK(cases);
}

/* However much the first ones take, the last of a full batch is answered. */
static void every_request_of_a_batch_is_answered(void **state) {
    (void)state;
    for (int size = 0; size < 14000; size += 10) {
        static char text[8192];
        int n = 0;
        for (int i = 0; i < RPC_BATCH_MAX; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%c" FLOOD("%d", "%d"),
                          i ? ',' : '[', size, i);
        text[n++] = ']';
        cJSON *answer = cJSON_Parse(ask_n(text, (size_t)n));
        assert_int_equal(cJSON_GetArraySize(answer), RPC_BATCH_MAX);
        for (int i = 0; i < RPC_BATCH_MAX; i++) {
            const cJSON *one = cJSON_GetArrayItem(answer, i);
            assert_int_equal(cJSON_GetObjectItem(one, "id")->valueint, i);
        }
        cJSON_Delete(answer);
    }
}

/* The longest id with the longest words, in the worst of characters. */
static void longest_error_fits(void **state) {
    (void)state;
    char text[1024], *p = text;
    p += sprintf(p, V "\"method\":\"%s\",\"id\":\"", "fail_at_length");
    for (int k = 0; k < RPC_ID_MAX; k++)
        p += sprintf(p, "\\u0001");
    sprintf(p, "\"}");
    assert_in_range(strlen(ask(text)), 6 * RPC_ID_MAX + 256, RPC_ERROR_MAX - 2);
}

static void arena_is_the_limit_and_starts_anew(void **state) {
    (void)state;
    static char text[16384];
    int n = sprintf(text, V "\"method\":\"sum\",\"id\":1,\"params\":[1");
    while (n < 10000)
        n += sprintf(text + n, ",1");
    n += sprintf(text + n, "]}");
    static const char too_complex[] =
        ERROR("null", "-32002", "Message has too many parts", "too_complex");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask_n(text, (size_t)n), too_complex);
        assert_string_equal(ask(COUNT("1")), RESULT("1", "null"));
    }
}

/* Every arena that is too small says so; a sanitizer would see one that is overrun. */
static void arena_of_every_size(void **state) {
    (void)state;
    static const char text[] =
        V "\"method\":\"echo\",\"params\":{\"text\":\"hi\"},\"id\":-12}";
    bool fitted = false;
    for (size_t size = 8; size < 1024; size += 8) {
        uint8_t *mem = malloc(size);
        assert_non_null(mem);
        rpc_init(&rpc, methods, sizeof methods / sizeof *methods, mem, size);
        bool fits = strstr(ask(text), "too_complex") == NULL;
        assert_true(fits || !fitted);
        fitted = fits;
        free(mem);
    }
    assert_true(fitted);
}

/* Outside rpc_handle, cJSON allocates as ever. */
static void others_use_the_heap(void **state) {
    (void)state;
    cJSON *mine = cJSON_Parse("{\"a\":[1,2,3]}");
    assert_non_null(mine);
    assert_string_equal(ask(COUNT("1")), RESULT("1", "null"));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(mine, "a")), 3);
    cJSON_Delete(mine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests, setup),
        cmocka_unit_test_setup(not_a_request, setup),
        cmocka_unit_test_setup(ids_come_back, setup),
        cmocka_unit_test_setup(notifications_get_no_answer, setup),
        cmocka_unit_test_setup(batches, setup),
        cmocka_unit_test_setup(every_request_of_a_batch_is_answered, setup),
        cmocka_unit_test_setup(longest_error_fits, setup),
        cmocka_unit_test_setup(arena_is_the_limit_and_starts_anew, setup),
        cmocka_unit_test_setup(arena_of_every_size, setup),
        cmocka_unit_test_setup(others_use_the_heap, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
