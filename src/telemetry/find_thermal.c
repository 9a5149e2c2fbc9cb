/* Thermal zones: the kernel's driver-api/thermal/sysfs-api.rst, in thousandths of a
 * degree Celsius. */
#include "telemetry/probes.h"

#include <stdio.h>
#include <string.h>

#define ZONES "sys/class/thermal"
#define TRIPS 12

static const struct sensor_type zone = {
    .prefix = "temp",
    .unit = "°C",
    .group = "temperature",
    .scale = 1e-3,
    .least = -100,
    .most = 300,
};

/* Trip points say from where the machine helps itself: it slows down (passive, hot) and
 * goes off (critical). The lowest of each counts. */
static void find_trips(const struct probes *p, struct sensor_find *f) {
    char file[SENSOR_FILE_MAX], type[16];
    for (int i = 0; i < TRIPS; i++) {
        if (source_text(p->root, type, sizeof type, "%s/trip_point_%d_type", f->s.dir,
                        i) < 0)
            return;
        bool slows = strcmp(type, "passive") == 0 || strcmp(type, "hot") == 0;
        double *to = slows ? &f->warn : strcmp(type, "critical") == 0 ? &f->crit : NULL;
        if (!to)
            continue;
        snprintf(file, sizeof file, "trip_point_%d_temp", i);
        double at = sensor_number(p, &f->s, file);
        if (at > 0 && !(*to <= at)) /* zero and less: switched off */
            *to = at;
    }
}

static bool is_zone(const char *name) { return strncmp(name, "thermal_zone", 12) == 0; }

uint32_t find_zones(struct probes *p) {
    struct source_names *zones = &p->names;
    struct sensor_find f;
    uint32_t left_out = 0;
    source_list(p->root, ZONES, is_zone, zones);
    for (uint32_t i = 0; i < zones->n; i++) {
        sensor_find_init(&f, &zone);
        snprintf(f.s.dir, sizeof f.s.dir, ZONES "/%s", zones->name[i]);
        snprintf(f.s.file, sizeof f.s.file, "temp");
        f.s.chip_file = "type";
        if (source_text(p->root, f.s.chip, sizeof f.s.chip, "%s/type", f.s.dir) < 0)
            continue;
        find_trips(p, &f);
        left_out += sensors_add(p, &f);
    }
    return left_out;
}
