#include "app/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* Where to connect, and what to call it in Host. */
struct target {
    struct sockaddr_storage sa;
    socklen_t len;
    char authority[64];
};

struct fetch {
    int fd;
    uint64_t deadline_ms;
};

static int parse_port(const char *s, uint16_t *out) {
    unsigned v = 0;
    size_t n = strspn(s, "0123456789");
    for (size_t i = 0; i < n && v <= 65535; i++)
        v = v * 10 + (unsigned)(s[i] - '0');
    if (n == 0 || v == 0 || v > 65535 || (s[n] && strcmp(s + n, "/") != 0))
        return -EINVAL;
    *out = (uint16_t)v;
    return 0;
}

/* host: what stands before the port, brackets and all. */
static int parse_host(struct target *t, const char *host, size_t n, uint16_t port) {
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in *four = (struct sockaddr_in *)&t->sa;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&t->sa;
    int as_six = n > 2 && host[0] == '[' && host[n - 1] == ']';
    if (n == 0 || n >= sizeof text)
        return -EINVAL;
    snprintf(text, sizeof text, "%.*s", (int)n - 2 * as_six, host + as_six);
    if (strcmp(text, "localhost") == 0)
        snprintf(text, sizeof text, "127.0.0.1");
    if (!as_six && inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        t->len = sizeof *four;
        return 0;
    }
    if (as_six && inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        t->len = sizeof *six;
        return 0;
    }
    return -EINVAL;
}

static int parse_url(struct target *t, const char *url) {
    static const char scheme[] = "http://";
    uint16_t port = 0;
    memset(t, 0, sizeof *t);
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        return -EINVAL;
    const char *host = url + sizeof scheme - 1, *colon = strrchr(host, ':');
    if (!colon || parse_port(colon + 1, &port) != 0)
        return -EINVAL;
    if (parse_host(t, host, (size_t)(colon - host), port) != 0)
        return -EINVAL;
    snprintf(t->authority, sizeof t->authority, "%.*s:%u", (int)(colon - host), host,
             port);
    return 0;
}

static int parse_socket(struct target *t, const char *path) {
    struct sockaddr_un *sa = (struct sockaddr_un *)&t->sa;
    size_t n = strlen(path);
    memset(t, 0, sizeof *t);
    if (n >= sizeof sa->sun_path)
        return -ENAMETOOLONG;
    sa->sun_family = AF_UNIX;
    memcpy(sa->sun_path, path, n + 1);
    t->len = sizeof *sa;
    snprintf(t->authority, sizeof t->authority, "localhost");
    return 0;
}

