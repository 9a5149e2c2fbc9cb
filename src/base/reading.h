#pragma once
/* One reading that somebody tells us, and the rules for what it may say. Every way in
 * (statsd, line protocol, JSON, the command line) makes these. Pure, any thread. What
 * is wrong is a constant sentence for people. */
#include <stdbool.h>
#include <stddef.h>

#define READING_NAME_MAX 40 /* with its NUL, as all of these */
#define READING_LABEL_MAX 48
#define READING_UNIT_MAX 14
#define READING_NUMBER_MAX 64

enum reading_kind {
    READING_GAUGE,   /* how much it is */
    READING_COUNTER, /* how many more there were: shown as a rate */
    READING_TIMING,  /* how long one took: shown as mean and maximum */
};

struct reading {
    char name[READING_NAME_MAX];   /* [a-z0-9._-], begins with a letter or digit */
    char label[READING_LABEL_MAX]; /* UTF-8 without control characters; "": not said */
    char unit[READING_UNIT_MAX];   /* the same */
    enum reading_kind kind;
    bool relative; /* a gauge that is to change by value */
    double value;  /* finite */
};

/* A gauge without a name and a value. */
void reading_init(struct reading *r);

/* NULL, or what is wrong; nothing is set then. Capital letters become small ones, and
 * the name as it was told is the label until one is given. */
const char *reading_name(struct reading *r, const char *p, size_t n);
const char *reading_label(struct reading *r, const char *p, size_t n);
const char *reading_unit(struct reading *r, const char *p, size_t n);
const char *reading_value(struct reading *r, const char *p, size_t n);

/* "gauge", "counter", "timing"; false: none of these. */
bool reading_kind(const char *word, size_t n, enum reading_kind *out);
const char *reading_kind_name(enum reading_kind kind);

/* A number as people and programs write it: "-12", "0.5", "1e-3". All of it, finite, of
 * less than READING_NUMBER_MAX characters; false: it is not. */
bool reading_number(const char *p, size_t n, double *out);
