#include "app/stats_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/role.h"

struct text {
    char *buf;
    size_t cap, len;
};

static void put(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What does not fit leaves the text full, and so refused. */
static void put(struct text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
    va_end(ap);
    t->len = n >= 0 && (size_t)n < t->cap - t->len ? t->len + (size_t)n : t->cap;
}

static void figure(struct text *t, const char *name, uint64_t v, const char *unit) {
    put(t, "  %-22s %14" PRIu64 "%s%s\n", name, v, unit[0] ? " " : "", unit);
}

static void sessions(struct text *t, const struct hub_stats *s) {
    put(t, "Sessions\n");
    figure(t, "live", (uint64_t)s->active + s->closing, "");
    figure(t, "peak", s->m.peak, "");
    figure(t, "capacity", s->capacity, "");
    figure(t, "opened", s->m.opened, "");
    put(t, "\nWhy earlier ones ended\n");
    for (enum disc_why i = DISC_NONE + 1; i < DISC_N; i++)
        figure(t, disc_info(i)->name, s->m.closed[i], "");
    put(t, "\nRefused connections\n");
    for (enum hub_reject i = 0; i < HUB_REJECT_N; i++)
        figure(t, stats_reject_name(i), s->rejected[i], "");
}

static void percentile(struct text *t, const char *name, const struct metrics *m,
                       unsigned q) {
    uint32_t ms;
    if (metrics_rtt_percentile(m, q, &ms))
        figure(t, name, ms, "ms");
}

static void counters(struct text *t, const struct stats_view *v) {
    const struct metrics *m = &v->hub.m;
    put(t, "\nHeartbeat\n");
    figure(t, "sent", m->pings, "");
    figure(t, "answered", m->pongs, "");
    figure(t, "missed", m->missed, "");
    figure(t, "lost", m->lost, "");
    figure(t, "reprieved", m->reprieved, "");
    percentile(t, "round trip, half", m, 50);
    percentile(t, "round trip, 95 %", m, 95);
    put(t, "\nTraffic\n");
    figure(t, "received", m->bytes_in, "B");
    figure(t, "sent", m->bytes_out, "B");
    figure(t, "conflated", m->conflated, "");
    figure(t, "resumed", m->resumed, "");
    figure(t, "replayed", m->replayed, "");
    put(t, "\nConnections that are no sessions\n");
    figure(t, "now", v->lobby.taken, "");
    figure(t, "capacity", v->lobby.seats, "");
    figure(t, "accepted", v->lobby.accepted, "");
    figure(t, "gave way", v->lobby.gave_way, "");
    figure(t, "too slow", v->lobby.late, "");
    figure(t, "refused", v->lobby.no_files + v->lobby.no_seats, "");
    put(t, "\nService\n");
    figure(t, "running for", v->uptime_s, "s");
    figure(t, "memory", v->rss_bytes, "B");
    figure(t, "queued", v->hub.queue_bytes, "B");
    figure(t, "slowest tick", m->tick_max_us, "us");
}

static void row(struct text *t, const struct hub_row *r) {
    char id[17], addr[64], rtt[24] = "-";
    if (r->rtt_known)
        snprintf(rtt, sizeof rtt, "%" PRIu32, r->rtt_ms);
    put(t, "  %-16s %-28s %-7s %-4s %8" PRIu64 " %7s %6u %10" PRIu64 "\n",
        stats_id_text(id, r->id), sess_addr_text(&r->addr, addr, sizeof addr),
        role_name(r->role), r->secure ? "wss" : "ws", (uint64_t)(r->age_ms / 1000), rtt,
        (unsigned)r->missed, (uint64_t)r->messages);
}

size_t stats_text(char *buf, size_t cap, const struct stats_view *v) {
    struct text t = {.buf = buf, .cap = cap};
    put(&t, "Pulseboard: statistics at the moment of this request\n\n");
    sessions(&t, &v->hub);
    counters(&t, v);
    put(&t, "\nConnected now\n  %-16s %-28s %-7s %-4s %8s %7s %6s %10s\n", "session",
        "address", "role", "via", "age s", "rtt ms", "missed", "messages");
    for (uint32_t i = 0; i < v->hub.n_rows; i++)
        row(&t, &v->rows[i]);
    uint64_t live = (uint64_t)v->hub.active + v->hub.closing;
    if (live > v->hub.n_rows)
        put(&t, "  and %" PRIu64 " more\n", live - v->hub.n_rows);
    return t.len < cap ? t.len : 0;
}
