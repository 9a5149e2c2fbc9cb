// link: proto base
/* The decoder against a second one that is written in the plainest way, over a whole
 * buffer. Fed whole, byte by byte and in random pieces it must tell the same story as
 * that one, and must see a fault at the same byte.
 *
 * Input: one byte (low half: the message limit, as a power of two), then the stream. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/naive_utf8.h"
#include "proto/ws.h"

#define CHECK(x) ((x) ? (void)0 : abort())

/* What was told, as bytes to compare: messages, control frames, how it ended. */
struct story {
    uint8_t *p;
    size_t n, cap;
    size_t end; /* bytes of the stream up to the one that ended it; 0: it goes on */
};

static void tell(struct story *s, int kind, enum ws_op op, const uint8_t *p, size_t n) {
    CHECK(s->cap - s->n >= n + 10);
    s->p[s->n++] = (uint8_t)kind;
    s->p[s->n++] = (uint8_t)op;
    memcpy(s->p + s->n, &n, sizeof n);
    s->n += sizeof n;
    if (n > 0)
        memcpy(s->p + s->n, p, n);
    s->n += n;
}

static void tell_bad(struct story *s, unsigned code, size_t end) {
    uint8_t p[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    tell(s, 'B', WS_CONT, p, 2);
    s->end = end;
}

static struct story story_new(size_t n) {
    /* A frame takes 6 bytes of the stream and at most 10 more than its payload here. */
    struct story s = {.cap = 3 * n + 64};
    s.p = malloc(s.cap);
    CHECK(s.p);
    return s;
}

/* ---- the second decoder ---- */

struct plain {
    const uint8_t *in;
    size_t n, at, max;
    uint8_t *message;
    size_t len, announced, from; /* from: where the unfinished character starts */
    int op;                      /* 0: no message */
    struct story *story;
};

static bool plain_bad(struct plain *d, unsigned code, size_t end) {
    tell_bad(d->story, code, end);
    return false;
}

static bool plain_text_ok(struct plain *d) {
    bool whole;
    if (d->op != WS_TEXT)
        return true;
    if (!naive_utf8_begins(d->message + d->from, d->len - d->from, &whole))
        return false;
    if (whole)
        d->from = d->len;
    return true;
}

static bool plain_data(struct plain *d, size_t head, uint64_t len, bool fin) {
    const uint8_t *mask = d->in + d->at + head - 4;
    for (size_t i = 0; i < len; i++) {
        if (d->at + head + i == d->n)
            return false;
        d->message[d->len++] = d->in[d->at + head + i] ^ mask[i % 4];
        if (!plain_text_ok(d))
            return plain_bad(d, 1007, d->at + head + i + 1);
    }
    d->at += head + (size_t)len;
    if (!fin)
        return true;
    if (d->op == WS_TEXT && d->from != d->len)
        return plain_bad(d, 1007, d->at);
    tell(d->story, 'M', (enum ws_op)d->op, d->message, d->len);
    d->op = 0;
    return true;
}

static bool plain_close(struct plain *d, const uint8_t *p, size_t len) {
    unsigned code = len >= 2 ? (unsigned)p[0] * 256 + p[1] : 1005;
    if (len == 1)
        return plain_bad(d, 1002, d->at);
    if (len >= 2 && !ws_close_code_ok((uint16_t)code))
        return plain_bad(d, 1002, d->at);
    bool whole = true;
    size_t from = 2;
    for (size_t to = 3; to <= len; to++) {
        if (!naive_utf8_begins(p + from, to - from, &whole))
            return plain_bad(d, 1007, d->at);
        if (whole)
            from = to;
    }
    if (!whole)
        return plain_bad(d, 1007, d->at);
    tell(d->story, 'C', WS_CLOSE, p, len);
    d->story->end = d->at;
    return false;
}

static bool plain_control(struct plain *d, size_t head, size_t len, int op) {
    uint8_t p[125];
    if (d->n - d->at - head < len)
        return false;
    const uint8_t *mask = d->in + d->at + head - 4;
    for (size_t i = 0; i < len; i++)
        p[i] = mask[4 + i] ^ mask[i % 4];
    d->at += head + len;
    if (op == WS_CLOSE)
        return plain_close(d, p, len);
    tell(d->story, 'C', (enum ws_op)op, p, len);
    return true;
}

/* One frame; false: the stream is over, or failed. */
static bool plain_frame(struct plain *d) {
    const uint8_t *p = d->in + d->at;
    size_t n = d->n - d->at, head = 2;
    if (n < 2)
        return false;
    int op = p[0] % 16;
    bool fin = p[0] >= 128, control = op >= 8;
    uint64_t len = p[1] % 128;
    if (p[0] / 16 % 8 != 0 || p[1] < 128 || (op >= 3 && op <= 7) || op > 10 ||
        (control && (!fin || len > 125)) || (op == 0 && !d->op) ||
        ((op == 1 || op == 2) && d->op))
        return plain_bad(d, 1002, d->at + 2);
    if (len >= 126) {
        uint64_t least = len == 126 ? 126 : 65536;
        head = len == 126 ? 4 : 10;
        if (n < head)
            return false;
        len = 0;
        for (size_t i = 2; i < head; i++)
            len = len * 256 + p[i];
        if (len < least || len > INT64_MAX)
            return plain_bad(d, 1002, d->at + head);
    }
    if (op == 1 || op == 2) {
        d->op = op;
        d->len = d->announced = d->from = 0;
    }
    if (!control && len > d->max - d->announced)
        return plain_bad(d, 1009, d->at + head);
    if (n < head + 4)
        return false;
    if (control)
        return plain_control(d, head + 4, (size_t)len, op);
    d->announced += (size_t)len;
    return plain_data(d, head + 4, len, fin);
}

/* ---- ours ---- */

struct ours {
    struct ws_in in;
    uint8_t *message;
    size_t len;
    bool open;
    struct story *story;
};

static void on_event(struct ours *o, enum ws_rc rc, const struct ws_event *ev,
                     size_t end) {
    CHECK(o->story->end == 0 || rc == WS_MORE);
    switch (rc) {
    case WS_DATA:
        CHECK(ev->first == !o->open && (ev->len > 0 || ev->last));
        o->len = ev->first ? 0 : o->len;
        memcpy(o->message + o->len, ev->data, ev->len);
        o->len += ev->len;
        o->open = !ev->last;
        if (ev->last)
            tell(o->story, 'M', ev->op, o->message, o->len);
        break;
    case WS_CONTROL:
        tell(o->story, 'C', ev->op, ev->data, ev->len);
        if (ev->op == WS_CLOSE)
            o->story->end = end;
        break;
    case WS_BAD:
        CHECK(ev->why != NULL);
        tell_bad(o->story, ev->code, end);
        break;
    case WS_MORE:
        break;
    }
}

/* Feeds n bytes that begin at `at` in the stream, in memory of exactly that size. */
static void feed(struct ours *o, const uint8_t *stream, size_t at, size_t n) {
    uint8_t *p = malloc(n);
    CHECK(p);
    memcpy(p, stream + at, n);
    enum ws_rc rc;
    size_t done = 0;
    do {
        struct ws_event ev;
        size_t used;
        rc = ws_decode(&o->in, p + done, n - done, &used, &ev);
        CHECK(used <= n - done && (rc != WS_MORE || used == n - done));
        done += used;
        on_event(o, rc, &ev, at + done);
    } while (rc != WS_MORE);
    free(p);
}

/* longest: of the pieces, which are random; 1: byte by byte; SIZE_MAX: whole. */
static void check(const struct plain *d, const struct story *want, size_t longest) {
    struct story got = story_new(d->n);
    struct ours o = {.message = malloc(d->n + 1), .story = &got};
    CHECK(o.message);
    ws_in_init(&o.in, (uint32_t)d->max);
    uint32_t random = 1;
    for (size_t at = 0, k; at < d->n; at += k) {
        random = random * 1664525 + 1013904223;
        k = longest == SIZE_MAX ? d->n : 1 + (random >> 8) % longest;
        k = k < d->n - at ? k : d->n - at;
        feed(&o, d->in, at, k);
    }
    CHECK(got.n == want->n && memcmp(got.p, want->p, got.n) == 0);
    CHECK(longest > 1 || got.end == want->end);
    free(o.message);
    free(got.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct story want = story_new(size - 1);
    struct plain d = {.in = data + 1, .n = size - 1, .max = (size_t)1 << data[0] % 16};
    d.message = malloc(size);
    d.story = &want;
    CHECK(d.message);
    while (plain_frame(&d))
        ;
    check(&d, &want, SIZE_MAX);
    check(&d, &want, 1);
    check(&d, &want, 2 + data[0] / 16);
    free(d.message);
    free(want.p);
    return 0;
}
