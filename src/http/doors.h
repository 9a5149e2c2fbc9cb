#pragma once
/* Everything that we listen on. Filled before any thread starts, so that a process may
 * give up the rights that it takes in between; then the httpd's. */
#include "http/door.h"
#include "http/lobby.h"

struct doors {
    unsigned n;
    struct lobby_door door[LOBBY_DOORS_MAX];
    char path[DOOR_PATH_MAX + 1]; /* of the Unix socket, removed at the end; or "" */
};

/* All of these take *d zeroed at first, and leave it as it was when they fail: -errno,
 * and one line in why. */
int doors_add(struct doors *d, const char *text, bool tls, char *why, size_t cap);
/* For who may act as we do: mode 0600. A socket that nobody answers on is replaced. */
int doors_add_local(struct doors *d, const char *path, char *why, size_t cap);
/* Takes over a socket that listens already; a Unix socket is a local one. */
int doors_inherit(struct doors *d, int fd, bool tls, char *why, size_t cap);

/* The i-th of this kind; NULL: there are not so many. */
const struct lobby_door *doors_find(const struct doors *d, enum lobby_kind kind,
                                    unsigned i);
bool doors_have(const struct doors *d, enum lobby_kind kind);
/* "127.0.0.1:8080": the i-th of this kind, its port 0 resolved; "": there are not so
 * many. */
const char *doors_where(const struct doors *d, enum lobby_kind kind, unsigned i,
                        char *out, size_t cap);

/* Closes all. */
void doors_close(struct doors *d);
