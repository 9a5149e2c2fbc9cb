#include "app/metrics_text.h"

#include <inttypes.h>
#include <stdarg.h>
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
          (double)v->about->started_wall_ms / 1e3);
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

static const char *unit_of(const struct telemetry_list *list, const char *id) {
    for (uint32_t i = 0; i < list->n; i++) {
        if (strcmp(list->m[i].id, id) == 0)
            return list->m[i].unit;
    }
    return NULL; /* it came or went between the two copies */
}

/* Ids are [a-z0-9._-] and units our own constants: nothing to escape. */
static void telemetry(struct text *t, const struct metrics_view *v) {
    counter(t, "pulseboard_samples_total", "Samples of this machine taken.",
            v->snap->seq);
    family(t, "pulseboard_metric", "gauge", "The newest sample; absent is not there.");
    for (uint32_t i = 0; i < v->snap->n; i++) {
        const struct telemetry_value *m = &v->snap->v[i];
        const char *unit = unit_of(v->list, m->id);
        if (unit)
            put(t, "pulseboard_metric{id=\"%s\",unit=\"%s\"} %.12g\n", m->id, unit,
                m->value);
    }
}

size_t metrics_text(char *out, size_t cap, const struct metrics_view *v) {
    struct text t = {out, cap, 0};
    process(&t, v);
    sessions(&t, v->hub);
    heartbeats(&t, &v->hub->m);
    traffic(&t, &v->hub->m);
    hub(&t, v->hub);
    telemetry(&t, v);
    return t.len < cap ? t.len : 0;
}
