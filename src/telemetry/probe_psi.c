/* Pressure stall information: the kernel's accounting/psi.rst. The share of time in
 * which some (or all) work waited, from the running totals: exact for the interval,
 * where avg10 is a blend. Kernels without it have no such metrics. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <string.h>

static const struct {
    enum probes_source src;
    const char *word; /* the start of its line */
    const char *id, *label, *group;
} lines[PSI_LINES] = {
    {SRC_PSI_CPU, "some", "psi.cpu", "CPU pressure", "cpu"},
    {SRC_PSI_MEMORY, "some", "psi.memory", "Memory pressure", "memory"},
    {SRC_PSI_MEMORY, "full", "psi.memory.full", "Memory pressure, all wait", "memory"},
    {SRC_PSI_IO, "some", "psi.io", "I/O pressure", "disk"},
    {SRC_PSI_IO, "full", "psi.io.full", "I/O pressure, all wait", "disk"},
};

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345": microseconds. */
static bool read_total(struct probes *p, int i, uint64_t *us) {
    char *line;
    if (!probes_lines(p, lines[i].src))
        return false;
    while ((line = source_lines_next(&p->lines))) {
        const char *total = strstr(line, " total=");
        if (strncmp(line, lines[i].word, 4) != 0 || line[4] != ' ' || !total)
            continue;
        total += strlen(" total=");
        return text_u64(&total, us);
    }
    return false;
}

static void psi_open(struct probes *p) {
    for (int i = 0; i < PSI_LINES; i++)
        p->psi.slot[i] = -1;
}

static uint32_t psi_scan(struct probes *p) {
    uint64_t us;
    for (int i = 0; i < PSI_LINES; i++)
        if (p->psi.slot[i] < 0 && read_total(p, i, &us))
            p->psi.slot[i] = probes_claim(p, lines[i].id, lines[i].label, "%",
                                          lines[i].group, METRIC_GAUGE);
    return 0;
}

static void psi_sample(struct probes *p) {
    uint64_t us;
    double per_s;
    for (int i = 0; i < PSI_LINES; i++) {
        if (p->psi.slot[i] < 0 || !read_total(p, i, &us) ||
            !counter_rate(&p->psi.total[i], us, p->o.clock_ns(), &per_s))
            continue;
        /* The kernel adds up in steps, so that one interval may get a little of the
         * last one's. */
        double percent = per_s / 1e4;
        metric_put(p->set, p->psi.slot[i], percent > 100 ? 100 : percent);
    }
}

const struct probe probe_psi = {
    .open = psi_open, .scan = psi_scan, .sample = psi_sample};
