#pragma once
/* What a server sends on a WebSocket, as a client sees it: frames without a mask, in
 * any portions. Keeps the first bytes of each message and throws the rest away. Pure.
 */
#include <stddef.h>
#include <stdint.h>

#define FRAMES_TEXT 128 /* kept of a frame; a control frame is kept whole */

struct frames {
    uint64_t left; /* payload bytes of the frame that are still to come */
    uint8_t head[10];
    uint8_t head_n;
    uint8_t text_n;
    uint8_t text[FRAMES_TEXT];
};

/* Takes bytes up to the end of the frame at hand: *used of them. 1: it is whole (its
 * opcode in head[0] & 15, its start in text), 0: more is needed. */
int frames_take(struct frames *f, const uint8_t *p, size_t n, size_t *used);

/* A client's frame of up to 65535 bytes, masked (RFC 6455 5.3), to out: its length. */
size_t frames_make(uint8_t *out, unsigned op, const uint8_t *p, size_t n);
#define FRAMES_OVERHEAD 8
