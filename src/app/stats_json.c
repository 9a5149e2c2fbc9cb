#include "app/stats_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/about.h"
#include "base/role.h"

const char *stats_reject_name(enum hub_reject why) {
    switch (why) {
    case HUB_REJECT_FULL:
        return "full";
    case HUB_REJECT_ORIGIN:
        return "origin";
    case HUB_REJECT_HOST:
        return "host";
    case HUB_REJECT_AUTH:
        return "auth";
    case HUB_REJECT_HANDSHAKE:
        return "handshake";
    case HUB_REJECT_STOPPING:
        return "stopping";
    case HUB_REJECT_N:
        break;
    }
    return "";
}

const char *stats_id_text(char out[17], sess_id id) {
    snprintf(out, 17, "%" PRIx64, id);
    return out;
}

static void sessions(struct jsonw *w, const struct hub_stats *s) {
    jsonw_obj(w, "sessions");
    jsonw_u64(w, "live", (uint64_t)s->active + s->closing);
    jsonw_u64(w, "active", s->active);
    jsonw_u64(w, "closing", s->closing);
    jsonw_u64(w, "peak", s->m.peak);
    jsonw_u64(w, "capacity", s->capacity);
    jsonw_u64(w, "reserved", s->reserved);
    jsonw_u64(w, "opened", s->m.opened);
    jsonw_obj(w, "rejected");
    for (enum hub_reject i = 0; i < HUB_REJECT_N; i++)
        jsonw_u64(w, stats_reject_name(i), s->rejected[i]);
    jsonw_obj_end(w);
    jsonw_obj_end(w);
}

static void closed(struct jsonw *w, const struct metrics *m) {
    jsonw_obj(w, "closed");
    for (enum disc_why i = DISC_NONE + 1; i < DISC_N; i++)
        jsonw_u64(w, disc_info(i)->name, m->closed[i]);
    jsonw_obj_end(w);
}

/* What nobody has measured is null. */
static void maybe(struct jsonw *w, const char *key, bool known, uint64_t v) {
    if (known)
        jsonw_u64(w, key, v);
    else
        jsonw_null(w, key);
}

static void percentile(struct jsonw *w, const char *key, const struct metrics *m,
                       unsigned q) {
    uint32_t ms = 0;
    bool known = metrics_rtt_percentile(m, q, &ms);
    maybe(w, key, known, ms);
}

static void heartbeat(struct jsonw *w, const struct hub_stats *s) {
    const struct metrics *m = &s->m;
    bool any = s->active + s->closing > 0;
    jsonw_obj(w, "heartbeat");
    jsonw_u64(w, "sent", m->pings);
    jsonw_u64(w, "answered", m->pongs);
    jsonw_u64(w, "missed", m->missed);
    jsonw_u64(w, "lost", m->lost);
    jsonw_u64(w, "reprieved", m->reprieved);
    jsonw_obj(w, "interval_ms");
    maybe(w, "min", any, s->interval_min_ms);
    maybe(w, "avg", any, s->interval_avg_ms);
    maybe(w, "max", any, s->interval_max_ms);
    jsonw_obj_end(w);
    jsonw_obj(w, "rtt_ms");
    percentile(w, "p50", m, 50);
    percentile(w, "p95", m, 95);
    maybe(w, "max", m->rtt_n > 0, m->rtt_max_ms);
    jsonw_obj_end(w);
    jsonw_obj_end(w);
}

static void traffic(struct jsonw *w, const struct metrics *m) {
    jsonw_obj(w, "traffic");
    jsonw_u64(w, "frames_in", m->frames_in);
    jsonw_u64(w, "frames_out", m->frames_out);
    jsonw_u64(w, "bytes_in", m->bytes_in);
    jsonw_u64(w, "bytes_out", m->bytes_out);
    jsonw_u64(w, "conflated", m->conflated);
    jsonw_u64(w, "resumed", m->resumed);
    jsonw_u64(w, "replayed", m->replayed);
    jsonw_obj_end(w);
}

static void lobby(struct jsonw *w, const struct lobby_stats *s) {
    jsonw_obj(w, "lobby");
    jsonw_u64(w, "connections", s->taken);
    jsonw_u64(w, "capacity", s->seats);
    jsonw_u64(w, "accepted", s->accepted);
    jsonw_u64(w, "gave_way", s->gave_way);
    jsonw_u64(w, "late", s->late);
    jsonw_u64(w, "no_files", s->no_files);
    jsonw_u64(w, "no_seats", s->no_seats);
    jsonw_obj_end(w);
}

void stats_row(struct jsonw *w, const struct hub_row *r) {
    char id[17], addr[64];
    jsonw_obj(w, NULL);
    jsonw_str(w, "id", stats_id_text(id, r->id));
    jsonw_str(w, "address", sess_addr_text(&r->addr, addr, sizeof addr));
    jsonw_u64(w, "age_s", r->age_ms / 1000);
    jsonw_str(w, "state", r->state == SESS_OPEN ? "open" : "closing");
    jsonw_str(w, "role", role_name(r->role));
    jsonw_str(w, "transport", r->secure ? "wss" : "ws");
    maybe(w, "rtt_ms", r->rtt_known, r->rtt_ms);
    jsonw_u64(w, "interval_ms", r->interval_ms);
    jsonw_u64(w, "missed", r->missed);
    jsonw_u64(w, "queued_bytes", r->queued_bytes);
    jsonw_u64(w, "messages", r->messages);
    jsonw_u64(w, "last_heard_ms", r->heard_ago_ms);
    jsonw_obj_end(w);
}

void stats_json(struct jsonw *w, const struct stats_view *v) {
    const struct hub_stats *s = &v->hub;
    jsonw_obj(w, NULL);
    jsonw_u64(w, "version", 1);
    sessions(w, s);
    closed(w, &s->m);
    heartbeat(w, s);
    traffic(w, &s->m);
    jsonw_obj(w, "hub");
    jsonw_u64(w, "tick_max_us", s->m.tick_max_us);
    jsonw_u64(w, "loop_late", s->m.loop_late);
    jsonw_u64(w, "queue_bytes", s->queue_bytes);
    jsonw_obj_end(w);
    lobby(w, &v->lobby);
    jsonw_obj(w, "memory");
    jsonw_u64(w, "table_bytes", s->table_bytes);
    jsonw_u64(w, "rss_bytes", v->rss_bytes);
    jsonw_u64(w, "tls_bytes", v->tls_bytes);
    jsonw_obj_end(w);
    jsonw_u64(w, "uptime_s", v->uptime_s);
    jsonw_arr(w, "list");
    for (uint32_t i = 0; i < s->n_rows; i++)
        stats_row(w, &v->rows[i]);
    jsonw_arr_end(w);
    jsonw_u64(w, "list_omitted", (uint64_t)s->active + s->closing - s->n_rows);
    jsonw_obj_end(w);
}
