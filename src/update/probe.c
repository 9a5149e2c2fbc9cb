#include "update/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* Heads and the first frames fit; of a page its beginning is enough. */
#define ANSWER_MAX 4096u

struct target {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_un local;
    } sa;
    socklen_t len;
    char host[32];
};

struct ask {
    int fd;
    uint64_t due_ms;
    char buf[ANSWER_MAX + 1]; /* what came, with a NUL behind */
    size_t n;
};

static int parse_port(const char *s, uint16_t *out) {
    unsigned v = 0;
    size_t n = strspn(s, "0123456789");
    if (n == 0 || n > 5 || (s[n] && strcmp(s + n, "/") != 0))
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned)(s[i] - '0');
    if (v == 0 || v > 65535)
        return -EINVAL;
    *out = (uint16_t)v;
    return 0;
}

static int parse_http(struct target *t, const char *rest) {
    const char *colon = strchr(rest, ':');
    uint16_t port;
    if (!colon || (size_t)(colon - rest) >= sizeof t->host ||
        parse_port(colon + 1, &port))
        return -EINVAL;
    snprintf(t->host, sizeof t->host, "%.*s", (int)(colon - rest), rest);
    t->sa.four.sin_family = AF_INET;
    t->sa.four.sin_port = htons(port);
    t->len = sizeof t->sa.four;
    return inet_pton(AF_INET, t->host, &t->sa.four.sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse(struct target *t, const char *at) {
    memset(t, 0, sizeof *t);
    if (strncmp(at, "http://", 7) == 0)
        return parse_http(t, at + 7);
    if (strncmp(at, "unix:", 5) != 0 || !at[5] ||
        strlen(at + 5) >= sizeof t->sa.local.sun_path)
        return -EINVAL;
    t->sa.local.sun_family = AF_UNIX;
    memcpy(t->sa.local.sun_path, at + 5, strlen(at + 5) + 1);
    t->len = sizeof t->sa.local;
    snprintf(t->host, sizeof t->host, "localhost");
    return 0;
}

int probe_check(const char *at) {
    struct target t;
    return parse(&t, at);
}

static int wait_for(const struct ask *a, short events) {
    uint64_t now_ms = clock_ms();
    struct pollfd p = {.fd = a->fd, .events = events};
    if (now_ms >= a->due_ms)
        return -ETIMEDOUT;
    int n = poll(&p, 1, (int)(a->due_ms - now_ms));
    return n > 0 || (n < 0 && errno == EINTR) ? 0 : n < 0 ? -errno : -ETIMEDOUT;
}

static int connect_to(struct ask *a, const struct target *t) {
    a->fd = socket(t->sa.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (a->fd < 0)
        return -errno;
    if (connect(a->fd, &t->sa.any, t->len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int err = 0;
    socklen_t len = sizeof err;
    int rc = wait_for(a, POLLOUT);
    if (rc == 0 && getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        rc = -errno;
    return rc ? rc : -err;
}

/* Reads until `until` came (0), the answer ended or is too long for us. */
static int read_until(struct ask *a, const char *until) {
    for (;;) {
        a->buf[a->n] = '\0';
        /* Frames hold zeros: memmem and not strstr. */
        if (memmem(a->buf, a->n, until, strlen(until)))
            return 0;
        if (a->n == ANSWER_MAX)
            return -EMSGSIZE;
        ssize_t got = recv(a->fd, a->buf + a->n, ANSWER_MAX - a->n, 0);
        if (got == 0)
            return -ECONNRESET;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        int rc = got < 0 ? wait_for(a, POLLIN) : 0;
        if (rc)
            return rc;
        a->n += got > 0 ? (size_t)got : 0;
    }
}

/* Asks, and reads up to `until`. The status, or -errno. The request is short: a new
 * connection takes it at once. */
static int get(struct ask *a, const struct target *t, const char *path,
               const char *fields, const char *until) {
    char request[512];
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
                     path, t->host, fields);
    a->n = 0;
    int rc = connect_to(a, t);
    if (rc == 0 && send(a->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        rc = -EIO;
    if (rc == 0)
        rc = read_until(a, "\r\n\r\n");
    int status = 0;
    if (rc == 0 && sscanf(a->buf, "HTTP/1.1 %3d ", &status) != 1)
        rc = -EPROTO;
    if (rc == 0 && until && (status == 101 || status == 200))
        rc = read_until(a, until);
    if (a->fd >= 0)
        close(a->fd);
    return rc ? rc : status;
}

static bool lacks(char why[PROBE_WHY_MAX], const char *what, int rc) {
    if (rc < 0)
        snprintf(why, PROBE_WHY_MAX, "%s: %s", what, strerror(-rc));
    else
        snprintf(why, PROBE_WHY_MAX, "%s: the answer is %d", what, rc);
    return false;
}

bool probe_serves(const char *at, char why[PROBE_WHY_MAX]) {
    static const char upgrade[] =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: cHVsc2Vib2FyZHByb2JlIQ==\r\n";
    struct target t;
    struct ask a = {.due_ms = clock_ms() + PROBE_MS};
    if (parse(&t, at) != 0)
        return lacks(why, "probe", -EINVAL);
    int rc = get(&a, &t, "/", "Connection: close\r\n", NULL);
    if (rc != 200)
        return lacks(why, "no page", rc);
    rc = get(&a, &t, "/ws", upgrade, "\"hello\"");
    if (rc == 101)
        return true;
    if (rc != 401 && rc != 403)
        return lacks(why, "no session", rc);
    rc = get(&a, &t, "/healthz", "Connection: close\r\n", NULL);
    return rc == 200 || lacks(why, "not well", rc);
}
