// link: proto base
/* The decoder, rule by rule. A case is a list of frames and the trace that they must
 * leave; every case is fed whole, byte by byte and in random pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/ws.h"

struct buf {
    uint8_t p[300000];
    size_t n;
};

static void add(struct buf *b, const void *p, size_t n) {
    assert_true(n <= sizeof b->p - b->n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void add_byte(struct buf *b, uint64_t v) {
    uint8_t byte = (uint8_t)v;
    add(b, &byte, 1);
}

static void say(struct buf *b, const char *fmt, ...) {
    char text[64];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    add(b, text, (size_t)n);
}

/* %NN is a byte in hexadecimal; @N, at the end, stands for N letters x. */
static void add_payload(struct buf *b, const char *s) {
    for (; *s && *s != '@'; s++) {
        unsigned v = (uint8_t)*s;
        if (*s == '%') {
            assert_int_equal(sscanf(s + 1, "%2x", &v), 1);
            s += 2;
        }
        add_byte(b, v);
    }
    for (long n = *s ? atol(s + 1) : 0; n > 0; n--)
        add_byte(b, 'x');
}

/* "81:Hello": the first byte, then flags, then the payload. Flags: u unmasked, w 16-bit
 * length, q 64-bit length, =N announces N whatever the payload. */
static void add_frame(struct buf *b, const char *spec) {
    static struct buf body;
    body.n = 0;
    const char *colon = strchr(spec, ':');
    assert_non_null(colon);
    add_payload(&body, colon + 1);
    char *flags;
    uint64_t b0 = strtoul(spec, &flags, 16), len = body.n, mask = 0x80;
    int form = 0;
    for (; flags < colon; flags++) {
        mask = *flags == 'u' ? 0 : mask;
        form = *flags == 'w' ? 16 : *flags == 'q' ? 64 : form;
        if (*flags == '=')
            len = strtoull(flags + 1, &flags, 0), flags--;
    }
    if (form == 0)
        form = len < 126 ? 7 : len < 65536 ? 16 : 64;
    add_byte(b, b0);
    add_byte(b, mask | (form == 7 ? len : form == 16 ? 126 : 127));
    for (int shift = form == 7 ? -1 : form - 8; shift >= 0; shift -= 8)
        add_byte(b, len >> shift);
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    if (mask)
        add(b, key, 4);
    for (size_t i = 0; i < body.n; i++)
        add_byte(b, body.p[i] ^ (mask ? key[i & 3] : 0));
}

static const char *op_name(enum ws_op op) {
    switch (op) {
    case WS_TEXT:
        return "text";
    case WS_BINARY:
        return "binary";
    case WS_CLOSE:
        return "close";
    case WS_PING:
        return "ping";
    case WS_PONG:
        return "pong";
    case WS_CONT:
        break;
    }
    return "?";
}

static void say_payload(struct buf *trace, const uint8_t *p, size_t n) {
    if (n > 100) {
        say(trace, "[%zu] ", n);
        return;
    }
    say(trace, "(");
    for (size_t i = 0; i < n; i++)
        say(trace, p[i] < 0x20 ? "%%%02X" : "%c", p[i]);
    say(trace, ") ");
}

/* What a session sees: whole messages, control frames, the end. */
struct peer {
    struct ws_in in;
    struct buf message, trace;
    bool open; /* a message has begun */
    bool dead;
};

static void on_data(struct peer *peer, const struct ws_event *ev) {
    assert_int_equal(ev->first, !peer->open);
    assert_true(ev->len > 0 || ev->last);
    if (ev->first)
        peer->message.n = 0;
    add(&peer->message, ev->data, ev->len);
    peer->open = !ev->last;
    if (ev->last) {
        say(&peer->trace, "%s", op_name(ev->op));
        say_payload(&peer->trace, peer->message.p, peer->message.n);
    }
}

static void on_event(struct peer *peer, enum ws_rc rc, const struct ws_event *ev) {
    struct buf *trace = &peer->trace;
    assert_false(peer->dead);
    if (rc == WS_DATA) {
        on_data(peer, ev);
    } else if (rc == WS_BAD) {
        assert_non_null(ev->why);
        say(trace, "bad %u ", ev->code);
    } else if (ev->op == WS_CLOSE) {
        say(trace, "close %u", ev->code);
        say_payload(trace, ev->data + (ev->len ? 2 : 0), ev->len - (ev->len ? 2 : 0));
    } else {
        say(trace, "%s", op_name(ev->op));
        say_payload(trace, ev->data, ev->len);
    }
    peer->dead = rc == WS_BAD || (rc == WS_CONTROL && ev->op == WS_CLOSE);
}

