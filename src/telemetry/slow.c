#include "telemetry/slow.h"

#include "base/thread.h"
#include "telemetry/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STACK_BYTES (64u * 1024)

int slow_open(struct slow *l, int root) {
    *l = (struct slow){.root = root};
    int rc = -pthread_mutex_init(&l->lock, NULL);
    if (rc < 0)
        return rc;
    rc = -pthread_cond_init(&l->wake, NULL);
    if (rc < 0)
        goto fail_lock;
    rc = -pthread_cond_init(&l->idle, NULL);
    if (rc < 0)
        goto fail_wake;
    return 0;
fail_wake:
    pthread_cond_destroy(&l->wake);
fail_lock:
    pthread_mutex_destroy(&l->lock);
    return rc;
}

void slow_close(struct slow *l) {
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    if (l->started)
        pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->idle);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
}

/* Reads one file with nothing locked: this is what takes long. */
static void work(struct slow *l, struct slow_job *job) {
    char path[SENSOR_PATH_MAX], text[SENSOR_TEXT_MAX];
    uint32_t tenant = job->tenant;
    uint64_t asked_ns = l->now_ns;
    int fd = -1;
    memcpy(path, job->path, sizeof path);
    pthread_mutex_unlock(&l->lock);
    int rc = source_read(l->root, &fd, path, text, sizeof text);
    source_release(&fd);
    pthread_mutex_lock(&l->lock);
    if (rc < 0 || !job->used || job->tenant != tenant)
        return;
    memcpy(job->text, text, sizeof text);
    job->asked_ns = asked_ns;
}

static void *run(void *arg) {
    struct slow *l = arg;
    thread_name("slow-sensors");
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (!l->busy) {
            pthread_cond_wait(&l->wake, &l->lock);
            continue;
        }
        for (uint32_t i = 0; i < SLOW_MAX && !l->stop; i++)
            if (l->job[i].used)
                work(l, &l->job[i]);
        l->busy = false;
        pthread_cond_signal(&l->idle);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static int start(struct slow *l) {
    int rc = l->started ? 0 : thread_start(&l->thread, STACK_BYTES, run, l);
    l->started = rc == 0;
    return rc;
}

int slow_add(struct slow *l, const char *path) {
    int job = start(l);
    if (job < 0)
        return job;
    pthread_mutex_lock(&l->lock);
    job = -ENOSPC;
    for (uint32_t i = 0; i < SLOW_MAX && job < 0; i++)
        job = l->job[i].used ? job : (int)i;
    if (job >= 0) {
        struct slow_job *j = &l->job[job];
        j->used = true;
        j->tenant++;
        j->asked_ns = 0;
        snprintf(j->path, sizeof j->path, "%s", path);
    }
    pthread_mutex_unlock(&l->lock);
    return job;
}

void slow_drop(struct slow *l, int job) {
    if (job < 0)
        return;
    pthread_mutex_lock(&l->lock);
    l->job[job].used = false;
    pthread_mutex_unlock(&l->lock);
}

void slow_ask(struct slow *l, uint64_t now_ns) {
    bool due = l->round_ns == 0 || now_ns - l->round_ns >= SLOW_EVERY_NS;
    if (!l->started || !due)
        return;
    pthread_mutex_lock(&l->lock);
    if (!l->busy) {
        l->busy = true;
        l->now_ns = l->round_ns = now_ns;
        pthread_cond_signal(&l->wake);
    }
    pthread_mutex_unlock(&l->lock);
}

bool slow_take(struct slow *l, int job, uint64_t now_ns, char out[SENSOR_TEXT_MAX]) {
    pthread_mutex_lock(&l->lock);
    const struct slow_job *j = &l->job[job];
    bool fresh = j->asked_ns > 0 && now_ns - j->asked_ns <= SLOW_HOLD_NS;
    if (fresh)
        memcpy(out, j->text, SENSOR_TEXT_MAX);
    pthread_mutex_unlock(&l->lock);
    return fresh;
}

void slow_settle(struct slow *l) {
    pthread_mutex_lock(&l->lock);
    while (l->started && l->busy)
        pthread_cond_wait(&l->idle, &l->lock);
    pthread_mutex_unlock(&l->lock);
}
