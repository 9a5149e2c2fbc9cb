#include "http/lobby_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/thread.h"

#define EVENTS 32
#define STACK_BYTES (256u * 1024)
/* Taken from one door before others get a turn. */
#define ACCEPTS 16
/* How long doors stay shut when the kernel has nothing left for a connection. */
#define SHUT_MS 100u

/* What an event belongs to: a guest (turn << 32 | seat), or below. */
#define TAG_BELL UINT64_MAX
#define TAG_DOOR(i) (UINT64_MAX - 1 - (i))

_Static_assert(LOBBY_SEATS_MAX < UINT32_MAX - LOBBY_DOORS_MAX, "tags do not mix");

static int spare_open(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

static int watch_doors(struct lobby *l, int op, uint32_t events) {
    int rc = 0;
    for (unsigned i = 0; i < l->o.n_doors; i++) {
        struct epoll_event e = {.events = events, .data.u64 = TAG_DOOR(i)};
        if (epoll_ctl(l->ep, op, l->doors[i].fd, &e) != 0)
            rc = -errno;
    }
    return rc;
}

static int take_memory(struct lobby *l) {
    uint32_t n = l->o.seats;
    l->guests = pages_take(n * sizeof(*l->guests));
    l->kept = pages_take((size_t)n * HEAD_BYTES_MAX);
    l->rests = pages_take((size_t)n * LOBBY_REST_MAX);
    l->back = pages_take(n * sizeof(*l->back));
    if (!l->guests || !l->kept || !l->rests || !l->back)
        return -ENOMEM;
    int rc = loads_init(&l->loads, LOBBY_LOADS, l->o.load_bytes);
    return rc ? rc : guests_init(&l->book, n);
}

static int open_loop(struct lobby *l) {
    l->spare_fd = spare_open();
    l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->spare_fd < 0 || l->bell < 0 || l->ep < 0)
        return -errno;
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = TAG_BELL};
    if (epoll_ctl(l->ep, EPOLL_CTL_ADD, l->bell, &e) != 0)
        return -errno;
    return watch_doors(l, EPOLL_CTL_ADD, EPOLLIN);
}

