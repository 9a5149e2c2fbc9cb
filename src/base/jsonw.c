#include "base/jsonw.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void jsonw_init(struct jsonw *w, char *buf, size_t cap) {
    *w = (struct jsonw){.buf = buf, .cap = cap};
}

size_t jsonw_end(const struct jsonw *w) {
    assert(w->overflow || w->depth == 0);
    return w->overflow ? 0 : w->len;
}

static void put(struct jsonw *w, const char *s, size_t n) {
    if (w->overflow || n > w->cap - w->len) {
        w->overflow = true;
        return;
    }
    memcpy(w->buf + w->len, s, n);
    w->len += n;
}

/* Length of the character at s, 0: there is none. The end of s is none. */
static size_t utf8_len(const uint8_t *s) {
    uint8_t state = UTF8_WHOLE;
    size_t n = 0;
    do
        state = utf8_next(state, s + n++, 1);
    while (state != UTF8_WHOLE && state != UTF8_BAD);
    return state == UTF8_WHOLE ? n : 0;
}

/* Length of the run at s that goes out as it is. */
static size_t plain_len(const char *s) {
    size_t n = 0, step;
    while ((unsigned char)s[n] >= 0x20 && s[n] != '"' && s[n] != '\\' &&
           (step = utf8_len((const uint8_t *)s + n)) > 0)
        n += step;
    return n;
}

static void put_escaped(struct jsonw *w, const char *s) {
    put(w, "\"", 1);
    for (;;) {
        size_t plain = plain_len(s);
        put(w, s, plain);
        s += plain;
        unsigned char c = (unsigned char)*s++;
        if (!c)
            break;
        char esc[8];
        int n = c >= 0x80   ? snprintf(esc, sizeof(esc), "\xef\xbf\xbd") /* U+FFFD */
                : c >= 0x20 ? snprintf(esc, sizeof(esc), "\\%c", c)
                            : snprintf(esc, sizeof(esc), "\\u%04x", c);
        put(w, esc, (size_t)n);
    }
    put(w, "\"", 1);
}

/* The comma and the key that come before every value. */
static void begin(struct jsonw *w, const char *key) {
    if (w->comma[w->depth])
        put(w, ",", 1);
    w->comma[w->depth] = true;
    if (!key)
        return;
    put(w, "\"", 1);
    put(w, key, strlen(key));
    put(w, "\":", 2);
}

static void open_with(struct jsonw *w, const char *key, const char *bracket) {
    begin(w, key);
    put(w, bracket, 1);
    assert(w->depth + 1 < JSONW_DEPTH_MAX);
    w->comma[++w->depth] = false;
}

static void close_with(struct jsonw *w, const char *bracket) {
    assert(w->depth > 0);
    w->depth--;
    put(w, bracket, 1);
}

void jsonw_obj(struct jsonw *w, const char *key) { open_with(w, key, "{"); }

void jsonw_obj_end(struct jsonw *w) { close_with(w, "}"); }

void jsonw_arr(struct jsonw *w, const char *key) { open_with(w, key, "["); }

void jsonw_arr_end(struct jsonw *w) { close_with(w, "]"); }

void jsonw_key(struct jsonw *w, const char *key) {
    begin(w, NULL);
    put_escaped(w, key);
    put(w, ":", 1);
    w->comma[w->depth] = false; /* the value that follows is no new element */
}

void jsonw_raw(struct jsonw *w, const char *key, const char *json, size_t n) {
    begin(w, key);
    put(w, json, n);
}

static void literal(struct jsonw *w, const char *key, const char *text) {
    jsonw_raw(w, key, text, strlen(text));
}

void jsonw_null(struct jsonw *w, const char *key) { literal(w, key, "null"); }

void jsonw_bool(struct jsonw *w, const char *key, bool v) {
    literal(w, key, v ? "true" : "false");
}

void jsonw_str(struct jsonw *w, const char *key, const char *s) {
    if (!s) {
        jsonw_null(w, key);
        return;
    }
    begin(w, key);
    put_escaped(w, s);
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t v) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, v);
    literal(w, key, text);
}

void jsonw_i64(struct jsonw *w, const char *key, int64_t v) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, v);
    literal(w, key, text);
}

void jsonw_num(struct jsonw *w, const char *key, double v, int digits) {
    if (!isfinite(v)) {
        jsonw_null(w, key);
        return;
    }
    assert(digits >= 1 && digits <= 17);
    char text[40];
    /* A whole number is written in full: bytes and counts lose nothing up to 2^53. */
    if (v == floor(v) && fabs(v) <= 9007199254740992.0)
        snprintf(text, sizeof(text), "%.0f", v == 0 ? 0.0 : v);
    else
        snprintf(text, sizeof(text), "%.*g", digits, v);
    literal(w, key, text);
}
