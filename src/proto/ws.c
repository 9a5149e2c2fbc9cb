#include "proto/ws.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"

/* The stages of a frame. All but DATA and DEAD first collect `left` bytes in `part`. */
enum stage { START, LENGTH, MASK, CONTROL, DATA, DEAD };

static_assert(sizeof(struct ws_in) <= 152, "per session: raise it knowingly");

static void enter(struct ws_in *in, enum stage stage, uint32_t left) {
    in->stage = (uint8_t)stage;
    in->left = left;
}

void ws_in_init(struct ws_in *in, uint32_t max_message) {
    *in = (struct ws_in){.max = max_message};
    enter(in, START, 2);
}

static enum ws_rc bad(struct ws_in *in, struct ws_event *ev, uint16_t code,
                      const char *why) {
    enter(in, DEAD, UINT32_MAX);
    *ev = (struct ws_event){.code = code, .why = why};
    return WS_BAD;
}

static bool is_control(uint8_t op) { return op & 8; }

/* XORs with the mask (5.3), and turns the mask so that the next piece goes on. */
static void unmask(uint8_t *p, size_t n, uint8_t mask[4]) {
    uint8_t twice[8];
    memcpy(twice, mask, 4);
    memcpy(twice + 4, mask, 4);
    uint64_t m;
    memcpy(&m, twice, 8);
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        w ^= m;
        memcpy(p + i, &w, 8);
    }
    for (; i < n; i++)
        p[i] ^= mask[i & 3];
    memcpy(mask, twice + (n & 3), 4);
}

/* A frame that may not stand here (5.2, 5.4, 5.5), or NULL. */
static const char *misplaced(const struct ws_in *in, uint8_t b0, uint8_t b1) {
    if (b0 & 0x70)
        return "reserved bit set";
    if (!(b1 & 0x80))
        return "frame not masked";
    switch (b0 & 15) {
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        if (!(b0 & 0x80))
            return "control frame fragmented";
        if ((b1 & 0x7F) > WS_CONTROL_MAX)
            return "control frame too long";
        return NULL;
    case WS_TEXT:
    case WS_BINARY:
        return in->message != WS_CONT ? "message inside a message" : NULL;
    case WS_CONT:
        return in->message == WS_CONT ? "continuation of nothing" : NULL;
    default:
        return "reserved opcode";
    }
}

/* The length is known: judge it before a byte of the payload is taken. */
static enum ws_rc announced(struct ws_in *in, struct ws_event *ev, uint64_t len) {
    if (!is_control(in->op)) {
        if (len > in->max - in->size)
            return bad(in, ev, WS_CODE_TOO_BIG, "message too big");
        in->size += (uint32_t)len;
    }
    in->len = (uint32_t)len;
    enter(in, MASK, 4);
    return WS_MORE;
}

static enum ws_rc on_start(struct ws_in *in, struct ws_event *ev) {
    uint8_t b0 = in->part[0], b1 = in->part[1];
    const char *why = misplaced(in, b0, b1);
    if (why)
        return bad(in, ev, WS_CODE_PROTOCOL, why);
    in->fin = b0 & 0x80;
    in->op = b0 & 15;
    if (in->op == WS_TEXT || in->op == WS_BINARY) {
        in->message = in->op;
        in->first = true;
        in->size = 0;
        in->utf8 = UTF8_WHOLE;
    }
    uint8_t len = b1 & 0x7F;
    if (len < 126)
        return announced(in, ev, len);
    enter(in, LENGTH, len == 126 ? 2 : 8);
    return WS_MORE;
}

static enum ws_rc on_length(struct ws_in *in, struct ws_event *ev, size_t bytes) {
    uint64_t len = bytes == 2 ? bytes_get16(in->part) : bytes_get64(in->part);
    if (len >> 63)
        return bad(in, ev, WS_CODE_PROTOCOL, "length above 2^63");
    if (len < (bytes == 2 ? 126 : 0x10000))
        return bad(in, ev, WS_CODE_PROTOCOL, "length not minimal");
    return announced(in, ev, len);
}

static enum ws_rc on_mask(struct ws_in *in) {
    memcpy(in->mask, in->part, 4);
    enter(in, is_control(in->op) ? CONTROL : DATA, in->len);
    return WS_MORE;
}

