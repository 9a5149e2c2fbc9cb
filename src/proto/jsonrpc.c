#include "proto/jsonrpc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"

static_assert(JSON_DEPTH_MAX <= CJSON_NESTING_LIMIT, "cJSON would refuse valid text");

/* The arena of the message that this thread handles now; all NULL: none. */
struct arena {
    uint8_t *mem, *at, *end;
};
static _Thread_local struct arena arena;

static void *arena_take(size_t n) {
    if (!arena.mem)
        return malloc(n);
    size_t left = (size_t)(arena.end - arena.at);
    size_t need = (n + 7) & ~(size_t)7;
    if (need < n || need > left)
        return NULL;
    void *p = arena.at;
    arena.at += need;
    return p;
}

static void arena_give(void *p) {
    if ((uintptr_t)p < (uintptr_t)arena.mem || (uintptr_t)p >= (uintptr_t)arena.end)
        free(p);
}

void rpc_init(struct rpc *r, const struct rpc_method *methods, size_t n_methods,
              void *mem, size_t mem_bytes) {
    cJSON_Hooks hooks = {.malloc_fn = arena_take, .free_fn = arena_give};
    cJSON_InitHooks(&hooks);
    *r = (struct rpc){methods, n_methods, mem, mem_bytes};
}

int rpc_fail(struct rpc_call *c, int code, const char *word, const char *text) {
    assert(code != 0 && strlen(word) + strlen(text) <= 256);
    c->err_code = code;
    c->err_word = word;
    c->err_text = text;
    return code;
}

/* A request object (section 4). */
struct request {
    const cJSON *id; /* NULL: a notification */
    const cJSON *params;
    const char *method;
};

