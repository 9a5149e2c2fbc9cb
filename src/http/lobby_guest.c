/* One connection in the lobby: from accept to its end. Sockets are watched once, edge
 * triggered, for both directions, so that a request on a kept connection costs one
 * recv(2) and one send(2) and nothing else. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/lobby_priv.h"

/* Reads of one connection before others get a turn. */
#define READS 4
/* RFC 8446 5.1: a record's first byte, and the bytes before its payload. */
#define TLS_HANDSHAKE 0x16
#define TLS_RECORD_HEAD 5u
/* The first few seats are the ones in use; they keep their pages. */
#define WARM_SEATS 8u

enum guest_place guest_place(const struct lobby *l, const struct lobby_guest *g) {
    return l->book.seats[g->seat].place;
}

uint64_t guest_due_ms(const struct lobby *l, enum guest_place place) {
    static const uint32_t patience_ms[GUEST_PLACES] = {
        [GUEST_IDLE] = LOBBY_IDLE_MS,   [GUEST_HELLO] = LOBBY_HELLO_MS,
        [GUEST_HEAD] = LOBBY_HEAD_MS,   [GUEST_BODY] = LOBBY_PACE_MS,
        [GUEST_ANSWER] = LOBBY_PACE_MS, [GUEST_BYE] = LOBBY_BYE_MS,
    };
    return l->now_ms + patience_ms[place];
}

static void move(struct lobby *l, struct lobby_guest *g, enum guest_place place) {
    guests_move(&l->book, g->seat, place, guest_due_ms(l, place));
}

static void set_eager(struct lobby *l, struct lobby_guest *g, bool eager) {
    if (g->eager != eager)
        l->n_eager += eager ? 1u : UINT32_MAX;
    g->eager = eager;
}

void guest_leave(struct lobby *l, struct lobby_guest *g) {
    uint32_t seat = g->seat;
    set_eager(l, g, false);
    if (g->shaking)
        tls_free(g->shaking);
    if (g->t.ops)
        g->t.ops->close(&g->t);
    if (g->load)
        loads_give(&l->loads, g->load);
    /* A crowd that was here leaves nothing behind. */
    if (g->soiled && seat >= WARM_SEATS) {
        madvise(l->kept + (size_t)seat * HEAD_BYTES_MAX, HEAD_BYTES_MAX, MADV_DONTNEED);
        madvise(l->rests + (size_t)seat * LOBBY_REST_MAX, LOBBY_REST_MAX,
                MADV_DONTNEED);
    }
    memset(g, 0, sizeof(*g));
    g->seat = seat;
    guests_move(&l->book, seat, GUEST_FREE, GUEST_NEVER);
}

/* Once, and only those that do not end in the turn that they came in. */
static void watch(struct lobby *l, struct lobby_guest *g) {
    if (g->watched || guest_place(l, g) == GUEST_FREE ||
        guest_place(l, g) == GUEST_ASIDE)
        return;
    struct epoll_event e = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = (uint64_t)l->book.seats[g->seat].turn << 32 | g->seat,
    };
    if (epoll_ctl(l->ep, EPOLL_CTL_ADD, g->t.fd, &e) == 0)
        g->watched = true;
    else
        guest_leave(l, g);
}

/* ---- the answer, and what comes after it ---- */

/* Where so much may wait, or NULL. */
static char *place_for(struct lobby *l, struct lobby_guest *g, size_t bytes) {
    if (bytes <= LOBBY_REST_MAX) {
        g->soiled = g->soiled || bytes > 0;
        return g->rest[0].iov_base;
    }
    g->load = loads_take(&l->loads, bytes);
    g->load_ms = clock_ms();
    return g->load;
}

int lobby_say(struct lobby *l, struct lobby_guest *g, struct iovec **iov, int *n,
              bool lasting) {
    uint64_t moved = 0;
    int rc = transport_push(&g->t, iov, n, &moved);
    if (rc != -EAGAIN)
        return rc;
    size_t copied = 0, at = 0;
    int copies = *n - (lasting && *n > 0 ? 1 : 0);
    for (int i = 0; i < copies; i++)
        copied += (*iov)[i].iov_len;
    char *rest = place_for(l, g, copied);
    if (!rest) {
        atomic_store(&l->short_of_loads, true);
        eventfd_write(l->bell, 1);
        return -EMSGSIZE;
    }
    for (int i = 0; i < copies; i++) {
        memcpy(rest + at, (*iov)[i].iov_base, (*iov)[i].iov_len);
        at += (*iov)[i].iov_len;
    }
    g->rest[0] = (struct iovec){rest, copied};
    g->rest[1] = copies < *n ? (*iov)[copies] : (struct iovec){NULL, 0};
    g->rest_n = 2;
    return 0;
}

