#include "telemetry/tiers_file.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "telemetry/quant.h"

#include <string.h>

static const char magic[8] = "PULSEHIS";

#define AT_VERSION 8
#define AT_CRC 12
#define AT_GENERATION 16
#define AT_BOOTS 24
#define AT_COLUMNS 28
#define AT_ROWS 32

/* Of what is read: so that no sum of times can overflow. */
#define BUCKET_MAX (UINT64_C(1) << 40)
#define WALL_MAX (INT64_C(1) << 52)

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)bytes_get16(p) << 16 | bytes_get16(p + 2);
}

static void put32(uint8_t *p, uint32_t v) {
    bytes_put16(p, (uint16_t)(v >> 16));
    bytes_put16(p + 2, (uint16_t)v);
}

static uint32_t held(const struct tiers *t, uint32_t tier) {
    return (uint32_t)(t->last[tier] - tiers_oldest(t, tier) + 1);
}

/* ---- writing ---- */

/* Of boot i in this tier: rows, those pushed out of the tier among them. */
static uint64_t rows_of(const struct tiers *t, uint32_t i, uint32_t tier) {
    uint64_t end = i + 1 < t->n_boots ? t->boot[i + 1].row[tier] : t->last[tier] + 1;
    return end - t->boot[i].row[tier];
}

static uint8_t *put_boot(uint8_t *p, const struct tiers *t, uint32_t i) {
    const struct tiers_boot *b = &t->boot[i];
    bytes_put64(p, b->id[0]);
    bytes_put64(p + 8, b->id[1]);
    bytes_put64(p + 16, (uint64_t)b->wall_ms);
    p += 24;
    for (uint32_t k = 0; k < TIERS_N; k++, p += 12) {
        uint64_t oldest = tiers_oldest(t, k), rows = rows_of(t, i, k);
        uint64_t gone = b->row[k] < oldest ? oldest - b->row[k] : 0;
        put32(p, (uint32_t)(b->row[k] + gone - oldest + 1));
        bytes_put64(p + 4, b->bucket[k] + (gone < rows ? gone : rows));
    }
    return p;
}

static uint8_t *put_column(uint8_t *p, const struct tiers *t, uint32_t column) {
    memcpy(p, t->id[column], METRIC_ID_MAX);
    p += METRIC_ID_MAX;
    for (uint32_t k = 0; k < TIERS_N; k++) {
        for (uint64_t r = tiers_oldest(t, k); r <= t->last[k]; r++, p += 6) {
            const struct tier_point *at = tiers_get(t, k, column, r);
            bytes_put16(p, at->min);
            bytes_put16(p + 2, at->avg);
            bytes_put16(p + 4, at->max);
        }
    }
    return p;
}

size_t tiers_pack(const struct tiers *t, uint64_t generation, uint8_t *buf) {
    memcpy(buf, magic, sizeof magic);
    put32(buf + AT_VERSION, TIERS_FILE_VERSION);
    bytes_put64(buf + AT_GENERATION, generation);
    put32(buf + AT_BOOTS, t->n_boots);
    put32(buf + AT_COLUMNS, t->n_columns);
    for (uint32_t k = 0; k < TIERS_N; k++)
        put32(buf + AT_ROWS + 4 * k, held(t, k));
    uint8_t *p = buf + TIERS_FILE_HEAD;
    for (uint32_t i = 0; i < t->n_boots; i++)
        p = put_boot(p, t, i);
    for (uint32_t c = 0; c < t->n_columns; c++)
        p = put_column(p, t, c);
    return (size_t)(p - buf);
}

static uint32_t checksum(const uint8_t *buf, size_t n) {
    return crc32_of(buf + AT_GENERATION, n - AT_GENERATION);
}

void tiers_seal(uint8_t *buf, size_t n) { put32(buf + AT_CRC, checksum(buf, n)); }

/* ---- reading ---- */

/* The first row of each boot follows the last of the one before, and no step is later
 * than any machine gets. */
