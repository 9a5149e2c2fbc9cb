/* The hub's thread: start, loop, stop. */
#include "hub/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include "hub/hub_priv.h"

/* epoll names of our own descriptors; a session id is never this small. */
#define EV_WAKE 1u
#define EV_TIMER 2u

#define STACK_BYTES (256u * 1024)

void hub_opts_default(struct hub_opts *o) {
    *o = (struct hub_opts){
        .max_sessions = LIM_SESSIONS_DEFAULT,
        .max_message = LIM_MESSAGE_DEFAULT,
        .pool_bytes = LIM_POOL_BYTES_DEFAULT,
        .reply_bytes = LIM_REPLY_BYTES_DEFAULT,
        .ring_bytes = LIM_RING_BYTES_DEFAULT,
        .ring_frames = LIM_RING_FRAMES_DEFAULT,
        .sndbuf = 128 * 1024,
        .notsent_lowat = 16 * 1024,
        .user_timeout_ms = 20000,
        .stall_ms = 15000,
        .close_ms = 2000,
        .message_ms = 30000,
        .topics = 0xff,
        .pulse = {.start_ms = 15000, .min_ms = 5000, .max_ms = 60000, .misses = 3},
    };
}

struct conn *hub_conn(struct hub *h, const struct sess *s) {
    return &h->conn[sess_slot(s->id)];
}

void hub_due(struct hub *h, uint64_t at_ms) {
    if (at_ms < h->due_ms)
        h->due_ms = at_ms;
}

static void begin_stop(struct hub *h) {
    h->stopping = true;
    handoff_shut(&h->box);
    for (uint32_t i = 0; i < h->tab.n_live; i++)
        end_session(h, &h->tab.slots[h->tab.live[i]], DISC_SHUTDOWN, 0, "going away");
}

/* Somebody wrote to the eventfd: what do they want? */
static void on_wake(struct hub *h) {
    struct handoff_item *it;
    while ((it = handoff_take(&h->box))) {
        io_adopt(h, it);
        handoff_give(&h->box, it);
    }
    if (atomic_exchange(&h->kicked, false) && !h->stopping)
        h->o.app->kicked(h->o.ctx, h);
    if (atomic_load(&h->stop) && !h->stopping)
        begin_stop(h);
}

static void tick(struct hub *h, const struct epoll_event *ev, int n) {
    bool woken = false;
    io_read_more(h); /* they have waited since the last tick */
    for (int i = 0; i < n; i++) {
        if (ev[i].data.u64 == EV_WAKE)
            woken = true;
        else if (ev[i].data.u64 != EV_TIMER)
            io_event(h, ev[i].data.u64, ev[i].events);
    }
    /* After the reads, so that a byte which came while we were late still counts. */
    time_expire(h);
    if (woken)
        on_wake(h);
    io_flush_all(h);
    end_reap(h);
    if (woken)
        calls_run(h);
    time_arm(h);
}

static void *run(void *arg) {
    struct hub *h = arg;
    struct epoll_event ev[HUB_EVENTS];
    h->self = pthread_self();
    thread_name("hub");
    burst_init(&h->burst);
    while (!h->stopping || h->tab.n_live > 0) {
        bool busy = h->more.n > 0 || h->dirty.n > 0;
        int n = epoll_wait(h->ep, ev, HUB_EVENTS, busy ? 0 : -1);
        if (n < 0)
            n = 0; /* EINTR: a debugger, or SIGSTOP and SIGCONT; nothing was lost */
        uint64_t from_ns = clock_ns();
        h->turns_end_ns = from_ns + HUB_TURNS_NS;
        time_woke(h, from_ns / 1000000);
        tick(h, ev, n);
        uint64_t took_us = (clock_ns() - from_ns) / 1000;
        if (took_us > h->m.tick_max_us)
            h->m.tick_max_us = took_us;
    }
    burst_free(&h->burst);
    return NULL;
}

