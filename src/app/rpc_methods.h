#pragma once
/* What clients may ask over the WebSocket: ping, info, stats, history, events,
 * subscribe, unsubscribe; and admins: sessions.close, log.level. Hub thread; the memory
 * is taken at start. */
#include "app/about.h"
#include "app/events.h"
#include "app/series.h"
#include "hub/hub.h"
#include "proto/jsonrpc.h"

/* An answer at most: half of what a session may owe, so that a second one fits behind
 * it. */
#define RPC_REPLY_BYTES (LIM_REPLY_BYTES_DEFAULT / 2)
/* Values in one `history`, which bounds the work that a small request can ask for. */
#define RPC_HISTORY_VALUES 8192u
/* Events in one `events`, the same. */
#define RPC_EVENTS 64u
static_assert(EVENTS_JSON_BASE + RPC_EVENTS * EVENT_JSON_MAX + RPC_ERROR_MAX <=
                  RPC_REPLY_BYTES,
              "they fit an answer");

/* Topics, one bit each. */
#define TOPIC_TELEMETRY 1u
#define TOPIC_EVENTS 2u       /* without addresses */
#define TOPIC_EVENTS_ADMIN 4u /* the same, with them */

/* All of them, and who may ask. */
extern const struct rpc_method rpc_methods_table[];
extern const size_t rpc_methods_n;

struct rpc_methods {
    const struct about *about;
    struct telemetry *telemetry;
    struct events *events;
    const struct lobby_counts *lobby; /* for `stats`; set by the owner */
    struct hub *hub;                  /* while a message is handled */
    struct rpc rpc;
    size_t arena_bytes, out_bytes, rows_bytes;
    uint8_t *arena;
    char *out;
    struct hub_row *rows; /* for `stats` */
    uint32_t max_rows;
    struct telemetry_list list;
    struct telemetry_snap snap;
    struct series series;
    struct series_value points[TIERS_ROWS_MAX];
    struct history_times times;
    float column[LIM_HISTORY_N];
};

/* max_message: bytes of the longest request. m stands in zeroed pages. 0 or -ENOMEM. */
int rpc_methods_init(struct rpc_methods *m, const struct about *about,
                     struct telemetry *telemetry, struct events *events,
                     uint32_t max_message);
void rpc_methods_free(struct rpc_methods *m);

/* The answer, valid until the next call, and its length; 0: there is none to give. */
size_t rpc_methods_handle(struct rpc_methods *m, struct hub *hub, sess_id id,
                          uint8_t role, const char *text, size_t n,
                          const char **answer);
