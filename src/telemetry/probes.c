#include "telemetry/probes.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What may be slow the first time comes last, so that it delays nothing else. */
static const struct probe *const probes[] = {
    &probe_sys,  &probe_mem,  &probe_cpu, &probe_psi, &probe_net,
    &probe_wifi, &probe_disk, &probe_fs,  &probe_rpi, &probe_sensors,
};
#define PROBES (sizeof probes / sizeof probes[0])

static const char *const paths[SRC_COUNT] = {
    [SRC_LOADAVG] = "proc/loadavg",
    [SRC_UPTIME] = "proc/uptime",
    [SRC_MEMINFO] = "proc/meminfo",
    [SRC_STAT] = "proc/stat",
    [SRC_NET_DEV] = "proc/net/dev",
    [SRC_DISKSTATS] = "proc/diskstats",
    [SRC_MOUNTINFO] = "proc/self/mountinfo",
    [SRC_PSI_CPU] = "proc/pressure/cpu",
    [SRC_PSI_MEMORY] = "proc/pressure/memory",
    [SRC_PSI_IO] = "proc/pressure/io",
    [SRC_WIRELESS] = "proc/net/wireless",
    [SRC_ENTROPY] = "proc/sys/kernel/random/entropy_avail",
    [SRC_RPI] = "sys/devices/platform/soc/soc:firmware/get_throttled",
};

int probes_open(struct probes *p, const struct probes_opts *o, struct metric_set *set) {
    int root = open(o->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    *p = (struct probes){.o = *o, .root = root, .set = set};
    int rc = slow_open(&p->slow, root);
    if (rc < 0) {
        close(root);
        return rc;
    }
    if (!p->o.clock_ns)
        p->o.clock_ns = clock_ns;
    if (!p->o.statvfs)
        p->o.statvfs = statvfs;
    for (int i = 0; i < SRC_COUNT; i++)
        p->src[i] = (struct source){.path = paths[i], .fd = -1};
    for (size_t i = 0; i < PROBES; i++)
        if (probes[i]->open)
            probes[i]->open(p);
    return 0;
}

void probes_close(struct probes *p) {
    slow_close(&p->slow);
    for (uint32_t i = 0; i < p->sensors.n; i++)
        source_release(&p->sensors.s[i].fd);
    source_close(&p->rpi.alarm);
    for (int i = 0; i < SRC_COUNT; i++)
        source_close(&p->src[i]);
    close(p->root);
}

uint32_t probes_scan(struct probes *p) {
    uint32_t left_out = 0;
    for (size_t i = 0; i < PROBES; i++)
        if (probes[i]->scan)
            left_out += probes[i]->scan(p);
    return left_out;
}

void probes_sample(struct probes *p) {
    metric_blank(p->set);
    for (size_t i = 0; i < PROBES; i++)
        probes[i]->sample(p);
}

bool probes_lines(struct probes *p, enum probes_source which) {
    return source_lines_open(&p->lines, p->root, &p->src[which]) == 0;
}

int probes_claim(struct probes *p, const char *id, const char *label, const char *unit,
                 const char *group, enum metric_kind kind) {
    struct metric m = metric_make(id, label, unit, group, kind);
    return metric_claim(p->set, &m);
}