/* A new rest may be put down. */
static void clear_rest(struct lobby *l, struct lobby_guest *g) {
    if (g->load)
        loads_give(&l->loads, g->load);
    g->load = NULL;
    g->rest[0] = (struct iovec){l->rests + (size_t)g->seat * LOBBY_REST_MAX, 0};
    g->rest_n = 0;
}

/* What the peer has acknowledged of the bytes that were moved, but for a constant. */
static int64_t taken(const struct lobby_guest *g) {
    int queued = 0;
    (void)ioctl(g->t.fd, SIOCOUTQ, &queued);
    return (int64_t)g->moved - queued;
}

static void say_goodbye(struct lobby *l, struct lobby_guest *g) {
    g->t.ops->finish(&g->t);
    g->moved = 0;
    g->kept_n = 0;
    move(l, g, GUEST_BYE);
    set_eager(l, g, true); /* its end may have come already, with the request */
}

/* The answer is out, all of it. True: the next request may come. */
static bool go_on(struct lobby *l, struct lobby_guest *g) {
    clear_rest(l, g);
    if (g->next == LOBBY_KEEP) {
        move(l, g, GUEST_IDLE);
        return true;
    }
    if (g->next == LOBBY_LINGER || g->kept_n > 0 || g->t.tls)
        say_goodbye(l, g);
    else
        guest_leave(l, g);
    return false;
}

/* The answer was given. True: the next request may come. */
static bool settle(struct lobby *l, struct lobby_guest *g) {
    if (!g->t.ops) {
        guest_leave(l, g);
        return false;
    }
    if (g->rest_n == 0 && !g->t.ops->unflushed(&g->t))
        return go_on(l, g);
    g->moved = 0;
    g->taken = taken(g);
    move(l, g, GUEST_ANSWER);
    /* A peer that broke off while a worker answered was told to nobody. */
    set_eager(l, g, true);
    return false;
}

static bool send_rest(struct lobby *l, struct lobby_guest *g) {
    struct iovec *iov = g->rest;
    int n = g->rest_n, before = n;
    int rc = transport_push(&g->t, &iov, &n, &g->moved);
    if (rc != 0 && rc != -EAGAIN) {
        guest_leave(l, g);
        return false;
    }
    /* The last n of them are left; their place is the front. */
    for (int i = 0; i < n; i++)
        g->rest[i] = g->rest[before - n + i];
    g->rest_n = n;
    return rc == 0 && go_on(l, g);
}

/* ---- requests ---- */

static char *kept_of(struct lobby *l, const struct lobby_guest *g) {
    return l->kept + (size_t)g->seat * HEAD_BYTES_MAX;
}

static void keep(struct lobby *l, struct lobby_guest *g, const char *p, size_t n) {
    g->soiled = g->soiled || n > 0;
    if (n > 0)
        memmove(kept_of(l, g), p, n);
    g->kept_n = n;
}

static bool fault(struct lobby *l, struct lobby_guest *g, int status) {
    l->o.app->fault(l->o.ctx, g, status);
    g->scanned = g->want = 0;
    return settle(l, g);
}

/* p[0, n) begins with a request, or a part of one. How many of the bytes are done with;
 * 0: no more can be done now. */
