// link: proto
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/handshake.h"

static void key_is_base64_of_16_bytes(void **state) {
    (void)state;
    static const struct {
        const char *key;
        bool ok;
    } cases[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true}, /* RFC 6455 1.3 */
        {"AAAAAAAAAAAAAAAAAAAAAA==", true},
        {"+/+/+/+/+/+/+/+/+/+/+w==", true},
        {NULL, false},
        {"", false},
        {"==", false},
        {"dGhlIHNhbXBsZSBub25jZQ=", false},
        {"dGhlIHNhbXBsZSBub25jZQ===", false},
        {"dGhlIHNhbXBsZSBub25jZQ== ", false},
        {" dGhlIHNhbXBsZSBub25jZQ==", false},
        {"dGhlIHNhbXBsZSBub25jZ===", false}, /* 15 bytes and a bit */
        {"dGhlIHNhbXBsZSBub25jZQo=", false}, /* 17 bytes */
        {"dGhlIHNhbXBsZSBub25jZQoK", false}, /* 18 bytes */
        {"dGhlIHNhbXBsZSBub25j_Q==", false}, /* base64url */
        {"dGhlIHNhbXBs=SBub25jZQ==", false},
        {"dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==", false}, /* twice */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ws_key_ok(cases[i].key) != cases[i].ok)
            fail_msg("%s", cases[i].key);
}

static void token_in_a_list(void **state) {
    (void)state;
    static const struct {
        const char *list, *token;
        bool has, exact;
    } cases[] = {
        {"Upgrade", "upgrade", true, false},
        {"keep-alive, Upgrade", "upgrade", true, false},
        {"upgrade,keep-alive", "upgrade", true, true},
        {"a,upgrade,b", "upgrade", true, true},
        {"  \tupgrade\t ", "upgrade", true, true},
        {",, ,upgrade ,", "upgrade", true, true}, /* empty elements: RFC 9110 5.6.1.2 */
        {NULL, "upgrade", false, false},
        {"", "upgrade", false, false},
        {" ", "upgrade", false, false},
        {",", "upgrade", false, false},
        {"upgraded", "upgrade", false, false},
        {"up grade", "upgrade", false, false},
        {"upgrade now", "upgrade", false, false},
        {"not upgrade", "upgrade", false, false},
        {"upgrade now, upgrade", "upgrade", true, true},
        {"upgrade;q=1", "upgrade", false, false},
        {"upgrad", "upgrade", false, false},
        {"pulseboard.v1", "pulseboard.v1", true, true},
        {"x.v2, pulseboard.v1", "pulseboard.v1", true, true},
        {"Pulseboard.v1", "pulseboard.v1", true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ws_list_has(cases[i].list, cases[i].token) != cases[i].has ||
            ws_list_has_exact(cases[i].list, cases[i].token) != cases[i].exact)
            fail_msg("'%s' in '%s'", cases[i].token, cases[i].list);
}

static void offer(void **state) {
    (void)state;
    static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    static const struct {
        struct ws_offer offer; /* upgrade, connection, version, key */
        enum ws_offer_rc want;
    } cases[] = {
        {{"websocket", "Upgrade", "13", key}, WS_OFFER_OK},
        {{"WebSocket", "keep-alive, upgrade", "13", key}, WS_OFFER_OK},
        {{NULL, NULL, NULL, NULL}, WS_OFFER_PLAIN},
        {{"websocket", NULL, "13", key}, WS_OFFER_PLAIN},
        {{"websocket", "keep-alive", "13", key}, WS_OFFER_PLAIN},
        {{"h2c", "Upgrade", "13", key}, WS_OFFER_PLAIN},
        {{"websocket", "Upgrade", NULL, key}, WS_OFFER_VERSION},
        {{"websocket", "Upgrade", "8", key}, WS_OFFER_VERSION},
        {{"websocket", "Upgrade", "13, 8", key}, WS_OFFER_VERSION},
        {{"websocket", "Upgrade", "013", key}, WS_OFFER_VERSION},
        {{"websocket", "Upgrade", "13", NULL}, WS_OFFER_BAD},
        {{"websocket", "Upgrade", "13", "short"}, WS_OFFER_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ws_offer_check(&cases[i].offer), cases[i].want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_is_base64_of_16_bytes),
        cmocka_unit_test(token_in_a_list),
        cmocka_unit_test(offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
