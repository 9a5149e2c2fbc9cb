#pragma once
/* What httpd.c (doors, routes) and httpd_rq.c (one request) share; nobody else's. */
#include <pthread.h>
#include <stdatomic.h>

#include "http/assets.h"
#include "http/civet.h"
#include "http/deadline.h"
#include "http/hosts.h"
#include "http/httpd.h"
#include "http/lobby.h"

struct httpd_worker {
    struct httpd_rq rq;
    struct head head;
    char path[HTTPD_PATH_MAX];
    char *body; /* reply_bytes; the lobby's own has none */
};

struct httpd {
    struct civet *civet;
    struct lobby *lobby;
    struct httpd_opts o;
    struct doors doors;
    pthread_mutex_t hosts_lock; /* httpd_set_hosts() may come at any time */
    struct hosts hosts;
    struct assets assets;
    atomic_uint sitting;           /* workers that wait for a body */
    struct lobby_counts counts;    /* when nobody else has them */
    unsigned tls_port;             /* of the first door for TLS; 0: there is none */
    struct httpd_worker workers[]; /* the last is the lobby's */
};

/* A request begins: bytes[0, head_n) is its head, or 0: there is none. */
void httpd_rq_begin(struct httpd *h, struct httpd_worker *w, struct lobby_guest *g,
                    const char *bytes, size_t n, size_t head_n);
/* 0, else it was answered with what is wrong. */
int httpd_rq_parse(struct httpd_rq *rq);
/* In the lobby: its body is to come there. */
void httpd_rq_invite(struct httpd_rq *rq);
/* There is no head to parse, or CivetWeb did not like it: answers so. */
void httpd_rq_fault(struct httpd_rq *rq, int status);
/* It was answered: tells the lobby how the connection goes on. Returns how many of the
 * bytes that have arrived are done with. */
size_t httpd_rq_end(struct httpd_rq *rq);

/* For upgrade.c: a deadline without pace, and the way out of HTTP. */
struct deadline httpd_rq_due(const struct httpd_rq *rq, uint32_t ms);
void httpd_rq_detach(struct httpd_rq *rq, struct transport *out);

/* The route that is to answer; NULL: it was answered that there is none. */
const struct httpd_route *httpd_find_route(struct httpd *h, struct httpd_rq *rq);
/* Lets it answer, if whoever asks may. */
void httpd_handle(struct httpd *h, struct httpd_rq *rq,
                  const struct httpd_route *route);