static size_t consider(struct lobby *l, struct lobby_guest *g, const char *p,
                       size_t n) {
    size_t used = 0;
    /* RFC 9112 2.2: empty lines before a request are to be ignored. */
    if (n >= 2 && memcmp(p, "\r\n", 2) == 0) {
        g->scanned = 0;
        return 2;
    }
    if (n < g->want)
        return 0;
    ssize_t end = head_end(p, n, &g->scanned);
    if (end < 0 || (end == 0 && n == HEAD_BYTES_MAX)) {
        fault(l, g, end < 0 ? 400 : 431);
        return n;
    }
    if (end == 0)
        return 0;
    g->kept_n = n; /* for settle(): is there more behind it? */
    switch (l->o.app->head(l->o.ctx, g, p, n, (size_t)end, &used)) {
    case LOBBY_ANSWERED:
        g->kept_n = n - used;
        g->scanned = g->want = 0;
        settle(l, g);
        return used;
    case LOBBY_WANTS:
        g->scanned = 0; /* it is asked again, with all of it */
        g->want = used;
        settle(l, g);
        return 0;
    case LOBBY_ASIDE:
        break;
    }
    keep(l, g, p, n);
    g->scanned = g->want = 0;
    guests_move(&l->book, g->seat, GUEST_ASIDE, GUEST_NEVER);
    l->o.app->aside(l->o.ctx, g);
    return 0;
}

/* Is it the guest's turn to ask? */
static bool asks(const struct lobby *l, const struct lobby_guest *g) {
    enum guest_place p = guest_place(l, g);
    return p == GUEST_IDLE || p == GUEST_HEAD || p == GUEST_BODY;
}

/* Half a request: whoever has begun one has his time from then on. */
static void wait_for_more(struct lobby *l, struct lobby_guest *g) {
    enum guest_place place = guest_place(l, g);
    if (g->want > 0 && place != GUEST_BODY)
        move(l, g, GUEST_BODY);
    else if (g->kept_n > 0 && place == GUEST_IDLE)
        move(l, g, GUEST_HEAD);
}

/* Requests from p[0, n), until one of them is not whole, or has the connection. */
static void answer_all(struct lobby *l, struct lobby_guest *g, const char *p,
                       size_t n) {
    size_t at = 0, used = 1;
    while (at < n && used > 0 && asks(l, g)) {
        used = consider(l, g, p + at, n - at);
        at += used;
    }
    if (asks(l, g) || guest_place(l, g) == GUEST_ANSWER)
        keep(l, g, p + at, n - at);
    if (asks(l, g))
        wait_for_more(l, g);
}

/* The stream is over, on their side: what is half cannot become whole. */
static void no_more(struct lobby *l, struct lobby_guest *g) {
    if (g->kept_n > 0)
        fault(l, g, 408);
    else
        guest_leave(l, g);
}

/* Reads until there is nothing left to read, or it was enough for one turn. */
static void listen_to(struct lobby *l, struct lobby_guest *g) {
    set_eager(l, g, false);
    for (int i = 0; i < READS; i++) {
        char *buf = g->kept_n == 0 ? l->glimpse : kept_of(l, g);
        size_t had = g->kept_n, room = HEAD_BYTES_MAX - had;
        long got = g->t.ops->recv(&g->t, (uint8_t *)buf + had, room);
        if (got == -EAGAIN)
            return;
        if (got < 0) {
            guest_leave(l, g);
            return;
        }
        if (got == 0) {
            no_more(l, g);
            return;
        }
        answer_all(l, g, buf, had + (size_t)got);
        if (!asks(l, g))
            return;
        /* A socket that gave less than it was asked for is empty: epoll(7). */
        if (!g->t.tls && (size_t)got < room) {
            if (g->ended)
                no_more(l, g);
            return;
        }
    }
    set_eager(l, g, true);
}

/* What was kept is looked at before anything is read. */
static void next_request(struct lobby *l, struct lobby_guest *g) {
    size_t n = g->kept_n;
    if (n > 0)
        answer_all(l, g, kept_of(l, g), n);
    if (asks(l, g))
        listen_to(l, g);
}

/* ---- TLS ---- */

/* A handshake holds 35 kB: it begins when its first record is there, and with it
 * somebody who means it. */
static bool hello_is_whole(struct lobby *l, struct lobby_guest *g) {
    const uint8_t *p = (const uint8_t *)l->glimpse;
    ssize_t n = recv(g->t.fd, l->glimpse, sizeof(l->glimpse), MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
        (n > 0 && p[0] != TLS_HANDSHAKE)) {
        guest_leave(l, g);
        return false;
    }
    if (g->ended) {
        guest_leave(l, g);
        return false;
    }
    if (n < (ssize_t)TLS_RECORD_HEAD)
        return false;
    size_t want = TLS_RECORD_HEAD + bytes_get16(p + 3);
    return (size_t)n >= want || (size_t)n == sizeof(l->glimpse);
}

