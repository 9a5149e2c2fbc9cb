/* Questions of other threads, answered on the hub thread between two ticks. */
#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>

#include "hub/hub_priv.h"

static struct hub_call_slot *free_slot(struct hub *h) {
    for (unsigned i = 0; i < HUB_CALLS; i++) {
        if (h->calls[i].state == CALL_FREE)
            return &h->calls[i];
    }
    return NULL;
}

static struct timespec deadline(uint32_t timeout_ms) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += timeout_ms / 1000;
    ts.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

int hub_call(struct hub *h, void (*fn)(struct hub *h, void *arg), void *arg,
             uint32_t timeout_ms) {
    struct timespec until = deadline(timeout_ms);
    pthread_mutex_lock(&h->call_lock);
    struct hub_call_slot *c = free_slot(h);
    if (!c) {
        pthread_mutex_unlock(&h->call_lock);
        return -EAGAIN;
    }
    *c = (struct hub_call_slot){.fn = fn, .arg = arg, .state = CALL_WAITS};
    eventfd_write(h->wake, 1);
    while (c->state == CALL_WAITS &&
           pthread_cond_timedwait(&h->call_done, &h->call_lock, &until) == 0)
        ;
    /* One that runs already uses arg: see it out, it does not block. */
    while (c->state == CALL_RUNS)
        pthread_cond_wait(&h->call_done, &h->call_lock);
    int rc = c->state == CALL_DONE ? 0 : -ETIMEDOUT;
    c->state = CALL_FREE;
    pthread_mutex_unlock(&h->call_lock);
    return rc;
}

void calls_run(struct hub *h) {
    pthread_mutex_lock(&h->call_lock);
    for (unsigned i = 0; i < HUB_CALLS; i++) {
        struct hub_call_slot *c = &h->calls[i];
        if (c->state != CALL_WAITS)
            continue;
        c->state = CALL_RUNS;
        pthread_mutex_unlock(&h->call_lock);
        c->fn(h, c->arg);
        pthread_mutex_lock(&h->call_lock);
        c->state = CALL_DONE;
        pthread_cond_broadcast(&h->call_done);
    }
    pthread_mutex_unlock(&h->call_lock);
}