static bool boots_ok(const uint8_t *buf, uint32_t boots) {
    uint32_t row[TIERS_N] = {1, 1, 1};
    uint64_t bucket[TIERS_N] = {0};
    const uint8_t *p = buf + TIERS_FILE_HEAD;
    for (uint32_t i = 0; i < boots; i++) {
        int64_t wall = (int64_t)bytes_get64(p + 16);
        if (wall < -WALL_MAX || wall > WALL_MAX)
            return false;
        p += 24;
        for (uint32_t k = 0; k < TIERS_N; k++, p += 12) {
            uint32_t next = get32(p);
            if (next < row[k] || bucket[k] + (next - row[k]) > BUCKET_MAX)
                return false;
            row[k] = next;
            bucket[k] = bytes_get64(p + 4);
            if (bucket[k] > BUCKET_MAX)
                return false;
        }
    }
    for (uint32_t k = 0; k < TIERS_N; k++) {
        uint32_t end = get32(buf + AT_ROWS + 4 * k) + 1;
        if (row[k] > end || bucket[k] + (end - row[k]) > BUCKET_MAX)
            return false;
    }
    return true;
}

static bool id_ok(const uint8_t *id) {
    size_t n = strnlen((const char *)id, METRIC_ID_MAX);
    if (n == 0 || n == METRIC_ID_MAX)
        return false;
    return strspn((const char *)id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static size_t column_bytes(const uint8_t *buf) {
    size_t rows = 0;
    for (uint32_t k = 0; k < TIERS_N; k++)
        rows += get32(buf + AT_ROWS + 4 * k);
    return METRIC_ID_MAX + 6 * rows;
}

static bool shape_ok(const uint8_t *buf, size_t n) {
    uint32_t boots = get32(buf + AT_BOOTS), columns = get32(buf + AT_COLUMNS);
    if (boots > TIERS_BOOTS || columns > LIM_METRICS)
        return false;
    for (uint32_t k = 0; k < TIERS_N; k++) {
        if (get32(buf + AT_ROWS + 4 * k) > tiers_shape[k].rows)
            return false;
    }
    size_t heads = TIERS_FILE_HEAD + boots * TIERS_FILE_BOOT, each = column_bytes(buf);
    if (n != heads + columns * each || !boots_ok(buf, boots))
        return false;
    for (uint32_t c = 0; c < columns; c++) {
        if (!id_ok(buf + heads + c * each))
            return false;
    }
    return true;
}

const char *tiers_fault(const uint8_t *buf, size_t n, uint64_t *generation) {
    if (n < AT_CRC || memcmp(buf, magic, sizeof magic) != 0)
        return n == 0 ? "empty" : "foreign";
    uint32_t version = get32(buf + AT_VERSION);
    if (version != TIERS_FILE_VERSION)
        return version > TIERS_FILE_VERSION ? "newer_version" : "foreign";
    if (n < TIERS_FILE_HEAD || get32(buf + AT_CRC) != checksum(buf, n))
        return "corrupt";
    if (!shape_ok(buf, n))
        return "inconsistent";
    *generation = bytes_get64(buf + AT_GENERATION);
    return NULL;
}

static const uint8_t *take_boot(const uint8_t *p, struct tiers_boot *b) {
    b->id[0] = bytes_get64(p);
    b->id[1] = bytes_get64(p + 8);
    b->wall_ms = (int64_t)bytes_get64(p + 16);
    p += 24;
    for (uint32_t k = 0; k < TIERS_N; k++, p += 12) {
        b->row[k] = get32(p);
        b->bucket[k] = bytes_get64(p + 4);
    }
    return p;
}

static const uint8_t *take_column(const uint8_t *p, struct tiers *t, uint32_t column) {
    memcpy(t->id[column], p, METRIC_ID_MAX);
    p += METRIC_ID_MAX;
    for (uint32_t k = 0; k < TIERS_N; k++) {
        for (uint64_t r = 1; r <= t->last[k]; r++, p += 6) {
            struct tier_point at = {bytes_get16(p), bytes_get16(p + 2),
                                    bytes_get16(p + 4)};
            *tiers_at(t, k, column, r) = at;
            if (k == TIERS_N - 1 && at.avg != QUANT_NONE)
                t->seen[column] = r;
        }
    }
    return p;
}

void tiers_unpack(struct tiers *t, const uint8_t *buf) {
    t->n_boots = get32(buf + AT_BOOTS);
    t->n_columns = get32(buf + AT_COLUMNS);
    for (uint32_t k = 0; k < TIERS_N; k++)
        t->last[k] = get32(buf + AT_ROWS + 4 * k);
    const uint8_t *p = buf + TIERS_FILE_HEAD;
    for (uint32_t i = 0; i < t->n_boots; i++)
        p = take_boot(p, &t->boot[i]);
    for (uint32_t c = 0; c < t->n_columns; c++)
        p = take_column(p, t, c);
}
