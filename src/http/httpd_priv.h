#pragma once
/* What httpd.c (doors, routes) and httpd_rq.c (one request) share; nobody else's. */
#include <pthread.h>
#include <stdatomic.h>

#include "http/assets.h"
#include "http/civet.h"
#include "http/hosts.h"
#include "http/httpd.h"

struct worker {
    struct httpd_rq rq;
    struct head head;
    char path[HTTPD_PATH_MAX];
    char *body; /* reply_bytes */
};

struct httpd {
    struct civet *civet;
    struct httpd_opts o;
    pthread_mutex_t hosts_lock; /* httpd_set_hosts() may come at any time */
    struct hosts hosts;
    struct assets assets;
    _Atomic unsigned tls_port; /* of the first door for TLS; 0: none yet */
    struct worker workers[];
};

/* A connection arrives: its head is read and parsed. Returns the head's length, to go
 * on to the routes, or 0: it was answered, or nobody is there any more. */
size_t httpd_rq_begin(struct httpd *h, struct civet_conn *c);
/* Ends the connection, unless it was detached. linger: the client may still be sending.
 */
void httpd_rq_end(struct httpd_rq *rq, bool linger);
