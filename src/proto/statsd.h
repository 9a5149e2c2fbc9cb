#pragma once
/* The lines of statsd: "NAME:VALUE|TYPE[|@RATE][|#TAG:VALUE,...]". Pure, any thread.
 *
 * Types: g (a gauge; "+1" and "-1" change it), c (a counter; divided by RATE, since
 * only that part was told), ms (a timing). Of the tags `unit` and `label` are taken,
 * others are passed over. Sets (s) are not taken. */
#include <stddef.h>

#include "base/reading.h"

/* One line without its newline. NULL and *out, or what is wrong with it: a constant. */
const char *statsd_parse(const char *line, size_t n, struct reading *out);
