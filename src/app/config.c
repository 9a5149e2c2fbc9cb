#include "app/config.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/option.h"
#include "proto/json.h"

/* The reading of one file. */
struct reader {
    struct config *c;
    struct config_report *r;
    const char *at; /* how far the search for keys has come, */
    unsigned line;  /* and the line there */
};

static void say(struct config_report *r, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct config_report *r, unsigned line, const char *fmt, ...) {
    char text[CONFIG_PATH_MAX + 512];
    int n = 0;
    if (r->path[0] && line)
        n = snprintf(text, sizeof text, "%s:%u: ", r->path, line);
    else if (r->path[0])
        n = snprintf(text, sizeof text, "%s: ", r->path);
    va_list ap;
    va_start(ap, fmt);
    if (n >= 0 && (size_t)n < sizeof text)
        vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    /* A key may hold anything: a line stays one line. */
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
    r->problems++;
    r->say(r->ctx, text);
}

void config_default(struct config *c) {
    *c = (struct config){0};
    char why[OPTION_WHY_MAX];
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (o->initial)
            option_set(o, c, o->initial, why);
    }
}

/* ---- comments ---- */

static unsigned line_of(const char *text, const char *at) {
    unsigned line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* ---- keys and their lines ---- */

/* The line of the next key. The k-th key of the text is the k-th that a depth-first
 * walk of the tree meets; the text is known to be JSON, so a string before a colon is a
 * key. */
static unsigned next_key(struct reader *f) {
    const char *p = f->at;
    for (;;) {
        for (; *p != '"'; p++)
            f->line += *p == '\n';
        unsigned line = f->line;
        for (p++; *p != '"'; p++)
            p += *p == '\\';
        for (p++; strchr(" \t\r\n", *p) && *p; p++)
            f->line += *p == '\n';
        f->at = p;
        if (*p == ':')
            return line;
    }
}

/* A value that is not looked into: its keys are passed over. */
static void skip_keys(struct reader *f, const cJSON *value) {
    const cJSON *child;
    cJSON_ArrayForEach(child, value) {
        if (cJSON_IsObject(value))
            next_key(f);
        skip_keys(f, child);
    }
}

/* ---- values ---- */

static const char *wanted(enum option_type type) {
    switch (type) {
    case OPTION_UINT:
        return "a number";
    case OPTION_LEVEL:
    case OPTION_TEXT:
        return "a string";
    case OPTION_LIST:
        return "a string or an array of strings";
    }
    return "";
}

static bool type_ok(const struct option *o, const cJSON *v) {
    if (o->type == OPTION_UINT)
        return cJSON_IsNumber(v);
    if (o->type != OPTION_LIST || !cJSON_IsArray(v))
        return cJSON_IsString(v);
    const cJSON *item;
    cJSON_ArrayForEach(item, v) {
        if (!cJSON_IsString(item))
            return false;
    }
    return true;
}

static int set_number(const struct option *o, struct config *c, double v, char *why) {
    if (v < 0 || v > UINT32_MAX || v != floor(v)) {
        snprintf(why, OPTION_WHY_MAX, "%.15g is not a whole number in %u..%u", v,
                 o->min, o->max);
        return -EINVAL;
    }
    char text[16];
    snprintf(text, sizeof text, "%.0f", v);
    return option_set(o, c, text, why);
}

static int set_value(const struct option *o, struct config *c, const cJSON *v,
                     char *why) {
    if (!type_ok(o, v)) {
        snprintf(why, OPTION_WHY_MAX, "wants %s", wanted(o->type));
        return -EINVAL;
    }
    option_begin(o, c);
    if (cJSON_IsNumber(v))
        return set_number(o, c, v->valuedouble, why);
    if (cJSON_IsString(v))
        return option_set(o, c, v->valuestring, why);
    int rc = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, v) {
        rc = rc ? rc : option_set(o, c, item->valuestring, why);
    }
    return rc;
}

/* ---- the tree ---- */

/* The option of this path, or *section: options lie below it. */
static const struct option *find(const char *path, bool *section) {
    size_t n = strlen(path);
    const struct option *o;
    *section = false;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (strcmp(o->key, path) == 0)
            break;
        if (strncmp(o->key, path, n) == 0 && o->key[n] == '.')
            *section = true;
    }
    return o;
}

static bool came_before(const cJSON *object, const cJSON *child) {
    for (const cJSON *c = object->child; c != child; c = c->next) {
        if (strcmp(c->string, child->string) == 0)
            return true;
    }
    return false;
}

static void read_option(struct reader *f, const struct option *o, const cJSON *v,
                        unsigned line) {
    char why[OPTION_WHY_MAX];
    f->r->line[o - option_at(0)] = line;
    if (set_value(o, f->c, v, why) != 0)
        say(f->r, line, "%s: %s", o->key, why);
    skip_keys(f, v);
}

