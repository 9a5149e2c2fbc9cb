/* Temperatures: thermal zones (the kernel's driver-api/thermal/sysfs-api.rst) and hwmon
 * (hwmon/sysfs-interface.rst), both in thousandths of a degree Celsius. */
#include "telemetry/probes.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ZONES 32
#define HWMONS 32
#define INPUTS 64
#define ZONE "sys/class/thermal/thermal_zone%d/"
#define HWMON "sys/class/hwmon/hwmon%d/"

/* A sensor on a slow bus (a DS18B20 takes 750 ms to answer): of these one is read per
 * sample, in turn, and the others show what they said last. */
#define SLOW_NS 20000000u

/* Sensors that are not connected say such things as -128 or 65535. */
#define CELSIUS_MIN (-100)
#define CELSIUS_MAX 300

static int read_chip(const struct probes *p, int dev, int input, char *out,
                     size_t cap) {
    return input == 0 ? source_text(p->root, out, cap, ZONE "type", dev)
                      : source_text(p->root, out, cap, HWMON "name", dev);
}

static bool is_gone(const struct probes *p, const struct temp_sensor *s) {
    char chip[sizeof s->chip];
    if (s->input > 0 && !source_exists(p->root, HWMON "temp%d_input", s->dev, s->input))
        return true;
    int rc = read_chip(p, s->dev, s->input, chip, sizeof chip);
    if (rc < 0) /* else it is there and only cannot be asked now */
        return rc == -ENOENT || rc == -ENODEV;
    return strcmp(chip, s->chip) != 0; /* another one has the number */
}

/* First what is gone, so that a device that comes back under another number gets its
 * old id. */
static void drop_gone(struct probes *p) {
    struct probe_thermal *t = &p->thermal;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        if (is_gone(p, &t->sensor[i]))
            metric_drop(p->set, t->sensor[i].slot);
        else
            t->sensor[kept++] = t->sensor[i];
    }
    t->n = kept;
}

static bool is_known(const struct probe_thermal *t, int dev, int input) {
    for (uint32_t i = 0; i < t->n; i++)
        if (t->sensor[i].dev == dev && t->sensor[i].input == input)
            return true;
    return false;
}

/* "coretemp Core 0", "nvme", "w83627 temp3": with the sensor's own label if it has one.
 */
static int claim(struct probes *p, const struct temp_sensor *s) {
    char part[32] = "", name[64], slug[METRIC_SLUG_MAX], id[METRIC_ID_MAX];
    bool named =
        s->input > 0 && source_text(p->root, part, sizeof part, HWMON "temp%d_label",
                                    s->dev, s->input) == 0;
    if (!named && s->input > 1)
        snprintf(part, sizeof part, "temp%d", s->input);
    snprintf(name, sizeof name, "%s%s%s", s->chip, part[0] ? " " : "", part);
    metric_slug(p->set, "temp", name, NULL, slug);
    snprintf(id, sizeof id, "temp.%s", slug);
    return probes_claim(p, id, name, "°C", "thermal", METRIC_GAUGE);
}

/* Returns 1 when there is no room for it. */
static uint32_t add(struct probes *p, int dev, int input, const char *chip) {
    struct probe_thermal *t = &p->thermal;
    if (is_known(t, dev, input))
        return 0;
    if (t->n == TEMP_MAX)
        return 1;
    struct temp_sensor *s = &t->sensor[t->n++];
    *s = (struct temp_sensor){.dev = dev, .input = input, .celsius = NAN};
    snprintf(s->chip, sizeof s->chip, "%s", chip);
    s->slot = claim(p, s);
    return 0;
}

static uint32_t scan_zones(struct probes *p) {
    char chip[sizeof p->thermal.sensor[0].chip];
    uint32_t left_out = 0;
    for (int i = 0; i < ZONES; i++)
        if (read_chip(p, i, 0, chip, sizeof chip) == 0)
            left_out += add(p, i, 0, chip);
    return left_out;
}

static uint32_t scan_hwmons(struct probes *p) {
    char chip[sizeof p->thermal.sensor[0].chip], path[48];
    uint32_t left_out = 0;
    for (int i = 0; i < HWMONS; i++) {
        snprintf(path, sizeof path, HWMON, i);
        int dir = openat(p->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
            continue;
        /* The hwmon face of a thermal zone would only say the same again. */
        if (!source_exists(dir, "device/available_policies") &&
            read_chip(p, i, 1, chip, sizeof chip) == 0)
            for (int k = 1; k <= INPUTS; k++)
                if (source_exists(dir, "temp%d_input", k))
                    left_out += add(p, i, k, chip);
        close(dir);
    }
    return left_out;
}

static uint32_t thermal_scan(struct probes *p) {
    drop_gone(p);
    return scan_zones(p) + scan_hwmons(p);
}

static double read_celsius(const struct probes *p, const struct temp_sensor *s) {
    int64_t milli;
    int rc = s->input == 0
                 ? source_int(p->root, &milli, ZONE "temp", s->dev)
                 : source_int(p->root, &milli, HWMON "temp%d_input", s->dev, s->input);
    double celsius = rc == 0 ? (double)milli / 1000 : NAN;
    return celsius >= CELSIUS_MIN && celsius <= CELSIUS_MAX ? celsius : NAN;
}

static void thermal_sample(struct probes *p) {
    struct probe_thermal *t = &p->thermal;
    uint32_t first = t->turn;
    bool waited = false;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = (first + i) % t->n;
        struct temp_sensor *s = &t->sensor[at];
        if (!s->slow || !waited) {
            if (s->slow)
                t->turn = at + 1;
            waited |= s->slow;
            uint64_t from = p->o.clock_ns();
            s->celsius = read_celsius(p, s);
            s->slow = p->o.clock_ns() - from >= SLOW_NS;
        }
        metric_put(p->set, s->slot, s->celsius);
    }
}

const struct probe probe_thermal = {.scan = thermal_scan, .sample = thermal_sample};