/* Feeds a piece of its own exact size: a sanitizer sees every byte beyond it. */
static void feed(struct peer *peer, const uint8_t *p, size_t n) {
    uint8_t *piece = malloc(n);
    assert_non_null(piece);
    memcpy(piece, p, n);
    size_t at = 0;
    for (enum ws_rc rc = WS_DATA; rc != WS_MORE;) {
        struct ws_event ev;
        size_t used;
        rc = ws_decode(&peer->in, piece + at, n - at, &used, &ev);
        assert_true(used <= n - at);
        if (rc == WS_MORE)
            assert_int_equal(used, n - at);
        else
            on_event(peer, rc, &ev);
        if (rc == WS_DATA)
            assert_true(ev.data >= piece && ev.data + ev.len == piece + at + used);
        at += used;
    }
    free(piece);
}

static void peer_init(struct peer *peer, uint32_t max) {
    memset(peer, 0, sizeof *peer);
    ws_in_init(&peer->in, max);
}

static const char *now_in = "";

static void expect(const struct peer *peer, const char *want, const char *how) {
    char got[2000];
    assert_true(peer->trace.n < sizeof got);
    memcpy(got, peer->trace.p, peer->trace.n);
    got[peer->trace.n] = '\0';
    if (peer->trace.n > 0)
        got[peer->trace.n - 1] = '\0'; /* the last space */
    if (strcmp(got, want) != 0)
        fail_msg("%s, fed %s:\n  got  %s\n  want %s", now_in, how, got, want);
}

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static struct peer peer;

static void check_stream(const struct buf *in, uint32_t max, const char *spec) {
    char want[200] = "";
    size_t len = strcspn(spec, "+");
    size_t unread = spec[len] ? (size_t)atol(spec + len + 1) : 0;
    memcpy(want, spec, spec[len] ? len - 1 : len);

    peer_init(&peer, max);
    feed(&peer, in->p, in->n);
    expect(&peer, want, "whole");

    peer_init(&peer, max);
    for (size_t i = 0; i < in->n; i++) {
        feed(&peer, in->p + i, 1);
        if (peer.dead && i + 1 < in->n && unread-- == 0)
            fail_msg("%s: seen too early", now_in);
    }
    if (unread > 0)
        fail_msg("%s: seen %zu bytes late", now_in, unread);
    expect(&peer, want, "byte by byte");

    for (uint32_t seed = 1; seed <= 20; seed++) {
        uint32_t s = seed, longest = 1u << seed % 12;
        peer_init(&peer, max);
        for (size_t i = 0, k; i < in->n; i += k) {
            k = 1 + next_random(&s) % longest;
            k = k < in->n - i ? k : in->n - i;
            feed(&peer, in->p + i, k);
        }
        expect(&peer, want, "in random pieces");
    }
}

struct ws_case {
    const char *what;
    const char *frames[8];
    const char
        *want; /* the trace; "+N": N bytes of the stream are not needed to see it */
};

static void check_cases(const struct ws_case *cases, size_t n, uint32_t max) {
    static struct buf in;
    for (const struct ws_case *c = cases; c < cases + n; c++) {
        now_in = c->what;
        in.n = 0;
        for (size_t i = 0; i < 8 && c->frames[i]; i++)
            add_frame(&in, c->frames[i]);
        check_stream(&in, max, c->want);
    }
}
#define CHECK(cases, max) check_cases(cases, sizeof(cases) / sizeof *(cases), max)

/* clang-format off */
static const struct ws_case lengths[] = {
    {"empty text", {"81:"}, "text()"},
    {"empty binary", {"82:"}, "binary()"},
    {"text", {"81:Hello"}, "text(Hello)"},
    {"two messages", {"81:Hello", "82:there"}, "text(Hello) binary(there)"},
    {"125", {"82:@125"}, "binary[125]"},
    {"126 to 65536", {"82:@250", "81:@255", "82:@256", "82:@65535", "81:@65536"},
        "binary[250] text[255] binary[256] binary[65535] text[65536]"},
    {"16 bits for 126", {"82w:@126"}, "binary[126]"},
    {"16 bits for 125", {"82w:@125"}, "bad 1002 +129"},
    {"16 bits for 0", {"82w:"}, "bad 1002 +4"},
    {"64 bits for 65535", {"82q:@65535"}, "bad 1002 +65539"},
    {"64 bits for 5", {"81q:Hello"}, "bad 1002 +9"},
    {"top bit of 64", {"82q=0x8000000000000000:"}, "bad 1002 +4"},
    {"all bits of 64", {"82q=0xFFFFFFFFFFFFFFFF:"}, "bad 1002 +4"},
    {"control with 16 bits", {"89w=5:Hello"}, "bad 1002 +11"},
    {"unmasked text", {"81u:Hello"}, "bad 1002 +5"},
    {"unmasked close", {"88u:"}, "bad 1002"},
};

