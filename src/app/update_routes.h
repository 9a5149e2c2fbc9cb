#pragma once
/* Updates over HTTP. The bytes go straight from the connection to the half with rights
 * (update/updclient.h), a buffer at a time: nothing of an image is kept here, and
 * nothing is decided. On the workers; ctx is a struct routes. */
#include <pthread.h>

#include "http/httpd.h"
#include "update/updmsg.h"

/* What the half with rights told last. It is one thread, at times busy with a slow card
 * or with looking whether we serve: one worker at a time asks it, for a moment, and the
 * others tell what it said before. */
struct update_told {
    pthread_mutex_t asking;
    pthread_mutex_t lock; /* of what follows */
    char text[UPDMSG_ANSWER_MAX];
    size_t n; /* 0: nothing, or it is gone */
};

void update_told_init(struct update_told *t);
void update_told_free(struct update_told *t);

/* GET /api/v1/update: where it stands. */
void update_routes_status(void *ctx, struct httpd_rq *rq);
/* POST /api/v1/update: the file as body, `?force=1` for an older one. 202 once it is
 * written and read back; then the board restarts. */
void update_routes_take(void *ctx, struct httpd_rq *rq);
/* POST /api/v1/reboot. */
void update_routes_reboot(void *ctx, struct httpd_rq *rq);
