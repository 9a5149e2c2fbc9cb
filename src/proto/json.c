#include "proto/json.h"

#include <stdint.h>
#include <string.h>

#include "proto/utf8.h"

/* What is left to read. */
struct scan {
    const char *p, *end;
};

static bool value(struct scan *s, int depth);

static bool at(const struct scan *s, char c) { return s->p < s->end && *s->p == c; }

static bool take(struct scan *s, char c) {
    if (!at(s, c))
        return false;
    s->p++;
    return true;
}

static void space(struct scan *s) {
    while (at(s, ' ') || at(s, '\t') || at(s, '\n') || at(s, '\r'))
        s->p++;
}

/* A comma, colon or bracket (section 2). */
static bool mark(struct scan *s, char c) {
    space(s);
    return take(s, c);
}

static bool digits(struct scan *s) {
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

/* Section 6. */
static bool number(struct scan *s) {
    take(s, '-');
    if (!take(s, '0') && !digits(s))
        return false;
    if (take(s, '.') && !digits(s))
        return false;
    if (!take(s, 'e') && !take(s, 'E'))
        return true;
    if (!take(s, '+'))
        take(s, '-');
    return digits(s);
}

/* Four hexadecimal digits, or -1. */
static long hex4(struct scan *s) {
    long v = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        static const char digit[] = "0123456789abcdefABCDEF";
        const char *d = s->p < s->end ? memchr(digit, *s->p, sizeof digit - 1) : NULL;
        if (!d)
            return -1;
        v = v << 4 | (d - digit < 16 ? d - digit : d - digit - 6);
    }
    return v;
}

/* What follows a backslash. */
static bool escape(struct scan *s) {
    if (s->p == s->end)
        return false;
    char c = *s->p++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c);
    long v = hex4(s);
    if (v < 0xD800 || v > 0xDFFF)
        return v > 0;
    if (v > 0xDBFF || !take(s, '\\') || !take(s, 'u'))
        return false;
    v = hex4(s);
    return v >= 0xDC00 && v <= 0xDFFF;
}

/* Section 7. */
static bool string(struct scan *s) {
    if (!take(s, '"'))
        return false;
    while (s->p < s->end) {
        char c = *s->p++;
        if (c == '"')
            return true;
        if ((uint8_t)c < 0x20 || (c == '\\' && !escape(s)))
            return false;
    }
    return false;
}

static bool word(struct scan *s, const char *w) {
    size_t n = strlen(w);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* After the opening bracket of an array or object (sections 4 and 5). */
static bool items(struct scan *s, int depth, bool object) {
    char close = object ? '}' : ']';
    if (mark(s, close))
        return true;
    do {
        space(s);
        if (object && !(string(s) && mark(s, ':')))
            return false;
        if (!value(s, depth))
            return false;
    } while (mark(s, ','));
    return mark(s, close);
}

static bool value(struct scan *s, int depth) {
    space(s);
    if (at(s, '"'))
        return string(s);
    if (take(s, '{'))
        return depth > 0 && items(s, depth - 1, true);
    if (take(s, '['))
        return depth > 0 && items(s, depth - 1, false);
    return word(s, "true") || word(s, "false") || word(s, "null") || number(s);
}

const char *json_fault(const char *text, size_t n) {
    struct scan s = {text, text + n};
    if (!value(&s, JSON_DEPTH_MAX))
        return s.p;
    space(&s);
    if (s.p < s.end)
        return s.p;
    if (utf8_next(UTF8_WHOLE, (const uint8_t *)text, n) == UTF8_WHOLE)
        return NULL;
    uint8_t state = UTF8_WHOLE;
    for (s.p = text; s.p < s.end && state != UTF8_BAD; s.p++)
        state = utf8_next(state, (const uint8_t *)s.p, 1);
    return s.p - 1;
}

bool json_ok(const char *text, size_t n) { return !json_fault(text, n); }
