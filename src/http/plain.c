#include "http/plain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int plain_parse(const char *word, enum plain_mode *out) {
    static const char *const words[] = {"full", "view", "redirect", "off"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum plain_mode)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* What somebody needs who does not trust us yet, and who asks whether we live. */
static bool always_open(const char *path) {
    static const char *const paths[] = {"/ca.crt", "/trust", "/healthz", "/readyz",
                                        "/.well-known/security.txt"};
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (strcmp(path, paths[i]) == 0)
            return true;
    }
    return false;
}

enum plain_verdict plain_judge(enum plain_mode mode, enum http_method method,
                               const char *path) {
    /* RFC 9110 9.2.1 */
    bool safe = (method & (HTTP_GET | HTTP_HEAD | HTTP_OPTIONS)) != 0;
    if (mode == PLAIN_FULL)
        return PLAIN_ANSWER;
    if (!safe)
        return PLAIN_REFUSE;
    return mode == PLAIN_VIEW || always_open(path) ? PLAIN_ANSWER : PLAIN_MOVE;
}

/* The host without its port; an IPv6 address keeps its brackets. */
static struct slice host_of(struct slice authority) {
    const char *from = authority.p;
    if (authority.n > 0 && from[0] == '[')
        from = memchr(from, ']', authority.n);
    const char *colon =
        from ? memchr(from, ':', authority.n - (size_t)(from - authority.p)) : NULL;
    return (struct slice){authority.p,
                          colon ? (size_t)(colon - authority.p) : authority.n};
}

size_t plain_origin(struct slice authority, unsigned port, char *out, size_t cap) {
    char at[8] = "";
    struct slice host = host_of(authority);
    if (port != 443)
        snprintf(at, sizeof at, ":%u", port);
    int n = snprintf(out, cap, "https://%.*s%s", (int)host.n, host.p, at);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}
