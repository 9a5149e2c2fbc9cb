#pragma once
/* One client connection of the load generator: TCP, TLS where asked, a request, the
 * head of its answer. From then on it is open and bytes pass as they are. Never blocks.
 * One thread. Results are bytes moved (0: the end of the stream) or -errno; -EAGAIN:
 * wait for the events in `wants`. */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define CONN_HEAD_MAX 4096

struct conn_opts {
    struct sockaddr_in to;
    SSL_CTX *tls; /* NULL: plain */
    const char *request;
    size_t request_n;
    int rcvbuf; /* SO_RCVBUF; 0: the kernel's choice */
};

struct conn {
    enum conn_step {
        CONN_TCP,
        CONN_TLS,
        CONN_ASK,
        CONN_HEAD,
        CONN_OPEN,
    } step;
    int fd;
    uint32_t wants; /* epoll events */
    SSL *ssl;
    size_t asked;   /* bytes of the request that are out */
    size_t head_n;  /* bytes in head: the answer's, then what came behind it */
    int status;     /* of the answer */
    long body_left; /* Content-Length of the answer, less what came with its head */
    char head[CONN_HEAD_MAX];
};

/* 0, or -errno. ticket: a TLS session to resume, or NULL. */
int conn_begin(struct conn *c, const struct conn_opts *o, SSL_SESSION *ticket);
/* Goes on as far as it can: 1 once it is open, 0: wait, -errno: it failed. When it is
 * open head[0, head_n) are the bytes that came behind the answer's head. */
int conn_go_on(struct conn *c, const struct conn_opts *o);
/* The same request once more, on an open connection. */
int conn_ask_again(struct conn *c, const struct conn_opts *o);
long conn_recv(struct conn *c, void *buf, size_t n);
long conn_send(struct conn *c, const void *buf, size_t n);
/* Closes without a word. */
void conn_drop(struct conn *c);
