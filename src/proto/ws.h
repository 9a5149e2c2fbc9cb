#pragma once
/* WebSocket framing, server side (RFC 6455 section 5; no extensions). Pure: no
 * descriptor, no allocation, no clock. One owner per struct ws_in (the hub thread).
 *
 * The decoder takes the stream in pieces of any size and stores none of a message:
 * payload is unmasked where it lies and handed on at once, so the length that a header
 * announces costs no memory. Text is checked as it comes, and fails at the first byte
 * that cannot be right. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_CONTROL_MAX 125 /* payload of a control frame, 5.5 */
#define WS_HEAD_MAX 10     /* of a frame that we send: without a mask */

/* Opcodes, 5.2. */
enum ws_op {
    WS_CONT = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* Status codes that this layer speaks of, 7.4.1. */
enum ws_code {
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_NONE = 1005, /* the close frame held none; never on the wire */
    WS_CODE_NOT_UTF8 = 1007,
    WS_CODE_TOO_BIG = 1009,
};

struct ws_in {
    uint32_t max;  /* longest message */
    uint32_t size; /* of the message, announced so far */
    uint32_t len;  /* payload of the frame at hand */
    uint32_t left; /* bytes that the present stage still waits for */
    uint8_t stage;
    uint8_t op;      /* of the frame at hand */
    uint8_t message; /* opcode of the unfinished message, or WS_CONT: none */
    bool fin;
    bool first; /* nothing of the message was told yet */
    uint8_t utf8;
    uint8_t have; /* bytes in part */
    uint8_t mask[4];
    uint8_t part[WS_CONTROL_MAX]; /* of a header or a control frame */
};

enum ws_rc {
    WS_MORE,    /* all n bytes were taken and there is nothing to tell */
    WS_DATA,    /* op TEXT or BINARY: data/len is the next piece of a message */
    WS_CONTROL, /* op PING, PONG or CLOSE: data/len is the whole payload */
    WS_BAD,     /* fail the connection with close code `code` (7.1.7) */
};

struct ws_event {
    enum ws_op op;
    bool first, last; /* WS_DATA: the message starts, ends here */
    uint16_t code;    /* CLOSE: as received or 1005; WS_BAD: 1002, 1007 or 1009 */
    uint8_t *data;    /* DATA: within p; CONTROL: valid until the next call */
    size_t len;       /* WS_DATA: 0 only with last */
    const char *why;  /* WS_BAD: constant text */
};

/* max_message: bytes of payload in one message, over all its fragments. */
void ws_in_init(struct ws_in *in, uint32_t max_message);

/* Takes up to n bytes at p, which it may change, and stops after the first event; call
 * again with p + *used until it says WS_MORE. After a close frame and after WS_BAD
 * whatever comes is swallowed (1.4, 7.1.7): WS_MORE for ever. */
enum ws_rc ws_decode(struct ws_in *in, uint8_t *p, size_t n, size_t *used,
                     struct ws_event *ev);

/* Writes the header of an unfragmented frame; returns its length. */
size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t len);

/* Writes the payload of a close frame; returns its length. A reason (UTF-8) that is too
 * long is cut between characters. WS_CODE_NONE writes nothing. */
size_t ws_close_payload(uint8_t out[WS_CONTROL_MAX], uint16_t code, const char *reason);

/* May a close frame carry it (7.4, and what IANA registered since)? */
bool ws_close_code_ok(uint16_t code);
