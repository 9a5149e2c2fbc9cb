/* Hardware monitoring chips: the kernel's hwmon/sysfs-interface.rst. */
#include "telemetry/probes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HWMONS "sys/class/hwmon"

struct kind {
    const char *word; /* the start of its files' names */
    struct sensor_type type;
};

/* Unconnected inputs say such things as -128 °C or 65535. */
static const struct kind kinds[] = {
    {"temp", {"temp", "°C", "temperature", 1e-3, -100, 300, SENSOR_NUMBER}},
    {"fan", {"fan", "RPM", "sensors", 1, 0, 60000, SENSOR_NUMBER}},
    {"in", {"volt", "V", "power", 1e-3, -1000, 1000, SENSOR_NUMBER}},
    {"curr", {"amp", "A", "power", 1e-3, -1000, 1000, SENSOR_NUMBER}},
    {"power", {"power", "W", "power", 1e-6, -1e5, 1e5, SENSOR_NUMBER}},
    {"humidity", {"humidity", "%", "sensors", 1e-3, 0, 100, SENSOR_NUMBER}},
};

/* "temp12_input": its kind, and how long "temp12" is. Chips that measure power may only
 * have power1_average. */
static const struct kind *kind_of(const char *file, size_t *stem) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(file, kinds[i].word, n) != 0 || !isdigit((unsigned char)file[n]))
            continue;
        n += strspn(file + n, "0123456789");
        bool is_input = strcmp(file + n, "_input") == 0 ||
                        (file[0] == 'p' && strcmp(file + n, "_average") == 0);
        *stem = n;
        return is_input ? &kinds[i] : NULL;
    }
    return NULL;
}

static bool is_temp(const char *file) {
    size_t stem;
    return kind_of(file, &stem) == &kinds[0];
}

static bool is_other(const char *file) {
    size_t stem;
    return kind_of(file, &stem) && !is_temp(file);
}

/* Thermal zones, power supplies and 1-wire sensors have a face here too, which would
 * only say the same again. */
static bool is_face(const struct probes *p, const char *dir) {
    static const char *const theirs[] = {"available_policies", "capacity", "online",
                                         "present", "w1_slave"};
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        if (source_exists(p->root, "%s/device/%s", dir, theirs[i]))
            return true;
    return false;
}

/* Limits as the chip has them, where they make sense: some say 0 or 127. */
static void find_limits(const struct probes *p, struct sensor_find *f,
                        const char *stem) {
    char file[SENSOR_FILE_MAX];
    snprintf(file, sizeof file, "%.24s_max", stem);
    double max = sensor_number(p, &f->s, file);
    snprintf(file, sizeof file, "%.24s_crit", stem);
    double crit = sensor_number(p, &f->s, file);
    bool is_hot = strcmp(f->s.type->unit, "°C") == 0;
    if (crit > 0 && !(is_hot && crit >= 127))
        f->crit = crit;
    if (max > 0 && !(is_hot && max >= 127) && !(max >= f->crit))
        f->warn = max;
}

/* The first of a chip goes by the chip's name alone when it has no other of its kind.
 */
static void name_part(const struct probes *p, struct sensor_find *f, const char *stem) {
    int rc =
        source_text(p->root, f->part, sizeof f->part, "%s/%.24s_label", f->s.dir, stem);
    bool plain = strcmp(stem, "temp1") == 0 || strcmp(stem, "humidity1") == 0;
    if (rc < 0)
        snprintf(f->part, sizeof f->part, "%.24s", plain ? "" : stem);
}

static uint32_t add(struct probes *p, struct sensor_find *f, const char *file) {
    char stem[SENSOR_FILE_MAX];
    size_t n;
    const struct kind *k = kind_of(file, &n);
    snprintf(stem, sizeof stem, "%.*s", (int)n, file);
    if (strcmp(file + n, "_average") == 0 &&
        source_exists(p->root, "%s/%.24s_input", f->s.dir, stem))
        return 0;
    struct sensor_find g = *f;
    g.s.type = &k->type;
    g.s.slow = strcmp(g.s.chip, "w1_slave_temp") == 0;
    snprintf(g.s.file, sizeof g.s.file, "%s", file);
    name_part(p, &g, stem);
    if (k->word[0] != 'i' && k->word[0] != 'h' && k->word[0] != 'f')
        find_limits(p, &g, stem);
    return sensors_add(p, &g);
}

static uint32_t find(struct probes *p, bool (*want)(const char *file)) {
    struct source_names *files = &p->files, *chips = &p->names;
    struct sensor_find f;
    uint32_t left_out = 0;
    source_list(p->root, HWMONS, NULL, chips);
    for (uint32_t i = 0; i < chips->n; i++) {
        sensor_find_init(&f, &kinds[0].type);
        snprintf(f.s.dir, sizeof f.s.dir, HWMONS "/%s", chips->name[i]);
        f.s.chip_file = "name";
        if (source_text(p->root, f.s.chip, sizeof f.s.chip, "%s/name", f.s.dir) < 0 ||
            is_face(p, f.s.dir))
            continue;
        source_list(p->root, f.s.dir, want, files);
        for (uint32_t k = 0; k < files->n; k++)
            left_out += add(p, &f, files->name[k]);
    }
    return left_out;
}

uint32_t find_hwmon_temps(struct probes *p) { return find(p, is_temp); }

uint32_t find_hwmon_others(struct probes *p) { return find(p, is_other); }
