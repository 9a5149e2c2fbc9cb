#pragma once
/* Writes JSON (RFC 8259) into a buffer of the caller; never allocates. Any thread, one
 * writer per buffer. Commas are placed by the writer; bytes of a string that are not
 * UTF-8 become U+FFFD (8.1). When the buffer is too small nothing more is written and
 * jsonw_end() says so: check once, at the end. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONW_DEPTH_MAX 16

struct jsonw {
    char *buf;
    size_t cap, len;
    bool overflow;
    uint8_t depth;
    bool comma[JSONW_DEPTH_MAX]; /* a value was written at this depth */
};

void jsonw_init(struct jsonw *w, char *buf, size_t cap);

/* Bytes written (not NUL-terminated), or 0 when the buffer was too small. */
size_t jsonw_end(const struct jsonw *w);

/* key is NULL inside an array and at the top. Keys are constants and are not escaped,
 * but for jsonw_key(), which escapes. */
void jsonw_obj(struct jsonw *w, const char *key);
void jsonw_obj_end(struct jsonw *w);
void jsonw_arr(struct jsonw *w, const char *key);
void jsonw_arr_end(struct jsonw *w);
void jsonw_str(struct jsonw *w, const char *key, const char *s); /* NULL: null */
void jsonw_u64(struct jsonw *w, const char *key, uint64_t v);
void jsonw_i64(struct jsonw *w, const char *key, int64_t v);
/* At most `digits` significant digits (1..17), shortest form; NaN and infinity: null.
 */
void jsonw_num(struct jsonw *w, const char *key, double v, int digits);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
/* A key that comes from outside; the next value is written with key NULL. */
void jsonw_key(struct jsonw *w, const char *key);
/* A value that is JSON already. */
void jsonw_raw(struct jsonw *w, const char *key, const char *json, size_t n);
