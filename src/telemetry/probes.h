#pragma once
/* Everything that is read from the machine. Sampler thread. Each source stands alone:
 * what is missing, fails or makes no sense is absent from the sample, never zero, and
 * the rest goes on. Never allocates.
 *
 * Files are found at start and again by probes_scan(); probes_sample() reads the known
 * ones. Numbered directories are tried one by one up to the limits below, in order,
 * instead of being listed: no allocation, and the same order at every start. */
#include "telemetry/device_now.h"
#include "telemetry/metric.h"
#include "telemetry/pairs.h"
#include "telemetry/sensors.h"
#include "telemetry/slow.h"
#include "telemetry/source.h"

#include <assert.h>
#include <sys/statvfs.h>

/* Devices shown at most. Together they fit LIM_METRICS, so one kind cannot push out
 * another; what is beyond them is counted as left out. */
#define CPU_CORES_MAX 32u
#define CPU_FREQS_MAX 16u
#define NET_MAX 10u
#define DISK_MAX 6u
#define FS_MAX 6u
#define NET_FAULTS_MAX 4u /* interfaces whose errors are shown */
#define WIFI_MAX 2u
#define PSI_LINES 5
#define RPI_FLAGS 4
#define FIXED_METRICS 11u /* load 3, uptime, memory 4, swap 2, cpu.total */
#define FOUND_METRICS (PSI_LINES + RPI_FLAGS + 1) /* entropy */
static_assert(FIXED_METRICS + FOUND_METRICS + CPU_CORES_MAX + CPU_FREQS_MAX +
                      2 * NET_MAX + 2 * NET_FAULTS_MAX + WIFI_MAX + 2 * DISK_MAX +
                      2 * FS_MAX + SENSORS_MAX + LIM_OWN <=
                  LIM_METRICS,
              "the limits of all kinds fit together");
static_assert(FS_MAX <= DEVICE_STORAGE, "all of them are storage");
static_assert(NET_MAX <= PAIRS_MAX && DISK_MAX <= PAIRS_MAX && FS_MAX <= PAIRS_MAX,
              "they are kept in pairs");

struct probe_sys {
    int load[3], uptime, entropy; /* slots here and below; negative: none */
};

struct probe_mem {
    int total, used, available, cached, swap_total, swap_used;
};

struct cpu_core {
    uint64_t busy, idle; /* jiffies */
    bool known;
    int slot;
};

struct probe_cpu {
    struct cpu_core total, core[CPU_CORES_MAX];
    int freq[CPU_CORES_MAX]; /* at the first CPU of each frequency domain */
};

struct probe_psi {
    int slot[PSI_LINES];
    struct counter total[PSI_LINES];
};

struct probe_rpi {
    int slot[RPI_FLAGS];
    struct source alarm; /* of rpi_volt, at path; no path: there is none */
    char path[80];
};

#define WIFI_NAME_MAX 16 /* IFNAMSIZ */

struct wifi {
    char name[WIFI_NAME_MAX]; /* "": free */
    int slot;
    bool seen;
};

enum probes_source {
    SRC_LOADAVG,
    SRC_UPTIME,
    SRC_MEMINFO,
    SRC_STAT,
    SRC_NET_DEV,
    SRC_DISKSTATS,
    SRC_MOUNTINFO,
    SRC_PSI_CPU,
    SRC_PSI_MEMORY,
    SRC_PSI_IO,
    SRC_ENTROPY,
    SRC_WIRELESS,
    SRC_RPI,
    SRC_COUNT,
};

struct probes_opts {
    const char *root;                                    /* "/"; outlives the probes */
    uint64_t (*clock_ns)(void);                          /* NULL: base/clock.h */
    int (*statvfs)(const char *path, struct statvfs *s); /* NULL: statvfs(3) */
};

struct probes {
    struct probes_opts o;
    int root;
    struct metric_set *set;
    struct source src[SRC_COUNT];
    struct source_lines lines; /* of the probe at work */

    struct probe_sys sys;
    struct probe_mem mem;
    struct probe_cpu cpu;
    struct pairs net, net_faults, disk, fs;
    struct probe_psi psi;
    struct probe_rpi rpi;
    struct wifi wifi[WIFI_MAX];
    struct probe_sensors sensors;
    struct slow slow;
    struct source_names names, files; /* of the finder at work */
};

static_assert(sizeof(struct probes) <= 48u * 1024, "raise the RAM budget knowingly");

struct probe {
    void (*open)(struct probes *p);     /* metrics that are always there; may be NULL */
    uint32_t (*scan)(struct probes *p); /* devices left out; may be NULL */
    void (*sample)(struct probes *p);
};

extern const struct probe probe_sys, probe_mem, probe_cpu, probe_net, probe_disk,
    probe_fs, probe_psi, probe_rpi, probe_wifi, probe_sensors;

/* 0 or -errno: the root cannot be opened. set is initialised and outlives the probes.
 */
int probes_open(struct probes *p, const struct probes_opts *o, struct metric_set *set);
void probes_close(struct probes *p);

/* Devices that came and went. Returns how many were left out. */
uint32_t probes_scan(struct probes *p);

/* File systems as of the newest sample. */
void probes_storage(const struct probes *p, struct device_now *d);

/* Fills set->value with a new sample. */
void probes_sample(struct probes *p);

/* For the probes themselves. */

/* Starts p->lines; false when the source is missing. */
bool probes_lines(struct probes *p, enum probes_source which);
/* A slot for a metric that no other has, or negative. */
int probes_claim(struct probes *p, const char *id, const char *label, const char *unit,
                 const char *group, enum metric_kind kind);
