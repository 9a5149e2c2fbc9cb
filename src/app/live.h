#pragma once
/* The life of a session as the application sees it: hello, telemetry, answers, bye. Hub
 * thread, but for init and free. */
#include "app/auth.h"
#include "app/resume.h"
#include "app/rpc_methods.h"
#include "app/sample_json.h"

#define LIVE_FRAME_BYTES (SAMPLE_JSON_MAX + 128)

struct live {
    const struct about *about;
    struct telemetry *telemetry;
    struct events *events;
    struct auth *auth;  /* NULL: nobody logs in or out */
    uint64_t auth_turn; /* see auth_due() */
    struct rpc_methods methods;
    struct resume resume;
    struct live_seat {
        sess_id id; /* 0: nobody sits here */
        struct auth_who who;
        uint64_t minute_ms; /* when its minute began, */
        uint32_t asked;     /* and what it has asked since */
    } * seats;              /* by slot of the session table */
    uint32_t cap;
    uint32_t max_asked;  /* messages of a session in a minute */
    uint64_t told;       /* newest sample broadcast, 0: none */
    uint64_t event_told; /* newest event that was, or that nobody waited for */
    struct telemetry_snap snap;
    struct live_value {
        char id[METRIC_ID_MAX], text[24]; /* empty: it was absent */
    } values[LIM_METRICS];                /* as told last, by slot */
    uint32_t layout;                      /* that they belong to */
    char frame[LIVE_FRAME_BYTES];
};

/* l stands in zeroed pages. 0 or -ENOMEM. */
int live_init(struct live *l, const struct about *about, struct telemetry *telemetry,
              struct events *events, const struct config *c);
void live_free(struct live *l);

/* For hub_opts; the context is the struct live. */
extern const struct hub_app live_app;
