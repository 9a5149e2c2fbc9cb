/* Load, uptime and entropy: proc_loadavg(5), proc_uptime(5), random(4). */
#include "telemetry/probes.h"
#include "telemetry/text.h"

static void sys_open(struct probes *p) {
    struct probe_sys *s = &p->sys;
    s->load[0] = probes_claim(p, "load.1", "Load, 1 min", "1", "system", METRIC_GAUGE);
    s->load[1] = probes_claim(p, "load.5", "Load, 5 min", "1", "system", METRIC_GAUGE);
    s->load[2] =
        probes_claim(p, "load.15", "Load, 15 min", "1", "system", METRIC_GAUGE);
    s->uptime = probes_claim(p, "sys.uptime", "Uptime", "s", "system", METRIC_COUNTER);
    s->entropy = -1;
}

static bool read_entropy(struct probes *p, uint64_t *bits) {
    const char *s = probes_lines(p, SRC_ENTROPY) ? source_lines_next(&p->lines) : NULL;
    return s && text_u64(&s, bits);
}

static uint32_t sys_scan(struct probes *p) {
    uint64_t bits;
    if (p->sys.entropy < 0 && read_entropy(p, &bits))
        p->sys.entropy =
            probes_claim(p, "sys.entropy", "Entropy", "bit", "system", METRIC_GAUGE);
    return 0;
}

/* The first n decimals of a file; false when they are not all there. */
static bool read_decimals(struct probes *p, enum probes_source which, double *v,
                          int n) {
    const char *s = probes_lines(p, which) ? source_lines_next(&p->lines) : NULL;
    for (int i = 0; i < n; i++)
        if (!s || !text_decimal(&s, &v[i]))
            return false;
    return true;
}

static void sys_sample(struct probes *p) {
    double load[3], uptime;
    if (read_decimals(p, SRC_LOADAVG, load, 3))
        for (int i = 0; i < 3; i++)
            metric_put(p->set, p->sys.load[i], load[i]);
    if (read_decimals(p, SRC_UPTIME, &uptime, 1))
        metric_put(p->set, p->sys.uptime, uptime);
    uint64_t bits;
    if (p->sys.entropy >= 0 && read_entropy(p, &bits))
        metric_put(p->set, p->sys.entropy, (double)bits);
}

const struct probe probe_sys = {
    .open = sys_open, .scan = sys_scan, .sample = sys_sample};
