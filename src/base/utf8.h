#pragma once
/* Is it UTF-8 (RFC 3629)? A validator that can stop and go on anywhere. Pure, any
 * thread. */
#include <stddef.h>
#include <stdint.h>

/* The state after some bytes. Every other value: in the middle of a character. */
enum { UTF8_BAD = 0, UTF8_WHOLE = 6 };

/* The state after n more bytes; text begins at UTF8_WHOLE. UTF8_BAD as soon as no bytes
 * that could follow would make it valid, and for good. */
uint8_t utf8_next(uint8_t state, const uint8_t *p, size_t n);
