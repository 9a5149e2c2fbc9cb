#pragma once
/* Everything we count, in the text format 0.0.4 of Prometheus. Names are in base units,
 * and the labels are bounded: causes, reasons, and the metrics of telemetry. Pure. */
#include <stddef.h>

#include "app/about.h"
#include "http/lobby.h"
#include "hub/hub.h"
#include "telemetry/own.h"

#define METRICS_TEXT_MAX (128u * 1024)

struct metrics_view {
    const struct about *about;
    const struct hub_stats *hub;
    const struct telemetry_list *list;
    const struct telemetry_snap *snap;
    uint64_t rss_bytes;
    double cpu_s;
    struct own_stats own;
    struct lobby_stats lobby;
};

/* Its length, or 0 when it does not fit. */
size_t metrics_text(char *out, size_t cap, const struct metrics_view *v);
