// link: proto base
/* One line of statsd: what passes keeps the rules of a reading, and a line that is told
 * again in its own words is the same reading.
 *
 * Input: the line. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/statsd.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t cap) {
    size_t n = strnlen(s, cap);
    CHECK(n < cap);
    CHECK(utf8_next(UTF8_WHOLE, (const uint8_t *)s, n) == UTF8_WHOLE);
    for (size_t i = 0; i < n; i++)
        CHECK((unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
}

static void check_reading(const struct reading *r) {
    size_t n = strnlen(r->name, sizeof r->name);
    CHECK(n > 0 && n < sizeof r->name);
    CHECK(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n);
    check_text(r->label, sizeof r->label);
    check_text(r->unit, sizeof r->unit);
    CHECK(isfinite(r->value));
    CHECK(r->kind >= READING_GAUGE && r->kind <= READING_TIMING);
}

static void tell_again(const struct reading *r) {
    static const char *const types[] = {"g", "c", "ms"};
    char line[256];
    struct reading again;
    const char *sign = r->relative && !signbit(r->value) ? "+" : "";
    int n = snprintf(line, sizeof line, "%s:%s%.17g|%s|#unit:%s,label:%s", r->name,
                     sign, r->value, types[r->kind], r->unit, r->label);
    if (strpbrk(r->unit, "|") || strpbrk(r->label, "|"))
        return;
    CHECK(!statsd_parse(line, (size_t)n, &again));
    CHECK(strcmp(again.name, r->name) == 0 && strcmp(again.unit, r->unit) == 0 &&
          strcmp(again.label, r->label) == 0 && again.kind == r->kind);
    CHECK(again.value == r->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reading r;
    char *line = malloc(size + 1);
    memcpy(line, data, size);
    const char *why = statsd_parse(line, size, &r);
    if (!why) {
        check_reading(&r);
        tell_again(&r);
    } else {
        CHECK(strlen(why) < 80);
    }
    free(line);
    return 0;
}