static int wait_for(const struct fetch *f, short events) {
    for (;;) {
        uint64_t now_ms = clock_ms();
        if (now_ms >= f->deadline_ms)
            return -ETIMEDOUT;
        struct pollfd p = {.fd = f->fd, .events = events};
        int n = poll(&p, 1, (int)(f->deadline_ms - now_ms));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

static int connect_to(struct fetch *f, const struct target *t) {
    f->fd = socket(t->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->fd < 0)
        return -errno;
    if (connect(f->fd, (const struct sockaddr *)&t->sa, t->len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int rc = wait_for(f, POLLOUT), err = 0;
    socklen_t len = sizeof err;
    if (rc == 0 && getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        rc = -errno;
    return rc ? rc : -err;
}

static int send_all(const struct fetch *f, const char *p, size_t n) {
    while (n > 0) {
        ssize_t put = send(f->fd, p, n, MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        int rc = put < 0 ? wait_for(f, POLLOUT) : 0;
        if (rc)
            return rc;
        p += put > 0 ? put : 0;
        n -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* All until the end of the stream; the answer is one per connection. */
static int recv_all(const struct fetch *f, char *buf, size_t cap, size_t *out) {
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(f->fd, buf + n, cap - n, 0);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (got == 0 || n == cap) {
            *out = n;
            return n == cap ? -EMSGSIZE : 0;
        }
        int rc = got < 0 ? wait_for(f, POLLIN) : 0;
        if (rc)
            return rc;
        n += got > 0 ? (size_t)got : 0;
    }
}

/* The value of a field of the head, or NULL. */
static const char *field(const char *head, const char *name) {
    size_t n = strlen(name);
    for (const char *l = strstr(head, "\r\n"); l; l = strstr(l + 2, "\r\n")) {
        if (strncasecmp(l + 2, name, n) == 0 && l[2 + n] == ':')
            return l + 3 + n + strspn(l + 3 + n, " \t");
    }
    return NULL;
}

/* What a problem (RFC 9457) says, as far as it is plain text. */
static void say_problem(const char *body, int status, char why[FETCH_WHY_MAX]) {
    static const char key[] = "\"detail\":\"";
    const char *from = strstr(body, key);
    if (!from) {
        snprintf(why, FETCH_WHY_MAX, "the answer is %d", status);
        return;
    }
    from += sizeof key - 1;
    snprintf(why, FETCH_WHY_MAX, "%.*s (%d)", (int)strcspn(from, "\"\\"), from, status);
}

/* Moves the body of a 200 to the start of buf, which has room for a NUL. */
static int unwrap(char *buf, size_t *n, char why[FETCH_WHY_MAX]) {
    char *end = memmem(buf, *n, "\r\n\r\n", 4);
    int status = 0;
    if (!end || sscanf(buf, "HTTP/1.%*1[01] %3d", &status) != 1) {
        snprintf(why, FETCH_WHY_MAX, "the answer is not HTTP");
        return -EPROTO;
    }
    end[2] = '\0';
    buf[*n] = '\0';
    const char *length = field(buf, "Content-Length");
    size_t body = *n - (size_t)(end + 4 - buf);
    unsigned long long want = body;
    if (status / 100 != 2) {
        say_problem(end + 4, status, why);
        return -EPROTO;
    }
    if (field(buf, "Transfer-Encoding") ||
        (length && (sscanf(length, "%llu", &want) != 1 || want != body))) {
        snprintf(why, FETCH_WHY_MAX, "the answer is not whole");
        return -EPROTO;
    }
    memmove(buf, end + 4, body);
    *n = body;
    return 0;
}

/* Its length, or -EMSGSIZE. */
static int write_head(const struct fetch_ask *a, const struct target *t, char *out,
                      size_t cap) {
    int n = snprintf(out, cap, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
                     a->method, a->path, t->authority);
    if (a->token && n >= 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n, "Authorization: Bearer %s\r\n",
                      a->token);
    if (a->type && n >= 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n,
                      "Content-Type: %s\r\nContent-Length: %zu\r\n", a->type, a->n);
    if (n >= 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n, "\r\n");
    return n >= 0 && (size_t)n < cap ? n : -EMSGSIZE;
}

static int exchange(struct fetch *f, const struct target *t, const struct fetch_ask *a,
                    char *buf, size_t cap, size_t *n) {
    char head[1024];
    int len = write_head(a, t, head, sizeof head);
    int rc = len < 0 ? len : connect_to(f, t);
    if (rc == 0)
        rc = send_all(f, head, (size_t)len);
    if (rc == 0 && a->type)
        rc = send_all(f, a->body, a->n);
    return rc ? rc : recv_all(f, buf, cap - 1, n);
}

int fetch_ask(const struct fetch_ask *a, char *buf, size_t cap, size_t *n,
              char why[FETCH_WHY_MAX]) {
    struct target t;
    struct fetch f = {.fd = -1, .deadline_ms = clock_ms() + FETCH_MS};
    if (a->socket ? parse_socket(&t, a->socket) : parse_url(&t, a->url)) {
        snprintf(why, FETCH_WHY_MAX, "%s",
                 a->socket ? "the path is too long"
                           : "not of the form http://ADDR:PORT");
        return -EINVAL;
    }
    int rc = exchange(&f, &t, a, buf, cap, n);
    if (rc)
        snprintf(why, FETCH_WHY_MAX, "%s", strerror(-rc));
    else
        rc = unwrap(buf, n, why);
    if (f.fd >= 0)
        close(f.fd);
    return rc;
}

int fetch_get(const char *url, const char *path, char *body, size_t cap, size_t *n,
              char why[FETCH_WHY_MAX]) {
    struct fetch_ask ask = {.url = url, .method = "GET", .path = path};
    return fetch_ask(&ask, body, cap, n, why);
}
