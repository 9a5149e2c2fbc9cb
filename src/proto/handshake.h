#pragma once
/* The client's half of the opening handshake (RFC 6455 4.2.1), as header values. Pure,
 * any thread. The answer to the key (SHA-1) is for whoever sends it. */
#include <stdbool.h>

/* Values of the request's headers; NULL: absent. A header that came more than once is
 * joined with commas (RFC 9110 5.3). */
struct ws_offer {
    const char *upgrade, *connection, *version, *key;
};

enum ws_offer_rc {
    WS_OFFER_OK,
    WS_OFFER_PLAIN,   /* asks for no WebSocket: 426 with Upgrade: websocket */
    WS_OFFER_VERSION, /* 426 with Sec-WebSocket-Version: 13 (4.4) */
    WS_OFFER_BAD,     /* 400 */
};

enum ws_offer_rc ws_offer_check(const struct ws_offer *o);

/* Is key the base64 of 16 bytes (4.1)? NULL is not. */
bool ws_key_ok(const char *key);

/* Is token an element of a comma-separated list (RFC 9110 5.6.1)? NULL is the empty
 * list. ws_list_has compares without case, as for Connection and Upgrade;
 * ws_list_has_exact with case, as for Sec-WebSocket-Protocol, whose value the client
 * compares with what it sent. */
bool ws_list_has(const char *list, const char *token);
bool ws_list_has_exact(const char *list, const char *token);
