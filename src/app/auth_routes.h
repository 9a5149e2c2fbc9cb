#pragma once
/* Claim, login and tokens over HTTP: what app/auth can do, as requests, cookies and
 * answers. Handlers of http/httpd.h, with the struct routes as their context. What
 * stretches a password holds its worker for about half a second, one at a time. */
#include "http/httpd.h"

/* The cookie of a login. Over TLS its prefix makes browsers keep it to this very host,
 * and to TLS (RFC 6265bis 4.1.3.2). */
#define AUTH_COOKIE "pulseboard"
#define AUTH_COOKIE_TLS "__Host-pulseboard"

/* For httpd_opts: who asks. A token that does not hold makes nobody of its bearer, even
 * where anybody may look: a program shall hear that it is no longer known. */
void auth_identify(void *ctx, struct httpd_rq *rq);

void auth_get_session(void *ctx, struct httpd_rq *rq);
void auth_post_claim(void *ctx, struct httpd_rq *rq);
void auth_post_login(void *ctx, struct httpd_rq *rq);
void auth_post_logout(void *ctx, struct httpd_rq *rq);
void auth_post_password(void *ctx, struct httpd_rq *rq);
void auth_get_access(void *ctx, struct httpd_rq *rq);
void auth_post_access(void *ctx, struct httpd_rq *rq);
void auth_get_tokens(void *ctx, struct httpd_rq *rq);
void auth_post_tokens(void *ctx, struct httpd_rq *rq);
void auth_delete_token(void *ctx, struct httpd_rq *rq);
