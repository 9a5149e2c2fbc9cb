/* Batteries and mains adapters: the kernel's ABI/testing/sysfs-class-power, in
 * millionths of a volt, ampere and watt, and tenths of a degree Celsius. */
#include "telemetry/probes.h"

#include <stdio.h>
#include <string.h>

#define SUPPLIES "sys/class/power_supply"

struct kind {
    const char *file, *part;
    struct sensor_type type;
};

static const struct kind kinds[] = {
    {"capacity", "charge", {"power", "%", "power", 1, 0, 100, SENSOR_NUMBER}},
    {"online", "online", {"power", "1", "power", 1, 0, 2, SENSOR_NUMBER}},
    {"voltage_now", "voltage", {"power", "V", "power", 1e-6, 0, 1000, SENSOR_NUMBER}},
    {"current_now",
     "current",
     {"power", "A", "power", 1e-6, -1000, 1000, SENSOR_NUMBER}},
    {"power_now", "power", {"power", "W", "power", 1e-6, -1e5, 1e5, SENSOR_NUMBER}},
    {"temp", "", {"temp", "°C", "temperature", 0.1, -100, 200, SENSOR_NUMBER}},
};

/* A mouse has a battery too, but it does not run this machine. */
static bool is_ours(const struct probes *p, const char *dir) {
    char scope[16];
    int rc = source_text(p->root, scope, sizeof scope, "%s/scope", dir);
    return rc < 0 || strcmp(scope, "Device") != 0;
}

static uint32_t add(struct probes *p, const char *name, const struct kind *k) {
    struct sensor_find f;
    sensor_find_init(&f, &k->type);
    snprintf(f.s.dir, sizeof f.s.dir, SUPPLIES "/%.40s", name);
    snprintf(f.s.file, sizeof f.s.file, "%s", k->file);
    snprintf(f.s.chip, sizeof f.s.chip, "%.23s", name);
    snprintf(f.part, sizeof f.part, "%s", k->part);
    bool there = source_exists(p->root, "%s/%s", f.s.dir, f.s.file);
    return there && is_ours(p, f.s.dir) ? sensors_add(p, &f) : 0;
}

uint32_t find_power(struct probes *p) {
    struct source_names *supplies = &p->names;
    uint32_t left_out = 0;
    source_list(p->root, SUPPLIES, NULL, supplies);
    for (uint32_t i = 0; i < supplies->n; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            left_out += add(p, supplies->name[i], &kinds[k]);
    return left_out;
}
