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
