#pragma once
/* The dashboard inside the program: one page, gzipped, in the read-only part of the
 * binary. Unpacked it would take as much again, and three times that: the first client
 * that cannot do it itself has it unpacked, into memory that was set aside at the start
 * and that nobody touches until then. Any thread after assets_init(). */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpd_rq;

struct assets {
    char etag[2][24]; /* plain, gzipped: strong, each from the bytes it stands for */
    char csp[1024];
    pthread_mutex_t lock; /* of what follows */
    uint8_t *plain;
    size_t plain_n;
    bool unpacked;
};

/* 0 or -ENOMEM. */
int assets_init(struct assets *a);
void assets_free(struct assets *a);

/* A handler for httpd_route: the page, or 304 (RFC 9110 13.1.2). */
void assets_page(void *ctx, struct httpd_rq *rq);
/* A handler for "/messages/" and a star: the page's words in another language. */
void assets_messages(void *ctx, struct httpd_rq *rq);
