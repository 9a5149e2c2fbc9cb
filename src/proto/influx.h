#pragma once
/* InfluxDB's line protocol: "MEASUREMENT[,TAG=VALUE...] FIELD=VALUE[,...] [TIMESTAMP]".
 * Pure, any thread; nothing is copied but what a reading holds.
 *
 * Every field is a gauge. Its name is measurement, values of the tags, field, with '_'
 * between, so that series that differ in a tag stay apart; a field called `value` and
 * the tag `host` (this one) add nothing. The tags `unit` and `label` are taken as such.
 * Integers (1i, 1u) and booleans are numbers; text is none. A timestamp must be one,
 * and is passed over: a reading counts from when it came. */
#include <stdbool.h>
#include <stddef.h>

#include "base/reading.h"

struct influx {
    const char *p, *end;         /* the fields not yet handed out */
    char stem[READING_NAME_MAX]; /* measurement and tags */
    struct reading common;       /* label and unit */
};

/* One line without its newline: NULL, or what is wrong anywhere in it (a constant). It
 * is to be parsed as a whole before its readings are used. */
const char *influx_begin(struct influx *l, const char *line, size_t n);

/* The next reading of a line that is right; false: no more. */
bool influx_next(struct influx *l, struct reading *out);
