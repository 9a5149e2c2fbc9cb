#include "http/room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

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

/* Guests are in order of arrival and all have the same patience. */
static int time_left(struct room *r, uint64_t now_ms) {
    while (r->n && r->guests[0].due_ms <= now_ms)
        turn_out(r, 0);
    return r->n ? (int)(r->guests[0].due_ms - now_ms) : -1;
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
        guests[i] = (struct pollfd){.fd = r->guests[i].fd, .events = POLLIN};
    if (poll(all, 1 + n + r->n, left_ms) < 0 || all[0].revents)
        return 0;
    for (uint32_t i = 0; i < r->n; i++)
        r->guests[i].spoke = guests[i].revents != 0;
    int busy = 0;
    for (nfds_t d = 0; d < n; d++) {
        doors[d].revents = all[1 + d].revents ? POLLIN : 0;
        for (uint32_t i = 0; i < r->n; i++) {
            if (r->guests[i].spoke && r->guests[i].door == doors[d].fd)
                doors[d].revents = POLLIN;
        }
        busy += doors[d].revents != 0;
    }
    return busy;
}

/* 1: there are bytes. 0: none yet. -1: it is over. */
static int heard(int fd) {
    char c;
    ssize_t got = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return got > 0 ? 1 : -1;
}

/* A guest who came through this door and has spoken since, or -1. */
static int next_guest(struct room *r, int door, struct sockaddr *addr, socklen_t *len) {
    for (uint32_t i = 0; i < r->n;) {
        struct room_guest *g = &r->guests[i];
        if (g->door != door || !g->spoke) {
            i++;
            continue;
        }
        g->spoke = false;
        int fd = g->fd;
        int said = heard(fd);
        if (said > 0 && getpeername(fd, addr, len) == 0) {
            leave(r, i);
            return fd;
        }
        if (said == 0)
            i++;
        else
            turn_out(r, i);
    }
    return -1;
}

static void seat(struct room *r, int fd, int door) {
    if (r->n == ROOM_GUESTS) {
        log_debug("waiting_room_full", "guests=%u", r->n);
        turn_out(r, 0);
    }
    r->guests[r->n++] = (struct room_guest){
        .fd = fd, .door = door, .due_ms = clock_ms() + ROOM_PATIENCE_MS};
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
    socklen_t room_for = *len;
    int fd = next_guest(r, door, addr, len);
    if (fd >= 0)
        return fd;
    *len = room_for;
    fd = accept4(door, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        refuse(r, door, errno);
        return -1;
    }
    int said = heard(fd);
    if (said > 0)
        return fd;
    if (said < 0)
        close(fd);
    else
        seat(r, fd, door);
    return -1;
}
