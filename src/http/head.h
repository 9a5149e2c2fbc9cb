#pragma once
/* The head of a request (RFC 9112 2 to 5), parsed strictly: what is not certain is
 * refused. Pure, any thread, never allocates. A head points into the bytes that it was
 * parsed from. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Request line and fields together; 431 beyond it. */
#define HEAD_BYTES_MAX 8192u
#define HEAD_FIELDS_MAX 64u

struct slice {
    const char *p;
    size_t n;
};

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_OPTIONS = 4,
    HTTP_POST = 8,
    HTTP_PUT = 16,
    HTTP_PATCH = 32,
    HTTP_DELETE = 64,
};
/* "GET", ...; one bit. */
const char *http_method_name(enum http_method m);

struct head_field {
    struct slice name, value; /* value without the white space around it */
};

struct head {
    enum http_method method;
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
    struct slice
        authority;     /* of an absolute-form target, which replaces Host; else empty */
    struct slice path; /* as sent, starts with '/'; or "*" */
    struct slice query; /* behind '?', as sent */
    uint64_t content_length;
    bool expects_continue; /* RFC 9110 10.1.1 */
    unsigned n_fields;
    struct head_field fields[HEAD_FIELDS_MAX];
    const char *why; /* set when refused */
};

/* Where the head ends (the length of head and blank line), 0 while more is to come, or
 * -EINVAL at the first byte that no head can contain. Scans on from *scanned, which
 * starts as 0. */
ssize_t head_end(const char *p, size_t n, size_t *scanned);

/* An empty GET, for who must answer before a head could be parsed. */
void head_init(struct head *h);

/* p[0..n) is a whole head as head_end() found it. 0, or the status to refuse it with.
 */
int head_parse(struct head *h, const char *p, size_t n);

/* The value of a field that must not occur twice: its count, and *out set when that
 * is 1. */
unsigned head_get(const struct head *h, const char *name, struct slice *out);
/* All values of a field joined by ", " as a string (RFC 9110 5.3): the count, or
 * -ENOBUFS when they do not fit. out is "" when there is none. */
int head_join(const struct head *h, const char *name, char *out, size_t cap);

bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text);
