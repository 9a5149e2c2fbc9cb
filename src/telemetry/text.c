#include "telemetry/text.h"

#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_blanks(const char *s) {
    while (is_blank(*s))
        s++;
    return s;
}

bool text_digits(const char **s, uint64_t *out) {
    const char *p = *s;
    uint64_t v = 0;
    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *s = p;
    *out = v;
    return true;
}

bool text_u64(const char **s, uint64_t *out) {
    const char *p = skip_blanks(*s);
    uint64_t v;
    if (!text_digits(&p, &v) || (*p && !is_blank(*p)))
        return false;
    *s = p;
    *out = v;
    return true;
}

bool text_i64(const char **s, int64_t *out) {
    const char *p = skip_blanks(*s);
    bool minus = *p == '-';
    uint64_t v;
    p += minus;
    if (!text_digits(&p, &v) || (*p && !is_blank(*p)) || v > INT64_MAX)
        return false;
    *s = p;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

bool text_decimal(const char **s, double *out) {
    const char *p = skip_blanks(*s);
    uint64_t whole, part;
    if (!text_digits(&p, &whole) || *p++ != '.')
        return false;
    const char *from = p;
    if (!text_digits(&p, &part) || (*p && !is_blank(*p)))
        return false;
    double scale = 1;
    for (; from < p; from++)
        scale *= 10;
    *s = p;
    *out = (double)whole + (double)part / scale;
    return true;
}

static bool is_end(char c) { return !c || is_blank(c) || c == '\n'; }

bool text_number(const char **s, double *out) {
    const char *p = skip_blanks(*s);
    bool minus = *p == '-';
    uint64_t whole, part = 0;
    double scale = 1;
    p += minus;
    if (!text_digits(&p, &whole))
        return false;
    if (*p == '.') {
        const char *from = ++p;
        if (!text_digits(&p, &part))
            return false;
        for (; from < p; from++)
            scale *= 10;
    }
    if (!is_end(*p))
        return false;
    double v = (double)whole + (double)part / scale;
    *s = p;
    *out = minus ? -v : v;
    return true;
}

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_hex(const char **s, uint64_t *out) {
    const char *p = skip_blanks(*s);
    uint64_t v = 0;
    if (p[0] == '0' && p[1] == 'x')
        p += 2;
    const char *from = p;
    for (int d; (d = hex_digit(*p)) >= 0; p++)
        v = v << 4 | (unsigned)d;
    if (p == from || p - from > 16 || !is_end(*p))
        return false;
    *s = p;
    *out = v;
    return true;
}

char *text_word(char **s) {
    char *word = *s;
    while (is_blank(*word))
        word++;
    if (!*word)
        return NULL;
    char *end = word;
    while (*end && !is_blank(*end))
        end++;
    *s = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* Bytes of the well-formed character at s (RFC 3629 section 4), 0 when it is not one.
 */
static size_t utf8_len(const unsigned char *s) {
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] < 0xc2   ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    /* The second byte also rules out overlong forms, surrogates and what is too large.
     */
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (n == 0 || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static bool is_control(const unsigned char *s) {
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

size_t text_label(char *out, size_t cap, const char *raw) {
    const unsigned char *s = (const unsigned char *)raw;
    size_t n = 0;
    while (*s) {
        size_t len = utf8_len(s);
        bool good = len > 0 && !is_control(s);
        size_t take = good ? len : 1;
        if (n + take >= cap)
            break;
        if (good)
            memcpy(out + n, s, len);
        else
            out[n] = '?';
        n += take;
        s += len ? len : 1;
    }
    out[n] = '\0';
    return n;
}

static char slug_char(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    bool keep = (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '_';
    return keep ? c : '-';
}

size_t text_slug(char *out, size_t cap, const char *raw) {
    size_t n = 0;
    for (const char *s = raw; *s && n + 1 < cap; s++) {
        char c = slug_char(*s);
        if (c == '-' && (n == 0 || out[n - 1] == '-'))
            continue;
        out[n++] = c;
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    if (n == 0) {
        static const char nameless[] = "unnamed";
        memcpy(out, nameless, sizeof nameless);
        n = sizeof nameless - 1;
    }
    return n;
}
