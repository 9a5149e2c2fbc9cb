/* What all sensors share: see sensors.h. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A sensor that took longer than this once is left to the slow lane. */
#define SLOW_NS 20000000u

/* ---- what they say ---- */

static bool parse_number(const char *text, double *out) {
    return text_number(&text, out) && text[strspn(text, " \t\n")] == '\0';
}

/* The kernel's w1/slaves/w1_therm.rst: the first line ends in YES when the checksum was
 * right. */
static bool parse_w1(const char *text, double *out) {
    const char *end = strchr(text, '\n'), *t = end ? strstr(end, "t=") : NULL;
    return t && end - text >= 4 && memcmp(end - 4, " YES", 4) == 0 &&
           parse_number(t + 2, out);
}

/* JESD84-B51 7.4.29: 1 is up to 10 % used, 10 up to 100 %, 11 more; 0 not defined. */
static bool parse_life(const char *text, double *out) {
    uint64_t a, b;
    if (!text_hex(&text, &a) || !text_hex(&text, &b))
        return false;
    *out = (double)(a > b ? a : b) * 10;
    return *out > 0;
}

static bool parse_hex(const char *text, double *out) {
    uint64_t v;
    if (!text_hex(&text, &v) || v == 0)
        return false;
    *out = (double)v;
    return true;
}

bool sensor_parse(enum sensor_how how, const char *text, double *out) {
    switch (how) {
    case SENSOR_NUMBER:
        return parse_number(text, out);
    case SENSOR_W1:
        return parse_w1(text, out);
    case SENSOR_LIFE:
        return parse_life(text, out);
    case SENSOR_HEX:
        return parse_hex(text, out);
    }
    return false;
}

/* In our unit, or NaN. */
static double judge(const struct sensor *s, const char *text) {
    double v;
    if (!sensor_parse(s->type->how, text, &v))
        return NAN;
    v = (v + s->offset) * s->scale * s->type->scale;
    return v >= s->type->least && v <= s->type->most ? v : NAN;
}

double sensor_number(const struct probes *p, const struct sensor *s, const char *file) {
    char text[SENSOR_TEXT_MAX];
    int rc = source_text(p->root, text, sizeof text, "%s/%s", s->dir, file);
    return rc == 0 ? judge(s, text) : NAN;
}

/* ---- which there are ---- */

void sensor_find_init(struct sensor_find *f, const struct sensor_type *type) {
    *f = (struct sensor_find){
        .s = {.type = type, .scale = 1, .slot = -1, .fd = -1, .job = -1},
        .warn = NAN,
        .crit = NAN,
    };
}

static bool is_gone(const struct probes *p, const struct sensor *s) {
    char chip[SENSOR_CHIP_MAX];
    if (!source_exists(p->root, "%s/%s", s->dir, s->file))
        return true;
    if (!s->chip_file)
        return false;
    int rc = source_text(p->root, chip, sizeof chip, "%s/%s", s->dir, s->chip_file);
    if (rc < 0) /* else it is there and only cannot be asked now */
        return rc == -ENOENT || rc == -ENODEV;
    return strcmp(chip, s->chip) != 0; /* another one has the number */
}

static void end(struct probes *p, struct sensor *s) {
    source_release(&s->fd);
    slow_drop(&p->slow, s->job);
    metric_drop(p->set, s->slot);
}

/* First what is gone, so that a device that comes back under another number gets its
 * old id. */
static void drop_gone(struct probes *p) {
    struct probe_sensors *t = &p->sensors;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        if (is_gone(p, &t->s[i]))
            end(p, &t->s[i]);
        else
            t->s[kept++] = t->s[i];
    }
    t->n = kept;
}

static bool is_known(const struct probe_sensors *t, const struct sensor *s) {
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->s[i].dir, s->dir) == 0 && strcmp(t->s[i].file, s->file) == 0)
            return true;
    return false;
}

/* How much of a chip's name is shown: without the ".0.auto" of a platform device, and
 * so that the part, which tells it from its neighbours, still fits its id. */