static const struct ws_case limits[] = {
    {"at the limit", {"82:12345678"}, "binary(12345678)"},
    {"one more", {"82:123456789"}, "bad 1009 +13"},
    {"2 GiB", {"82=0x80000000:"}, "bad 1009 +4"},
    {"2^63 - 1", {"82=0x7FFFFFFFFFFFFFFF:"}, "bad 1009 +4"},
    {"fragments at the limit", {"02:1234", "00:56", "80:78"}, "binary(12345678)"},
    {"sum of fragments", {"02:1234", "00:56", "80:789"}, "bad 1009 +7"},
    {"sum that would wrap", {"02:1234", "80=0x7FFFFFFFFFFFFFFF:"}, "bad 1009 +4"},
    {"the sum starts anew", {"82:12345678", "82:12345678"}, "binary(12345678) binary(12345678)"},
    {"control frames do not count", {"02:1234", "89:123456789", "80:5678"},
        "ping(123456789) binary(12345678)"},
};

static const struct ws_case controls[] = {
    {"empty ping", {"89:"}, "ping()"},
    {"ping", {"89:%00%FF%FE%01"}, "ping(%00\xFF\xFE%01)"},
    {"unasked pong", {"8A:hi"}, "pong(hi)"},
    {"125", {"89:@125", "8A:@125", "81:z"}, "ping[125] pong[125] text(z)"},
    {"126", {"89:@126"}, "bad 1002 +132"},
    {"fragmented ping", {"09:a", "80:b"}, "bad 1002 +12"},
    {"fragmented close", {"08:"}, "bad 1002 +4"},
    {"many", {"89:1", "89:2", "89:3", "8A:4", "89:5"}, "ping(1) ping(2) ping(3) pong(4) ping(5)"},
};

static const struct ws_case fragments[] = {
    {"two", {"01:Hel", "80:lo"}, "text(Hello)"},
    {"many", {"02:a", "00:b", "00:c", "00:d", "80:e"}, "binary(abcde)"},
    {"all empty", {"01:", "00:", "80:"}, "text()"},
    {"empty first and last", {"01:", "00:middle", "80:"}, "text(middle)"},
    {"empty middle", {"01:a", "00:", "80:b"}, "text(ab)"},
    {"ping in between", {"01:Hel", "89:p", "80:lo"}, "ping(p) text(Hello)"},
    {"ping in between empty ones", {"01:", "89:", "00:", "8A:", "80:x"}, "ping() pong() text(x)"},
    {"close in between", {"01:Hel", "88:", "80:lo"}, "close 1005() +8"},
    {"continuation of nothing", {"80:x"}, "bad 1002 +5"},
    {"continuation of nothing, not final", {"00:x"}, "bad 1002 +5"},
    {"continuation after a message", {"81:x", "80:y"}, "text(x) bad 1002 +5"},
    {"text inside text", {"01:a", "81:b"}, "bad 1002 +5"},
    {"binary inside text", {"01:a", "02:b"}, "bad 1002 +5"},
    {"text inside binary of nothing yet", {"02:", "81:b"}, "bad 1002 +5"},
};

static const struct ws_case closes[] = {
    {"empty", {"88:"}, "close 1005()"},
    {"code", {"88:%03%E8"}, "close 1000()"},
    {"code and reason", {"88:%03%E9bye"}, "close 1001(bye)"},
    {"longest reason", {"88:%03%E8@123"}, "close 1000[123]"},
    {"one byte", {"88:x"}, "bad 1002"},
    {"code 0", {"88:%00%00"}, "bad 1002"},
    {"code 999", {"88:%03%E7"}, "bad 1002"},
    {"code 1005 on the wire", {"88:%03%ED"}, "bad 1002"},
    {"code 5000", {"88:%13%88"}, "bad 1002"},
    {"code 4999", {"88:%13%87"}, "close 4999()"},
    {"reason not UTF-8", {"88:%03%E8%CE%BA%ED%A0%80"}, "bad 1007"},
    {"reason cut", {"88:%03%E8%E2%82"}, "bad 1007"},
    {"nothing counts after it", {"88:%03%E8", "81:x", "89:y", "F3u:z"}, "close 1000() +17"},
};

