/* CPU time: proc_stat(5); frequencies: the kernel's admin-guide/pm/cpufreq.rst. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <stdio.h>
#include <string.h>

#define POLICY "sys/devices/system/cpu/cpufreq/policy%u/"

struct cpu_line {
    int64_t id; /* -1: all together */
    uint64_t busy, idle;
};

static void cpu_open(struct probes *p) {
    struct metric m = metric_make("cpu.total", "CPU", "%", "cpu", METRIC_GAUGE);
    m.min = 0;
    m.max = 100;
    p->cpu.total.slot = metric_claim(p->set, &m);
    for (uint32_t i = 0; i < CPU_CORES_MAX; i++)
        p->cpu.core[i].slot = p->cpu.freq[i] = -1;
}

/* "cpu1 user nice system idle iowait irq softirq steal guest guest_nice"; the last two
 * are within user and nice already. iowait alone may go back (proc_stat(5)), but what
 * it loses idle gains. */
static bool parse_line(const char *line, struct cpu_line *out) {
    uint64_t f[8] = {0}, id = 0;
    const char *s = line + 3;
    int n = 0;
    bool all = *s == ' ';
    if (!all && (!text_digits(&s, &id) || id > INT32_MAX))
        return false;
    while (n < 8 && text_u64(&s, &f[n]))
        n++;
    if (n < 4 || (n < 8 && s[strspn(s, " ")] != '\0'))
        return false;
    out->id = all ? -1 : (int64_t)id;
    out->idle = f[3] + f[4];
    out->busy = f[0] + f[1] + f[2] + f[5] + f[6] + f[7];
    return true;
}

/* The next CPU that makes sense; false at the end. They stand first in the file, and
 * what follows them is long. */
static bool next_cpu(struct probes *p, struct cpu_line *out) {
    char *line;
    while ((line = source_lines_next(&p->lines)) && strncmp(line, "cpu", 3) == 0)
        if (parse_line(line, out))
            return true;
    return false;
}

static void claim_core(struct probes *p, uint32_t id) {
    char name[METRIC_ID_MAX], label[METRIC_LABEL_MAX];
    snprintf(name, sizeof name, "cpu.%u", id);
    snprintf(label, sizeof label, "CPU %u", id);
    struct metric m = metric_make(name, label, "%", "cpu", METRIC_GAUGE);
    m.min = 0;
    m.max = 100;
    p->cpu.core[id] = (struct cpu_core){.slot = metric_claim(p->set, &m)};
}

static uint32_t scan_cores(struct probes *p) {
    bool seen[CPU_CORES_MAX] = {false};
    uint32_t left_out = 0;
    struct cpu_line c;
    if (probes_lines(p, SRC_STAT))
        while (next_cpu(p, &c)) {
            if (c.id >= CPU_CORES_MAX)
                left_out++;
            else if (c.id >= 0)
                seen[c.id] = true;
        }
    for (uint32_t i = 0; i < CPU_CORES_MAX; i++) {
        int *slot = &p->cpu.core[i].slot;
        if (seen[i] && *slot < 0) {
            claim_core(p, i);
        } else if (!seen[i]) {
            metric_drop(p->set, *slot);
            *slot = -1;
        }
    }
    return left_out;
}

static int claim_freq(struct probes *p, uint32_t id) {
    char name[METRIC_ID_MAX], label[METRIC_LABEL_MAX];
    int64_t max_khz;
    snprintf(name, sizeof name, "cpu.%u.freq", id);
    snprintf(label, sizeof label, "CPU %u frequency", id);
    struct metric m = metric_make(name, label, "Hz", "cpu", METRIC_GAUGE);
    if (source_int(p->root, &max_khz, POLICY "cpuinfo_max_freq", id) == 0 &&
        max_khz > 0) {
        m.min = 0;
        m.max = (double)max_khz * 1e3;
    }
    return metric_claim(p->set, &m);
}

static uint32_t scan_freqs(struct probes *p) {
    uint32_t n = 0, left_out = 0;
    for (uint32_t i = 0; i < CPU_CORES_MAX; i++) {
        int *slot = &p->cpu.freq[i];
        bool there = source_exists(p->root, POLICY "scaling_cur_freq", i);
        if (there && n == CPU_FREQS_MAX) {
            left_out++;
        } else if (there) {
            n++;
            if (*slot < 0)
                *slot = claim_freq(p, i);
        } else {
            metric_drop(p->set, *slot);
            *slot = -1;
        }
    }
    return left_out;
}

static uint32_t cpu_scan(struct probes *p) { return scan_cores(p) + scan_freqs(p); }

static void put_busy(struct probes *p, struct cpu_core *core,
                     const struct cpu_line *c) {
    struct cpu_core last = *core;
    core->busy = c->busy;
    core->idle = c->idle;
    core->known = true;
    if (!last.known || c->busy < last.busy || c->idle < last.idle)
        return;
    double busy = (double)(c->busy - last.busy), idle = (double)(c->idle - last.idle);
    if (busy + idle > 0)
        metric_put(p->set, core->slot, 100 * busy / (busy + idle));
}

static void cpu_sample(struct probes *p) {
    struct cpu_line c;
    if (probes_lines(p, SRC_STAT))
        while (next_cpu(p, &c)) {
            if (c.id < 0)
                put_busy(p, &p->cpu.total, &c);
            else if (c.id < CPU_CORES_MAX)
                put_busy(p, &p->cpu.core[c.id], &c);
        }
    for (uint32_t i = 0; i < CPU_CORES_MAX; i++) {
        int64_t khz;
        if (p->cpu.freq[i] >= 0 &&
            source_int(p->root, &khz, POLICY "scaling_cur_freq", i) == 0 && khz > 0)
            metric_put(p->set, p->cpu.freq[i], (double)khz * 1e3);
    }
}

const struct probe probe_cpu = {
    .open = cpu_open, .scan = cpu_scan, .sample = cpu_sample};
