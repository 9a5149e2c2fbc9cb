#include "http/doors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int complain(int rc, const char *at, char *why, size_t cap) {
    const char *text =
        rc == -EADDRINUSE && at[0] == '/' ? "another one answers there" : strerror(-rc);
    snprintf(why, cap, "cannot listen on %s: %s", at, text);
    return rc;
}

static int keep(struct doors *d, int fd, enum lobby_kind kind) {
    if (d->n == LOBBY_DOORS_MAX) {
        close(fd);
        return -ENOSPC;
    }
    d->door[d->n++] = (struct lobby_door){
        .fd = fd, .kind = kind, .port = kind == LOBBY_LOCAL ? 80 : door_port(fd)};
    return 0;
}

int doors_add(struct doors *d, const char *text, bool tls, char *why, size_t cap) {
    struct door at;
    int fd = door_parse(text, &at) == 0 ? door_open(&at) : -EINVAL;
    int rc = fd < 0 ? fd : keep(d, fd, tls ? LOBBY_TLS : LOBBY_PLAIN);
    return rc == 0 ? 0 : complain(rc, text, why, cap);
}

int doors_add_local(struct doors *d, const char *path, char *why, size_t cap) {
    int fd = door_open_local(path);
    int rc = fd < 0 ? fd : keep(d, fd, LOBBY_LOCAL);
    if (rc != 0)
        return complain(rc, path, why, cap);
    snprintf(d->path, sizeof(d->path), "%s", path);
    return 0;
}

int doors_inherit(struct doors *d, int fd, bool tls, char *why, size_t cap) {
    char name[32];
    int family = door_adopt(fd);
    enum lobby_kind kind = family == AF_UNIX ? LOBBY_LOCAL
                           : tls             ? LOBBY_TLS
                                             : LOBBY_PLAIN;
    int rc = family < 0 ? family : keep(d, fd, kind);
    snprintf(name, sizeof(name), "descriptor %d", fd);
    return rc == 0 ? 0 : complain(rc, name, why, cap);
}

const struct lobby_door *doors_find(const struct doors *d, enum lobby_kind kind,
                                    unsigned i) {
    for (unsigned k = 0; k < d->n; k++) {
        if (d->door[k].kind == kind && i-- == 0)
            return &d->door[k];
    }
    return NULL;
}

bool doors_have(const struct doors *d, enum lobby_kind kind) {
    return doors_find(d, kind, 0) != NULL;
}

const char *doors_where(const struct doors *d, enum lobby_kind kind, unsigned i,
                        char *out, size_t cap) {
    const struct lobby_door *door = doors_find(d, kind, i);
    out[0] = '\0';
    return door ? door_where(door->fd, out, cap) : out;
}

void doors_close(struct doors *d) {
    for (unsigned i = 0; i < d->n; i++)
        close(d->door[i].fd);
    if (d->path[0])
        unlink(d->path);
    *d = (struct doors){.n = 0};
}
