#include "app/metrics_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "app/stats_json.h"

struct text {
    char *buf;
    size_t cap, len;
};

static void put(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...) {
    if (t->len >= t->cap)
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
    va_end(ap);
    t->len = n >= 0 && (size_t)n < t->cap - t->len ? t->len + (size_t)n : t->cap;
}

/* The two lines before the samples of one name. */
static void family(struct text *t, const char *name, const char *type,
                   const char *help) {
    put(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct text *t, const char *name, const char *help, uint64_t v) {
    family(t, name, "counter", help);
    put(t, "%s %" PRIu64 "\n", name, v);
}

static void gauge(struct text *t, const char *name, const char *help, double v) {
    family(t, name, "gauge", help);
    put(t, "%s %.12g\n", name, v);
}

static void process(struct text *t, const struct metrics_view *v) {
    family(t, "pulseboard_build_info", "gauge", "The version of this program.");
    put(t, "pulseboard_build_info{version=\"%s\"} 1\n", v->about->version);
    gauge(t, "process_start_time_seconds", "When this program started, since 1970.",
          (double)about_started_ms(v->about) / 1e3);
    gauge(t, "process_resident_memory_bytes", "Resident memory of this program.",
          (double)v->rss_bytes);
    family(t, "process_cpu_seconds_total", "counter", "CPU time used by this program.");
    put(t, "process_cpu_seconds_total %.6f\n", v->cpu_s);
}

static void sessions(struct text *t, const struct hub_stats *s) {
    family(t, "pulseboard_sessions", "gauge", "Live sessions by state.");
    put(t, "pulseboard_sessions{state=\"open\"} %" PRIu32 "\n", s->active);
    put(t, "pulseboard_sessions{state=\"closing\"} %" PRIu32 "\n", s->closing);
    gauge(t, "pulseboard_sessions_peak", "Most sessions at a time since the start.",
          s->m.peak);
    gauge(t, "pulseboard_sessions_capacity", "Sessions that there can be at a time.",
          s->capacity);
    counter(t, "pulseboard_sessions_opened_total", "Sessions opened.", s->m.opened);
    family(t, "pulseboard_sessions_closed_total", "counter",
           "Sessions ended, by cause; opened is live plus the sum of these.");
    for (enum disc_why i = DISC_NONE + 1; i < DISC_N; i++)
        put(t, "pulseboard_sessions_closed_total{cause=\"%s\"} %" PRIu64 "\n",
            disc_info(i)->name, s->m.closed[i]);
    family(t, "pulseboard_sessions_rejected_total", "counter",
           "Upgrades refused before a session began, by reason.");
    for (enum hub_reject i = 0; i < HUB_REJECT_N; i++)
        put(t, "pulseboard_sessions_rejected_total{reason=\"%s\"} %" PRIu64 "\n",
            stats_reject_name(i), s->rejected[i]);
    counter(t, "pulseboard_sessions_resumed_total",
            "Sessions that continued where an earlier one had ended.", s->m.resumed);
}

static void rtt(struct text *t, const struct metrics *m) {
    uint32_t p50, p95;
    if (!metrics_rtt_percentile(m, 50, &p50) || !metrics_rtt_percentile(m, 95, &p95))
        return;
    family(t, "pulseboard_heartbeat_rtt_seconds", "summary",
           "Round trip of heartbeats, over all sessions since the start.");
    put(t, "pulseboard_heartbeat_rtt_seconds{quantile=\"0.5\"} %.3f\n", p50 / 1e3);
    put(t, "pulseboard_heartbeat_rtt_seconds{quantile=\"0.95\"} %.3f\n", p95 / 1e3);
    put(t, "pulseboard_heartbeat_rtt_seconds_count %" PRIu64 "\n", m->pongs);
}

static void heartbeats(struct text *t, const struct metrics *m) {
    counter(t, "pulseboard_heartbeats_sent_total", "Pings sent.", m->pings);
    counter(t, "pulseboard_heartbeats_answered_total", "Pings answered.", m->pongs);
    counter(t, "pulseboard_heartbeats_missed_total",
            "Intervals in which a session was not heard.", m->missed);
    counter(t, "pulseboard_heartbeats_reprieved_total",
            "Silent sessions that the double check found alive.", m->reprieved);
    rtt(t, m);
}

static void traffic(struct text *t, const struct metrics *m) {
    family(t, "pulseboard_frames_total", "counter", "WebSocket frames.");
    put(t, "pulseboard_frames_total{direction=\"in\"} %" PRIu64 "\n", m->frames_in);
    put(t, "pulseboard_frames_total{direction=\"out\"} %" PRIu64 "\n", m->frames_out);
    family(t, "pulseboard_traffic_bytes_total", "counter",
           "Bytes of WebSocket traffic.");
    put(t, "pulseboard_traffic_bytes_total{direction=\"in\"} %" PRIu64 "\n",
        m->bytes_in);
    put(t, "pulseboard_traffic_bytes_total{direction=\"out\"} %" PRIu64 "\n",
        m->bytes_out);
    counter(t, "pulseboard_frames_conflated_total",
            "Telemetry frames skipped for sessions that fell behind.", m->conflated);
    counter(t, "pulseboard_frames_replayed_total",
            "Telemetry frames sent again to sessions that resumed.", m->replayed);
}

static void hub(struct text *t, const struct hub_stats *s) {
    gauge(t, "pulseboard_hub_tick_max_seconds",
          "Longest tick of the hub since the start.", (double)s->m.tick_max_us / 1e6);
    counter(t, "pulseboard_hub_late_total", "Times the hub itself was late.",
            s->m.loop_late);
    gauge(t, "pulseboard_queue_bytes", "Memory of replies and unfinished messages.",
          (double)s->queue_bytes);
    gauge(t, "pulseboard_table_bytes", "Memory sized by the capacity.",
          (double)s->table_bytes);
}

static void lobby(struct text *t, const struct lobby_stats *s) {
    gauge(t, "pulseboard_lobby_connections", "Connections that are no sessions.",
          s->taken);
    gauge(t, "pulseboard_lobby_capacity", "Of these there can be at a time.", s->seats);
    counter(t, "pulseboard_lobby_accepted_total", "Connections accepted.", s->accepted);
    family(t, "pulseboard_lobby_ended_total", "counter",
           "Connections that we ended before they had asked or taken the answer.");
    put(t, "pulseboard_lobby_ended_total{reason=\"gave_way\"} %" PRIu64 "\n",
        s->gave_way);
    put(t, "pulseboard_lobby_ended_total{reason=\"late\"} %" PRIu64 "\n", s->late);
    family(t, "pulseboard_lobby_refused_total", "counter",
           "Connections that were hung up on at once.");
    put(t, "pulseboard_lobby_refused_total{reason=\"no_files\"} %" PRIu64 "\n",
        s->no_files);
    put(t, "pulseboard_lobby_refused_total{reason=\"no_seats\"} %" PRIu64 "\n",
        s->no_seats);
}

/* What Prometheus calls a unit, and how many of its base units it is. Without help: the
 * name of the row above. */
struct family {
    const char *unit, *name, *help;
    double scale;
};

static const struct family families[] = {
    {"°C", "temperature_celsius", "Temperatures.", 1},
    {"%", "usage_ratio", "Shares, 1 is all of it.", 0.01},
    {"B", "size_bytes", "Memory and storage.", 1},
    {"B/s", "throughput_bytes_per_second", "Network and disk.", 1},
    {"Hz", "frequency_hertz", "Frequencies.", 1},
    {"s", "duration_seconds", "Times.", 1},
    {"ms", "duration_seconds", NULL, 1e-3},
    {"V", "voltage_volts", "Voltages.", 1},
    {"A", "current_amperes", "Currents.", 1},
    {"W", "power_watts", "Power.", 1},
    {"RPM", "fan_rpm", "Fans, turns per minute.", 1},
    {"hPa", "pressure_pascals", "Air pressure.", 100},
    {"lx", "illuminance_lux", "Light.", 1},
    {"ppm", "concentration_ratio", "Gases, 1 is all of it.", 1e-6},
    {"dBm", "signal_dbm", "Radio signals.", 1},
    {"bit", "entropy_bytes", "Randomness.", 0.125},
    {"1/s", "events_per_second", "Rates.", 1},
};
#define FAMILIES (sizeof families / sizeof families[0])

#define NO_FAMILY ((int)FAMILIES)

/* The values of the snapshot, each with its metric and the first of its family. */
struct rows {
    uint32_t n;
    struct row {
        const struct telemetry_value *value;
        const struct metric *m;
        int family;
        double scale;
    } row[LIM_METRICS];
};

/* Both lists are in the order of their slots, so the search goes on where it stopped.
 */
static const struct metric *metric_of(const struct telemetry_list *list, const char *id,
                                      uint32_t *at) {
    for (uint32_t i = 0; i < list->n; i++) {
        const struct metric *m = &list->m[(*at + i) % list->n];
        if (strcmp(m->id, id) != 0)
            continue;
        *at = (*at + i + 1) % list->n;
        return m;
    }
    return NULL; /* it came or went between the two copies */
}

/* Units of one name share the row that has its help. */
static void find_family(struct row *r) {
    int i = 0;
    while (i < NO_FAMILY && strcmp(families[i].unit, r->m->unit) != 0)
        i++;
    r->scale = i < NO_FAMILY ? families[i].scale : 1;
    while (i < NO_FAMILY && !families[i].help)
        i--;
    r->family = i;
}

static void find_rows(struct rows *rows, const struct metrics_view *v) {
    uint32_t at = 0;
    rows->n = 0;
    for (uint32_t i = 0; i < v->snap->n; i++) {
        struct row *r = &rows->row[rows->n];
        r->value = &v->snap->v[i];
        r->m = metric_of(v->list, r->value->id, &at);
        if (!r->m)
            continue;
        find_family(r);
        rows->n++;
    }
}

/* Units may come from outside: a label's value is escaped. */
static void put_unit(struct text *t, const char *s) {
    put(t, ",unit=\"");
    for (; *s; s++)
        put(t, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    put(t, "\"");
}

/* Ids are [a-z0-9._-] and groups our own constants: nothing to escape. */
static void put_row(struct text *t, const char *name, const struct row *r) {
    put(t, "%s{id=\"%s\",group=\"%s\"", name, r->m->id, r->m->group);
    if (r->family == NO_FAMILY)
        put_unit(t, r->m->unit);
    put(t, "} %.12g\n", r->value->value * r->scale);
}

static void put_family(struct text *t, const struct rows *rows, int i) {
    char name[64];
    bool begun = false;
    snprintf(name, sizeof name, "pulseboard_%s",
             i < NO_FAMILY ? families[i].name : "value");
    for (uint32_t k = 0; k < rows->n; k++) {
        if (rows->row[k].family != i)
            continue;
        if (!begun)
            family(t, name, "gauge",
                   i < NO_FAMILY ? families[i].help : "Values of no unit or another.");
        begun = true;
        put_row(t, name, &rows->row[k]);
    }
}

static void telemetry(struct text *t, const struct metrics_view *v) {
    struct rows rows;
    counter(t, "pulseboard_samples_total", "Samples of this machine taken.",
            v->snap->seq);
    find_rows(&rows, v);
    for (int i = 0; i <= NO_FAMILY; i++)
        put_family(t, &rows, i);
}

static void readings(struct text *t, const struct own_stats *s) {
    family(t, "pulseboard_readings_total", "counter",
           "Readings that were told to us, by what became of them.");
    put(t, "pulseboard_readings_total{result=\"accepted\"} %" PRIu64 "\n", s->accepted);
    put(t, "pulseboard_readings_total{result=\"refused\"} %" PRIu64 "\n", s->refused);
    put(t, "pulseboard_readings_total{result=\"lost\"} %" PRIu64 "\n", s->dropped);
    gauge(t, "pulseboard_own_metrics",
          "Own metrics known, as counted towards the limit.", s->metrics);
}

size_t metrics_text(char *out, size_t cap, const struct metrics_view *v) {
    struct text t = {out, cap, 0};
    process(&t, v);
    sessions(&t, v->hub);
    heartbeats(&t, &v->hub->m);
    traffic(&t, &v->hub->m);
    hub(&t, v->hub);
    lobby(&t, &v->lobby);
    telemetry(&t, v);
    readings(&t, &v->own);
    return t.len < cap ? t.len : 0;
}
