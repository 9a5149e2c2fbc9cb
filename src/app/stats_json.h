#pragma once
/* The statistics as JSON (DESIGN.md 8, version 1): one writer for GET /ws/stats and for
 * the request `stats`. Pure. */
#include <stddef.h>

#include "base/jsonw.h"
#include "http/lobby.h"
#include "hub/hub.h"

struct stats_view {
    struct hub_stats hub;
    const struct hub_row *rows; /* hub.n_rows of them */
    uint64_t uptime_s, rss_bytes, tls_bytes;
    struct lobby_stats lobby;
};

/* Room for everything but the list, and for a row of it. */
#define STATS_JSON_BASE 4096u
#define STATS_JSON_ROW 384u

/* One value. Sessions without a row are counted in list_omitted. */
void stats_json(struct jsonw *w, const struct stats_view *v);

/* One session of that list. */
void stats_row(struct jsonw *w, const struct hub_row *r);

/* "full", ...: a reason for refusing an upgrade. */
const char *stats_reject_name(enum hub_reject why);
/* An id as people and clients see it. */
const char *stats_id_text(char out[17], sess_id id);
