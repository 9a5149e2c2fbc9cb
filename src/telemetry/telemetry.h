#pragma once
/* The newest sample, the list of metrics and their history, for any thread.
 * The sampler publishes; readers take copies under a mutex that is held for a copy only
 * (STYLE.md R11). Never allocates. Put it into zeroed memory (static, or pages_take()):
 * what is not used is then never touched. */
#include "telemetry/device_now.h"
#include "telemetry/history.h"
#include "telemetry/metric.h"
#include "telemetry/tiers_file.h"

#include <assert.h>
#include <pthread.h>

struct telemetry {
    pthread_mutex_t lock;
    struct metric_set set; /* as of the newest sample */
    struct history history;
    uint32_t column[LIM_METRICS]; /* of each slot, in the tiers */
    struct tiers tiers;
    uint32_t left_out;
    struct device_now device;
};

/* Of which only what was used for as long as that is resident. */
static_assert(sizeof(struct telemetry) <= LIM_METRICS * 12u * 1024 + 32u * 1024,
              "raise the RAM budget knowingly");

struct telemetry_value {
    char id[METRIC_ID_MAX];
    uint32_t slot; /* as long as the layout is the same: always this metric's */
    double value;  /* finite */
};

/* Present values only, by slot: what is absent is not among them. */
struct telemetry_snap {
    uint64_t seq;     /* 1, 2, ...; 0: nothing was sampled yet */
    int64_t wall_ms;  /* since 1970 */
    uint64_t mono_ms; /* CLOCK_MONOTONIC */
    uint32_t layout;  /* when it differs from the last time, describe again */
    uint32_t n;
    struct telemetry_value v[LIM_METRICS];
};

/* What can be measured, whether present in the newest sample or not. */
struct telemetry_list {
    uint32_t layout;
    uint32_t left_out; /* devices beyond the limits of probe.h */
    struct device_now device;
    uint32_t n;
    struct metric m[LIM_METRICS];
};

/* 0 or -errno. The memory is zeroed. */
int telemetry_init(struct telemetry *t);
void telemetry_free(struct telemetry *t);

/* The sampler, or a test in its place. */
void telemetry_publish(struct telemetry *t, const struct metric_set *set,
                       uint32_t left_out, int64_t wall_ms, uint64_t mono_ms);

void telemetry_set_device(struct telemetry *t, const struct device_now *device);

void telemetry_snapshot(struct telemetry *t, struct telemetry_snap *out);
void telemetry_describe(struct telemetry *t, struct telemetry_list *out);

/* A table of history is read as the times of its rows and then column by column;
 * samples that arrive meanwhile do not shift it, since rows go by their number. */
void telemetry_times(struct telemetry *t, uint64_t since, uint32_t max,
                     struct history_times *out);
/* 0, or -ENOENT: no such metric (any more). */
int telemetry_history(struct telemetry *t, const char *id, uint64_t seq0, uint32_t n,
                      float *out);

/* Longer back: points at even steps, in the same way. tier: of tiers.h. */
void telemetry_plan(struct telemetry *t, uint32_t tier, uint32_t n,
                    struct tiers_plan *out);
/* 0, or -ENOENT: there was no such metric. */
int telemetry_points(struct telemetry *t, const char *id, const struct tiers_plan *plan,
                     struct tier_point *out);

/* Before the sampler starts, once: what a file held (tiers_fault() found none; NULL: no
 * file), and which boot of the machine this is. */
void telemetry_restore(struct telemetry *t, const uint8_t *file,
                       const uint64_t boot_id[2]);
/* The bytes of the file to keep now; buf holds TIERS_FILE_MAX. */
size_t telemetry_pack(struct telemetry *t, uint64_t generation, uint8_t *buf);
