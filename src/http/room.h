#pragma once
/* The waiting room: connections that were accepted but have not yet said what they
 * want. They wait here, in one poll(2), and not in a worker, so that any number of
 * silent or slow clients costs the others nothing. A connection leaves for a worker
 * when its whole request head has arrived, or the first byte of a TLS hello; bytes are
 * only looked at, never taken.
 *
 * One thread: the one that accepts. Bounds: ROOM_GUESTS connections, ROOM_PATIENCE_MS
 * each; the longest waiting gives way. */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/head.h"

#define ROOM_GUESTS 64u
#define ROOM_PATIENCE_MS 5000u
#define ROOM_DOORS 16u /* listening sockets */

struct room_guest {
    int fd;
    int door; /* the listening socket that it came through */
    uint64_t due_ms;
    size_t seen; /* bytes of a head, or of a TLS hello, that were there */
    bool ready;  /* for a worker */
};

struct room {
    int stop_fd;  /* readable: everybody leaves */
    int spare_fd; /* given up to accept, and refuse, when descriptors run out */
    uint32_t n;
    struct room_guest guests[ROOM_GUESTS]; /* oldest first */
    char glimpse[HEAD_BYTES_MAX];
};

/* 0 or -errno. */
int room_init(struct room *r, int stop_fd);
void room_free(struct room *r);

/* poll(2) on the doors, without end: returns when room_accept() has something to do at
 * a door (its revents says POLLIN), how many doors that are, or 0 to look whether we
 * stop. */
int room_poll(struct room *r, struct pollfd *doors, nfds_t n);

/* accept(2) at a door, close-on-exec and non-blocking: a connection that is ready, or
 * -1. One whose time is up with half a head is ready, too, but reads as ended behind
 * that half. */
int room_accept(struct room *r, int door, struct sockaddr *addr, socklen_t *len);