static const struct ws_case utf8[] = {
    {"all lengths", {"81:$%C2%A2%E2%82%AC%F0%90%8D%88"}, "text($\xC2\xA2\xE2\x82\xAC\xF0\x90\x8D\x88)"},
    {"above U+10FFFF", {"81:%CE%BA%F4%90%80%80e"}, "bad 1007 +3"},
    {"a surrogate", {"81:%CE%BA%ED%A0%80e"}, "bad 1007 +2"},
    {"longer than needed", {"81:a%C0%AFe"}, "bad 1007 +2"},
    {"not even a start", {"81:abc%FFdefghijkl"}, "bad 1007 +9"},
    {"a tail alone", {"81:%80"}, "bad 1007"},
    {"cut at the end", {"81:%CE"}, "bad 1007"},
    {"cut at an empty end", {"01:%CE", "80:"}, "bad 1007"},
    {"across fragments", {"01:%F0", "00:%9F%98", "00:", "80:%80"}, "text(\xF0\x9F\x98\x80)"},
    {"across fragments and a ping", {"01:%CE", "89:%FF", "80:%BA"}, "ping(\xFF) text(\xCE\xBA)"},
    {"wrong across fragments", {"01:%F4", "00:%90", "80:%80%80"}, "bad 1007 +8"},
    {"wrong in an early fragment", {"01:%CE%BA%FF", "80:x"}, "bad 1007 +7"},
    {"binary may be anything", {"82:%FF%FE"}, "binary(\xFF\xFE)"},
    {"every message starts anew", {"02:%CE", "80:", "81:%CE%BA"}, "binary(\xCE) text(\xCE\xBA)"},
    {"wrong behind a long start", {"01:@4000", "80:%ED%BF%BFx"}, "bad 1007 +2"},
};
/* clang-format on */

static void lengths_are_minimal_and_masked(void **state) {
    (void)state;
    CHECK(lengths, 1u << 20);
}

static void limit_holds_for_what_is_announced(void **state) {
    (void)state;
    CHECK(limits, 8);
}

static void control_frames(void **state) {
    (void)state;
    CHECK(controls, 1u << 20);
}

static void fragmentation(void **state) {
    (void)state;
    CHECK(fragments, 1u << 20);
}

static void close_frames(void **state) {
    (void)state;
    CHECK(closes, 1u << 20);
}

static void text_fails_at_the_earliest_byte(void **state) {
    (void)state;
    CHECK(utf8, 1u << 20);
}

/* All 256 first bytes: which opcodes and bits may begin a stream. */
static void every_first_byte(void **state) {
    (void)state;
    static const char *const may_begin[256] = {
        [0x01] = "",
        [0x02] = "",
        [0x81] = "text()",
        [0x82] = "binary()",
        [0x88] = "close 1005()",
        [0x89] = "ping()",
        [0x8A] = "pong()",
    };
    for (unsigned b0 = 0; b0 < 256; b0++) {
        static struct buf in;
        char spec[8];
        in.n = 0;
        snprintf(spec, sizeof spec, "%02X:", b0);
        add_frame(&in, spec);
        const char *want = may_begin[b0];
        /* What fails does so before the mask has come. */
        check_stream(&in, 0, want ? want : "bad 1002 +4");
    }
}

static void limit_of_zero_allows_empty_messages(void **state) {
    (void)state;
    static struct buf in;
    in.n = 0;
    add_frame(&in, "81:");
    add_frame(&in, "81:x");
    check_stream(&in, 0, "text() bad 1009 +5");
}

/* The first event of a piece tells the start although more of the frame is to come. */
static void data_is_handed_on_before_the_frame_ends(void **state) {
    (void)state;
    static struct buf in;
    struct ws_in ws;
    struct ws_event ev;
    size_t used;
    in.n = 0;
    add_frame(&in, "82:0123456789");
    ws_in_init(&ws, 10);
    assert_int_equal(ws_decode(&ws, in.p, 9, &used, &ev), WS_DATA);
    assert_int_equal(used, 9);
    assert_true(ev.first && !ev.last && ev.len == 3);
    assert_memory_equal(ev.data, "012", 3);
    assert_int_equal(ws_decode(&ws, in.p + 9, 0, &used, &ev), WS_MORE);
    assert_int_equal(ws_decode(&ws, in.p + 9, 7, &used, &ev), WS_DATA);
    assert_true(!ev.first && ev.last && ev.len == 7);
    assert_memory_equal(ev.data, "3456789", 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_minimal_and_masked),
        cmocka_unit_test(limit_holds_for_what_is_announced),
        cmocka_unit_test(control_frames),
        cmocka_unit_test(fragmentation),
        cmocka_unit_test(close_frames),
        cmocka_unit_test(text_fails_at_the_earliest_byte),
        cmocka_unit_test(every_first_byte),
        cmocka_unit_test(limit_of_zero_allows_empty_messages),
        cmocka_unit_test(data_is_handed_on_before_the_frame_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
