#include "conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static long tls_rc(struct conn *c, int rc) {
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        c->wants = EPOLLIN;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        c->wants = EPOLLOUT;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return -ECONNRESET;
    }
}

static long plain_rc(struct conn *c, long rc, uint32_t wants) {
    if (rc < 0 && errno == EAGAIN)
        c->wants = wants;
    return rc < 0 ? -errno : rc;
}

long conn_recv(struct conn *c, void *buf, size_t n) {
    if (!c->ssl)
        return plain_rc(c, recv(c->fd, buf, n, 0), EPOLLIN);
    int rc = SSL_read(c->ssl, buf, (int)n);
    return rc > 0 ? rc : tls_rc(c, rc);
}

long conn_send(struct conn *c, const void *buf, size_t n) {
    if (!c->ssl)
        return plain_rc(c, send(c->fd, buf, n, MSG_NOSIGNAL), EPOLLOUT);
    int rc = SSL_write(c->ssl, buf, (int)n);
    return rc > 0 ? rc : tls_rc(c, rc);
}

void conn_drop(struct conn *c) {
    /* Or its tickets would be thought of as compromised. */
    if (c->ssl)
        SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct conn){.fd = -1};
}

int conn_begin(struct conn *c, const struct conn_opts *o, SSL_SESSION *ticket) {
    int one = 1;
    *c = (struct conn){.step = CONN_TCP, .wants = EPOLLOUT};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (o->rcvbuf)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &o->rcvbuf, sizeof o->rcvbuf);
    if (o->tls) {
        c->ssl = SSL_new(o->tls);
        if (!c->ssl)
            return -ENOMEM;
        SSL_set_fd(c->ssl, c->fd);
        SSL_set_connect_state(c->ssl);
        if (ticket)
            SSL_set_session(c->ssl, ticket);
    }
    if (connect(c->fd, (const struct sockaddr *)&o->to, sizeof o->to) != 0 &&
        errno != EINPROGRESS)
        return -errno;
    return 0;
}

static long step_tcp(struct conn *c) {
    int err = 0;
    socklen_t n = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (err)
        return -err;
    c->step = c->ssl ? CONN_TLS : CONN_ASK;
    return 1;
}

static long step_tls(struct conn *c) {
    int rc = SSL_do_handshake(c->ssl);
    if (rc != 1) {
        long why = tls_rc(c, rc);
        return why == 0 ? -ECONNRESET : why;
    }
    c->step = CONN_ASK;
    return 1;
}

static long step_ask(struct conn *c, const struct conn_opts *o) {
    long put = conn_send(c, o->request + c->asked, o->request_n - c->asked);
    if (put <= 0)
        return put;
    c->asked += (size_t)put;
    if (c->asked == o->request_n) {
        c->step = CONN_HEAD;
        c->head_n = 0;
        c->wants = EPOLLIN;
    }
    return 1;
}

static long content_length(const char *head, size_t n) {
    static const char name[] = "\r\ncontent-length:";
    for (size_t i = 0; i + sizeof name <= n; i++) {
        if (strncasecmp(head + i, name, sizeof name - 1) == 0)
            return strtol(head + i + sizeof name - 1, NULL, 10);
    }
    return 0;
}

static long step_head(struct conn *c) {
    long got = conn_recv(c, c->head + c->head_n, sizeof c->head - 1 - c->head_n);
    if (got <= 0)
        return got == 0 ? -ECONNRESET : got;
    c->head_n += (size_t)got;
    c->head[c->head_n] = '\0';
    const char *end = memmem(c->head, c->head_n, "\r\n\r\n", 4);
    if (!end)
        return c->head_n < sizeof c->head - 1 ? 1 : -EPROTO;
    size_t n = (size_t)(end - c->head) + 4;
    if (n < 13 || memcmp(c->head, "HTTP/1.", 7) != 0)
        return -EPROTO;
    c->status = (int)strtol(c->head + 9, NULL, 10);
    c->body_left = content_length(c->head, n);
    c->head_n -= n;
    memmove(c->head, c->head + n, c->head_n);
    c->body_left -= (long)c->head_n;
    c->step = CONN_OPEN;
    c->wants = EPOLLIN;
    return 1;
}

int conn_go_on(struct conn *c, const struct conn_opts *o) {
    while (c->step != CONN_OPEN) {
        long rc = c->step == CONN_TCP   ? step_tcp(c)
                  : c->step == CONN_TLS ? step_tls(c)
                  : c->step == CONN_ASK ? step_ask(c, o)
                                        : step_head(c);
        if (rc == -EAGAIN)
            return 0;
        if (rc <= 0)
            return rc == 0 ? -ECONNRESET : (int)rc;
    }
    return 1;
}

int conn_ask_again(struct conn *c, const struct conn_opts *o) {
    c->asked = 0;
    c->step = CONN_ASK;
    return conn_go_on(c, o);
}
