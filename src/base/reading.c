#include "base/reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void reading_init(struct reading *r) { *r = (struct reading){.kind = READING_GAUGE}; }

/* ---- words ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool may_name(char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
}

const char *reading_name(struct reading *r, const char *p, size_t n) {
    if (n == 0)
        return "the name is missing";
    if (n >= READING_NAME_MAX)
        return "the name is longer than 39 characters";
    if (!is_letter(p[0]) && !is_digit(p[0]))
        return "the name does not begin with a letter or digit";
    for (size_t i = 0; i < n; i++)
        if (!may_name(p[i]))
            return "a name has letters, digits, '.', '_' and '-' only";
    for (size_t i = 0; i < n; i++)
        r->name[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
    r->name[n] = '\0';
    return NULL;
}

/* UTF-8 without control characters: U+0000 to U+001F, and U+007F to U+009F, of which
 * the latter begin with C2. */
static bool is_text(const char *p, size_t n) {
    const uint8_t *s = (const uint8_t *)p;
    if (utf8_next(UTF8_WHOLE, s, n) != UTF8_WHOLE)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0))
            return false;
    return true;
}

static void copy(char *to, const char *p, size_t n) {
    memcpy(to, p, n);
    to[n] = '\0';
}

const char *reading_label(struct reading *r, const char *p, size_t n) {
    if (n >= READING_LABEL_MAX)
        return "the label is longer than 47 bytes";
    if (!is_text(p, n))
        return "the label is not printable UTF-8";
    copy(r->label, p, n);
    return NULL;
}

const char *reading_unit(struct reading *r, const char *p, size_t n) {
    if (n >= READING_UNIT_MAX)
        return "the unit is longer than 13 bytes";
    if (!is_text(p, n))
        return "the unit is not printable UTF-8";
    copy(r->unit, p, n);
    return NULL;
}

static const char *const kinds[] = {
    [READING_GAUGE] = "gauge",
    [READING_COUNTER] = "counter",
    [READING_TIMING] = "timing",
};

bool reading_kind(const char *word, size_t n, enum reading_kind *out) {
    for (int i = READING_GAUGE; i <= READING_TIMING; i++)
        if (strlen(kinds[i]) == n && memcmp(kinds[i], word, n) == 0) {
            *out = (enum reading_kind)i;
            return true;
        }
    return false;
}

const char *reading_kind_name(enum reading_kind kind) { return kinds[kind]; }

/* ---- numbers ---- */

/* What is left of a number's text. */
struct digits {
    const char *p, *end;
};

/* A run of digits; false: there is none. */
static bool pass_digits(struct digits *x) {
    const char *from = x->p;
    while (x->p < x->end && is_digit(*x->p))
        x->p++;
    return x->p > from;
}

static bool pass(struct digits *x, const char *any) {
    bool there = x->p < x->end && strchr(any, *x->p) && *x->p;
    x->p += there;
    return there;
}

/* [sign] digits [. digits] [e [sign] digits]: no "inf", no hexadecimal, no spaces. */
static bool is_number(const char *p, size_t n) {
    struct digits x = {p, p + n};
    pass(&x, "+-");
    if (!pass_digits(&x) || (pass(&x, ".") && !pass_digits(&x)))
        return false;
    if (pass(&x, "eE")) {
        pass(&x, "+-");
        if (!pass_digits(&x))
            return false;
    }
    return x.p == x.end;
}

bool reading_number(const char *p, size_t n, double *out) {
    char text[READING_NUMBER_MAX];
    if (n >= sizeof text || !is_number(p, n))
        return false;
    copy(text, p, n);
    double v = strtod(text, NULL); /* the program stays in the C locale */
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

const char *reading_value(struct reading *r, const char *p, size_t n) {
    return reading_number(p, n, &r->value) ? NULL : "the value is not a number";
}