static const cJSON *member(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Those that come back exactly as they came. */
static bool id_ok(const cJSON *id) {
    if (cJSON_IsString(id))
        return strlen(id->valuestring) <= RPC_ID_MAX;
    if (cJSON_IsNumber(id)) {
        double v = id->valuedouble, whole = 9007199254740991.0; /* 2^53 - 1 */
        return v >= -whole && v <= whole && v == (double)(int64_t)v;
    }
    return cJSON_IsNull(id);
}

/* False: not a request. The id is then the one to answer with, if there is one. */
static bool request_read(struct request *q, const cJSON *msg) {
    const cJSON *version = member(msg, "jsonrpc"), *method = member(msg, "method");
    const cJSON *id = member(msg, "id"), *params = member(msg, "params");
    bool id_fits = !id || id_ok(id);
    *q = (struct request){id_fits ? id : NULL, params, cJSON_GetStringValue(method)};
    return id_fits && q->method && cJSON_IsString(version) &&
           strcmp(version->valuestring, "2.0") == 0 &&
           (!params || cJSON_IsObject(params) || cJSON_IsArray(params));
}

/* Section 5, up to result or error. */
static void open_answer(struct jsonw *w, const cJSON *id) {
    jsonw_obj(w, NULL);
    jsonw_str(w, "jsonrpc", "2.0");
    if (!id || cJSON_IsNull(id))
        jsonw_null(w, "id");
    else if (cJSON_IsString(id))
        jsonw_str(w, "id", id->valuestring);
    else
        jsonw_i64(w, "id", (int64_t)id->valuedouble);
}

static void write_error(struct rpc_call *c, const cJSON *id) {
    struct jsonw *w = c->out;
    open_answer(w, id);
    jsonw_obj(w, "error");
    jsonw_i64(w, "code", c->err_code);
    jsonw_str(w, "message", c->err_text);
    jsonw_obj(w, "data");
    jsonw_str(w, "code", c->err_word);
    jsonw_obj_end(w);
    jsonw_obj_end(w);
    jsonw_obj_end(w);
}

static bool acts(const struct rpc *r, const char *name) {
    for (size_t i = 0; i < r->n_methods; i++) {
        if (strcmp(r->methods[i].name, name) == 0)
            return r->methods[i].acts;
    }
    return false;
}

static int dispatch(const struct rpc *r, struct rpc_call *c, const char *name) {
    for (size_t i = 0; i < r->n_methods; i++) {
        const struct rpc_method *m = &r->methods[i];
        if (strcmp(m->name, name) != 0)
            continue;
        if (m->role > c->role)
            return rpc_fail(c, RPC_FORBIDDEN, "forbidden", "Not allowed in this role");
        return m->call(c);
    }
    return rpc_fail(c, RPC_METHOD_NOT_FOUND, "method_not_found", "Method not found");
}

/* Calls the method, which writes the result, and ends the answer: 0, or an error is
 * set. */
static int write_result(const struct rpc *r, struct rpc_call *c, const char *name) {
    struct jsonw *w = c->out;
    jsonw_key(w, "result");
    size_t len = w->len;
    uint8_t depth = w->depth;
    c->err_word = NULL;
    int rc = dispatch(r, c, name);
    if (rc != 0 && c->err_word)
        return rc;
    if (rc != 0 || w->depth != depth)
        return rpc_fail(c, RPC_INTERNAL_ERROR, "internal_error", "Internal error");
    if (w->len == len)
        jsonw_null(w, NULL);
    jsonw_obj_end(w);
    if (w->overflow)
        return rpc_fail(c, RPC_REPLY_TOO_LARGE, "reply_too_large", "Reply too large");
    return 0;
}

/* One request of a message: writes its answer, or nothing for a notification. */
static void answer(const struct rpc *r, struct rpc_call *c, const cJSON *msg) {
    struct jsonw before = *c->out;
    struct request q;
    if (!request_read(&q, msg)) {
        rpc_fail(c, RPC_INVALID_REQUEST, "invalid_request", "Invalid request");
        write_error(c, q.id);
        return;
    }
    /* Section 4.1: nobody hears the answer, so it is not worked out. */
    if (!q.id && !acts(r, q.method))
        return;
    open_answer(c->out, q.id);
    c->params = q.params;
    if (write_result(r, c, q.method) != 0) {
        *c->out = before;
        write_error(c, q.id);
    }
    if (!q.id)
        *c->out = before;
}

/* Section 6. The room for an error is kept for every request that is still to come. */
static void answer_batch(const struct rpc *r, struct rpc_call *c, const cJSON *batch,
                         size_t n) {
    struct jsonw *w = c->out;
    size_t cap = w->cap;
    jsonw_arr(w, NULL);
    size_t none = w->len;
    const cJSON *msg;
    cJSON_ArrayForEach(msg, batch) {
        w->cap = cap - n-- * RPC_ERROR_MAX;
        answer(r, c, msg);
    }
    w->cap = cap;
    if (w->len == none)
        jsonw_init(w, w->buf, cap);
    else
        jsonw_arr_end(w);
}

/* An error that is about the message as a whole. */
static void refuse(struct rpc_call *c, int code, const char *word, const char *text) {
    rpc_fail(c, code, word, text);
    write_error(c, NULL);
}

static void answer_all(const struct rpc *r, struct rpc_call *c, const cJSON *msg) {
    if (!cJSON_IsArray(msg)) {
        answer(r, c, msg);
        return;
    }
    size_t n = (size_t)cJSON_GetArraySize(msg);
    if (n > 0 && n <= RPC_BATCH_MAX)
        answer_batch(r, c, msg, n);
    else
        refuse(c, RPC_INVALID_REQUEST, "invalid_request", "Batch empty or too long");
}

size_t rpc_handle(struct rpc *r, void *ctx, uint64_t sess, uint8_t role,
                  const char *text, size_t n, char *out, size_t cap) {
    assert(cap >= RPC_OUT_MIN);
    struct jsonw w;
    jsonw_init(&w, out, cap);
    struct rpc_call c = {.ctx = ctx, .sess = sess, .role = role, .out = &w};
    arena = (struct arena){r->arena, r->arena, r->arena + r->arena_bytes};
    bool ok = json_ok(text, n);
    const cJSON *msg = ok ? cJSON_ParseWithLength(text, n) : NULL;
    if (msg)
        answer_all(r, &c, msg);
    else if (ok)
        refuse(&c, RPC_TOO_COMPLEX, "too_complex", "Message has too many parts");
    else
        refuse(&c, RPC_PARSE_ERROR, "parse_error", "Parse error");
    arena = (struct arena){NULL, NULL, NULL};
    return jsonw_end(&w);
}