static int chip_len(const char *chip, const char *part) {
    const char *auto_ = strstr(chip, ".auto");
    size_t n = auto_ ? (size_t)(auto_ - chip) : strlen(chip);
    while (auto_ && n > 0 && strchr("0123456789", chip[n - 1]))
        n--;
    if (auto_ && n > 1 && chip[n - 1] == '.')
        n--;
    size_t room = METRIC_SLUG_MAX - 6, used = strlen(part);
    size_t most = used < room - 8 ? room - used : 8;
    return (int)(n < most ? n : most);
}

/* "coretemp Core 0", "nvme", "w83627 temp3"; the second of two alike is "nvme 2". */
static int claim(struct probes *p, const struct sensor_find *f) {
    const struct sensor_type *t = f->s.type;
    char name[64], label[80], plain[METRIC_SLUG_MAX], slug[METRIC_SLUG_MAX],
        id[METRIC_ID_MAX];
    snprintf(name, sizeof name, "%.*s%s%s", chip_len(f->s.chip, f->part), f->s.chip,
             f->part[0] ? " " : "", f->part);
    metric_slug(p->set, t->prefix, name, NULL, slug);
    size_t n = text_slug(plain, METRIC_SLUG_MAX - 4, name);
    bool again = strncmp(slug, plain, n) == 0 && slug[n] == '-';
    snprintf(label, sizeof label, "%s%s%s", name, again ? " " : "",
             again ? slug + n + 1 : "");
    snprintf(id, sizeof id, "%s.%s", t->prefix, slug);
    struct metric m = metric_make(id, label, t->unit, t->group, METRIC_GAUGE);
    m.warn = f->warn;
    m.crit = f->crit;
    return metric_claim(p->set, &m);
}

static void path_of(const struct sensor *s, char path[SENSOR_PATH_MAX]) {
    snprintf(path, SENSOR_PATH_MAX, "%s/%s", s->dir, s->file);
}

/* Without a lane (it is full, or there can be no thread) it is never asked: it would
 * delay the others. */
static void leave_to_lane(struct probes *p, struct sensor *s) {
    char path[SENSOR_PATH_MAX];
    path_of(s, path);
    source_release(&s->fd);
    s->slow = true;
    s->job = slow_add(&p->slow, path);
}

uint32_t sensors_add(struct probes *p, const struct sensor_find *f) {
    struct probe_sensors *t = &p->sensors;
    if (is_known(t, &f->s))
        return 0;
    if (t->n == SENSORS_MAX)
        return 1;
    struct sensor *s = &t->s[t->n++];
    *s = f->s;
    s->slot = claim(p, f);
    if (s->slow)
        leave_to_lane(p, s);
    return 0;
}

/* What people look for first comes first, should there be too many. */
static uint32_t sensors_scan(struct probes *p) {
    static uint32_t (*const finders[])(struct probes *) = {
        find_zones, find_hwmon_temps,  find_w1,  find_wear,
        find_power, find_hwmon_others, find_iio,
    };
    uint32_t left_out = 0;
    drop_gone(p);
    for (size_t i = 0; i < sizeof finders / sizeof finders[0]; i++)
        left_out += finders[i](p);
    return left_out;
}

/* ---- their values ---- */

static double ask(struct probes *p, struct sensor *s) {
    char path[SENSOR_PATH_MAX], text[SENSOR_TEXT_MAX];
    uint64_t from_ns = p->o.clock_ns();
    if (s->slow)
        return s->job >= 0 && slow_take(&p->slow, s->job, from_ns, text)
                   ? judge(s, text)
                   : NAN;
    path_of(s, path);
    int rc = source_read(p->root, &s->fd, path, text, sizeof text);
    if (p->o.clock_ns() - from_ns >= SLOW_NS)
        leave_to_lane(p, s);
    return rc == 0 ? judge(s, text) : NAN;
}

static void sensors_sample(struct probes *p) {
    for (uint32_t i = 0; i < p->sensors.n; i++) {
        struct sensor *s = &p->sensors.s[i];
        metric_put(p->set, s->slot, ask(p, s));
    }
    slow_ask(&p->slow, p->o.clock_ns());
}

const struct probe probe_sensors = {.scan = sensors_scan, .sample = sensors_sample};
