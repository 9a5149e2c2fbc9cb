#include "http/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/sha1.h>

#include "base/log.h"
#include "http/httpd_priv.h"
#include "http/uri.h"
#include "proto/handshake.h"

_Static_assert(HANDOFF_LEFTOVER_MAX >= HEAD_BYTES_MAX,
               "what came behind a head must fit");

void upgrade_accept(const char *key, char out[29]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof(guid)];
    uint8_t sum[20];
    size_t n;
    int k = snprintf(text, sizeof(text), "%.24s%s", key, guid);
    mbedtls_sha1((const uint8_t *)text, (size_t)k, sum);
    mbedtls_base64_encode((uint8_t *)out, 29, &n, sum, sizeof(sum));
}

void upgrade_resume(struct slice query, struct handoff_hello *hello) {
    char token[33], seq[24], epoch[24], half[17];
    uint64_t hi, lo, at, run;
    if (uri_param(query, "resume", token, sizeof(token)) != 0 || strlen(token) != 32 ||
        uri_param(query, "seq", seq, sizeof(seq)) != 0 ||
        uri_param(query, "epoch", epoch, sizeof(epoch)) != 0)
        return;
    snprintf(half, sizeof(half), "%.16s", token);
    if (uri_hex64(half, &hi) != 0 || uri_hex64(token + 16, &lo) != 0 ||
        uri_u64(seq, &at) != 0 || uri_hex64(epoch, &run) != 0)
        return;
    hello->resume_token[0] = hi;
    hello->resume_token[1] = lo;
    hello->resume_seq = at;
    hello->resume_epoch = run;
}

/* The fields of an opening handshake as strings. */
struct offer {
    char upgrade[64], connection[128], version[32], key[32], protocols[256];
};

static enum ws_offer_rc read_offer(const struct head *h, struct offer *o) {
    if (head_join(h, "Upgrade", o->upgrade, sizeof(o->upgrade)) <= 0 ||
        head_join(h, "Connection", o->connection, sizeof(o->connection)) <= 0)
        return WS_OFFER_PLAIN;
    int version = head_join(h, "Sec-WebSocket-Version", o->version, sizeof(o->version));
    int key = head_join(h, "Sec-WebSocket-Key", o->key, sizeof(o->key));
    int protocols =
        head_join(h, "Sec-WebSocket-Protocol", o->protocols, sizeof(o->protocols));
    /* RFC 6455 4.2.1: HTTP/1.1 or higher; and what is longer than this is no version or
     * key. */
    if (h->minor == 0 || version < 0 || key < 0 || protocols < 0)
        return WS_OFFER_BAD;
    /* A body would be taken for frames. */
    if (h->content_length > 0)
        return WS_OFFER_BAD;
    return ws_offer_check(&(struct ws_offer){.upgrade = o->upgrade,
                                             .connection = o->connection,
                                             .version = version ? o->version : NULL,
                                             .key = key ? o->key : NULL});
}

/* RFC 9110 7.8: one field goes with the other. */
#define UPGRADE_TO "Connection: Upgrade\r\nUpgrade: websocket\r\n"

/* True: it is a valid offer. */
static bool check_offer(struct httpd_rq *rq, struct offer *o) {
    enum ws_offer_rc rc = read_offer(rq->head, o);
    if (rc == WS_OFFER_OK)
        return true;
    hub_reject(httpd_options(rq->httpd)->hub, HUB_REJECT_HANDSHAKE);
    switch (rc) {
    case WS_OFFER_OK:
        break;
    case WS_OFFER_PLAIN:
        httpd_problem(rq, 426, UPGRADE_TO, "This path speaks WebSocket.");
        break;
    case WS_OFFER_VERSION:
        httpd_problem(rq, 426, UPGRADE_TO "Sec-WebSocket-Version: 13\r\n",
                      "This path speaks WebSocket version 13.");
        break;
    case WS_OFFER_BAD:
        httpd_problem(rq, 400, NULL, "The WebSocket handshake is malformed.");
        break;
    }
    return false;
}

/* Nothing holds back a page that opens a WebSocket elsewhere but us. */
static bool check_origin(struct httpd_rq *rq) {
    if (httpd_origin_ok(rq))
        return true;
    hub_reject(httpd_options(rq->httpd)->hub, HUB_REJECT_ORIGIN);
    httpd_problem(rq, 403, NULL, "This page may not open a WebSocket here.");
    return false;
}

static bool take_place(struct httpd_rq *rq) {
    struct hub *hub = httpd_options(rq->httpd)->hub;
    int rc = hub_reserve(hub, (uint8_t)rq->role);
    if (rc == 0)
        return true;
    hub_reject(hub, rc == -ESHUTDOWN ? HUB_REJECT_STOPPING : HUB_REJECT_FULL);
    httpd_problem(rq, 503, "Retry-After: 5\r\n",
                  rc == -ESHUTDOWN ? "The server is stopping."
                                   : "All places are taken. Try again in a moment.");
    return false;
}

static int send_101(struct httpd_rq *rq, const struct offer *o) {
    char accept[29], text[256];
    upgrade_accept(o->key, accept);
    bool ours = ws_list_has_exact(o->protocols, UPGRADE_SUBPROTOCOL);
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                     accept,
                     ours ? "Sec-WebSocket-Protocol: " UPGRADE_SUBPROTOCOL "\r\n" : "");
    struct iovec iov = {text, (size_t)n};
    struct deadline due = httpd_rq_due(rq, UPGRADE_REPLY_MS);
    return deadline_send(&rq->guest->t, &due, &iov, 1);
}

void upgrade_ws(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    struct hub *hub = httpd_options(rq->httpd)->hub;
    struct offer offer;
    if (!check_offer(rq, &offer) || !check_origin(rq) || !take_place(rq))
        return;
    rq->status = 101; /* whatever happens now, nothing else may be said */
    rq->keep = false;
    int rc = send_101(rq, &offer);
    if (rc != 0) {
        hub_cancel(hub);
        log_debug("upgrade_failed", "errno=%d", -rc);
        return;
    }
    struct handoff_hello hello = {
        .addr = rq->addr, .role = (uint8_t)rq->role, .credential = rq->credential};
    upgrade_resume(rq->head->query, &hello);
    struct transport t;
    httpd_rq_detach(rq, &t);
    hub_post(hub, &t, &hello, (const uint8_t *)rq->bytes + rq->head_n,
             (uint32_t)(rq->n - rq->head_n));
}
