#include "proto/json.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

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

/* After the backslash. */
static bool escape(struct scan *s) {
    if (!take(s, 'u'))
        return s->p < s->end && memchr("\"\\/bfnrt", *s->p, 8) && s->p++;
    long v = hex4(s);
    if (v < 0xD800 || v > 0xDFFF)
        return v > 0;
    if (v > 0xDBFF || !take(s, '\\') || !take(s, 'u'))
        return false;
    v = hex4(s);
    return v >= 0xDC00 && v <= 0xDFFF;
}

/* Section 7, after the opening quote. */
static bool string(struct scan *s) {
    while (s->p < s->end && (uint8_t)*s->p >= 0x20) {
        if (take(s, '"'))
            return true;
        if (!take(s, '\\'))
            s->p++;
        else if (!escape(s))
            return false;
    }
    return false;
}

static bool word(struct scan *s, const char *w) {
    while (*w && take(s, *w))
        w++;
    return !*w;
}

/* After the opening bracket of an array or object (sections 4 and 5). */
static bool items(struct scan *s, int depth, bool object) {
    char close = object ? '}' : ']';
    if (mark(s, close))
        return true;
    do {
        space(s);
        if (object && !(take(s, '"') && string(s) && mark(s, ':')))
            return false;
        if (!value(s, depth))
            return false;
    } while (mark(s, ','));
    return mark(s, close);
}

static bool value(struct scan *s, int depth) {
    space(s);
    if (take(s, '"'))
        return string(s);
    if (take(s, '{'))
        return depth > 0 && items(s, depth - 1, true);
    if (take(s, '['))
        return depth > 0 && items(s, depth - 1, false);
    if (at(s, 't'))
        return word(s, "true");
    if (at(s, 'f'))
        return word(s, "false");
    return at(s, 'n') ? word(s, "null") : number(s);
}

/* How many bytes could be the beginning of UTF-8. */
static size_t utf8_span(const char *text, size_t n) {
    const uint8_t *p = (const uint8_t *)text;
    if (utf8_next(UTF8_WHOLE, p, n) != UTF8_BAD)
        return n;
    uint8_t state = UTF8_WHOLE;
    for (n = 0; (state = utf8_next(state, p + n, 1)) != UTF8_BAD; n++)
        ;
    return n;
}

const char *json_fault(const char *text, size_t n) {
    struct scan s = {text, text + utf8_span(text, n)};
    if (!value(&s, JSON_DEPTH_MAX))
        return s.p;
    space(&s);
    return s.p < text + n ? s.p : NULL;
}

bool json_ok(const char *text, size_t n) { return !json_fault(text, n); }

cJSON *json_parse(const char *text, size_t n) {
    return json_ok(text, n) ? cJSON_ParseWithLength(text, n) : NULL;
}

/* The end of the string that starts at p (behind its closing quote). */
static char *skip_string(char *p, const char *end) {
    for (p++; p < end && *p != '"'; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
    }
    return p < end ? p + 1 : p;
}

const char *json_without_comments(char *text, size_t n) {
    const char *end = text + n;
    for (char *p = text; p < end;) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        bool line = end - p >= 2 && memcmp(p, "//", 2) == 0;
        bool block = end - p >= 2 && memcmp(p, "/*", 2) == 0;
        if (!line && !block) {
            p++;
            continue;
        }
        const char *close = line ? memchr(p, '\n', (size_t)(end - p))
                                 : memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
        if (!close && block)
            return p;
        const char *stop = !close ? end : block ? close + 2 : close;
        for (; p < stop; p++)
            *p = *p == '\n' ? '\n' : ' ';
    }
    return NULL;
}
