#include "http/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},       {"HEAD", HTTP_HEAD}, {"OPTIONS", HTTP_OPTIONS},
    {"POST", HTTP_POST},     {"PUT", HTTP_PUT},   {"PATCH", HTTP_PATCH},
    {"DELETE", HTTP_DELETE},
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

const char *http_method_name(enum http_method m) {
    for (size_t i = 0; i < N_METHODS; i++) {
        if (methods[i].method == m)
            return methods[i].name;
    }
    return "?";
}

bool slice_is(struct slice s, const char *text) {
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool slice_is_nocase(struct slice s, const char *text) {
    return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

/* RFC 9110 5.6.2 */
static bool is_tchar(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        if (!is_tchar(s.p[i]))
            return false;
    }
    return s.n > 0;
}

ssize_t head_end(const char *p, size_t n, size_t *scanned) {
    for (size_t i = *scanned; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool after_cr = i > 0 && p[i - 1] == '\r';
        /* A lone CR or LF is where two parsers disagree; a control byte is no HTTP at
         * all (a TLS hello on the plain port, say). */
        bool control = c < 0x20 ? c != '\r' && c != '\n' && c != '\t' : c == 0x7f;
        if ((c == '\n') != after_cr || control)
            return -EINVAL;
        if (c == '\n' && i >= 3 && p[i - 2] == '\n') {
            *scanned = i + 1;
            return (ssize_t)(i + 1);
        }
    }
    *scanned = n;
    return 0;
}

/* Takes the text up to the separator off the front of s. */
static struct slice cut(struct slice *s, const char *sep) {
    size_t k = strlen(sep);
    const char *at = memmem(s->p, s->n, sep, k);
    struct slice left = {s->p, at ? (size_t)(at - s->p) : s->n};
    size_t gone = at ? left.n + k : left.n;
    s->p += gone;
    s->n -= gone;
    return left;
}

static int refuse(struct head *h, int status, const char *why) {
    h->why = why;
    return status;
}

static int parse_method(struct head *h, struct slice name) {
    for (size_t i = 0; i < N_METHODS; i++) {
        if (slice_is(name, methods[i].name)) {
            h->method = methods[i].method;
            return 0;
        }
    }
    return is_token(name) ? refuse(h, 501, "This method is not implemented.")
                          : refuse(h, 400, "The request line is malformed.");
}

static int parse_version(struct head *h, struct slice v) {
    if (slice_is(v, "HTTP/1.1") || slice_is(v, "HTTP/1.0")) {
        h->minor = v.p[7] == '1';
        return 0;
    }
    if (v.n == 8 && memcmp(v.p, "HTTP/", 5) == 0 && v.p[5] >= '0' && v.p[5] <= '9' &&
        v.p[6] == '.' && v.p[7] >= '0' && v.p[7] <= '9')
        return refuse(h, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    return refuse(h, 400, "The request line is malformed.");
}

/* RFC 9112 3.2: origin-form, absolute-form, or "*" for OPTIONS. */
static int parse_target(struct head *h, struct slice target) {
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return refuse(h, 400, "The request target is malformed.");
    }
    if (slice_is(target, "*") && h->method == HTTP_OPTIONS) {
        h->path = target;
        return 0;
    }
    const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t k = strlen(schemes[i]);
        if (target.n <= k || strncasecmp(target.p, schemes[i], k) != 0)
            continue;
        const char *host = target.p + k;
        const char *slash = memchr(host, '/', target.n - k);
        if (!slash || slash == host || memchr(host, '?', (size_t)(slash - host)))
            break;
        h->authority = (struct slice){host, (size_t)(slash - host)};
        target.n -= (size_t)(slash - target.p);
        target.p = slash;
        break;
    }
    if (target.n == 0 || target.p[0] != '/')
        return refuse(h, 400, "The request target is malformed.");
    h->path = cut(&target, "?");
    h->query = target;
    return 0;
}

static int parse_line(struct head *h, struct slice line) {
    struct slice method = cut(&line, " ");
    struct slice target = cut(&line, " ");
    int rc = parse_version(h, line);
    if (rc == 0)
        rc = parse_method(h, method);
    return rc == 0 ? parse_target(h, target) : rc;
}

