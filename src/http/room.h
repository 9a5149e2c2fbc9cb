#pragma once
/* The waiting room: connections that were accepted but have not said a word yet. They
 * wait here, in one poll(2), and not in a worker, so that any number of silent clients
 * costs the others nothing. One thread: the one that accepts.
 *
 * Bounds: ROOM_GUESTS connections, ROOM_PATIENCE_MS each; the longest waiting gives
 * way. Plain and TLS clients both speak first, so the first byte is the sign for both.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ROOM_GUESTS 64u
#define ROOM_PATIENCE_MS 5000u
#define ROOM_DOORS 16u /* listening sockets */

struct room_guest {
    int fd;
    int door; /* the listening socket that it came through */
    uint64_t due_ms;
    bool spoke;
};

struct room {
    int stop_fd;  /* readable: everybody leaves */
    int spare_fd; /* given up to accept, and refuse, when descriptors run out */
    uint32_t n;
    struct room_guest guests[ROOM_GUESTS]; /* oldest first */
};

/* 0 or -errno. */
int room_init(struct room *r, int stop_fd);
void room_free(struct room *r);

/* poll(2) on the doors, without end: returns when room_accept() has something to do at
 * a door (its revents says POLLIN), how many doors that are, or 0 to look whether we
 * stop. */
int room_poll(struct room *r, struct pollfd *doors, nfds_t n);

/* accept(2) at a door, close-on-exec and non-blocking: a connection that has spoken, or
 * -1. */
int room_accept(struct room *r, int door, struct sockaddr *addr, socklen_t *len);
