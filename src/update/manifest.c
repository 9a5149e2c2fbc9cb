#include "update/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/json.h"

#define FORMAT "pulseboard-update-1"
#define KEYS 6 /* of the JSON */

/* Words that may stand in paths, logs and pages as they are. */
static bool plain(const char *s, size_t n) {
    static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789.+-_~";
    /* Byte by byte: no NUL stands behind the last word of a file. */
    for (size_t i = 0; i < n; i++) {
        if (!memchr(may, s[i], sizeof may - 1))
            return false;
    }
    return n > 0;
}

static bool take_word(char *out, size_t cap, const char *s, size_t n) {
    if (n >= cap || !plain(s, n))
        return false;
    memcpy(out, s, n);
    out[n] = '\0';
    return true;
}

static bool take_text(char *out, size_t cap, const cJSON *v) {
    return cJSON_IsString(v) &&
           take_word(out, cap, v->valuestring, strlen(v->valuestring));
}

/* Whole numbers that a double holds exactly. */
static bool take_count(uint64_t *out, const cJSON *v) {
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1ull << 53))
        return false;
    *out = (uint64_t)v->valuedouble;
    return (double)*out == v->valuedouble;
}

static int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hash(uint8_t out[32], const cJSON *v) {
    if (!cJSON_IsString(v) || strlen(v->valuestring) != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = nibble(v->valuestring[2 * i]),
            low = nibble(v->valuestring[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char *read_object(struct manifest *m, const cJSON *v) {
    char format[32];
    /* Six members, of which each of the six is one: no key came twice. */
    if (!cJSON_IsObject(v) || cJSON_GetArraySize(v) != KEYS)
        return "the manifest is not an object of six members";
    if (!take_text(format, sizeof format,
                   cJSON_GetObjectItemCaseSensitive(v, "format")) ||
        strcmp(format, FORMAT) != 0)
        return "the manifest is of another format";
    if (!take_text(m->board, sizeof m->board,
                   cJSON_GetObjectItemCaseSensitive(v, "board")))
        return "the manifest names no board";
    if (!take_text(m->version, sizeof m->version,
                   cJSON_GetObjectItemCaseSensitive(v, "version")))
        return "the manifest names no version";
    if (!take_count(&m->built, cJSON_GetObjectItemCaseSensitive(v, "built")))
        return "the manifest has no time of build";
    if (!take_count(&m->size, cJSON_GetObjectItemCaseSensitive(v, "size")) ||
        m->size == 0 || m->size > MANIFEST_SIZE_MAX)
        return "the manifest has no size that can be";
    if (!take_hash(m->sha256, cJSON_GetObjectItemCaseSensitive(v, "sha256")))
        return "the manifest has no SHA-256";
    return NULL;
}

int manifest_json(struct manifest *m, const char *text, size_t n, const char **why) {
    memset(m, 0, sizeof *m);
    *why = "the manifest is not JSON";
    if (!json_ok(text, n))
        return -EINVAL;
    cJSON *tree = cJSON_ParseWithLength(text, n);
    *why = "there is not enough memory";
    if (!tree)
        return -ENOMEM;
    *why = read_object(m, tree);
    cJSON_Delete(tree);
    return *why ? -EINVAL : 0;
}

/* Digits only; false where there are none, or too many. */
static bool number(const char *s, size_t n, uint64_t *out) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(s[i] - '0');
    }
    *out = v;
    return n > 0 && n < 19;
}

static bool is_key(const char *line, size_t n, const char *key, const char **value) {
    size_t k = strlen(key);
    *value = line + k + 1;
    return n > k && memcmp(line, key, k) == 0 && line[k] == '=';
}

static bool take_line(struct manifest *m, const char *line, size_t n) {
    const char *v, *end = line + n;
    if (is_key(line, n, "board", &v))
        return take_word(m->board, sizeof m->board, v, (size_t)(end - v));
    if (is_key(line, n, "version", &v))
        return take_word(m->version, sizeof m->version, v, (size_t)(end - v));
    if (is_key(line, n, "built", &v))
        return number(v, (size_t)(end - v), &m->built);
    return true; /* somebody else's */
}

int manifest_lines(struct manifest *m, const char *text, size_t n, const char **why) {
    memset(m, 0, sizeof *m);
    *why = "a line makes no sense";
    for (const char *end = text + n; text < end;) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((nl ? nl : end) - text);
        if (!take_line(m, text, len))
            return -EINVAL;
        text += len + 1;
    }
    *why = "board or version is missing";
    return m->board[0] && m->version[0] ? 0 : -EINVAL;
}

/* The next number of "1.20.3", moving *s behind it and its dot; 0 where they end. */
static uint64_t next_number(const char **s) {
    uint64_t v = 0;
    size_t n = strspn(*s, "0123456789");
    number(*s, n < 18 ? n : 18, &v);
    *s += n;
    if (n > 0 && **s == '.')
        (*s)++;
    return v;
}

int manifest_order(const struct manifest *a, const struct manifest *b) {
    const char *av = a->version, *bv = b->version;
    for (int i = 0; i < 4; i++) {
        uint64_t x = next_number(&av), y = next_number(&bv);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a->built < b->built ? -1 : a->built > b->built;
}
