#include "http/field.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define OWS " \t"

/* ";q=0.123" (RFC 9110 12.4.2) in thousandths; 1000 when it is left out, 0 when
 * malformed. */
static int weight(const char *p, const char *end) {
    p += strspn(p, OWS);
    if (p >= end)
        return 1000;
    if (*p++ != ';')
        return 0;
    p += strspn(p, OWS);
    if ((*p != 'q' && *p != 'Q') || p[1] != '=' || (p[2] != '0' && p[2] != '1'))
        return 0;
    int q = (p[2] - '0') * 1000;
    p += 3;
    if (*p == '.') {
        p++;
        for (int unit = 100; unit > 0 && *p >= '0' && *p <= '9'; unit /= 10)
            q += (*p++ - '0') * unit;
    }
    p += strspn(p, OWS);
    return p >= end && q <= 1000 ? q : 0;
}

bool field_takes_gzip(const char *p) {
    int gzip = -1, identity = -1, any = -1;
    while (*p) {
        p += strspn(p, OWS ",");
        size_t n = strcspn(p, ",");
        size_t k = strcspn(p, OWS ",;");
        int q = weight(p + k, p + n);
        if ((k == 4 && strncasecmp(p, "gzip", k) == 0) ||
            (k == 6 && strncasecmp(p, "x-gzip", k) == 0))
            gzip = q;
        else if (k == 8 && strncasecmp(p, "identity", k) == 0)
            identity = q;
        else if (k == 1 && *p == '*')
            any = q;
        p += n;
    }
    gzip = gzip >= 0 ? gzip : any;
    /* Not to be mentioned makes identity acceptable, but no preference. */
    return gzip > 0 && gzip >= identity;
}

static struct slice cut(struct slice s, size_t from, size_t to) {
    while (from < to && (s.p[from] == ' ' || s.p[from] == '\t'))
        from++;
    while (to > from && (s.p[to - 1] == ' ' || s.p[to - 1] == '\t'))
        to--;
    return (struct slice){s.p + from, to - from};
}

unsigned field_cookie(struct slice all, const char *name, struct slice *value) {
    unsigned count = 0;
    size_t k = strlen(name);
    for (size_t at = 0; at < all.n;) {
        const char *semicolon = memchr(all.p + at, ';', all.n - at);
        size_t end = semicolon ? (size_t)(semicolon - all.p) : all.n;
        struct slice pair = cut(all, at, end);
        if (pair.n > k && memcmp(pair.p, name, k) == 0 && pair.p[k] == '=') {
            *value = (struct slice){pair.p + k + 1, pair.n - k - 1};
            count++;
        }
        at = end + 1;
    }
    return count;
}

bool field_bearer(struct slice v, struct slice *token) {
    static const char scheme[] = "Bearer ";
    size_t k = sizeof scheme - 1;
    if (v.n <= k || strncasecmp(v.p, scheme, k) != 0)
        return false;
    struct slice t = cut(v, k, v.n);
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == ' ' || t.p[i] == '\t' || t.p[i] == ',')
            return false;
    }
    *token = t;
    return t.n > 0;
}

bool field_is_type(struct slice v, const char *type) {
    const char *semicolon = v.n ? memchr(v.p, ';', v.n) : NULL;
    size_t n = semicolon ? (size_t)(semicolon - v.p) : v.n;
    return slice_is_nocase(cut(v, 0, n), type);
}

bool field_names_etag(const char *p, const char *etag) {
    size_t n = strlen(etag);
    p += strspn(p, OWS);
    if (*p == '*')
        return p[1 + strspn(p + 1, OWS)] == '\0';
    while (*p) {
        p += strspn(p, OWS ",");
        if (p[0] == 'W' && p[1] == '/')
            p += 2;
        if (*p != '"')
            return false;
        const char *quote = strchr(p + 1, '"');
        if (!quote)
            return false;
        if ((size_t)(quote + 1 - p) == n && memcmp(p, etag, n) == 0)
            return true;
        p = quote + 1;
        p += strspn(p, OWS);
        if (*p && *p != ',')
            return false;
    }
    return false;
}
