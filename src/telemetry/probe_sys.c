/* Load and uptime: proc_loadavg(5), proc_uptime(5). */
#include "telemetry/probes.h"
#include "telemetry/text.h"

static void sys_open(struct probes *p) {
    struct probe_sys *s = &p->sys;
    s->load[0] = probes_claim(p, "load.1", "Load, 1 min", "1", "system", METRIC_GAUGE);
    s->load[1] = probes_claim(p, "load.5", "Load, 5 min", "1", "system", METRIC_GAUGE);
    s->load[2] =
        probes_claim(p, "load.15", "Load, 15 min", "1", "system", METRIC_GAUGE);
    s->uptime = probes_claim(p, "sys.uptime", "Uptime", "s", "system", METRIC_COUNTER);
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
}

const struct probe probe_sys = {.open = sys_open, .sample = sys_sample};
