#include "proto/statsd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What is left of a line. */
struct rest {
    const char *p;
    size_t n;
};

/* The part up to the next `end`, which is passed over, or all of the rest. */
static struct rest part(struct rest *r, char end) {
    const char *at = memchr(r->p, end, r->n);
    struct rest out = {r->p, at ? (size_t)(at - r->p) : r->n};
    size_t used = out.n + (at != NULL);
    r->p += used;
    r->n -= used;
    return out;
}

static bool is(struct rest r, const char *word) {
    return r.n == strlen(word) && memcmp(r.p, word, r.n) == 0;
}

static const char *take_type(struct rest type, struct reading *out) {
    if (is(type, "g"))
        out->kind = READING_GAUGE;
    else if (is(type, "c"))
        out->kind = READING_COUNTER;
    else if (is(type, "ms"))
        out->kind = READING_TIMING;
    else if (is(type, "s"))
        return "sets are not taken";
    else
        return "the type is none of g, c, ms";
    return NULL;
}

static const char *take_tag(struct rest tag, struct reading *out) {
    struct rest key = part(&tag, ':');
    if (is(key, "unit"))
        return reading_unit(out, tag.p, tag.n);
    if (is(key, "label"))
        return reading_label(out, tag.p, tag.n);
    return NULL;
}

/* "@0.1" or "#unit:°C,label:Boiler" */
static const char *take_section(struct rest s, struct reading *out, double *rate) {
    const char *why = NULL;
    if (s.n > 1 && s.p[0] == '@') {
        bool good = reading_number(s.p + 1, s.n - 1, rate) && *rate > 0 && *rate <= 1;
        return good ? NULL : "the rate is not in 0..1";
    }
    if (s.n == 0 || s.p[0] != '#')
        return "behind the type there is neither @RATE nor #TAGS";
    s.p++;
    s.n--;
    while (s.n > 0 && !why)
        why = take_tag(part(&s, ','), out);
    return why;
}

const char *statsd_parse(const char *line, size_t n, struct reading *out) {
    struct rest r = {line, n};
    struct reading got;
    double rate = 1;
    reading_init(&got);
    struct rest name = part(&r, ':'), value = part(&r, '|'), type = part(&r, '|');
    const char *why = reading_name(&got, name.p, name.n);
    if (!why)
        why = take_type(type, &got); /* before the value: that of a set is a word */
    if (!why)
        why = reading_value(&got, value.p, value.n);
    while (r.n > 0 && !why)
        why = take_section(part(&r, '|'), &got, &rate);
    if (why)
        return why;
    got.relative =
        got.kind == READING_GAUGE && (value.p[0] == '+' || value.p[0] == '-');
    if (got.kind == READING_COUNTER)
        got.value /= rate;
    if (!isfinite(got.value))
        return "the value is not a number";
    *out = got;
    return NULL;
}
