#pragma once
/* Keeps history beyond a restart: reads it at the start, writes it now and then and at
 * the end, on a thread of its own, since a disk may take its time. Two files in turn,
 * each replaced whole: a file that is broken loses what came after the other one was
 * written, and nothing else. */
#include "telemetry/telemetry.h"

#define KEEPER_SAVE_S_DEFAULT 900u

struct keeper_opts {
    struct telemetry *telemetry; /* outlives the keeper */
    const char *dir;             /* the data folder; NULL: nothing is kept */
    const char *root;            /* of /proc */
    uint32_t save_s;
};

struct keeper {
    struct keeper_opts o;
    uint8_t *buf; /* TIERS_FILE_MAX, resident while it is used */
    uint64_t generation;
    unsigned next; /* which of the two is written next */
    bool failing;  /* the last write failed, and that was said */
    bool threaded; /* stop and the rest are in use */
    bool stop;
    pthread_t thread;
    pthread_mutex_t lock; /* of stop */
    pthread_cond_t wake;
};

/* Restores what was kept; before the sampler starts. A file that cannot be used is said
 * once, and costs no more than itself. 0 or -errno: there is no memory, or no thread.
 */
int keeper_start(struct keeper *k, const struct keeper_opts *o);
/* Writes a last time; after the sampler has ended. */
void keeper_stop(struct keeper *k);
