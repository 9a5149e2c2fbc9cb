#pragma once
/* A GET over plain HTTP/1.1 (RFC 9112), for `pulseboard stats`. Blocks, for FETCH_MS at
 * most; no names but localhost, no redirects, no transfer codings. One thread. */
#include <stddef.h>

#define FETCH_MS 5000u
#define FETCH_WHY_MAX 256

/* url: http://ADDR:PORT, ADDR an IPv4 address, an IPv6 address in brackets, or
 * localhost. The body of a 200, at most cap bytes: 0 and its length, or -errno and why.
 */
int fetch_get(const char *url, const char *path, char *body, size_t cap, size_t *n,
              char why[FETCH_WHY_MAX]);
