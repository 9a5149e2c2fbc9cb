#include "telemetry/sampler.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <time.h>

#define STACK_BYTES (128u * 1024)

static void tell_device(struct sampler *s) {
    struct device_now now;
    device_now_read(&now, s->o.probes.root);
    probes_storage(&s->probes, &now);
    telemetry_set_device(s->o.out, &now);
}

static void take_sample(struct sampler *s, uint64_t now_ms) {
    int64_t wall_ms = clock_wall_ms();
    bool scanned = now_ms >= s->scan_due_ms;
    if (scanned) {
        s->left_out = probes_scan(&s->probes);
        s->scan_due_ms = now_ms + SAMPLER_SCAN_MS;
    }
    probes_sample(&s->probes);
    if (s->o.own)
        own_sample(s->o.own, &s->set, now_ms);
    if (scanned)
        tell_device(s);
    telemetry_publish(s->o.out, &s->set, s->left_out, wall_ms, now_ms);
    if (s->o.on_sample)
        s->o.on_sample(s->o.ctx);
}

/* True at the deadline, false when it is time to stop. */
static bool wait_until(struct sampler *s, uint64_t due_ms) {
    struct timespec ts = {.tv_sec = (time_t)(due_ms / 1000),
                          .tv_nsec = (long)(due_ms % 1000) * 1000000};
    pthread_mutex_lock(&s->lock);
    while (!s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &ts) != ETIMEDOUT)
        continue;
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return !stop;
}

static void *run(void *arg) {
    struct sampler *s = arg;
    thread_name("sampler");
    uint64_t due_ms = clock_ms();
    do {
        take_sample(s, clock_ms());
        /* A sample that took longer than the period costs those it ran over, and the
         * pace stays: no burst catches up. */
        uint64_t late = (clock_ms() - due_ms) / s->o.sample_ms;
        due_ms += (late + 1) * s->o.sample_ms;
    } while (wait_until(s, due_ms));
    return NULL;
}

static int init_wake(struct sampler *s) {
    pthread_condattr_t attr;
    int rc = pthread_condattr_init(&attr);
    if (rc)
        return -rc;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    return -rc;
}

int sampler_start(struct sampler *s, const struct sampler_opts *o) {
    if (o->sample_ms < SAMPLER_MS_MIN || o->sample_ms > SAMPLER_MS_MAX)
        return -EINVAL;
    s->o = *o;
    s->stop = false;
    s->scan_due_ms = 0;
    s->left_out = 0;
    metric_init(&s->set);
    int rc = probes_open(&s->probes, &o->probes, &s->set);
    if (rc < 0)
        return rc;
    rc = -pthread_mutex_init(&s->lock, NULL);
    if (rc < 0)
        goto fail_probes;
    rc = init_wake(s);
    if (rc < 0)
        goto fail_lock;
    rc = thread_start(&s->thread, STACK_BYTES, run, s);
    if (rc < 0)
        goto fail_wake;
    return 0;
fail_wake:
    pthread_cond_destroy(&s->wake);
fail_lock:
    pthread_mutex_destroy(&s->lock);
fail_probes:
    probes_close(&s->probes);
    return rc;
}

void sampler_stop(struct sampler *s) {
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    probes_close(&s->probes);
}
