#pragma once
/* Is it JSON (RFC 8259)? cJSON reads more than that (leading zeros, control characters
 * in strings, text after the end, deep nesting); what passes here it reads one way
 * only. Pure, any thread; recursion no deeper than the limit. */
#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 32 /* arrays and objects inside each other */

/* Besides the grammar: valid UTF-8; \u escapes must be characters (no half of a
 * surrogate pair), and not NUL, which would cut a C string short. */
bool json_ok(const char *text, size_t n);

/* Where it stops being so: the first byte that cannot follow, or text + n when more is
 * missing. NULL: it is JSON. */
const char *json_fault(const char *text, size_t n);

/* Its tree, to be given back with cJSON_Delete(). NULL: it is not JSON, or there was no
 * memory. */
cJSON *json_parse(const char *text, size_t n);

/* For files that people write: comments, both kinds, become spaces, so that offsets and
 * lines stay. Returns the start of one that does not end, or NULL. */
const char *json_without_comments(char *text, size_t n);
