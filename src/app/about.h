#pragma once
/* What this run of the program is: set once by main before the threads start, then read
 * by all of them. */
#include <stdint.h>

#include "app/config.h"
#include "base/jsonw.h"
#include "telemetry/device.h"
#include "telemetry/telemetry.h"

struct about {
    char name[CONFIG_NAME_MAX]; /* title of the dashboard */
    const char *version;
    uint64_t started_ms; /* monotonic */
    uint64_t epoch;      /* random: sequence numbers of another run mean nothing */
    uint32_t sample_ms, heartbeat_ms;
    struct device device;
};

/* All but the device. 0 or -errno: there is no randomness. Waits for the kernel's
 * random pool, so that nobody has to later. */
int about_init(struct about *a, const struct config *c);

/* When it started, by the wall clock of now: a board without a battery for its clock
 * starts in 1970. */
int64_t about_started_ms(const struct about *a);

/* The result of `info` and of GET /api/v1/info: one value. */
#define ABOUT_JSON_MAX (96u * 1024)
void about_json(struct jsonw *w, const struct about *a,
                const struct telemetry_list *list);
/* {name, version, host}, as in hello. */
void about_server_json(struct jsonw *w, const char *key, const struct about *a);
/* The epoch as clients see it. */
const char *about_hex(char out[17], uint64_t v);
