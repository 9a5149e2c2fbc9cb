#pragma once
/* Requests over plain HTTP/1.1 (RFC 9112), for the command line. Blocks, for FETCH_MS
 * at most; no names but localhost, no redirects, no transfer codings. One thread. */
#include <stddef.h>

#define FETCH_MS 5000u
#define FETCH_WHY_MAX 256

struct fetch_ask {
    const char *url;    /* as below; or else */
    const char *socket; /* the path of a Unix socket */
    const char *method, *path;
    const char *token; /* sent as a bearer token; NULL: none */
    const char *type;  /* of the body; NULL: there is none */
    const char *body;
    size_t n;
};

/* The body of the answer, at most cap bytes: 0 and its length when the answer is 2xx;
 * else -errno and why (what the problem says, if it is one). */
int fetch_ask(const struct fetch_ask *a, char *buf, size_t cap, size_t *n,
              char why[FETCH_WHY_MAX]);

/* url: http://ADDR:PORT, ADDR an IPv4 address, an IPv6 address in brackets, or
 * localhost. The body of a 200, at most cap bytes: 0 and its length, or -errno and why.
 */
int fetch_get(const char *url, const char *path, char *body, size_t cap, size_t *n,
              char why[FETCH_WHY_MAX]);
