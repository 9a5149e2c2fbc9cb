#pragma once
/* The seam to CivetWeb, which is used as it is released: civet.c includes its
 * civetweb.c, and nothing else in the tree names it. CivetWeb parses requests and runs
 * workers behind a queue. It reads and writes no connection: those are the lobby's
 * (http/lobby.h), which passes the number of a seat and answers with the bytes that lie
 * there. What CivetWeb itself listens on is a Unix socket, and there too the lobby
 * accepts.
 *
 * Threads: one of CivetWeb's that waits for the end, and `workers` that call the app.
 * Bounds: a queue of `queue` seats, one per worker. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"

#define CIVET_WORKERS_MAX 64u

struct civet;

/* What a worker holds while it serves one request. */
struct civet_conn {
    uint32_t seat;
    unsigned worker; /* 0 .. workers - 1 */
    char *buf;       /* HEAD_BYTES_MAX, for the head and what comes behind it */
    size_t n;
};

/* All run on a worker. */
struct civet_app {
    /* A seat was picked up: puts what was asked into buf, and sets n. Returns the
     * length of the head, for CivetWeb to parse. */
    size_t (*arrived)(void *ctx, struct civet_conn *c);
    void (*request)(void *ctx, struct civet_conn *c);
    /* CivetWeb did not accept the head: its HTTP status. */
    void (*refused)(void *ctx, struct civet_conn *c, int status);
    /* The last call for this seat, whatever came before. */
    void (*done)(void *ctx, struct civet_conn *c);
};

struct civet_opts {
    int door;         /* the Unix socket that CivetWeb listens on; -1: on nothing */
    unsigned workers; /* 1 .. CIVET_WORKERS_MAX */
    unsigned queue;   /* seats that can be passed at a time */
    const struct civet_app *app;
    void *ctx;
};

/* 0, else -errno, and one line in why. */
int civet_start(struct civet **out, const struct civet_opts *o, char *why, size_t cap);
/* Nobody passes anything any more. Ends requests in progress at their next wait, and
 * joins. */
void civet_stop(struct civet *cv);

/* Any thread: a worker shall serve it. server_port: the one that a target in absolute
 * form may name. */
void civet_pass(struct civet *cv, uint32_t seat, uint16_t server_port);
/* Readable when we stop. */
int civet_stop_fd(const struct civet *cv);

/* Does CivetWeb accept this head, a whole one as head_end() finds it? For tests: it
 * must accept what head_parse() does, or a client is refused for a reason that is not
 * ours. Changes p. */
bool civet_accepts(char *p, size_t n);

/* "1.16": of the CivetWeb inside. */
const char *civet_version(void);
