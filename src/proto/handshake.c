#include "proto/handshake.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define OWS " \t"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static bool has(const char *list, const char *token,
                int (*compare)(const char *, const char *, size_t)) {
    size_t n = strlen(token);
    while (list && *list) {
        list += strspn(list, OWS ",");
        size_t k = strcspn(list, OWS ",");
        const char *after = list + k + strspn(list + k, OWS);
        /* "a b" is not the token "a". */
        if (k == n && compare(list, token, n) == 0 && (*after == ',' || *after == '\0'))
            return true;
        list = after + strcspn(after, ",");
    }
    return false;
}

bool ws_list_has(const char *list, const char *token) {
    return has(list, token, strncasecmp);
}

bool ws_list_has_exact(const char *list, const char *token) {
    return has(list, token, strncmp);
}

bool ws_key_ok(const char *key) {
    return key && strspn(key, BASE64) == 22 && strcmp(key + 22, "==") == 0;
}

enum ws_offer_rc ws_offer_check(const struct ws_offer *o) {
    if (!ws_list_has(o->upgrade, "websocket") || !ws_list_has(o->connection, "upgrade"))
        return WS_OFFER_PLAIN;
    if (!o->version || strcmp(o->version, "13") != 0)
        return WS_OFFER_VERSION;
    return ws_key_ok(o->key) ? WS_OFFER_OK : WS_OFFER_BAD;
}
