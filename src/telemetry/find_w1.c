/* 1-wire thermometers: the kernel's w1/slaves/w1_therm.rst. A read starts a conversion
 * and takes up to 750 ms: always the slow lane. */
#include "telemetry/probes.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "sys/bus/w1/devices"

static const struct sensor_type w1 = {
    .prefix = "temp",
    .unit = "°C",
    .group = "temperature",
    .scale = 1e-3,
    .least = -55, /* of a DS18B20 */
    .most = 125,
    .how = SENSOR_W1,
};

/* Family codes of thermometers: DS18S20, DS1822, DS18B20, DS1825, DS28EA00. */
static bool is_thermometer(const char *name) {
    static const char *const families[] = {"10-", "22-", "28-", "3b-", "42-"};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strncmp(name, families[i], 3) == 0)
            return true;
    return false;
}

uint32_t find_w1(struct probes *p) {
    struct source_names *devices = &p->names;
    struct sensor_find f;
    uint32_t left_out = 0;
    source_list(p->root, DEVICES, is_thermometer, devices);
    for (uint32_t i = 0; i < devices->n; i++) {
        sensor_find_init(&f, &w1);
        f.s.slow = true;
        snprintf(f.s.dir, sizeof f.s.dir, DEVICES "/%s", devices->name[i]);
        snprintf(f.s.file, sizeof f.s.file, "w1_slave");
        snprintf(f.s.chip, sizeof f.s.chip, "1-Wire");
        snprintf(f.part, sizeof f.part, "%.31s", devices->name[i]);
        if (source_exists(p->root, "%s/%s", f.s.dir, f.s.file))
            left_out += sensors_add(p, &f);
    }
    return left_out;
}
