#pragma once
/* What stands at places that others know (RFC 8615). Handlers for routes.c; their
 * context is struct routes. On the workers; nothing blocks. */
#include "http/httpd.h"

/* RFC 9116. Who is to be told of a fault, as the configuration says; 404 when it does
 * not: an address that nobody reads is worse than none. */
void wellknown_security(void *ctx, struct httpd_rq *rq);
/* Password managers find the place to change it here. */
void wellknown_password(void *ctx, struct httpd_rq *rq);
