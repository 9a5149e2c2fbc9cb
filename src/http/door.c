#include "http/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/uri.h"

/* A burst that the lobby has not looked at yet: a SYN that finds no place waits a
 * second. */
#define BACKLOG 1024
#define SEND_BYTES (64 * 1024)

static int has_ipv6(void) {
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int door_parse(const char *text, struct door *d) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char host[INET6_ADDRSTRLEN + 2];
    uint64_t port;
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof(host) || uri_u64(colon + 1, &port) != 0 || port > 65535)
        return -EINVAL;
    memcpy(host, text, n);
    host[n] = '\0';
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    bool all = strcmp(host, "*") == 0, six = all && has_ipv6();
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        six = inet_pton(AF_INET6, host + 1, &v6.sin6_addr) == 1;
        if (!six)
            return -EINVAL;
    } else if (!all) {
        const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
        if (inet_pton(AF_INET, name, &v4.sin_addr) != 1)
            return -EINVAL;
    }
    memset(d, 0, sizeof(*d));
    d->both = all && six;
    if (six)
        memcpy(&d->at, &v6, sizeof(v6));
    else
        memcpy(&d->at, &v4, sizeof(v4));
    return 0;
}

static void set(int fd, int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof(value));
}

/* Accepted sockets inherit all of it. */
static int prepare(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    /* A connection is accepted together with its first bytes, or after a second. */
    set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    /* Else the kernel takes megabytes for somebody who does not read. It doubles this.
     */
    set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
    return 0;
}

int door_adopt(int fd) {
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(at);
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
        return -errno;
    if (!listens)
        return -EINVAL;
    int rc = prepare(fd);
    return rc == 0 ? at.ss_family : rc;
}

/* Does anybody answer there? 1, 0: nobody; or -errno. */
static int answers(const struct sockaddr_un *at) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int rc = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 ? 0 : errno;
    close(fd);
    if (rc == 0 || rc == EAGAIN)
        return 1;
    return rc == ECONNREFUSED ? 0 : -rc;
}

/* A socket whose server has died is in the way of the next one. */
static int clear_stale(const struct sockaddr_un *at) {
    struct stat st;
    if (lstat(at->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    int rc = S_ISSOCK(st.st_mode) ? answers(at) : -EEXIST;
    if (rc == 0 && unlink(at->sun_path) != 0 && errno != ENOENT)
        rc = -errno;
    return rc == 1 ? -EADDRINUSE : rc;
}

int door_open_local(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) > DOOR_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, strlen(path));
    int rc = clear_stale(&at);
    int fd =
        rc == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fd < 0)
        return rc == 0 ? -errno : rc;
    /* The file takes the mode of the socket: at no time may others open it. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    rc = -errno;
    close(fd);
    return rc;
}

int door_open(const struct door *d) {
    bool six = d->at.ss_family == AF_INET6;
    socklen_t n = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(d->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (six)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !d->both);
    int rc = prepare(fd);
    if (rc == 0 &&
        (bind(fd, (const struct sockaddr *)&d->at, n) != 0 || listen(fd, BACKLOG) != 0))
        rc = -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

const char *door_text(const struct sockaddr *sa, char *out, size_t cap) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        snprintf(out, cap, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(out, cap, "%s:%u", host, ntohs(v4->sin_port));
    }
    return out;
}

static struct sockaddr_storage where(int fd) {
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(at);
    getsockname(fd, (struct sockaddr *)&at, &n);
    return at;
}

uint16_t door_port(int fd) {
    struct sockaddr_storage at = where(fd);
    /* Both families have it in the same place. */
    return ntohs(((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

const char *door_where(int fd, char *out, size_t cap) {
    struct sockaddr_storage at = where(fd);
    return door_text((const struct sockaddr *)&at, out, cap);
}
