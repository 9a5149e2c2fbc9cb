#include "http/room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

/* RFC 8446 5.1: a record's first byte, and the bytes before its payload. */
#define TLS_HANDSHAKE 0x16
#define TLS_RECORD_HEAD 5u

static int spare_open(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

int room_init(struct room *r, int stop_fd) {
    r->n = 0;
    r->stop_fd = stop_fd;
    r->spare_fd = spare_open();
    return r->spare_fd < 0 ? -errno : 0;
}

static void leave(struct room *r, uint32_t i) {
    r->n--;
    memmove(&r->guests[i], &r->guests[i + 1], (r->n - i) * sizeof(r->guests[0]));
}

static void turn_out(struct room *r, uint32_t i) {
    close(r->guests[i].fd);
    leave(r, i);
}

void room_free(struct room *r) {
    while (r->n)
        turn_out(r, r->n - 1);
    if (r->spare_fd >= 0)
        close(r->spare_fd);
}

/* poll(2) shall speak up when there are at least n bytes. */
static void wake_at(int fd, size_t n) {
    int low = (int)n;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
}

/* How many bytes a worker can do something with: all of the first TLS record (RFC 8446
 * 5.1), or a whole head, which ends somewhere. */
static size_t wanted(const char *p, size_t n) {
    if (p[0] != TLS_HANDSHAKE)
        return n + 1;
    if (n < TLS_RECORD_HEAD)
        return TLS_RECORD_HEAD;
    return TLS_RECORD_HEAD + bytes_get16((const uint8_t *)p + 3);
}

/* A head that is too large or malformed is ready, too: a worker answers it. */
static bool is_ready(const struct room *r, size_t n, size_t *want) {
    size_t scanned = 0;
    *want = wanted(r->glimpse, n);
    if (n >= *want || n == sizeof(r->glimpse))
        return true;
    return r->glimpse[0] != TLS_HANDSHAKE && head_end(r->glimpse, n, &scanned) != 0;
}

/* Looks at what has arrived. False: the connection is over. */
static bool hear(struct room *r, struct room_guest *g, bool ended) {
    size_t want;
    ssize_t n = recv(g->fd, r->glimpse, sizeof(r->glimpse), MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    /* Nothing will come to half a head whose sender has finished. */
    g->ready = is_ready(r, (size_t)n, &want) || ended;
    if (g->ready)
        return true;
    /* Woken for nothing: urgent data, which a look cannot get past (tcp(7)) and no
     * client of ours sends. */
    if ((size_t)n == g->seen)
        return false;
    g->seen = (size_t)n;
    wake_at(g->fd, want < sizeof(r->glimpse) ? want : sizeof(r->glimpse));
    return true;
}

/* Guests are in order of arrival and all have the same patience. Returns how long
 * poll(2) may wait. */
static int time_left(struct room *r, uint64_t now_ms) {
    uint32_t i = 0;
    while (i < r->n && r->guests[i].due_ms <= now_ms) {
        struct room_guest *g = &r->guests[i];
        if (g->seen > 0 && !g->ready) {
            shutdown(g->fd, SHUT_RD);
            g->ready = true;
        }
        if (g->ready)
            i++;
        else
            turn_out(r, i);
    }
    for (uint32_t k = 0; k < r->n; k++) {
        if (r->guests[k].ready)
            return 0;
    }
    return r->n ? (int)(r->guests[0].due_ms - now_ms) : -1;
}

static void hear_all(struct room *r, const struct pollfd *polled) {
    for (uint32_t i = r->n; i-- > 0;) {
        struct room_guest *g = &r->guests[i];
        if (polled[i].revents && !g->ready && !hear(r, g, polled[i].revents & ~POLLIN))
            turn_out(r, i);
    }
}

static bool expects(const struct room *r, int door) {
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->guests[i].ready && r->guests[i].door == door)
            return true;
    }
    return false;
}

int room_poll(struct room *r, struct pollfd *doors, nfds_t n) {
    struct pollfd all[1 + ROOM_DOORS + ROOM_GUESTS];
    if (n > ROOM_DOORS) {
        errno = EINVAL;
        return -1;
    }
    int left_ms = time_left(r, clock_ms());
    all[0] = (struct pollfd){.fd = r->stop_fd, .events = POLLIN};
    memcpy(all + 1, doors, n * sizeof(*doors));
    struct pollfd *guests = all + 1 + n;
    for (uint32_t i = 0; i < r->n; i++)
        guests[i] =
            (struct pollfd){.fd = r->guests[i].fd, .events = POLLIN | POLLRDHUP};
    if (poll(all, 1 + n + r->n, left_ms) < 0 || all[0].revents)
        return 0;
    hear_all(r, guests);
    int busy = 0;
    for (nfds_t d = 0; d < n; d++) {
        bool knock = all[1 + d].revents || expects(r, doors[d].fd);
        doors[d].revents = knock ? POLLIN : 0;
        busy += knock;
    }
    return busy;
}

/* A guest who came through this door and is ready, or -1. */
static int next_guest(struct room *r, int door, struct sockaddr *addr, socklen_t *len) {
    for (uint32_t i = 0; i < r->n;) {
        struct room_guest g = r->guests[i];
        if (g.door != door || !g.ready) {
            i++;
        } else if (getpeername(g.fd, addr, len) != 0) {
            turn_out(r, i); /* reset meanwhile */
        } else {
            leave(r, i);
            if (g.seen > 0)
                wake_at(g.fd, 1);
            return g.fd;
        }
    }
    return -1;
}

/* Out of descriptors: a connection left in the backlog would wake us for ever. The
 * spare one is just enough to take it and hang up. */
static void refuse(struct room *r, int door, int err) {
    if (err != EMFILE && err != ENFILE && err != ENOMEM && err != ENOBUFS)
        return;
    log_warn("connection_refused", "errno=%d", err);
    if (r->spare_fd >= 0)
        close(r->spare_fd);
    int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    r->spare_fd = spare_open();
    if (r->spare_fd < 0 || fd < 0)
        poll(NULL, 0, 50); /* somebody else took it; do not spin */
}

int room_accept(struct room *r, int door, struct sockaddr *addr, socklen_t *len) {
    socklen_t space = *len;
    int fd = next_guest(r, door, addr, len);
    if (fd >= 0)
        return fd;
    *len = space;
    fd = accept4(door, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        refuse(r, door, errno);
        return -1;
    }
    struct room_guest g = {
        .fd = fd, .door = door, .due_ms = clock_ms() + ROOM_PATIENCE_MS};
    if (!hear(r, &g, false)) {
        close(fd);
        return -1;
    }
    if (g.ready)
        return fd;
    if (r->n == ROOM_GUESTS) {
        log_debug("waiting_room_full", "guests=%u", r->n);
        turn_out(r, 0);
    }
    r->guests[r->n++] = g;
    return -1;
}
