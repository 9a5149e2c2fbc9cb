#pragma once
/* Sensors of all kinds: each is a file that holds a number, found by a scan and read at
 * every sample. Sampler thread; never allocates. Part of struct probes, see probes.h.
 *
 * A finder (one per class of sysfs) describes what it sees with sensors_add(); what is
 * known already stays as it is. Files stay open between samples. One that takes long to
 * answer is left to the slow lane, see slow.h. */
#include "telemetry/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probes;

/* All kinds together, in the order of the finders: what is beyond is left out. */
#define SENSORS_MAX 64u
#define SENSOR_DIR_MAX 64
#define SENSOR_FILE_MAX 40
#define SENSOR_PATH_MAX (SENSOR_DIR_MAX + SENSOR_FILE_MAX)
#define SENSOR_CHIP_MAX 24
#define SENSOR_PART_MAX 32
#define SENSOR_TEXT_MAX 96 /* of what a sensor says; w1_slave is 75 bytes */

enum sensor_how {
    SENSOR_NUMBER, /* "21437", "0.44" */
    SENSOR_W1,     /* two lines: "... YES", "... t=21437" */
    SENSOR_LIFE,   /* "0x02 0x01": the larger, in steps of ten percent */
    SENSOR_HEX,    /* "0x01"; 0: not known */
};

/* What the sensors of one kind have in common. */
struct sensor_type {
    const char *prefix, *unit, *group;
    double scale;       /* from the kernel's unit to ours */
    double least, most; /* what is beyond is what sensors say that are not connected */
    enum sensor_how how;
};

struct sensor {
    const struct sensor_type *type;
    char dir[SENSOR_DIR_MAX];   /* below the root: "sys/class/hwmon/hwmon2" */
    char file[SENSOR_FILE_MAX]; /* within it: "temp1_input" */
    const char *chip_file;      /* within it: says the chip; NULL: the path says it */
    char chip[SENSOR_CHIP_MAX]; /* another one at the same place is another sensor */
    double offset, scale;       /* (number + offset) * scale is in the kernel's unit */
    bool slow;                  /* known to be so */
    /* The rest is of sensors.c. */
    int slot;
    int fd;  /* -1: not open */
    int job; /* of the slow lane; negative: none */
};

struct probe_sensors {
    uint32_t n;
    struct sensor s[SENSORS_MAX];
};

/* A sensor as a finder sees it, and how it is shown: "CHIP PART". */
struct sensor_find {
    struct sensor s;
    char part[SENSOR_PART_MAX]; /* which one of the chip; may be empty */
    double warn, crit;          /* NaN: not known */
};

/* All but dir, file, chip and part. */
void sensor_find_init(struct sensor_find *f, const struct sensor_type *type);

/* Returns 1 when there is no room for it, else 0. */
uint32_t sensors_add(struct probes *p, const struct sensor_find *f);

/* A number in a file of the sensor's folder, in our unit; NaN: none, or none that this
 * kind can have. */
double sensor_number(const struct probes *p, const struct sensor *s, const char *file);

/* What it says: true and the number as the kernel gives it. Pure. */
bool sensor_parse(enum sensor_how how, const char *text, double *out);

/* The finders: each returns how many it had to leave out. */
uint32_t find_zones(struct probes *p);
uint32_t find_hwmon_temps(struct probes *p);
uint32_t find_hwmon_others(struct probes *p);
uint32_t find_w1(struct probes *p);
uint32_t find_power(struct probes *p);
uint32_t find_iio(struct probes *p);
uint32_t find_wear(struct probes *p);
