#pragma once
/* Devices that come and go, each with two metrics: an interface (rx, tx), a disk (read,
 * write), a file system (used, total). Sampler thread.
 *
 * A scan picks the devices to show, best first and never more than PAIRS_MAX, then
 * pairs_sync() drops those that are gone and adds the new ones; whoever stays keeps its
 * slots and counters. */
#include "telemetry/counter.h"
#include "telemetry/metric.h"

#define PAIRS_MAX 10
#define PAIRS_NAME_MAX 96 /* a longer one is left out */

struct pairs_kind {
    const char *prefix, *group, *unit; /* as in struct metric */
    enum metric_kind kind;
    const char *end[2];  /* of the ids: "rx", "tx" */
    const char *word[2]; /* of the labels: "received", "sent" */
};

struct pair {
    char name[PAIRS_NAME_MAX]; /* as the kernel calls it */
    int slot[2];
    struct counter counter[2];
};

struct pairs {
    uint32_t n;
    struct pair p[PAIRS_MAX];
};

struct pick {
    char name[PAIRS_NAME_MAX];
    int rank;     /* lower is better */
    uint64_t key; /* the caller's */
};

struct picks {
    uint32_t n, max; /* max: 1..PAIRS_MAX */
    uint32_t left_out;
    struct pick p[PAIRS_MAX];
};

/* Among equal ranks the first comes first. */
void picks_add(struct picks *picks, const char *name, int rank, uint64_t key);
void picks_remove(struct picks *picks, uint32_t i);

void pairs_sync(struct pairs *pairs, const struct picks *picks,
                const struct pairs_kind *kind, struct metric_set *set);

/* NULL: not one of ours. */
struct pair *pairs_find(struct pairs *pairs, const char *name);

/* Publishes the rate of counter i (0 or 1), times scale, if there is one. */
void pair_rate(struct pair *p, int i, uint64_t value, double scale, uint64_t now_ns,
               struct metric_set *set);
