#pragma once
/* The table of options: one row is a key of the configuration file, an option of
 * `serve`, a default, a range and a help text at once, so that they cannot drift apart.
 * Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "app/config.h"

enum option_type {
    OPTION_UINT,  /* uint32_t */
    OPTION_LEVEL, /* the name of a log level */
    OPTION_TEXT,  /* char[] */
    OPTION_LIST,  /* struct config_list */
};

struct option {
    const char *key;  /* in the file; a dot leads into an object */
    const char *flag; /* on the command line, behind "--" */
    const char *arg;  /* what its value is called in the help */
    const char *help;
    const char *initial; /* as on the command line; NULL: zero, empty */
    enum option_type type;
    uint32_t min, max; /* UINT: the range; TEXT: bytes at most */
    size_t at;         /* offset in struct config */
    /* TEXT, LIST: NULL, or says what is wrong with a value (a constant; NULL: nothing).
     */
    const char *(*wrong)(const char *value);
    bool reloads; /* a new value takes effect at SIGHUP */
};

#define OPTION_N CONFIG_OPTIONS
#define OPTION_WHY_MAX 256

/* Row i, NULL: no more. */
const struct option *option_at(size_t i);
const struct option *option_by_flag(const char *flag);

/* Sets it from text; a list gets one more element. 0, or -EINVAL and why not. */
int option_set(const struct option *o, struct config *c, const char *text,
               char why[OPTION_WHY_MAX]);
/* Empties a list; changes nothing else. */
void option_begin(const struct option *o, struct config *c);
bool option_same(const struct option *o, const struct config *a,
                 const struct config *b);

/* All options of `serve`, two lines each. */
void option_help(FILE *out);