/* 5.5.1: nothing, or a code and a reason. */
static enum ws_rc on_close(struct ws_in *in, struct ws_event *ev) {
    const uint8_t *p = in->part;
    size_t n = in->len;
    ev->code = WS_CODE_NONE;
    if (n == 1)
        return bad(in, ev, WS_CODE_PROTOCOL, "half a close code");
    if (n >= 2) {
        ev->code = bytes_get16(p);
        if (!ws_close_code_ok(ev->code))
            return bad(in, ev, WS_CODE_PROTOCOL, "close code not allowed");
        if (utf8_next(UTF8_WHOLE, p + 2, n - 2) != UTF8_WHOLE)
            return bad(in, ev, WS_CODE_NOT_UTF8, "close reason not UTF-8");
    }
    enter(in, DEAD, UINT32_MAX);
    return WS_CONTROL;
}

static enum ws_rc on_control(struct ws_in *in, struct ws_event *ev) {
    unmask(in->part, in->len, in->mask);
    *ev = (struct ws_event){.op = in->op, .data = in->part, .len = in->len};
    if (in->op == WS_CLOSE)
        return on_close(in, ev);
    enter(in, START, 2);
    return WS_CONTROL;
}

/* in->left has been counted down by n already. */
static enum ws_rc on_data(struct ws_in *in, uint8_t *p, size_t n, struct ws_event *ev) {
    bool last = in->left == 0 && in->fin;
    unmask(p, n, in->mask);
    if (in->message == WS_TEXT) {
        in->utf8 = utf8_next(in->utf8, p, n);
        if (in->utf8 == UTF8_BAD || (last && in->utf8 != UTF8_WHOLE))
            return bad(in, ev, WS_CODE_NOT_UTF8, "text not UTF-8");
    }
    if (in->left == 0)
        enter(in, START, 2);
    if (n == 0 && !last)
        return WS_MORE;
    *ev = (struct ws_event){
        .op = in->message, .first = in->first, .last = last, .data = p, .len = n};
    in->first = false;
    if (last)
        in->message = WS_CONT;
    return WS_DATA;
}

/* The next n bytes, which never go beyond the present stage. */
static enum ws_rc step(struct ws_in *in, uint8_t *p, size_t n, struct ws_event *ev) {
    enum stage stage = in->stage;
    if (stage == DATA)
        return on_data(in, p, n, ev);
    if (stage == DEAD) {
        enter(in, DEAD, UINT32_MAX);
        return WS_MORE;
    }
    memcpy(in->part + in->have, p, n);
    in->have = (uint8_t)(in->have + n);
    if (in->left > 0)
        return WS_MORE;
    size_t have = in->have;
    in->have = 0;
    switch (stage) {
    case START:
        return on_start(in, ev);
    case LENGTH:
        return on_length(in, ev, have);
    case MASK:
        return on_mask(in);
    case CONTROL:
        return on_control(in, ev);
    case DATA:
    case DEAD:
        break;
    }
    return WS_MORE;
}

enum ws_rc ws_decode(struct ws_in *in, uint8_t *p, size_t n, size_t *used,
                     struct ws_event *ev) {
    size_t at = 0;
    enum ws_rc rc = WS_MORE;
    /* A stage that waits for nothing (an empty payload) is over without another byte.
     */
    while (rc == WS_MORE && (at < n || in->left == 0)) {
        size_t k = n - at < in->left ? n - at : in->left;
        in->left -= (uint32_t)k;
        rc = step(in, p + at, k, ev);
        at += k;
    }
    *used = at;
    return rc;
}

size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t len) {
    out[0] = (uint8_t)(0x80 | op);
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    if (len < 0x10000) {
        out[1] = 126;
        bytes_put16(out + 2, (uint16_t)len);
        return 4;
    }
    out[1] = 127;
    bytes_put64(out + 2, len);
    return 10;
}

size_t ws_close_payload(uint8_t out[WS_CONTROL_MAX], uint16_t code,
                        const char *reason) {
    if (code == WS_CODE_NONE)
        return 0;
    bytes_put16(out, code);
    size_t n = strnlen(reason, WS_CONTROL_MAX - 1);
    /* Too long: back to where a character starts. */
    if (n > WS_CONTROL_MAX - 2)
        for (n--; n > 0 && ((uint8_t)reason[n] & 0xC0) == 0x80; n--)
            ;
    memcpy(out + 2, reason, n);
    return 2 + n;
}

bool ws_close_code_ok(uint16_t code) {
    if (code >= 3000)
        return code < 5000;
    return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
