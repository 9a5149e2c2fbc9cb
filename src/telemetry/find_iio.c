/* Industrial I/O, converters and environment sensors: the kernel's
 * ABI/testing/sysfs-bus-iio. A channel is in_NAME_input, or in_NAME_raw with a scale
 * and an offset; without a scale a raw number means nothing and is left out. */
#include "telemetry/probes.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "sys/bus/iio/devices"

struct kind {
    const char *word; /* the start of NAME */
    struct sensor_type type;
};

/* The kernel gives millivolts, milliamperes, thousandths of a degree and of a percent,
 * milliwatts, kilopascals, lux, and percent of a gas. */
static const struct kind kinds[] = {
    {"voltage", {"volt", "V", "sensors", 1e-3, -1e4, 1e4, SENSOR_NUMBER}},
    {"current", {"amp", "A", "sensors", 1e-3, -1e4, 1e4, SENSOR_NUMBER}},
    {"power", {"power", "W", "sensors", 1e-3, -1e6, 1e6, SENSOR_NUMBER}},
    {"temp", {"temp", "°C", "temperature", 1e-3, -273.15, 2000, SENSOR_NUMBER}},
    {"humidityrelative", {"humidity", "%", "sensors", 1e-3, 0, 100, SENSOR_NUMBER}},
    {"pressure", {"pressure", "hPa", "sensors", 10, 0, 1e6, SENSOR_NUMBER}},
    {"illuminance", {"light", "lx", "sensors", 1, 0, 1e6, SENSOR_NUMBER}},
    {"concentration", {"gas", "ppm", "sensors", 1e4, 0, 1e6, SENSOR_NUMBER}},
};

static const struct kind *kind_of(const char *file) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(file + 3, kinds[i].word, strlen(kinds[i].word)) == 0)
            return &kinds[i];
    return NULL;
}

static bool ends(const char *s, const char *with) {
    size_t n = strlen(s), w = strlen(with);
    return n > w && strcmp(s + n - w, with) == 0;
}

static bool is_channel(const char *file) {
    return strncmp(file, "in_", 3) == 0 && kind_of(file) &&
           (ends(file, "_raw") || ends(file, "_input"));
}

/* A number beside the channel: its own, or the one of all channels of its kind. */
static bool find_number(const struct probes *p, const struct sensor *s,
                        const char *channel, const char *word, const char *what,
                        double *out) {
    char text[SENSOR_TEXT_MAX];
    int rc =
        source_text(p->root, text, sizeof text, "%s/in_%s_%s", s->dir, channel, what);
    if (rc < 0)
        rc = source_text(p->root, text, sizeof text, "%s/in_%s_%s", s->dir, word, what);
    return rc == 0 && sensor_parse(SENSOR_NUMBER, text, out);
}

static uint32_t add(struct probes *p, const struct sensor_find *device,
                    const char *file) {
    struct sensor_find f = *device;
    const struct kind *k = kind_of(file);
    bool raw = ends(file, "_raw");
    char channel[SENSOR_FILE_MAX];
    snprintf(channel, sizeof channel, "%.*s",
             (int)(strlen(file) - 3 - strlen(raw ? "_raw" : "_input")), file + 3);
    if (raw && (source_exists(p->root, "%s/in_%s_input", f.s.dir, channel) ||
                !find_number(p, &f.s, channel, k->word, "scale", &f.s.scale)))
        return 0;
    if (raw && !find_number(p, &f.s, channel, k->word, "offset", &f.s.offset))
        f.s.offset = 0;
    f.s.type = &k->type;
    snprintf(f.s.file, sizeof f.s.file, "%s", file);
    if (source_text(p->root, f.part, sizeof f.part, "%s/in_%s_label", f.s.dir,
                    channel) < 0)
        snprintf(f.part, sizeof f.part, "%.31s",
                 strcmp(channel, k->word) == 0 ? "" : channel);
    return sensors_add(p, &f);
}

static bool is_device(const char *name) { return strncmp(name, "iio:device", 10) == 0; }

uint32_t find_iio(struct probes *p) {
    struct source_names *devices = &p->names, *files = &p->files;
    struct sensor_find f;
    uint32_t left_out = 0;
    source_list(p->root, DEVICES, is_device, devices);
    for (uint32_t i = 0; i < devices->n; i++) {
        sensor_find_init(&f, &kinds[0].type);
        snprintf(f.s.dir, sizeof f.s.dir, DEVICES "/%s", devices->name[i]);
        f.s.chip_file = "name";
        if (source_text(p->root, f.s.chip, sizeof f.s.chip, "%s/name", f.s.dir) < 0)
            continue;
        source_list(p->root, f.s.dir, is_channel, files);
        for (uint32_t k = 0; k < files->n; k++)
            left_out += add(p, &f, files->name[k]);
    }
    return left_out;
}
