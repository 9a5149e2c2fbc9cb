// link: hub session proto base
/* The hub over real TCP connections on loopback; the other end speaks raw frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "hub/hub.h"

#define TOPIC 1u
#define PATIENCE_MS 20000

/* The application of these tests: echoes, and broadcasts what it is asked to. */
struct world {
    struct hub *hub;
    struct hub_opts opts;
    atomic_uint opened, closed;
    atomic_uint to_send; /* broadcasts that the next kick makes */
    uint64_t sent;
    size_t size; /* of each */
    atomic_uint keys;
};

static void on_opened(void *ctx, struct hub *h, sess_id id,
                      const struct handoff_hello *hello) {
    struct world *w = ctx;
    if (hello->resume_seq)
        hub_replay(h, id, TOPIC, hello->resume_seq);
    w->opened++;
}

/* A request that costs 5 ms. */
static void work(void) {
    for (uint64_t until_ns = clock_ns() + 5000000; clock_ns() < until_ns;)
        ;
}

static void on_message(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                       const uint8_t *p, size_t n) {
    (void)ctx;
    if (n == 5 && memcmp(p, "close", 5) == 0)
        hub_close_with(h, id, DISC_PROTOCOL_ERROR, 1003, "as you wish");
    else if (n == 4 && memcmp(p, "work", 4) == 0)
        work();
    else
        hub_send(h, id, op, p, n);
}

static void on_closing(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx;
    (void)why;
    hub_send(h, id, WS_TEXT, (const uint8_t *)"bye", 3);
}

static void on_closed(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    struct world *w = ctx;
    (void)h;
    (void)id;
    (void)why;
    w->closed++;
}

static void on_kicked(void *ctx, struct hub *h) {
    struct world *w = ctx;
    static uint8_t text[65536];
    memset(text, '.', sizeof(text));
    for (unsigned n = atomic_exchange(&w->to_send, 0); n > 0; n--) {
        char seq[24];
        int len = snprintf(seq, sizeof(seq), "%llu ", (unsigned long long)++w->sent);
        memcpy(text, seq, (size_t)len);
        assert_int_equal(hub_broadcast(h, TOPIC, w->sent, WS_TEXT, text, w->size), 0);
        if (!hub_wants_key(h, TOPIC))
            continue;
        w->keys++;
        text[w->size - 1] = 'K';
        assert_int_equal(hub_broadcast_key(h, TOPIC, w->sent, WS_TEXT, text, w->size),
                         0);
        text[w->size - 1] = '.';
        assert_false(hub_wants_key(h, TOPIC));
    }
}

static const struct hub_app app = {on_opened, on_message, on_closing, on_closed,
                                   on_kicked};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    hub_opts_default(&w->opts);
    w->opts.app = &app;
    w->opts.ctx = w;
    w->opts.topics = TOPIC;
    w->opts.max_sessions = 8;
    w->opts.close_ms = 1000;
    w->size = 100;
    *state = w;
    return 0;
}

static void start(struct world *w) {
    assert_int_equal(hub_start(&w->hub, &w->opts), 0);
}

static void read_stats(struct hub *h, void *arg) { hub_stats(h, arg, NULL, 0); }

static struct hub_stats stats(struct world *w) {
    struct hub_stats s;
    assert_int_equal(hub_call(w->hub, read_stats, &s, PATIENCE_MS), 0);
    return s;
}

static int teardown(void **state) {
    struct world *w = *state;
    if (w->hub) {
        struct hub_stats s = stats(w);
        assert_int_equal(s.m.opened, s.active + s.closing + metrics_closed_sum(&s.m));
        hub_stop(w->hub);
        assert_int_equal(w->opened, w->closed);
        hub_free(w->hub);
    }
    free(w);
    return 0;
}

