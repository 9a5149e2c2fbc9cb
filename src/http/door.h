#pragma once
/* Where to listen, as people write it, and the socket that does. Any thread; a socket
 * is the caller's to close. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Bytes of a Unix socket's path. */
#define DOOR_PATH_MAX 107u

struct door {
    struct sockaddr_storage at;
    bool both; /* an IPv6 socket that takes IPv4, too */
};

/* ADDRESS:PORT with an IPv4 address, an IPv6 address in brackets, `localhost`
 * (127.0.0.1) or `*` (everything there is, IPv6 too if the kernel has it); port 0 lets
 * the kernel choose. 0 and *d, or -EINVAL. */
int door_parse(const char *text, struct door *d);

/* A socket that listens there, non-blocking and close-on-exec, or -errno. Accepted
 * sockets inherit its options. */
int door_open(const struct door *d);
/* The same for one that somebody else has bound and listens on: its family, or -errno.
 */
int door_adopt(int fd);
/* The same for a Unix socket, whose file only its owner may open (mode 0600). A file
 * that nobody answers on any more is replaced; -EADDRINUSE: somebody does, -EEXIST: it
 * is no socket. */
int door_open_local(const char *path);

uint16_t door_port(int fd);
/* "127.0.0.1:8080", "[::1]:8080": where it listens. */
const char *door_where(int fd, char *out, size_t cap);
const char *door_text(const struct sockaddr *sa, char *out, size_t cap);
