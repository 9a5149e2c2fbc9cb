// link: proto base
/* Whatever is asked, the answer is JSON-RPC, everything that has an id is answered, and
 * no memory beyond the arena and the buffer is touched (they are as large as they say).
 *
 * Input: one byte (bits 0-3: the arena, as a power of two; bit 4: the role), then the
 * text. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "proto/jsonrpc.h"

#define CHECK(x) ((x) ? (void)0 : abort())
#define OUT_BYTES (RPC_OUT_MIN + 1000)

static int echo(struct rpc_call *c) {
    const cJSON *v;
    jsonw_arr(c->out, NULL);
    cJSON_ArrayForEach(v, c->params) {
        if (cJSON_IsString(v))
            jsonw_str(c->out, NULL, v->valuestring);
        else if (cJSON_IsNumber(v))
            jsonw_num(c->out, NULL, v->valuedouble, 6);
        else
            jsonw_null(c->out, NULL);
    }
    jsonw_arr_end(c->out);
    return 0;
}

static int flood(struct rpc_call *c) {
    const cJSON *n = cJSON_GetArrayItem(c->params, 0);
    if (!cJSON_IsNumber(n) || n->valueint < 0)
        return rpc_fail(c, RPC_INVALID_PARAMS, "invalid_params", "[bytes]");
    int bytes = n->valueint < OUT_BYTES ? n->valueint : OUT_BYTES;
    char *text = malloc((size_t)bytes + 1);
    CHECK(text);
    memset(text, 'x', (size_t)bytes);
    text[bytes] = '\0';
    jsonw_str(c->out, NULL, text);
    free(text);
    return 0;
}

static int nothing(struct rpc_call *c) {
    (void)c;
    return 0;
}

static const struct rpc_method methods[] = {
    {"e", 0, echo, true},
    {"f", 0, flood, true},
    {"n", 1, nothing, false},
};

static const cJSON *member(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Section 5: version, id, and either a result or an error. */
static void check_answer(const cJSON *a) {
    CHECK(cJSON_IsObject(a) && cJSON_GetArraySize(a) == 3);
    CHECK(strcmp(cJSON_GetStringValue(member(a, "jsonrpc")), "2.0") == 0);
    CHECK(member(a, "id"));
    const cJSON *error = member(a, "error");
    CHECK(!error == !!member(a, "result"));
    if (!error)
        return;
    CHECK(cJSON_IsNumber(member(error, "code")));
    CHECK(cJSON_IsString(member(error, "message")));
    CHECK(cJSON_IsString(member(member(error, "data"), "code")));
}

/* What has no id may go without an answer. */
static int must_answer(const cJSON *request) {
    return !cJSON_IsObject(request) || member(request, "id");
}

static void check_batch(const cJSON *asked, const cJSON *answers) {
    int least = 0, most = cJSON_GetArraySize(asked), n = cJSON_GetArraySize(answers);
    const cJSON *v;
    cJSON_ArrayForEach(v, asked) least += must_answer(v);
    cJSON_ArrayForEach(v, answers) check_answer(v);
    CHECK(n >= least && n <= most && n != 0);
}

static void check_reply(const char *text, size_t n, const char *out, size_t len) {
    /* json_ok is the stricter one, except for depth, where they agree. */
    cJSON *asked = json_ok(text, n) ? cJSON_ParseWithLength(text, n) : NULL;
    CHECK(!json_ok(text, n) == !asked);
    CHECK(len == 0 || json_ok(out, len));
    cJSON *reply = len ? cJSON_ParseWithLength(out, len) : NULL;
    if (cJSON_IsArray(reply))
        check_batch(asked, reply);
    else if (reply)
        check_answer(reply);
    else if (cJSON_IsObject(asked))
        CHECK(!must_answer(asked));
    else
        CHECK(cJSON_IsArray(asked));
    cJSON_Delete(asked);
    cJSON_Delete(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    const char *text = (const char *)data + 1;
    size_t arena_bytes = (size_t)8 << data[0] % 16;
    void *arena = malloc(arena_bytes);
    char *out = malloc(OUT_BYTES);
    CHECK(arena && out);
    struct rpc rpc;
    rpc_init(&rpc, methods, sizeof methods / sizeof *methods, arena, arena_bytes);
    size_t len =
        rpc_handle(&rpc, NULL, 1, data[0] / 16 % 2, text, size - 1, out, OUT_BYTES);
    check_reply(text, size - 1, out, len);
    /* What the header promises of an arena of that size. */
    static const char complex[] = "\"code\":-32002";
    if (arena_bytes >= 40 * size + 64)
        CHECK(!memmem(out, len, complex, sizeof complex - 1));
    free(arena);
    free(out);
    return 0;
}
