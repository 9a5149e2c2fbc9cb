#pragma once
/* One connected stream: a plain TCP socket or a TLS session on one. Owned by exactly
 * one thread at a time: the lobby's, a worker while it answers, the hub from the moment
 * it is posted there. Never blocks: the socket is non-blocking. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct transport;

/* All return bytes moved (>= 0) or -errno. -EAGAIN: nothing now, wait for the socket to
 * become readable or, for send, writable. */
struct transport_ops {
    const char *name; /* "ws" or "wss", for people */
    bool bare;        /* what is sent goes to the descriptor as it is */
    /* 0: orderly end of the stream (FIN, or TLS close_notify). -ECONNRESET: RST, or TLS
     * cut or alert. */
    long (*recv)(struct transport *t, uint8_t *buf, size_t n);
    /* Takes a prefix of iov; what was taken is never offered again. With n == 0 it only
     * moves on what is unflushed: 0 when nothing is left, else -EAGAIN. */
    long (*send)(struct transport *t, const struct iovec *iov, int n);
    /* Bytes held above the socket that epoll cannot see (decrypted records). */
    bool (*pending)(const struct transport *t);
    /* True while taken bytes still wait inside for the socket to become writable. */
    bool (*unflushed)(const struct transport *t);
    /* Says goodbye in the layer's own words (TLS close_notify), then FIN; stays
     * readable. Where the goodbye meets a full socket it is unflushed: send() moves it
     * on. */
    void (*finish)(struct transport *t);
    /* May be NULL. It will be kept for long: the layer makes itself small. 0 or -errno
     * of a connection that was lost over it. */
    int (*settle)(struct transport *t);
    /* Frees everything and closes the descriptor. */
    void (*close)(struct transport *t);
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    void *tls; /* owned by ops */
};

/* Sends *n buffers from *iov on, and what is unflushed, until all are out or no more is
 * taken now. Both move on with the bytes, which *moved adds up. 0: all is out; -EAGAIN,
 * or what is wrong with the connection. */
int transport_push(struct transport *t, struct iovec **iov, int *n, uint64_t *moved);

/* A non-blocking connected socket becomes a plain transport. */
void transport_plain(struct transport *t, int fd);