int lobby_init(struct lobby **out, const struct lobby_opts *o) {
    if (o->n_doors > LOBBY_DOORS_MAX || o->seats < 1 || o->seats > LOBBY_SEATS_MAX)
        return -EINVAL;
    struct lobby *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->o = *o;
    for (unsigned i = 0; i < o->n_doors; i++)
        l->doors[i] = o->doors[i];
    l->ep = l->bell = l->spare_fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    int rc = take_memory(l);
    if (rc == 0)
        rc = open_loop(l);
    if (rc != 0) {
        lobby_free(l);
        return rc;
    }
    atomic_store(&o->counts->seats, o->seats);
    *out = l;
    return 0;
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

void lobby_free(struct lobby *l) {
    uint32_t n = l->o.seats;
    for (uint32_t i = 0; l->book.seats && i < n; i++) {
        if (l->book.seats[i].place != GUEST_FREE)
            guest_leave(l, &l->guests[i]);
    }
    guests_free(&l->book);
    loads_free(&l->loads);
    pages_give(l->guests, n * sizeof(*l->guests));
    pages_give(l->kept, (size_t)n * HEAD_BYTES_MAX);
    pages_give(l->rests, (size_t)n * LOBBY_REST_MAX);
    pages_give(l->back, n * sizeof(*l->back));
    close_fd(l->ep);
    close_fd(l->bell);
    close_fd(l->spare_fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct lobby_guest *lobby_guest(struct lobby *l, uint32_t seat) {
    return &l->guests[seat];
}

/* ---- doors ---- */

static void shut_doors(struct lobby *l) {
    watch_doors(l, EPOLL_CTL_MOD, 0);
    l->doors_at_ms = l->now_ms + SHUT_MS;
}

static void open_doors(struct lobby *l) {
    l->doors_at_ms = 0;
    watch_doors(l, EPOLL_CTL_MOD, EPOLLIN);
}

static bool give_way(struct lobby *l, uint32_t seat) {
    if (seat == GUEST_NONE)
        return false;
    atomic_fetch_add(&l->o.counts->gave_way, 1);
    log_debug("lobby_gave_way", "seat=%u place=%d", seat, l->book.seats[seat].place);
    guest_leave(l, &l->guests[seat]);
    return true;
}

/* A connection that cannot be accepted would wake us for ever: somebody gives way, or
 * the spare descriptor is just enough to take it and hang up. */
static void out_of_files(struct lobby *l, int door, int err) {
    log_warn("connection_refused", "errno=%d", err);
    atomic_fetch_add(&l->o.counts->no_files, 1);
    close_fd(l->spare_fd);
    close_fd(accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    l->spare_fd = spare_open();
    if (l->spare_fd < 0)
        shut_doors(l);
}

/* A connection, -1: there is none now. */
static int knock(struct lobby *l, int door, struct sockaddr *from, socklen_t *len) {
    socklen_t room = *len;
    for (;;) {
        int fd = accept4(door, from, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0 || errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
            return fd;
        int err = errno;
        *len = room;
        bool files = err == EMFILE || err == ENFILE;
        if (files && give_way(l, l->book.queue[GUEST_IDLE].first))
            continue;
        if (files)
            out_of_files(l, door, err);
        else
            shut_doors(l); /* ENOMEM, ENOBUFS, a network that is down */
        return -1;
    }
}

/* A seat for somebody from there. */
static uint32_t seat_for(struct lobby *l, uint64_t from, enum lobby_kind kind) {
    enum guest_place place = kind == LOBBY_TLS ? GUEST_HELLO : GUEST_HEAD;
    uint64_t due_ms = guest_due_ms(l, place);
    uint32_t seat = guests_take(&l->book, from, place, due_ms);
    if (seat == GUEST_NONE && give_way(l, guests_victim(&l->book)))
        seat = guests_take(&l->book, from, place, due_ms);
    return seat;
}

static void admit(struct lobby *l, const struct lobby_door *door) {
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(from);
        int fd = knock(l, door->fd, (struct sockaddr *)&from, &len);
        if (fd < 0)
            return;
        struct sess_addr addr;
        sess_addr_from(&addr, (const struct sockaddr *)&from);
        uint32_t seat = seat_for(l, ip_host(addr.ip), door->kind);
        if (seat == GUEST_NONE) { /* everybody is with a worker */
            atomic_fetch_add(&l->o.counts->no_seats, 1);
            close(fd);
            shut_doors(l);
            return;
        }
        atomic_fetch_add(&l->o.counts->accepted, 1);
        l->guests[seat].addr = addr;
        l->guests[seat].seat = seat;
        guest_welcome(l, &l->guests[seat], fd, door);
    }
}

/* ---- the loop ---- */

static void take_back(struct lobby *l) {
    eventfd_t count;
    eventfd_read(l->bell, &count);
    pthread_mutex_lock(&l->lock);
    l->rung = false;
    while (l->n_back > 0) {
        uint32_t seat = l->back[--l->n_back];
        pthread_mutex_unlock(&l->lock);
        guest_back(l, &l->guests[seat]);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

static void hear(struct lobby *l, const struct epoll_event *e) {
    uint64_t tag = e->data.u64;
    if (tag == TAG_BELL) {
        take_back(l);
        return;
    }
    if (TAG_DOOR(tag) < l->o.n_doors) {
        if (!l->doors_at_ms)
            admit(l, &l->doors[TAG_DOOR(tag)]);
        return;
    }
    uint32_t seat = (uint32_t)tag;
    const struct guest_seat *s = &l->book.seats[seat];
    /* Left in this turn, or not ours now. */
    if (s->turn != tag >> 32 || s->place == GUEST_FREE || s->place == GUEST_ASIDE)
        return;
    guest_serve(l, &l->guests[seat], e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

/* Handshakes cost the most by far, so there is one step of one per turn, and the
 * address with the fewest connections goes first. */
static struct lobby_guest *next_to_shake(struct lobby *l) {
    struct lobby_guest *best = NULL;
    uint32_t fewest = UINT32_MAX;
    if (l->book.queue[GUEST_HELLO].n > 1)
        guests_count(&l->book, GUEST_IDLE, GUEST_BODY);
    for (uint32_t i = l->book.queue[GUEST_HELLO].first; i != GUEST_NONE;
         i = l->book.seats[i].next) {
        if (!l->guests[i].eager)
            continue;
        uint32_t n = guests_of(&l->book, l->book.seats[i].from);
        if (n < fewest) {
            fewest = n;
            best = &l->guests[i];
        }
    }
    return best;
}

static void second_turns(struct lobby *l) {
    struct lobby_guest *shake = next_to_shake(l);
    if (shake)
        guest_shake(l, shake);
    for (uint32_t i = 0; i < l->o.seats && l->n_eager > 0; i++) {
        enum guest_place place = l->book.seats[i].place;
        if (l->guests[i].eager && place != GUEST_HELLO && place != GUEST_FREE)
            guest_serve(l, &l->guests[i], false);
    }
}

/* Of those whose large answer waits, the longest waiting gives way. */
static void free_a_load(struct lobby *l) {
    uint32_t best = GUEST_NONE;
    for (uint32_t i = l->book.queue[GUEST_ANSWER].first; i != GUEST_NONE;
         i = l->book.seats[i].next) {
        const struct lobby_guest *g = &l->guests[i];
        if (g->load && l->now_ms >= g->load_ms + LOBBY_LOAD_MS &&
            (best == GUEST_NONE || g->load_ms < l->guests[best].load_ms))
            best = i;
    }
    give_way(l, best);
}

static void expire(struct lobby *l) {
    uint32_t seat;
    while ((seat = guests_due(&l->book, l->now_ms)) != GUEST_NONE)
        guest_late(l, &l->guests[seat]);
    if (l->doors_at_ms && l->doors_at_ms <= l->now_ms)
        open_doors(l);
}

static int patience_ms(const struct lobby *l) {
    uint64_t next_ms = guests_next_ms(&l->book);
    if (l->doors_at_ms && l->doors_at_ms < next_ms)
        next_ms = l->doors_at_ms;
    if (l->n_eager > 0)
        return 0;
    if (next_ms == GUEST_NEVER)
        return -1;
    return next_ms > l->now_ms ? (int)(next_ms - l->now_ms) : 0;
}

static void *run(void *arg) {
    struct lobby *l = arg;
    thread_name("lobby");
    struct epoll_event events[EVENTS];
    l->now_ms = clock_ms();
    while (!atomic_load(&l->stop)) {
        uint32_t taken = l->o.seats - l->book.queue[GUEST_FREE].n;
        atomic_store_explicit(&l->o.counts->taken, taken, memory_order_relaxed);
        int n = epoll_wait(l->ep, events, EVENTS, patience_ms(l));
        l->now_ms = clock_ms();
        for (int i = 0; i < n; i++)
            hear(l, &events[i]);
        if (l->n_eager > 0)
            second_turns(l);
        if (atomic_exchange(&l->short_of_loads, false))
            free_a_load(l);
        expire(l);
    }
    return NULL;
}

int lobby_start(struct lobby *l) {
    int rc = thread_start(&l->thread, STACK_BYTES, run, l);
    l->running = rc == 0;
    return rc;
}

void lobby_stop(struct lobby *l) {
    if (!l->running)
        return;
    atomic_store(&l->stop, true);
    eventfd_write(l->bell, 1);
    pthread_join(l->thread, NULL);
    l->running = false;
}

/* ---- for workers ---- */

void lobby_return(struct lobby *l, struct lobby_guest *g) {
    pthread_mutex_lock(&l->lock);
    l->back[l->n_back++] = g->seat;
    bool ring = !l->rung;
    l->rung = true;
    pthread_mutex_unlock(&l->lock);
    if (ring)
        eventfd_write(l->bell, 1);
}

void lobby_detach(struct lobby *l, struct lobby_guest *g, struct transport *out) {
    if (g->watched)
        epoll_ctl(l->ep, EPOLL_CTL_DEL, g->t.fd, NULL);
    *out = g->t;
    g->t.ops = NULL;
}

void lobby_stats(const struct lobby_counts *c, struct lobby_stats *out) {
    out->seats = atomic_load(&c->seats);
    out->taken = atomic_load(&c->taken);
    out->accepted = atomic_load(&c->accepted);
    out->gave_way = atomic_load(&c->gave_way);
    out->late = atomic_load(&c->late);
    out->no_files = atomic_load(&c->no_files);
    out->no_seats = atomic_load(&c->no_seats);
}
