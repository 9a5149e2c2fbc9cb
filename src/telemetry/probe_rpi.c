/* The firmware of a Raspberry Pi says when its supply is too weak and when it slows
 * down: the documentation of its vcgencmd get_throttled. Where only the kernel's
 * rpi_volt is there (hwmon), that says the first. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <stdio.h>
#include <string.h>

/* Bits 0 to 3: now; 16 to 19: since the start. */
#define UNDER_VOLTAGE 0x1u
#define SLOWED 0xeu /* frequency capped, throttled, soft temperature limit */

static const struct {
    const char *id, *label;
    uint32_t mask;
    bool now; /* a fault, where in the past it is a warning */
} flags[RPI_FLAGS] = {
    {"power.undervoltage", "Under-voltage", UNDER_VOLTAGE, true},
    {"power.throttled", "Throttled", SLOWED, true},
    {"power.undervoltage.boot", "Under-voltage since boot", UNDER_VOLTAGE << 16, false},
    {"power.throttled.boot", "Throttled since boot", SLOWED << 16, false},
};

static void claim(struct probes *p, int i) {
    if (p->rpi.slot[i] >= 0)
        return;
    struct metric m =
        metric_make(flags[i].id, flags[i].label, "1", "power", METRIC_GAUGE);
    *(flags[i].now ? &m.crit : &m.warn) = 1;
    p->rpi.slot[i] = metric_claim(p->set, &m);
}

static bool read_flags(struct probes *p, uint64_t *v) {
    const char *line = probes_lines(p, SRC_RPI) ? source_lines_next(&p->lines) : NULL;
    return line && text_hex(&line, v);
}

static bool read_alarm(struct probes *p, uint64_t *v) {
    const char *line =
        p->rpi.alarm.path && source_lines_open(&p->lines, p->root, &p->rpi.alarm) == 0
            ? source_lines_next(&p->lines)
            : NULL;
    return line && text_u64(&line, v);
}

static void rpi_open(struct probes *p) {
    p->rpi.alarm = (struct source){.fd = -1};
    for (int i = 0; i < RPI_FLAGS; i++)
        p->rpi.slot[i] = -1;
}

static bool is_hwmon(const char *name) { return name[0] == 'h'; }

static void find_alarm(struct probes *p) {
    char chip[SENSOR_CHIP_MAX];
    struct source_names *chips = &p->names;
    source_list(p->root, "sys/class/hwmon", is_hwmon, chips);
    for (uint32_t i = 0; i < chips->n && !p->rpi.alarm.path; i++) {
        const char *at = chips->name[i];
        if (source_text(p->root, chip, sizeof chip, "sys/class/hwmon/%s/name", at) <
                0 ||
            strcmp(chip, "rpi_volt") != 0)
            continue;
        snprintf(p->rpi.path, sizeof p->rpi.path, "sys/class/hwmon/%s/in0_lcrit_alarm",
                 at);
        p->rpi.alarm.path = p->rpi.path;
    }
}

/* What is part of the board does not go away again. */
static uint32_t rpi_scan(struct probes *p) {
    uint64_t v;
    if (p->rpi.slot[0] >= 0)
        return 0;
    if (read_flags(p, &v)) {
        for (int i = 0; i < RPI_FLAGS; i++)
            claim(p, i);
        return 0;
    }
    find_alarm(p);
    if (read_alarm(p, &v))
        claim(p, 0);
    return 0;
}

static void rpi_sample(struct probes *p) {
    uint64_t v;
    if (p->rpi.slot[0] < 0)
        return;
    if (p->rpi.alarm.path) {
        if (read_alarm(p, &v))
            metric_put(p->set, p->rpi.slot[0], v > 0);
        return;
    }
    if (read_flags(p, &v))
        for (int i = 0; i < RPI_FLAGS; i++)
            metric_put(p->set, p->rpi.slot[i], (v & flags[i].mask) > 0);
}

const struct probe probe_rpi = {
    .open = rpi_open, .scan = rpi_scan, .sample = rpi_sample};
