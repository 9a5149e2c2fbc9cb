#pragma once
/* The statistics as a table in plain text, for browsers without scripts and for people
 * with a terminal. Pure. */
#include <stddef.h>

#include "app/stats_json.h"

/* Bytes written, without the end; 0 when cap is too small. A buffer that holds the JSON
 * (STATS_JSON_BASE, STATS_JSON_ROW) holds this. */
size_t stats_text(char *buf, size_t cap, const struct stats_view *v);
