#include "proto/influx.h"

#include <string.h>

/* Longer than anything that fits, so that too long is found out. */
#define WORD_MAX 63

/* A key or a value of a tag, without its escapes. */
struct word {
    char text[WORD_MAX];
    size_t n;
};

static const char too_long[] = "a word is longer than 63 bytes";

/* The word up to one of `ends` (or the end of the line), where *p is left. A backslash
 * takes away the meaning of the character behind it. */
static const char *take_word(const char **p, const char *end, const char *ends,
                             struct word *out) {
    const char *s = *p;
    out->n = 0;
    for (; s < end && (*s == '\0' || !strchr(ends, *s)); s++) {
        if (*s == '\\' && s + 1 < end && strchr(",= \\", s[1]) && s[1])
            s++;
        if (out->n == WORD_MAX)
            return too_long;
        out->text[out->n++] = *s;
    }
    *p = s;
    return out->n > 0 ? NULL : "a name or a value is missing";
}

static bool is(const struct word *w, const char *text) {
    return w->n == strlen(text) && memcmp(w->text, text, w->n) == 0;
}

/* Adds "_WORD" to a name of *n bytes. */
static const char *add(char name[READING_NAME_MAX], size_t *n, const struct word *w) {
    if (*n + (*n > 0) + w->n >= READING_NAME_MAX)
        return "measurement, tags and field make a name longer than 39 characters";
    if (*n > 0)
        name[(*n)++] = '_';
    memcpy(name + *n, w->text, w->n);
    *n += w->n;
    name[*n] = '\0';
    return NULL;
}

static const char *take_tag(struct influx *l, size_t *n) {
    struct word key, value;
    const char *why = take_word(&l->p, l->end, ",= ", &key);
    if (why)
        return why;
    if (l->p == l->end || *l->p++ != '=')
        return "a tag has no value";
    why = take_word(&l->p, l->end, ", ", &value);
    if (why || is(&key, "host"))
        return why;
    if (is(&key, "unit"))
        return reading_unit(&l->common, value.text, value.n);
    if (is(&key, "label"))
        return reading_label(&l->common, value.text, value.n);
    return add(l->stem, n, &value);
}

static const char *take_series(struct influx *l) {
    struct word w;
    size_t n = 0;
    const char *why = take_word(&l->p, l->end, ", ", &w);
    if (!why)
        why = add(l->stem, &n, &w);
    while (!why && l->p < l->end && *l->p == ',') {
        l->p++;
        why = take_tag(l, &n);
    }
    return why;
}

static const char *bool_of(const char *p, size_t n, double *out) {
    static const char *const words[2][5] = {
        {"f", "F", "false", "False", "FALSE"},
        {"t", "T", "true", "True", "TRUE"},
    };
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 5; i++)
            if (strlen(words[v][i]) == n && memcmp(words[v][i], p, n) == 0) {
                *out = v;
                return NULL;
            }
    return "the value is not a number";
}

static const char *take_value(struct influx *l, struct reading *r) {
    const char *from = l->p;
    if (l->p < l->end && *l->p == '"')
        return "text is no reading";
    while (l->p < l->end && *l->p != ',' && *l->p != ' ')
        l->p++;
    size_t n = (size_t)(l->p - from);
    if (n > 1 && (from[n - 1] == 'i' || from[n - 1] == 'u')) {
        n--;
        if (memchr(from, '.', n) || memchr(from, 'e', n) || memchr(from, 'E', n))
            return "the value is not a number";
    }
    if (reading_number(from, n, &r->value))
        return NULL;
    return bool_of(from, (size_t)(l->p - from), &r->value);
}

/* "temperature=21.5", up to the comma or blank behind it. */
static const char *take_field(struct influx *l, struct reading *out) {
    struct word key;
    char name[READING_NAME_MAX];
    size_t n = strlen(l->stem);
    memcpy(name, l->stem, n + 1);
    const char *why = take_word(&l->p, l->end, ",= ", &key);
    if (why)
        return why;
    if (l->p == l->end || *l->p++ != '=')
        return "a field has no value";
    if (!is(&key, "value"))
        why = add(name, &n, &key);
    *out = l->common;
    if (!why)
        why = reading_name(out, name, n);
    return why ? why : take_value(l, out);
}

/* Digits, perhaps with a minus: nanoseconds or whatever the client has. */
static const char *check_time(const char *p, const char *end) {
    double v;
    bool whole = p < end && !memchr(p, '.', (size_t)(end - p)) &&
                 !memchr(p, 'e', (size_t)(end - p)) &&
                 !memchr(p, 'E', (size_t)(end - p));
    return whole && reading_number(p, (size_t)(end - p), &v)
               ? NULL
               : "the timestamp is not a whole number";
}

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && *p == ' ')
        p++;
    return p;
}

const char *influx_begin(struct influx *l, const char *line, size_t n) {
    struct reading r;
    *l = (struct influx){.p = line, .end = line + n};
    reading_init(&l->common);
    while (l->end > line && l->end[-1] == ' ')
        l->end--;
    const char *why = take_series(l);
    if (why)
        return why;
    l->p = skip_blanks(l->p, l->end);
    const char *fields = l->p;
    if (l->p == l->end)
        return "there is no field";
    for (bool more = true; more && !why;) {
        why = take_field(l, &r);
        more = !why && l->p < l->end && *l->p == ',';
        l->p += more;
    }
    if (!why && l->p < l->end)
        why = check_time(skip_blanks(l->p, l->end), l->end);
    l->p = fields;
    return why;
}

bool influx_next(struct influx *l, struct reading *out) {
    struct influx at = *l;
    if (l->p == l->end || *l->p == ' ' || take_field(&at, out))
        return false;
    l->p = at.p;
    if (l->p < l->end && *l->p == ',')
        l->p++;
    return true;
}