static int check(const struct hub_opts *o) {
    if (o->max_sessions == 0 || o->max_sessions > LIM_SESSIONS_MAX)
        return -EINVAL;
    if (o->max_message == 0 || o->max_message > LIM_MESSAGE_MAX || !o->app)
        return -EINVAL;
    return o->stall_ms && o->close_ms && o->message_ms ? 0 : -EINVAL;
}

static int take_memory(struct hub *h) {
    const struct hub_opts *o = &h->o;
    size_t slots = o->max_sessions * sizeof(uint32_t);
    h->conn = pages_take(o->max_sessions * sizeof(*h->conn));
    h->dirty.slot = calloc(1, slots);
    h->more.slot = calloc(1, slots);
    h->spare.slot = calloc(1, slots);
    h->more.cap = o->max_sessions;
    h->dead = calloc(1, slots);
    h->inbuf = pages_take(HUB_READ_BYTES);
    h->message = pages_take(o->max_message);
    if (!h->conn || !h->dirty.slot || !h->more.slot || !h->spare.slot || !h->dead ||
        !h->inbuf || !h->message)
        return -ENOMEM;
    int rc = sess_table_init(&h->tab, o->max_sessions);
    if (!rc)
        rc = blocks_init(&h->pool, LIM_BLOCK_BYTES,
                         o->pool_bytes / LIM_BLOCK_BYTES + o->max_sessions);
    if (!rc)
        rc = bcast_init(&h->ring, o->ring_bytes, o->ring_frames);
    h->ring.keyed = o->keyed;
    return rc;
}

static int watch_own(struct hub *h, int fd, uint64_t name) {
    /* Edge-triggered: each write or expiry is one event, and nothing need be read. */
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = name};
    return epoll_ctl(h->ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_fds(struct hub *h) {
    h->ep = epoll_create1(EPOLL_CLOEXEC);
    h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    h->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (h->ep < 0 || h->timer < 0 || h->wake < 0)
        return -errno;
    int rc = watch_own(h, h->wake, EV_WAKE);
    if (!rc)
        rc = watch_own(h, h->timer, EV_TIMER);
    if (!rc)
        rc = handoff_init(&h->box, h->o.max_sessions, h->o.first_role ? HUB_KEPT : 0,
                          h->wake);
    return rc;
}

static void init_sync(struct hub *h) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&h->call_lock, NULL);
    pthread_cond_init(&h->call_done, &attr);
    pthread_condattr_destroy(&attr);
}

int hub_start(struct hub **out, const struct hub_opts *o) {
    int rc = check(o);
    if (rc)
        return rc;
    struct hub *h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->o = *o;
    h->o.max_sessions += o->first_role ? HUB_KEPT : 0;
    h->ep = h->timer = h->wake = -1;
    h->due_ms = UINT64_MAX;
    h->now_ms = clock_ms();
    if (getrandom(&h->random, sizeof(h->random), GRND_NONBLOCK) < 0)
        h->random = clock_ns(); /* spreads pings; no secret hangs on it */
    init_sync(h);
    rc = take_memory(h);
    if (!rc)
        rc = open_fds(h);
    if (!rc)
        rc = thread_start(&h->thread, STACK_BYTES, run, h);
    if (rc) {
        hub_free(h);
        return rc;
    }
    *out = h;
    return 0;
}

void hub_stop(struct hub *h) {
    atomic_store(&h->stop, true);
    eventfd_write(h->wake, 1);
    pthread_join(h->thread, NULL);
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

void hub_free(struct hub *h) {
    if (!h)
        return;
    handoff_free(&h->box);
    close_fd(h->wake);
    close_fd(h->timer);
    close_fd(h->ep);
    bcast_free(&h->ring);
    blocks_free(&h->pool);
    sess_table_free(&h->tab);
    pages_give(h->conn, h->o.max_sessions * sizeof(*h->conn));
    pages_give(h->inbuf, HUB_READ_BYTES);
    pages_give(h->message, h->o.max_message);
    free(h->dirty.slot);
    free(h->more.slot);
    free(h->spare.slot);
    free(h->dead);
    pthread_cond_destroy(&h->call_done);
    pthread_mutex_destroy(&h->call_lock);
    free(h);
}
