#pragma once
/* The sampler thread: reads all probes at a steady pace and publishes each sample. A
 * thread of its own, since a sensor may take its time to answer. One wake-up per
 * sample; after sampler_start() nothing is allocated. */
#include "telemetry/own.h"
#include "telemetry/probes.h"
#include "telemetry/telemetry.h"

#include <pthread.h>

#define SAMPLER_MS_MIN 100u
#define SAMPLER_MS_MAX 60000u
#define SAMPLER_MS_DEFAULT 1000u
#define SAMPLER_SCAN_MS                                                                \
    10000u /* devices that come are seen after this at the latest                      \
            */

struct sampler_opts {
    struct probes_opts probes; /* where to read; root must be given */
    uint32_t sample_ms;        /* SAMPLER_MS_MIN..SAMPLER_MS_MAX */
    struct telemetry *out;     /* outlives the sampler */
    struct own *own; /* readings that are told; outlives it too; may be NULL */
    /* After each sample, on the sampler's thread with nothing locked; may be NULL. */
    void (*on_sample)(void *ctx);
    void *ctx;
};

struct sampler {
    struct sampler_opts o;
    pthread_t thread;
    pthread_mutex_t lock; /* of stop */
    pthread_cond_t wake;
    bool stop;
    struct metric_set set; /* the thread's own, and so is what follows */
    struct probes probes;
    uint64_t scan_due_ms;
    uint32_t left_out;
};

static_assert(sizeof(struct sampler) <= 96u * 1024, "raise the RAM budget knowingly");

/* The first sample is taken at once. 0 or -errno: -EINVAL for a period out of range, or
 * why the root cannot be opened or the thread not be made. s stays where it is until
 * sampler_stop(). */
int sampler_start(struct sampler *s, const struct sampler_opts *o);

/* Returns when the thread has ended: at once, or when a sensor under way has answered.
 */
void sampler_stop(struct sampler *s);
