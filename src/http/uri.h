#pragma once
/* Percent-encoding (RFC 3986 2.1) and query parameters, parsed strictly. Pure, any
 * thread. */
#include <stddef.h>

#include "http/head.h"

/* Decodes into a string. 0, -EINVAL (a bad escape, or an encoded control byte), or
 * -ENOBUFS when it does not fit. */
int uri_decode(struct slice s, char *out, size_t cap);

/* The value of name=value in a query. 0, -ENOENT, -EINVAL (twice, or as above),
 * -ENOBUFS. */
int uri_param(struct slice query, const char *name, char *out, size_t cap);

/* Whole strings of digits, nothing else: 0 or -EINVAL. hex: 1 to 16 digits. */
int uri_u64(const char *text, uint64_t *out);
int uri_hex64(const char *text, uint64_t *out);
