/* How much of an eMMC's life is used: JESD84-B51 7.4.28 and 7.4.29, as in the kernel's
 * ABI/testing/sysfs-bus-mmc. */
#include "telemetry/probes.h"

#include <stdio.h>
#include <string.h>

#define DISKS "sys/block"

/* What the figures mean leaves room: "up to 10 %". */
static const struct sensor_type life = {"disk", "%", "disk", 1, 0, 110, SENSOR_LIFE};
/* 1: normal, 2: 80 % of the reserve is used up, 3: 90 %. */
static const struct sensor_type reserve = {"disk", "1", "disk", 1, 1, 3, SENSOR_HEX};

static bool is_mmc(const char *name) {
    return strncmp(name, "mmcblk", 6) == 0 &&
           name[6 + strspn(name + 6, "0123456789")] == '\0';
}

static uint32_t add(struct probes *p, const char *disk, const struct sensor_type *type,
                    const char *file, const char *part, double warn, double crit) {
    struct sensor_find f;
    sensor_find_init(&f, type);
    snprintf(f.s.dir, sizeof f.s.dir, DISKS "/%.39s/device", disk);
    snprintf(f.s.file, sizeof f.s.file, "%s", file);
    snprintf(f.s.chip, sizeof f.s.chip, "%.23s", disk);
    snprintf(f.part, sizeof f.part, "%s", part);
    f.warn = warn;
    f.crit = crit;
    return source_exists(p->root, "%s/%s", f.s.dir, f.s.file) ? sensors_add(p, &f) : 0;
}

uint32_t find_wear(struct probes *p) {
    struct source_names *disks = &p->names;
    uint32_t left_out = 0;
    source_list(p->root, DISKS, is_mmc, disks);
    for (uint32_t i = 0; i < disks->n; i++) {
        const char *disk = disks->name[i];
        left_out += add(p, disk, &life, "life_time", "life used", 80, 100);
        left_out += add(p, disk, &reserve, "pre_eol_info", "reserve state", 2, 3);
    }
    return left_out;
}
