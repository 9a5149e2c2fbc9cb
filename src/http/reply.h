#pragma once
/* What an answer says before its body: status, security headers, caching. Pure, any
 * thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply {
    int status;
    const char *type;  /* Content-Type; NULL: there is no body */
    const char *cache; /* Cache-Control; NULL: no-store */
    const char *csp;   /* Content-Security-Policy; NULL: nothing is allowed */
    const char *extra; /* further fields, each ending in CRLF; or NULL */
    const void *body;
    size_t n;
    bool lasting; /* the body stays where it is for as long as the program runs */
};

/* Longest head: ours is about 600 bytes, the rest is for csp and extra. */
#define REPLY_HEAD_MAX 3072u

/* Bytes written; 0 when cap is too small. secure: it goes out over TLS. keep: the
 * connection stays open (RFC 9112 9.3, HTTP/1.1's default). wall_ms: for
 * Date, which is left out while the clock has obviously never been set (RFC
 * 9110 6.6.1). */
size_t reply_head(const struct reply *r, bool secure, bool keep, int64_t wall_ms,
                  char *out, size_t cap);

/* RFC 9457, with the status' own title. Bytes written. cap: REPLY_PROBLEM_MAX. */
#define REPLY_PROBLEM_MAX 512u
size_t reply_problem(int status, const char *detail, char *out, size_t cap);

/* "Not Found". */
const char *reply_reason(int status);
