#pragma once
/* Reading what the kernel prints, and making names out of what it calls things. Pure;
 * any thread. Everything from outside passes here: numbers are decimal, checked and
 * bounded, names come out printable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of digits at *s, at least one, that fits; *s moves behind it. On false nothing
 * has changed. */
bool text_digits(const char **s, uint64_t *out);

/* The same for a word of its own: blanks may stand before it, a blank or the end must
 * follow, so that "12x" and "1.5" are no numbers. */
bool text_u64(const char **s, uint64_t *out);
bool text_i64(const char **s, int64_t *out);

/* The same for "12.50". */
bool text_decimal(const char **s, double *out);

/* The same for "-12", "0.439453125"; it may also end at the line's end. */
bool text_number(const char **s, double *out);

/* The same for "0x1f" and "1f". */
bool text_hex(const char **s, uint64_t *out);

/* The next word between blanks, ended in place; *s moves behind it. NULL: no more. */
char *text_word(char **s);

/* A label for people: UTF-8 (RFC 3629) without control characters; any other byte
 * becomes
 * '?'. Cut between characters to fit cap (> 0). Returns its length. */
size_t text_label(char *out, size_t cap, const char *raw);

/* A part of an id: [a-z0-9._-], everything else is one '-' between two such parts; cut
 * to fit cap (> 8), never empty. Returns its length. */
size_t text_slug(char *out, size_t cap, const char *raw);
