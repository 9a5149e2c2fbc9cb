#pragma once
/* What is answered about certificates: the CA to download, the page that explains how
 * to trust it, and the owner's own certificate. Handlers for routes.c; their context is
 * struct routes. On the workers; install and remove block on the disk. */
#include "http/httpd.h"

void cert_routes_ca(void *ctx, struct httpd_rq *rq);      /* GET /ca.crt */
void cert_routes_trust(void *ctx, struct httpd_rq *rq);   /* GET /trust */
void cert_routes_show(void *ctx, struct httpd_rq *rq);    /* GET /api/v1/certificate */
void cert_routes_install(void *ctx, struct httpd_rq *rq); /* POST */
void cert_routes_remove(void *ctx, struct httpd_rq *rq);  /* DELETE */

/* The buffer that composing takes. */
#define CERT_ROUTES_BYTES (128u * 1024)
