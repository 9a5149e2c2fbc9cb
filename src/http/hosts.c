#include "http/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct authority {
    struct slice host; /* without brackets and the root's dot */
    bool bracketed;
    unsigned port; /* 0: left out */
};

void hosts_init(struct hosts *h, const char *const *names, unsigned n, bool any) {
    *h = (struct hosts){.names = names, .n = n, .any = any};
    if (gethostname(h->self, sizeof(h->self) - 1) != 0)
        h->self[0] = '\0';
    h->self_short = strcspn(h->self, ".");
}

static int parse_port(struct slice s, unsigned *out) {
    unsigned v = 0;
    if (s.n > 5)
        return -EINVAL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -EINVAL;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    if (v > 65535 || (s.n > 0 && v == 0))
        return -EINVAL;
    *out = v;
    return 0;
}

static bool is_host_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '.' || c == '_';
}

/* RFC 3986 3.2.2 without user information; names as DNS has them. */
static int split(struct slice s, struct authority *out) {
    *out = (struct authority){.bracketed = s.n > 0 && s.p[0] == '['};
    const char *end = out->bracketed ? memchr(s.p, ']', s.n) : memchr(s.p, ':', s.n);
    if (out->bracketed) {
        if (!end)
            return -EINVAL;
        out->host = (struct slice){s.p + 1, (size_t)(end - s.p) - 1};
        end++;
    } else {
        end = end ? end : s.p + s.n;
        out->host = (struct slice){s.p, (size_t)(end - s.p)};
        for (size_t i = 0; i < out->host.n; i++) {
            if (!is_host_char(out->host.p[i]))
                return -EINVAL;
        }
        if (out->host.n > 1 && end[-1] == '.')
            out->host.n--;
    }
    struct slice rest = {end, s.n - (size_t)(end - s.p)};
    if (out->host.n == 0 || (rest.n > 0 && rest.p[0] != ':'))
        return -EINVAL;
    if (rest.n == 0)
        return 0;
    return parse_port((struct slice){rest.p + 1, rest.n - 1}, &out->port);
}

static bool is_address(const struct authority *a) {
    char text[INET6_ADDRSTRLEN];
    unsigned char raw[16];
    if (a->host.n >= sizeof(text))
        return false;
    memcpy(text, a->host.p, a->host.n);
    text[a->host.n] = '\0';
    return inet_pton(a->bracketed ? AF_INET6 : AF_INET, text, raw) == 1;
}

static bool ends_in(struct slice s, const char *suffix) {
    size_t k = strlen(suffix);
    return s.n > k && strncasecmp(s.p + s.n - k, suffix, k) == 0;
}

static bool is_ours(const struct hosts *h, struct slice name) {
    if (slice_is_nocase(name, "localhost") || ends_in(name, ".localhost") ||
        ends_in(name, ".local"))
        return true;
    if (h->self[0] &&
        (slice_is_nocase(name, h->self) ||
         (name.n == h->self_short && strncasecmp(name.p, h->self, name.n) == 0)))
        return true;
    for (unsigned i = 0; i < h->n; i++) {
        if (slice_is_nocase(name, h->names[i]))
            return true;
    }
    return false;
}

int hosts_check(const struct hosts *h, struct slice authority) {
    struct authority a;
    if (split(authority, &a) != 0)
        return -EINVAL;
    if (is_address(&a))
        return 0;
    if (a.bracketed)
        return -EINVAL;
    return h->any || is_ours(h, a.host) ? 0 : -EACCES;
}

bool hosts_same(struct slice origin, struct slice authority) {
    struct authority from, to;
    const char *mark = memmem(origin.p, origin.n, "://", 3);
    if (!mark)
        return false; /* "null", the origin of sandboxes and files, is nobody's */
    struct slice scheme = {origin.p, (size_t)(mark - origin.p)};
    bool tls = slice_is_nocase(scheme, "https");
    if (!tls && !slice_is_nocase(scheme, "http"))
        return false;
    struct slice rest = {mark + 3, origin.n - scheme.n - 3};
    if (split(rest, &from) != 0 || split(authority, &to) != 0)
        return false;
    unsigned standard = tls ? 443 : 80;
    return from.host.n == to.host.n && from.bracketed == to.bracketed &&
           strncasecmp(from.host.p, to.host.p, from.host.n) == 0 &&
           (from.port ? from.port : standard) == (to.port ? to.port : standard);
}
