#pragma once
/* The dashboard inside the program: one page, as it is and gzipped. Any thread after
 * assets_init(); the bytes are in the read-only part of the binary. */
#include <stddef.h>
#include <stdint.h>

struct httpd_rq;

struct assets {
    char etag[2][24]; /* plain, gzipped: strong, each from the bytes it stands for */
    char csp[1024];
};

void assets_init(struct assets *a);

/* A handler for httpd_route: the page, or 304 (RFC 9110 13.1.2). */
void assets_page(void *ctx, struct httpd_rq *rq);
/* A handler for "/messages/" and a star: the page's words in another language. */
void assets_messages(void *ctx, struct httpd_rq *rq);
