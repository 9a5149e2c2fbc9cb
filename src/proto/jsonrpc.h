#pragma once
/* JSON-RPC 2.0 (jsonrpc.org/specification), server side: one message in, its answer
 * out. One owner per struct rpc (the hub thread).
 *
 * cJSON parses on the arena that the caller gave, which starts anew with every message:
 * a message can use no more memory than that, and nothing is freed one by one. cJSON's
 * allocator is the process's, so the arena in use is a thread-local variable (the
 * exception to R5): cJSON in other threads, or outside rpc_handle(), goes to malloc as
 * ever. */
#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/jsonw.h"

#define RPC_BATCH_MAX 16
#define RPC_ID_MAX 64 /* bytes of an id that is a string */
/* Of an error answer: each byte of the id may take six, and its texts. */
#define RPC_ERROR_MAX 768
/* The least room for answers with which rpc_handle() can answer everything. */
#define RPC_OUT_MIN ((RPC_BATCH_MAX + 1) * RPC_ERROR_MAX)

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    /* Ours: -32000 to -32099. Methods may use others of the range. */
    RPC_REPLY_TOO_LARGE = -32001,
    RPC_TOO_COMPLEX = -32002, /* does not fit the arena */
    RPC_FORBIDDEN = -32003,
    RPC_NOT_FOUND = -32004,
};

struct rpc_call {
    void *ctx;
    uint64_t sess;
    uint8_t role;
    const cJSON *params; /* an object or array, or NULL; gone after the call */
    struct jsonw *out;   /* the method writes one value, its result; none: null */
    int err_code;        /* these by rpc_fail() */
    const char *err_word, *err_text;
};

struct rpc_method {
    const char *name;
    uint8_t role; /* the least that may call it */
    /* 0, or what rpc_fail() returned; what it wrote is then dropped. */
    int (*call)(struct rpc_call *c);
    bool acts; /* has an effect: a notification of it is carried out, too */
};

struct rpc {
    const struct rpc_method *methods;
    size_t n_methods;
    uint8_t *arena;
    size_t arena_bytes;
};

/* The answer will be an error. word: for programs, goes to data.code; text: for people.
 * Both constants, 256 bytes together at most. Returns code. */
int rpc_fail(struct rpc_call *c, int code, const char *word, const char *text);

/* Points cJSON's allocator at arenas; before a second thread uses cJSON. arena: aligned
 * to 8. 40 bytes of it per byte of the longest message parse anything; 8 parse what
 * people send. */
void rpc_init(struct rpc *r, const struct rpc_method *methods, size_t n_methods,
              void *arena, size_t arena_bytes);

/* Handles one message, a request or a batch. Writes the answer to out and returns its
 * length, 0: there is nothing to answer (notifications). cap: RPC_OUT_MIN at least; an
 * answer that does not fit becomes the error reply_too_large, in a batch each by
 * itself. */
size_t rpc_handle(struct rpc *r, void *ctx, uint64_t sess, uint8_t role,
                  const char *text, size_t n, char *out, size_t cap);
