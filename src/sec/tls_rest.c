#include "sec/tls_rest.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <mbedtls/platform.h>
#include <ssl_misc.h>

#include "sec/tls_heap.h"

_Static_assert(MBEDTLS_VERSION_NUMBER >> 16 == 0x0306, "read this file again");

/* Of a record that was read or sent whole mbedTLS looks at the lengths again, never at
 * the bytes (ssl_consume_current_message). The numbers of records going out are in the
 * context. */
static bool between_records(const mbedtls_ssl_context *ssl) {
    return ssl->handshake == NULL && ssl->in_left == 0 && ssl->out_left == 0 &&
           ssl->badmac_seen_or_in_hsfraglen == 0 && !mbedtls_ssl_check_pending(ssl);
}

void tls_rest(mbedtls_ssl_context *ssl, struct tls_rest *rest) {
    if (!between_records(ssl))
        return;
    _Static_assert(sizeof(rest->in_ctr) == MBEDTLS_SSL_SEQUENCE_NUMBER_LEN, "");
    memcpy(rest->in_ctr, ssl->in_ctr, sizeof(rest->in_ctr));
    /* Nothing to wipe: mbedtls_ssl_read() wiped what it gave out, the rest went or came
     * over the network. */
    mbedtls_free(ssl->in_buf);
    mbedtls_free(ssl->out_buf);
    ssl->in_buf = ssl->out_buf = NULL;
}

int tls_wake(mbedtls_ssl_context *ssl, const struct tls_rest *rest) {
    if (ssl->in_buf)
        return 0;
    unsigned char *in = tls_heap_take(MBEDTLS_SSL_IN_BUFFER_LEN);
    unsigned char *out = tls_heap_take(MBEDTLS_SSL_OUT_BUFFER_LEN);
    if (!in || !out) {
        mbedtls_free(in);
        mbedtls_free(out);
        return -ENOMEM;
    }
    ssl->in_buf = in;
    ssl->out_buf = out;
    mbedtls_ssl_reset_in_pointers(ssl);
    mbedtls_ssl_reset_out_pointers(ssl);
    mbedtls_ssl_update_out_pointers(ssl, ssl->transform_out);
    memcpy(ssl->in_ctr, rest->in_ctr, sizeof(rest->in_ctr));
    return 0;
}

/* After a TLS 1.3 handshake mbedTLS keeps what it needed, 3.5 kB and the handshake's
 * keys, until the connection ends, where for 1.2 it frees it. Nothing reads it any
 * more: a server accepts no handshake message after the handshake
 * (ssl_tls13_handle_hs_message_post_handshake). */
void tls_rest_forget_handshake(mbedtls_ssl_context *ssl) {
    if (ssl->handshake && mbedtls_ssl_is_handshake_over(ssl))
        mbedtls_ssl_handshake_wrapup_free_hs_transform(ssl);
}
