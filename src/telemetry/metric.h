#pragma once
/* What is measured, and the values of the sample under way: LIM_METRICS fixed slots.
 * Owned by the sampler thread; readers get copies through telemetry.h. Never grows:
 * what does not fit is refused. */
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_ID_MAX 48
#define METRIC_LABEL_MAX 48
#define METRIC_UNIT_MAX 16
#define METRIC_SLUG_MAX                                                                \
    33 /* the part of an id that comes from outside, with its NUL                      \
        */

enum metric_kind { METRIC_GAUGE, METRIC_RATE, METRIC_COUNTER, METRIC_TIMING };

struct metric {
    char id[METRIC_ID_MAX];       /* [a-z0-9._-], unique, stable: "net.eth0.rx" */
    char label[METRIC_LABEL_MAX]; /* for people, printable UTF-8 */
    char unit[METRIC_UNIT_MAX];   /* "%" "°C" "B/s" "V"; "1": a plain number */
    const char *group; /* static: cpu memory temperature network disk power sensors
                          system own */
    enum metric_kind kind;
    double min, max;   /* NaN: not known */
    double warn, crit; /* from here on it is; NaN: not known */
    uint64_t heard_ms; /* monotonic: when somebody told it; 0: measured here */
};

/* A dropped metric keeps its slot and its past until another one needs the slot, so
 * that an interface that comes back continues where it was. */
struct metric_set {
    struct metric m[LIM_METRICS];
    double value[LIM_METRICS];    /* of this sample; NaN: absent */
    uint32_t tenant[LIM_METRICS]; /* counts the different metrics that had this slot */
    bool live[LIM_METRICS];
    uint32_t high;   /* slots ever used: 0..high-1 */
    uint32_t layout; /* changes whenever the list of live metrics does */
};

void metric_init(struct metric_set *set);

/* A metric whose id is free, from a label that may hold anything. */
struct metric metric_make(const char *id, const char *label, const char *unit,
                          const char *group, enum metric_kind kind);

/* A slot >= 0, or -ENOSPC, -EEXIST (such an id is live). */
int metric_claim(struct metric_set *set, const struct metric *m);
/* These two ignore a negative slot: what was refused simply has no value. */
void metric_drop(struct metric_set *set, int slot);
/* Ignores what is not finite. */
void metric_put(struct metric_set *set, int slot, double value);

/* All values become absent: a sample begins. */
void metric_blank(struct metric_set *set);

/* Slot of a live metric, or -ENOENT. */
int metric_find(const struct metric_set *set, const char *id);

/* The slug of a device, such that PREFIX.SLUG or PREFIX.SLUG.END (end may be NULL) is
 * no live id: the second of two alike gets "-2" and so on. */
void metric_slug(const struct metric_set *set, const char *prefix, const char *raw,
                 const char *end, char out[METRIC_SLUG_MAX]);