/* Waits for a cause to have been counted n times. */
static void await_closed(struct world *w, enum disc_why why, uint64_t n) {
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (stats(w).m.closed[why] < n) {
        assert_true(clock_ms() < until);
        poll(NULL, 0, 1);
    }
    assert_int_equal(stats(w).m.closed[why], n);
}

/* A connected pair; the server's end is non-blocking, as the hub wants it. */
static int tcp_pair(int *server, int rcvbuf) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (rcvbuf)
        setsockopt(client, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
    *server = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(*server >= 0);
    close(listener);
    struct timeval tv = {PATIENCE_MS / 1000, 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return client;
}

static int join_with(struct world *w, const struct handoff_hello *hello,
                     const uint8_t *leftover, uint32_t n, int rcvbuf) {
    int server;
    int client = tcp_pair(&server, rcvbuf);
    struct transport t;
    transport_plain(&t, server);
    unsigned before = w->opened;
    assert_int_equal(hub_reserve(w->hub, hello->role), 0);
    hub_post(w->hub, &t, hello, leftover, n);
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (w->opened == before) {
        assert_true(clock_ms() < until);
        poll(NULL, 0, 1);
    }
    return client;
}

static int join(struct world *w) {
    struct handoff_hello hello = {0};
    return join_with(w, &hello, NULL, 0, 0);
}

/* A masked frame, as clients send them. */
static size_t frame(uint8_t *out, unsigned first, const void *body, size_t n) {
    size_t at = 0;
    out[at++] = (uint8_t)first;
    if (n < 126) {
        out[at++] = (uint8_t)(0x80 | n);
    } else {
        out[at++] = 0x80 | 126;
        bytes_put16(out + at, (uint16_t)n);
        at += 2;
    }
    const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < n; i++)
        out[at++] = ((const uint8_t *)body)[i] ^ mask[i % 4];
    return at;
}