/* prefix: "" or "heartbeat."; as deep as the table, so twice. */
static void read_object(struct reader *f, const cJSON *object, const char *prefix) {
    const cJSON *v;
    cJSON_ArrayForEach(v, object) {
        unsigned line = next_key(f);
        char path[96];
        int n = snprintf(path, sizeof path, "%s%s", prefix, v->string);
        bool section = false, fits = n >= 0 && (size_t)n < sizeof path;
        fits = fits && !strchr(v->string, '.'); /* a dot is ours, between two keys */
        const struct option *o = fits ? find(path, &section) : NULL;
        if (came_before(object, v))
            say(f->r, line, "%s: is given twice", path);
        else if (o) {
            read_option(f, o, v, line);
            continue;
        } else if (section && cJSON_IsObject(v)) {
            char below[sizeof path + 1];
            snprintf(below, sizeof below, "%s.", path);
            read_object(f, v, below);
            continue;
        } else
            say(f->r, line, "%s: %s", path,
                section ? "wants an object" : "is no such key");
        skip_keys(f, v);
    }
}

static int problem_at(struct config_report *r, const char *text, const char *at,
                      const char *what) {
    say(r, line_of(text, at), "%s", what);
    return -EINVAL;
}

int config_text(struct config *c, const char *path, char *text, size_t n,
                struct config_report *r) {
    unsigned before = r->problems;
    snprintf(r->path, sizeof r->path, "%s", path);
    const char *at = json_without_comments(text, n);
    if (at)
        return problem_at(r, text, at, "a comment does not end");
    at = json_fault(text, n);
    if (at)
        return problem_at(r, text, at, "this is not JSON");
    cJSON *tree = cJSON_ParseWithLength(text, n);
    if (!tree)
        return problem_at(r, text, text, "there is not enough memory to read it");
    if (cJSON_IsObject(tree)) {
        struct reader f = {c, r, text, 1};
        read_object(&f, tree, "");
    } else
        problem_at(r, text, text, "wants an object");
    cJSON_Delete(tree);
    return r->problems == before ? 0 : -EINVAL;
}

/* ---- the file ---- */

/* Bytes read, or -errno; -EFBIG: does not fit. */
static long read_all(const char *path, char *buf, size_t cap) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t n = 0;
    ssize_t got = 0;
    do {
        got = read(fd, buf + n, cap - n);
        n += got > 0 ? (size_t)got : 0;
    } while (n < cap && (got > 0 || (got < 0 && errno == EINTR)));
    long rc = got < 0 ? -errno : n == cap ? -EFBIG : (long)n;
    close(fd);
    return rc;
}

int config_file(struct config *c, const char *path, struct config_report *r) {
    char *text = calloc(1, CONFIG_FILE_MAX);
    snprintf(r->path, sizeof r->path, "%s", path);
    long n = text ? read_all(path, text, CONFIG_FILE_MAX) : -ENOMEM;
    int rc = n < 0 ? (int)n : config_text(c, path, text, (size_t)n, r);
    if (n < 0)
        say(r, 0, "%s", strerror((int)-n));
    free(text);
    return rc;
}

/* ---- the whole ---- */

static void blame(struct config_report *r, const char *key, const char *what) {
    bool section;
    const struct option *o = find(key, &section);
    say(r, r->line[o - option_at(0)], "%s: %s", key, what);
}

enum plain_mode config_plain(const struct config *c) {
    enum plain_mode mode = c->tls_listen.n > 0 ? PLAIN_VIEW : PLAIN_FULL;
    plain_parse(c->http, &mode);
    return mode;
}

int config_check(const struct config *c, struct config_report *r) {
    unsigned before = r->problems;
    if (c->listen.n + c->tls_listen.n == 0)
        blame(r, "listen", "nothing to listen on");
    if (c->tls_listen.n == 0 && config_plain(c) >= PLAIN_REDIRECT)
        blame(r, "http", "needs tls_listen");
    if (!c->contact[0] != !c->contact_expires[0])
        blame(r, "security.contact", "and security.expires need each other");
    if (c->heartbeat_min_ms > c->heartbeat_start_ms)
        blame(r, "heartbeat.min_ms", "is more than heartbeat.start_ms");
    if (c->heartbeat_max_ms < c->heartbeat_start_ms)
        blame(r, "heartbeat.max_ms", "is less than heartbeat.start_ms");
    if (c->own_forget_s < c->own_stale_s)
        blame(r, "own_forget_s", "is less than own_stale_s");
    return r->problems == before ? 0 : -EINVAL;
}
