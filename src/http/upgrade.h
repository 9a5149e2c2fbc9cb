#pragma once
/* From HTTP to WebSocket (RFC 6455 4.2): checks the opening handshake and the Origin,
 * reserves a place at the hub, answers 101, and hands the connection over. */
#include "http/httpd.h"

/* The subprotocol that is chosen when a client offers it; it need not. */
#define UPGRADE_SUBPROTOCOL "pulseboard.v1"
/* The 101 must be taken within. */
#define UPGRADE_REPLY_MS 2000u

/* A handler for httpd_route, method GET. */
void upgrade_ws(void *ctx, struct httpd_rq *rq);

/* The answer to a valid key (RFC 6455 4.2.2, 5.4): 28 characters. Pure. */
void upgrade_accept(const char *key, char out[29]);
/* What the query says about an earlier session; zeroes unless all three are there and
 * well formed. Pure. */
void upgrade_resume(struct slice query, struct handoff_hello *hello);
