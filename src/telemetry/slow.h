#pragma once
/* The slow lane: files that take long to answer (a DS18B20 converts for 750 ms) are
 * read by a thread of their own, one after the other, so that they delay nothing else.
 * The thread starts with the first of them and sleeps between its rounds.
 *
 * Fixed memory. All functions are for the sampler thread; only the jobs are shared. */
#include "telemetry/sensors.h"

#include <pthread.h>

#define SLOW_MAX 32u
#define SLOW_EVERY_NS 2000000000u /* from one round to the next, at least */
#define SLOW_HOLD_NS 30000000000u /* what was said before that is no news any more */

struct slow_job {
    bool used;
    uint32_t tenant; /* of the job: an answer for an earlier one is dropped */
    char path[SENSOR_PATH_MAX];
    char text[SENSOR_TEXT_MAX]; /* the last answer */
    uint64_t asked_ns;          /* when it was asked for; 0: there is none */
};

struct slow {
    int root; /* descriptor of the caller, open until slow_close() */
    bool started;
    pthread_t thread;
    uint64_t round_ns; /* when the last round was asked for */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake, idle;
    bool stop, busy;
    uint64_t now_ns; /* of the round under way */
    struct slow_job job[SLOW_MAX];
};

/* 0 or -errno. */
int slow_open(struct slow *l, int root);
/* Returns when the thread has ended: when the file under way has answered. */
void slow_close(struct slow *l);

/* A job >= 0, or -errno: -ENOSPC, or there can be no thread. */
int slow_add(struct slow *l, const char *path);
void slow_drop(struct slow *l, int job); /* ignores a negative one */

/* Begins a round, if the last one is over and long enough ago. */
void slow_ask(struct slow *l, uint64_t now_ns);
/* The newest answer; false: none that is fresh enough. */
bool slow_take(struct slow *l, int job, uint64_t now_ns, char out[SENSOR_TEXT_MAX]);

/* Waits for the end of the round under way. */
void slow_settle(struct slow *l);
