// link: proto base
/* One line of InfluxDB's protocol: a line that passes as a whole gives readings, all of
 * which keep the rules, and at most one per '='.
 *
 * Input: the line. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/influx.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reading(const struct reading *r) {
    size_t n = strnlen(r->name, sizeof r->name);
    CHECK(n > 0 && n < sizeof r->name);
    CHECK(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n);
    CHECK(strnlen(r->label, sizeof r->label) < sizeof r->label);
    CHECK(strnlen(r->unit, sizeof r->unit) < sizeof r->unit);
    CHECK(isfinite(r->value) && r->kind == READING_GAUGE && !r->relative);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct influx l;
    struct reading r;
    size_t n = 0, most = 0;
    char *line = malloc(size + 1);
    memcpy(line, data, size);
    for (size_t i = 0; i < size; i++)
        most += line[i] == '=';
    const char *why = influx_begin(&l, line, size);
    while (!why && influx_next(&l, &r)) {
        check_reading(&r);
        CHECK(++n <= most);
    }
    /* What was checked as a whole is handed out to its end. */
    CHECK(why || (n > 0 && (l.p == l.end || *l.p == ' ')));
    free(line);
    return 0;
}
