#pragma once
/* Own metrics: readings that programs of this machine tell us, kept in fixed slots
 * until the sampler takes them. Any thread may tell; the sampler's takes. Never
 * allocates.
 *
 * A gauge keeps its value, a counter is shown as a rate over the sample, a timing as
 * the mean of the last sample that had any, with its maximum beside it ("NAME.max"), so
 * that it counts twice towards the limit. A name keeps its kind. One that is not heard
 * for stale_ms has no value any more (a gap in the chart), after forget_ms it is gone.
 */
#include "base/limits.h"
#include "base/reading.h"
#include "telemetry/metric.h"

#include <assert.h>
#include <pthread.h>

#define OWN_STALE_MS_DEFAULT 90000u
#define OWN_FORGET_MS_DEFAULT 600000u

struct own_opts {
    uint32_t limit; /* metrics, LIM_OWN at most */
    uint32_t stale_ms, forget_ms;
};

struct own_metric {
    struct reading as; /* as last told; a gauge's value is the whole one */
    uint64_t heard_ms; /* 0: a free slot */
    double sum, max;   /* since the last sample: of a counter, of a timing */
    uint32_t n;
    double mean, shown_max; /* of the last sample that had any; NaN: none */
    bool described;         /* label and unit are those of the slots */
    int slot[2];            /* of the metric set; -1: none (yet) */
};

/* What came in, since the start. */
struct own_stats {
    uint64_t accepted, refused;
    uint64_t dropped; /* lost before they were read */
    uint32_t metrics; /* known now, as counted towards the limit */
};

struct own {
    struct own_opts o;
    pthread_mutex_t lock; /* of all that follows */
    struct own_stats stats;
    uint64_t sampled_ms;
    struct own_metric m[LIM_OWN];
};

static_assert(sizeof(struct own) <= 16u * 1024, "raise the RAM budget knowingly");

/* 0 or -errno. The memory is zeroed. */
int own_init(struct own *o, const struct own_opts *opts);
void own_free(struct own *o);

/* NULL, or why it was refused (a constant), which is counted. */
const char *own_tell(struct own *o, const struct reading *r, uint64_t now_ms);
/* For what was refused before it was a reading, and for what never came. */
void own_count(struct own *o, uint64_t refused, uint64_t dropped);

void own_stats(struct own *o, struct own_stats *out);

/* The sampler: puts what there is into the sample under way. */
void own_sample(struct own *o, struct metric_set *set, uint64_t now_ms);
