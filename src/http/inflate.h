#pragma once
/* Undoes gzip (RFC 1951, 1952) for the few who cannot themselves. Pure: bytes in, bytes
 * out, about 1 kB of stack, nothing allocated. */
#include <stddef.h>
#include <stdint.h>

/* How long the content of a gzip member is, as its trailer says; 0 when n is too small
 * to be one. */
size_t inflate_size(const uint8_t *gz, size_t n);

/* The content of one gzip member whose header has no optional fields, to out. 0;
 * -EBADMSG: that is not one, or its checksum differs; -ENOSPC: cap is too small. */
int inflate_gzip(const uint8_t *gz, size_t n, uint8_t *out, size_t cap);