static void send_frame(int fd, unsigned first, const void *body, size_t n) {
    uint8_t out[70000];
    size_t len = frame(out, first, body, n);
    assert_int_equal(send(fd, out, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void read_exactly(int fd, uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t got = recv(fd, p, n, 0);
        assert_true(got > 0);
        p += got;
        n -= (size_t)got;
    }
}

/* One frame from the server: FIN set, no reserved bit, no mask. Returns its payload
 * size. */
static size_t read_frame(int fd, unsigned *op, uint8_t *body) {
    uint8_t h[8];
    read_exactly(fd, h, 2);
    assert_int_equal(h[0] & 0xf0, 0x80);
    *op = h[0] & 0x0f;
    size_t n = h[1];
    assert_true(n < 128);
    if (n == 126) {
        read_exactly(fd, h, 2);
        n = bytes_get16(h);
    } else if (n == 127) {
        read_exactly(fd, h, 8);
        n = (size_t)bytes_get64(h);
    }
    assert_true(n <= 65536);
    read_exactly(fd, body, n);
    return n;
}

/* Reads until a close frame, then FIN; returns its code. */
static unsigned read_close(int fd) {
    uint8_t body[65536];
    unsigned op;
    size_t n;
    do
        n = read_frame(fd, &op, body);
    while (op != WS_CLOSE);
    uint8_t rest;
    assert_int_equal(recv(fd, &rest, 1, 0), 0);
    return n >= 2 ? bytes_get16(body) : 0;
}

static void reset(int fd) {
    struct linger l = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

static void messages_come_back(void **state) {
    struct world *w = *state;
    start(w);
    uint8_t early[64];
    uint32_t n = (uint32_t)frame(early, 0x81, "early", 5);
    n += (uint32_t)frame(early + n, 0x81, "bird", 4);
    struct handoff_hello hello = {0};
    int fd = join_with(w, &hello, early, n, 0);
    uint8_t body[65536];
    unsigned op;
    assert_int_equal(read_frame(fd, &op, body), 5);
    assert_memory_equal(body, "early", 5);
    assert_int_equal(read_frame(fd, &op, body), 4);
    assert_memory_equal(body, "bird", 4);
    /* In three fragments with a ping between them. */
    send_frame(fd, 0x02, "ab", 2);
    send_frame(fd, 0x89, "!", 1);
    send_frame(fd, 0x00, "cd", 2);
    send_frame(fd, 0x80, "e", 1);
    assert_int_equal(read_frame(fd, &op, body), 1);
    assert_int_equal(op, WS_PONG);
    assert_int_equal(read_frame(fd, &op, body), 5);
    assert_int_equal(op, WS_BINARY);
    assert_memory_equal(body, "abcde", 5);
    close(fd);
    await_closed(w, DISC_PEER_GONE, 1);
}

static void each_end_has_its_cause(void **state) {
    struct world *w = *state;
    start(w);
    int fd = join(w);
    send_frame(fd, 0x88, "\x03\xe8", 2);
    assert_int_equal(read_close(fd), 1000);
    close(fd);
    await_closed(w, DISC_PEER_CLOSED, 1);
    reset(join(w));
    await_closed(w, DISC_PEER_RESET, 1);
    close(join(w));
    await_closed(w, DISC_PEER_GONE, 1);
    fd = join(w);
    send_frame(fd, 0xc1, "x", 1);
    assert_int_equal(read_close(fd), 1002);
    close(fd);
    await_closed(w, DISC_PROTOCOL_ERROR, 1);
}

static void an_error_is_told_whatever_follows_it(void **state) {
    struct world *w = *state;
    start(w);
    int fd = join(w);
    uint8_t out[64];
    size_t n = frame(out, 0x81, "close", 5);
    memcpy(out + n, "\x81\x01?", 3); /* not masked */
    assert_int_equal(send(fd, out, n + 3, MSG_NOSIGNAL), (ssize_t)(n + 3));
    assert_int_equal(read_close(fd), 1003);
    close(fd);
    await_closed(w, DISC_PROTOCOL_ERROR, 1);
}

static void a_full_table_refuses_before_anything_is_sent(void **state) {
    struct world *w = *state;
    w->opts.max_sessions = 2;
    start(w);
    int a = join(w);
    assert_int_equal(hub_reserve(w->hub, 0), 0);
    assert_int_equal(hub_reserve(w->hub, 0), -EAGAIN);
    hub_cancel(w->hub);
    int b = join(w);
    assert_int_equal(hub_reserve(w->hub, 0), -EAGAIN);
    close(a);
    await_closed(w, DISC_PEER_GONE, 1);
    assert_int_equal(hub_reserve(w->hub, 0), 0);
    hub_cancel(w->hub);
    close(b);
}

static int join_as(struct world *w, uint8_t role) {
    struct handoff_hello hello = {.role = role};
    return join_with(w, &hello, NULL, 0, 0);
}

static void who_comes_first_finds_a_place(void **state) {
    struct world *w = *state;
    uint8_t body[65536];
    unsigned op;
    w->opts.max_sessions = 2;
    w->opts.first_role = 3;
    start(w);
    assert_int_equal(stats(w).capacity, 2);
    int quiet = join_as(w, 2);
    int busy = join_as(w, 2);
    /* The older one asks; then the younger has been idle for longer. */
    poll(NULL, 0, 2);
    send_frame(quiet, 0x81, "x", 1);
    read_frame(quiet, &op, body);
    assert_int_equal(hub_reserve(w->hub, 2), -EAGAIN);
    int first = join_as(w, 3);
    assert_int_equal(read_close(busy), 4002);
    close(busy);
    await_closed(w, DISC_EVICTED, 1);
    /* The place on top is free again: for the next of them, and for nobody else. */
    assert_int_equal(hub_reserve(w->hub, 2), -EAGAIN);
    int second = join_as(w, 4);
    assert_int_equal(read_close(quiet), 4002);
    close(quiet);
    await_closed(w, DISC_EVICTED, 2);
    /* Among themselves they are equal: nobody gives way. */
    int third = join_as(w, 3);
    assert_int_equal(hub_reserve(w->hub, 3), -EAGAIN);
    assert_int_equal(stats(w).active, 3);
    close(first);
    close(second);
    close(third);
}

static void stopping_says_goodbye(void **state) {
    struct world *w = *state;
    start(w);
    int one = join(w);
    int other = join(w);
    uint64_t t0 = clock_ms();
    hub_stop(w->hub);
    assert_true(clock_ms() - t0 < 5000);
    uint8_t body[65536];
    unsigned op;
    assert_int_equal(read_frame(one, &op, body), 3);
    assert_memory_equal(body, "bye", 3);
    assert_int_equal(read_frame(one, &op, body), 2 + strlen("going away"));
    assert_int_equal(op, WS_CLOSE);
    assert_int_equal(bytes_get16(body), 1001);
    assert_int_equal(hub_reserve(w->hub, 0), -ESHUTDOWN);
    assert_int_equal(w->opened, w->closed);
    hub_free(w->hub);
    w->hub = NULL;
    close(one);
    close(other);
}

static void everybody_is_told_at_once(void **state) {
    enum { N = 40 };
    struct world *w = *state;
    w->opts.max_sessions = N;
    w->opts.pool_bytes = LIM_BLOCK_BYTES;
    start(w);
    int fd[N];
    for (int i = 0; i < N; i++)
        fd[i] = join(w);
    hub_stop(w->hub);
    for (int i = 0; i < N; i++) {
        assert_int_equal(read_close(fd[i]), 1001);
        close(fd[i]);
    }
    hub_free(w->hub);
    w->hub = NULL;
}

static void broadcast(struct world *w, unsigned n) {
    w->to_send = n;
    hub_kick(w->hub);
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (w->to_send != 0) {
        assert_true(clock_ms() < until);
        poll(NULL, 0, 1);
    }
    stats(w); /* a tick has passed: it went out */
}

/* Broadcast frames until the one with number `last`; all numbers must rise. Returns how
 * many were seen. */
static unsigned read_until(int fd, unsigned long last) {
    uint8_t body[65537];
    unsigned seen = 0;
    unsigned long before = 0;
    for (;;) {
        unsigned op;
        size_t n = read_frame(fd, &op, body);
        if (op != WS_TEXT)
            continue;
        body[n] = '\0';
        unsigned long seq = strtoul((char *)body, NULL, 10);
        assert_true(seq > before && seq <= last);
        before = seq;
        seen++;
        if (seq == last)
            return seen;
    }
}

static void a_stalled_reader_costs_the_others_nothing(void **state) {
    struct world *w = *state;
    w->opts.ring_bytes = 64 * 1024;
    w->opts.ring_frames = 16;
    w->opts.sndbuf = 8 * 1024;
    w->size = 3000;
    start(w);
    struct handoff_hello hello = {0};
    int stalled = join_with(w, &hello, NULL, 0, 4096);
    int healthy = join(w);
    for (unsigned long i = 1; i <= 400; i++) {
        broadcast(w, 1);
        assert_int_equal(read_until(healthy, i), 1);
    }
    struct hub_stats s = stats(w);
    assert_int_equal(s.active, 2);
    assert_true(s.m.conflated > 200);
    assert_true(s.queue_bytes <= 4096); /* at most the rest of one frame */
    /* It comes back: what it reads is whole frames, in order, up to the newest. */
    unsigned seen = read_until(stalled, 400);
    assert_true(seen < 200);
    broadcast(w, 1);
    assert_int_equal(read_until(stalled, 401), 1);
    close(stalled);
    close(healthy);
}

static void one_that_never_reads_is_closed(void **state) {
    struct world *w = *state;
    w->opts.ring_bytes = 64 * 1024;
    w->opts.sndbuf = 8 * 1024;
    w->opts.stall_ms = 300;
    w->opts.close_ms = 100;
    w->size = 8000;
    start(w);
    struct handoff_hello hello = {0};
    int fd = join_with(w, &hello, NULL, 0, 4096);
    for (int i = 0; i < 50; i++)
        broadcast(w, 1);
    await_closed(w, DISC_SLOW_READER, 1);
    close(fd);
}

static void one_that_asks_but_does_not_read_is_held_back(void **state) {
    struct world *w = *state;
    w->opts.sndbuf = 8 * 1024;
    w->opts.stall_ms = 500;
    w->opts.close_ms = 100;
    start(w);
    struct handoff_hello hello = {0};
    int fd = join_with(w, &hello, NULL, 0, 4096);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    uint8_t out[2048], body[1024];
    memset(body, 'q', sizeof(body));
    size_t n = frame(out, 0x81, body, sizeof(body));
    uint64_t until = clock_ms() + PATIENCE_MS;
    /* Whole frames only, as long as the socket takes any; it must stop taking them. */
    while (send(fd, out, n, MSG_NOSIGNAL) == (ssize_t)n)
        assert_true(clock_ms() < until);
    assert_true(stats(w).queue_bytes <= w->opts.reply_bytes + LIM_BLOCK_BYTES);
    await_closed(w, DISC_SLOW_READER, 1);
    close(fd);
}

static void a_burst_of_requests_is_answered(void **state) {
    enum { N = 55 };
    struct world *w = *state;
    w->opts.reply_bytes = 8 * 1024;
    w->opts.sndbuf = 4 * 1024;
    start(w);
    struct handoff_hello hello = {0};
    int fd = join_with(w, &hello, NULL, 0, 4096);
    static uint8_t burst[N * 1100], body[65536];
    size_t n = 0;
    for (int i = 0; i < N; i++) {
        memset(body, 'a' + i % 26, 1000);
        n += frame(burst + n, 0x81, body, 1000);
    }
    assert_int_equal(send(fd, burst, n, MSG_NOSIGNAL), (ssize_t)n);
    for (int i = 0; i < N; i++) {
        unsigned op;
        do
            n = read_frame(fd, &op, body);
        while (op == WS_PING);
        assert_int_equal(n, 1000);
        assert_int_equal(body[0], 'a' + i % 26);
        assert_int_equal(body[999], 'a' + i % 26);
    }
    assert_int_equal(stats(w).queue_bytes, 0);
    close(fd);
}

/* 400 requests of 5 ms in one burst take 2 s, of three three times that; meanwhile a
 * question of another is answered within a few turns. */
static void those_that_ask_much_take_turns(void **state) {
    enum { HOGS = 3 };
    struct world *w = *state;
    start(w);
    int busy[HOGS];
    for (int i = 0; i < HOGS; i++)
        busy[i] = join(w);
    int other = join(w);
    static uint8_t burst[400 * 16];
    size_t n = 0;
    for (int i = 0; i < 400; i++)
        n += frame(burst + n, 0x81, "work", 4);
    for (int i = 0; i < HOGS; i++)
        assert_int_equal(send(busy[i], burst, n, MSG_NOSIGNAL), (ssize_t)n);
    for (int i = 0; i < 5; i++) {
        uint8_t body[65536];
        unsigned op;
        uint64_t t0 = clock_ms();
        send_frame(other, 0x81, "?", 1);
        do
            read_frame(other, &op, body);
        while (op != WS_TEXT);
        assert_true(clock_ms() - t0 < 500);
    }
    struct hub_stats s = stats(w);
    assert_true(s.m.frames_in < HOGS * 400); /* they are still at it */
    for (int i = 0; i < HOGS; i++)
        close(busy[i]);
    close(other);
}

/* A long frame is read to its end, and not what stands behind it with it. */
static void little_waits_undecoded(void **state) {
    enum { LONG = 9000, WORKS = 2000 };
    struct world *w = *state;
    start(w);
    int fd = join(w);
    static uint8_t burst[LONG + 16 + WORKS * 16], body[65536];
    size_t n = frame(burst, 0x81, body, LONG);
    for (int i = 0; i < WORKS; i++)
        n += frame(burst + n, 0x81, "work", 4);
    assert_int_equal(send(fd, burst, n, MSG_NOSIGNAL), (ssize_t)n);
    unsigned op;
    assert_int_equal(read_frame(fd, &op, body), LONG);
    uint64_t until = clock_ms() + PATIENCE_MS;
    struct hub_stats s;
    do {
        s = stats(w);
        assert_true(clock_ms() < until);
        assert_true(s.queue_bytes < 2 * 4096);
    } while (s.m.frames_in < 20);
    close(fd);
}

static void whoever_hoards_the_pool_pays(void **state) {
    struct world *w = *state;
    w->opts.pool_bytes = 64 * 1024;
    w->opts.max_message = 65536;
    start(w);
    int hoarder = join(w);
    int other = join(w);
    static uint8_t half[60000];
    memset(half, 'h', sizeof(half));
    send_frame(hoarder, 0x01, half, sizeof(half)); /* unfinished */
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (stats(w).queue_bytes < sizeof(half)) {
        assert_true(clock_ms() < until);
        poll(NULL, 0, 1);
    }
    send_frame(other, 0x01, half, 9000);
    send_frame(other, 0x80, half, 9000);
    uint8_t body[65536];
    unsigned op;
    assert_int_equal(read_frame(other, &op, body), 18000);
    await_closed(w, DISC_PROTOCOL_ERROR, 1);
    assert_int_equal(stats(w).active, 1);
    close(hoarder);
    close(other);
}

static void an_unfinished_message_has_a_deadline(void **state) {
    struct world *w = *state;
    w->opts.message_ms = 200;
    start(w);
    int fd = join(w);
    send_frame(fd, 0x01, "never ", 6);
    assert_int_equal(read_close(fd), 1008);
    close(fd);
    await_closed(w, DISC_PROTOCOL_ERROR, 1);
    assert_int_equal(stats(w).queue_bytes, 0);
}

static void a_silent_peer_is_lost_and_told(void **state) {
    struct world *w = *state;
    w->opts.pulse = (struct pulse_opts){
        .start_ms = 1500, .min_ms = 500, .max_ms = 3000, .misses = 3};
    start(w);
    int fd =
        join(w); /* reads nothing and answers nothing, but its kernel acknowledges */
    uint64_t t0 = clock_ms();
    await_closed(w, DISC_HEARTBEAT_LOST, 1);
    uint64_t took = clock_ms() - t0;
    struct hub_stats s = stats(w);
    assert_int_equal(s.m.reprieved, 1);
    assert_int_equal(s.m.lost, 1);
    assert_in_range(took, 2500, 4500); /* 1.5 + 0.5 + 0.5 s, once more 0.5, and ticks */
    assert_int_equal(read_close(fd), 4001);
    close(fd);
}

static void one_that_answers_lives(void **state) {
    struct world *w = *state;
    w->opts.pulse = (struct pulse_opts){
        .start_ms = 600, .min_ms = 300, .max_ms = 1200, .misses = 3};
    start(w);
    int fd = join(w);
    uint8_t body[65536];
    unsigned op;
    for (int i = 0; i < 4; i++) {
        size_t n = read_frame(fd, &op, body);
        assert_int_equal(op, WS_PING);
        send_frame(fd, 0x8a, body, n);
    }
    send_frame(fd, 0x81, "?", 1);
    do
        read_frame(fd, &op, body);
    while (op != WS_TEXT);
    struct hub_stats s = stats(w);
    assert_true(s.m.pongs >= 4);
    assert_int_equal(s.m.missed, 0);
    assert_int_equal(s.m.rtt_n, s.m.pongs);
    close(fd);
}

static void who_comes_back_gets_what_it_missed(void **state) {
    struct world *w = *state;
    start(w);
    broadcast(w, 10);
    struct handoff_hello hello = {.resume_seq = 4};
    int fd = join_with(w, &hello, NULL, 0, 0);
    assert_int_equal(read_until(fd, 10), 6);
    struct hub_stats s = stats(w);
    assert_int_equal(s.m.resumed, 1);
    assert_int_equal(s.m.replayed, 6);
    close(fd);
}

/* Numbers of frames up to `last`: where one is missing, a key must follow. Returns how
 * many keys were seen. */
static unsigned read_thread(int fd, size_t size, unsigned long last) {
    uint8_t body[65537];
    unsigned keys = 0;
    for (unsigned long before = 0, seq = 0; seq < last; before = seq) {
        unsigned op;
        size_t n;
        do
            n = read_frame(fd, &op, body);
        while (op != WS_TEXT);
        assert_int_equal(n, size);
        body[n] = '\0';
        seq = strtoul((char *)body, NULL, 10);
        bool key = body[n - 1] == 'K';
        assert_true(key ? seq > before : seq == before + 1);
        keys += key;
    }
    return keys;
}

static void who_lost_the_thread_gets_a_key(void **state) {
    struct world *w = *state;
    w->opts.keyed = TOPIC;
    w->opts.ring_bytes = 64 * 1024;
    w->opts.ring_frames = 16;
    w->opts.sndbuf = 8 * 1024;
    w->size = 3000;
    start(w);
    struct handoff_hello hello = {0};
    int stalled = join_with(w, &hello, NULL, 0, 4096);
    int healthy = join(w);
    for (unsigned long i = 1; i <= 200; i++) {
        broadcast(w, 1);
        assert_int_equal(read_until(healthy, i), 1);
    }
    struct hub_stats s = stats(w);
    assert_true(s.m.conflated > 100);
    assert_true(w->keys > 0 && w->keys < 50); /* one for each round of the ring */
    unsigned keys = read_thread(stalled, w->size, 200);
    assert_in_range(keys, 1, w->keys);
    broadcast(w, 1);
    assert_int_equal(read_until(stalled, 201), 1);
    close(stalled);
    close(healthy);
}

static void note_thread(struct hub *h, void *arg) {
    hub_now_ms(h); /* asserts that it is the hub's */
    *(bool *)arg = true;
}

static void calls_run_on_the_hub_or_not_at_all(void **state) {
    struct world *w = *state;
    start(w);
    bool ran = false;
    assert_int_equal(hub_call(w->hub, note_thread, &ran, PATIENCE_MS), 0);
    assert_true(ran);
    hub_stop(w->hub);
    ran = false;
    assert_int_equal(hub_call(w->hub, note_thread, &ran, 20), -ETIMEDOUT);
    assert_false(ran);
    hub_free(w->hub);
    w->hub = NULL;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(messages_come_back),
        T(each_end_has_its_cause),
        T(an_error_is_told_whatever_follows_it),
        T(a_full_table_refuses_before_anything_is_sent),
        T(who_comes_first_finds_a_place),
        T(stopping_says_goodbye),
        T(everybody_is_told_at_once),
        T(a_stalled_reader_costs_the_others_nothing),
        T(one_that_never_reads_is_closed),
        T(one_that_asks_but_does_not_read_is_held_back),
        T(a_burst_of_requests_is_answered),
        T(those_that_ask_much_take_turns),
        T(little_waits_undecoded),
        T(whoever_hoards_the_pool_pays),
        T(an_unfinished_message_has_a_deadline),
        T(a_silent_peer_is_lost_and_told),
        T(one_that_answers_lives),
        T(who_comes_back_gets_what_it_missed),
        T(who_lost_the_thread_gets_a_key),
        T(calls_run_on_the_hub_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