static bool is_ows(char c) { return c == ' ' || c == '\t'; }

/* RFC 9112 5: no space before the colon, no line folding. */
static int parse_field(struct head *h, struct slice line) {
    if (h->n_fields == HEAD_FIELDS_MAX)
        return refuse(h, 431, "There are too many header fields.");
    const char *colon = memchr(line.p, ':', line.n);
    struct slice name = {line.p, colon ? (size_t)(colon - line.p) : 0};
    if (!is_token(name))
        return refuse(h, 400, "A header field is malformed.");
    struct slice value = {colon + 1, line.n - name.n - 1};
    while (value.n > 0 && is_ows(value.p[0])) {
        value.p++;
        value.n--;
    }
    while (value.n > 0 && is_ows(value.p[value.n - 1]))
        value.n--;
    h->fields[h->n_fields++] = (struct head_field){name, value};
    return 0;
}

static int parse_length(struct head *h) {
    struct slice v;
    unsigned count = head_get(h, "Content-Length", &v);
    if (count == 0)
        return 0;
    bool ok = count == 1 && v.n > 0 && v.n <= 18;
    for (size_t i = 0; ok && i < v.n; i++) {
        ok = v.p[i] >= '0' && v.p[i] <= '9';
        h->content_length = h->content_length * 10 + (uint64_t)(v.p[i] - '0');
    }
    return ok ? 0 : refuse(h, 400, "Content-Length is malformed.");
}

/* How the body is framed must be beyond doubt (RFC 9112 6.3 and 11.2). */
static int check_framing(struct head *h) {
    struct slice v;
    unsigned coded = head_get(h, "Transfer-Encoding", &v);
    unsigned sized = head_get(h, "Content-Length", &v);
    if (coded && (sized || h->minor == 0))
        return refuse(h, 400, "The length of the body is ambiguous.");
    if (coded)
        return refuse(h, 411, "A request body needs a Content-Length.");
    int rc = parse_length(h);
    if (rc != 0)
        return rc;
    unsigned expects = head_get(h, "Expect", &v);
    h->expects_continue = expects == 1 && slice_is_nocase(v, "100-continue");
    if (expects && !h->expects_continue)
        return refuse(h, 417, "Only 100-continue can be expected.");
    /* RFC 9110 10.1.1: from an HTTP/1.0 client it is ignored. */
    h->expects_continue = h->expects_continue && h->minor == 1 && h->content_length > 0;
    return 0;
}

void head_init(struct head *h) {
    h->method = HTTP_GET;
    h->minor = 1;
    h->authority = h->path = h->query = (struct slice){"", 0};
    h->content_length = 0;
    h->expects_continue = false;
    h->n_fields = 0;
    h->why = NULL;
}

int head_parse(struct head *h, const char *p, size_t n) {
    head_init(h);
    struct slice rest = {p, n};
    int rc = parse_line(h, cut(&rest, "\r\n"));
    while (rc == 0 && rest.n > 2)
        rc = parse_field(h, cut(&rest, "\r\n"));
    return rc == 0 ? check_framing(h) : rc;
}

unsigned head_get(const struct head *h, const char *name, struct slice *out) {
    unsigned count = 0;
    for (unsigned i = 0; i < h->n_fields; i++) {
        if (slice_is_nocase(h->fields[i].name, name) && count++ == 0)
            *out = h->fields[i].value;
    }
    return count;
}

int head_join(const struct head *h, const char *name, char *out, size_t cap) {
    int count = 0;
    size_t n = 0;
    for (unsigned i = 0; i < h->n_fields; i++) {
        struct slice v = h->fields[i].value;
        if (!slice_is_nocase(h->fields[i].name, name))
            continue;
        size_t sep = count ? 2 : 0;
        if (n + sep + v.n >= cap)
            return -ENOBUFS;
        memcpy(out + n, ", ", sep);
        memcpy(out + n + sep, v.p, v.n);
        n += sep + v.n;
        count++;
    }
    out[n] = '\0';
    return count;
}
