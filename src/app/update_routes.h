#pragma once
/* Updates over HTTP. The bytes go straight from the connection to the half with rights
 * (update/updclient.h), a buffer at a time: nothing of an image is kept here, and
 * nothing is decided. On the workers; ctx is a struct routes. */
#include "http/httpd.h"

/* GET /api/v1/update: where it stands. */
void update_routes_status(void *ctx, struct httpd_rq *rq);
/* POST /api/v1/update: the file as body, `?force=1` for an older one. 202 once it is
 * written and read back; then the board restarts. */
void update_routes_take(void *ctx, struct httpd_rq *rq);
/* POST /api/v1/reboot. */
void update_routes_reboot(void *ctx, struct httpd_rq *rq);