static void knock_to_shake(struct lobby *l, struct lobby_guest *g) {
    if (g->shaking || hello_is_whole(l, g))
        set_eager(l, g, true);
}

void guest_shake(struct lobby *l, struct lobby_guest *g) {
    int detail = 0;
    set_eager(l, g, false);
    int rc = g->shaking ? 0 : tls_begin(l->o.tls, g->t.fd, &g->shaking);
    if (rc == 0)
        rc = tls_shake(g->shaking, &detail);
    if (rc == -EAGAIN)
        return;
    if (rc != 0) {
        log_at(rc == -ENOMEM ? LOG_LVL_WARN : LOG_LVL_DEBUG, "tls_handshake_failed",
               "errno=%d mbedtls=-0x%04x", -rc, (unsigned)-detail);
        guest_leave(l, g);
        return;
    }
    tls_transport(&g->t, g->shaking);
    g->shaking = NULL;
    move(l, g, GUEST_HEAD);
    listen_to(l, g);
    watch(l, g);
}

/* ---- turns ---- */

/* Reads what still comes, up to the end. */
static void drain(struct lobby *l, struct lobby_guest *g) {
    if (g->t.ops->unflushed(&g->t))
        (void)g->t.ops->send(&g->t, NULL, 0);
    for (int i = 0; i < READS; i++) {
        ssize_t got = recv(g->t.fd, l->glimpse, sizeof(l->glimpse), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        g->moved += got > 0 ? (uint64_t)got : 0;
        if (got <= 0 || g->moved > LOBBY_BYE_BYTES) {
            guest_leave(l, g);
            return;
        }
    }
    set_eager(l, g, true);
}

void guest_serve(struct lobby *l, struct lobby_guest *g, bool ended) {
    g->ended = g->ended || ended;
    switch (guest_place(l, g)) {
    case GUEST_HELLO:
        knock_to_shake(l, g);
        break;
    case GUEST_IDLE:
    case GUEST_HEAD:
    case GUEST_BODY:
        listen_to(l, g);
        break;
    case GUEST_ANSWER:
        set_eager(l, g, false);
        if (send_rest(l, g))
            next_request(l, g);
        break;
    case GUEST_BYE:
        set_eager(l, g, false);
        drain(l, g);
        break;
    case GUEST_FREE:
    case GUEST_ASIDE:
    case GUEST_PLACES:
        break;
    }
    watch(l, g);
}

void guest_welcome(struct lobby *l, struct lobby_guest *g, int fd,
                   const struct lobby_door *door) {
    transport_plain(&g->t, fd);
    g->port = door->port;
    g->secure = door->kind == LOBBY_TLS;
    g->local = door->kind == LOBBY_LOCAL;
    g->kept = kept_of(l, g);
    clear_rest(l, g);
    guest_serve(l, g, false);
}

void guest_back(struct lobby *l, struct lobby_guest *g) {
    /* Something may have come meanwhile that epoll told us in vain. */
    if (settle(l, g))
        next_request(l, g);
    watch(l, g);
}

/* Its time is up; but the kernel may have gone on for us with what it had taken. */
static bool keeps_pace(struct lobby_guest *g) {
    int64_t before = g->taken;
    g->taken = taken(g);
    return g->taken - before >= LOBBY_PACE_BYTES;
}

void guest_late(struct lobby *l, struct lobby_guest *g) {
    enum guest_place place = guest_place(l, g);
    if (place == GUEST_ANSWER && keeps_pace(g)) {
        move(l, g, GUEST_ANSWER);
        return;
    }
    if (place != GUEST_IDLE && place != GUEST_BYE)
        atomic_fetch_add(&l->o.counts->late, 1);
    /* Somebody who says nothing at all (a browser's spare connection) hears nothing. */
    if ((place == GUEST_HEAD || place == GUEST_BODY) && g->kept_n > 0) {
        fault(l, g, 408);
        watch(l, g);
        return;
    }
    guest_leave(l, g);
}
