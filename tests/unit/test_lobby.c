// link: http
/* The lobby on loopback, with an application of a few lines in the place of HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/lobby.h"

#define SEATS 8u
#define BIG (2u * 1024 * 1024)
#define LOAD (512u * 1024)

struct fixture {
    struct lobby *lobby;
    struct lobby_counts counts;
    int door;
    struct sockaddr_in at;
    _Atomic(struct lobby_guest *) aside; /* the one that a worker should serve */
    int bell;                            /* rings when there is one */
};

static char big[BIG];

static void say(struct fixture *f, struct lobby_guest *g, const void *p, size_t n,
                bool lasting) {
    struct iovec piece = {(void *)(uintptr_t)p, n}, *iov = &piece;
    int count = 1;
    if (lobby_say(f->lobby, g, &iov, &count, lasting) != 0)
        g->next = LOBBY_CLOSE;
}

static bool asks_for(const char *p, size_t n, const char *path) {
    size_t k = strlen(path);
    return n > 4 + k && memcmp(p + 4, path, k) == 0 && p[4 + k] == ' ';
}

static enum lobby_verdict on_head(void *ctx, struct lobby_guest *g, const char *p,
                                  size_t n, size_t head_n, size_t *used) {
    g->next = LOBBY_KEEP;
    *used = head_n;
    if (asks_for(p, n, "/worker"))
        return LOBBY_ASIDE;
    if (asks_for(p, n, "/body")) {
        *used = head_n + 10;
        if (n < *used)
            return LOBBY_WANTS;
        say(ctx, g, p + head_n, 10, false);
        return LOBBY_ANSWERED;
    }
    if (asks_for(p, n, "/last"))
        g->next = LOBBY_LINGER;
    if (asks_for(p, n, "/big"))
        say(ctx, g, big, BIG, true);
    else
        say(ctx, g, "hello", 5, false);
    return LOBBY_ANSWERED;
}

static void on_fault(void *ctx, struct lobby_guest *g, int status) {
    char text[8];
    g->next = LOBBY_LINGER;
    say(ctx, g, text, (size_t)snprintf(text, sizeof text, "%d", status), false);
}

static void on_aside(void *ctx, struct lobby_guest *g) {
    struct fixture *f = ctx;
    atomic_store(&f->aside, g);
    eventfd_write(f->bell, 1);
}

static const struct lobby_app app = {on_head, on_fault, on_aside};

static int setup(void **state) {
    static struct fixture f;
    socklen_t n = sizeof f.at;
    *state = &f;
    log_set_level(LOG_LVL_ERROR);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)('a' + i % 26);
    f.bell = eventfd(0, 0);
    f.door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int little = 16384; /* of an answer that the kernel takes, as a door has it */
    setsockopt(f.door, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    f.at = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(f.door, (struct sockaddr *)&f.at, n) || listen(f.door, 128) ||
        getsockname(f.door, (struct sockaddr *)&f.at, &n))
        return -1;
    struct lobby_door door = {.fd = f.door, .kind = LOBBY_PLAIN};
    struct lobby_opts o = {.doors = &door,
                           .n_doors = 1,
                           .seats = SEATS,
                           .load_bytes = LOAD,
                           .counts = &f.counts,
                           .app = &app,
                           .ctx = &f};
    return lobby_init(&f.lobby, &o) != 0 || lobby_start(f.lobby) != 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    lobby_stop(f->lobby);
    lobby_free(f->lobby);
    close(f->door);
    close(f->bell);
    return 0;
}

static void put(int fd, const char *words) {
    assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
}

static int dial(struct fixture *f, const char *words) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&f->at, sizeof f->at), 0);
    if (*words)
        put(fd, words);
    return fd;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* Exactly this comes next. */
static void hear(int fd, const char *want) {
    char got[64];
    size_t n = 0;
    while (n < strlen(want)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 10000), 1);
        ssize_t k = recv(fd, got + n, strlen(want) - n, 0);
        assert_true(k > 0);
        n += (size_t)k;
    }
    assert_memory_equal(got, want, n);
}

static void hear_nothing(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 100), 0);
}

static void hear_end(int fd) {
    char c;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_true(recv(fd, &c, 1, 0) <= 0);
    close(fd);
}

/* Until so many were accepted. */
static void accepted(struct fixture *f, uint64_t n) {
    struct lobby_stats st;
    uint64_t until_ms = clock_ms() + 10000;
    do {
        lobby_stats(&f->counts, &st);
        assert_true(clock_ms() < until_ms);
    } while (st.accepted < n);
}

static void a_connection_is_kept(void **state) {
    int fd = dial(*state, GET("/"));
    hear(fd, "hello");
    put(fd, GET("/"));
    hear(fd, "hello");
    put(fd, GET("/") "\r\n" GET("/") GET("/"));
    hear(fd, "hellohellohello");
    put(fd, GET("/last"));
    hear(fd, "hello");
    hear_end(fd);
}

static void a_head_may_come_in_any_pieces(void **state) {
    int fd = dial(*state, "");
    for (const char *p = GET("/") GET("/"); *p; p++) {
        assert_int_equal(send(fd, p, 1, 0), 1);
        if ((p - GET("/") GET("/")) % 7 == 0)
            poll(NULL, 0, 2);
    }
    hear(fd, "hellohello");
    close(fd);
}

static void a_body_may_come_later(void **state) {
    int fd = dial(*state, GET("/body") "12345");
    hear_nothing(fd);
    put(fd, "67890" GET("/"));
    hear(fd, "1234567890hello");
    close(fd);
}

static void what_is_no_head_is_told_so(void **state) {
    static char large[9000];
    int fd = dial(*state, "hello\n");
    hear(fd, "400");
    hear_end(fd);
    memset(large, 'a', sizeof large - 1);
    fd = dial(*state, large);
    hear(fd, "431");
    hear_end(fd);
    fd = dial(*state, GET("/") "GET / HT");
    shutdown(fd, SHUT_WR);
    hear(fd, "hello408");
    hear_end(fd);
}

static struct lobby_guest *pick_up(struct fixture *f) {
    eventfd_t n;
    eventfd_read(f->bell, &n);
    return atomic_load(&f->aside);
}

static void a_worker_gives_it_back(void **state) {
    struct fixture *f = *state;
    int fd = dial(f, GET("/worker") GET("/") GET("/worker"));
    for (int i = 0; i < 2; i++) {
        struct lobby_guest *g = pick_up(f);
        say(f, g, "done", 4, false);
        size_t n = strlen(GET("/worker"));
        memmove(g->kept, g->kept + n, g->kept_n - n);
        g->kept_n -= n;
        g->next = LOBBY_KEEP;
        lobby_return(f->lobby, g);
    }
    hear(fd, "donehellodone");
    put(fd, GET("/"));
    hear(fd, "hello");
    close(fd);
}

/* What arrives while a worker has it is not lost. */
static void meanwhile_the_peer_may_go_on(void **state) {
    struct fixture *f = *state;
    int fd = dial(f, GET("/"));
    hear(fd, "hello");
    put(fd, GET("/worker"));
    struct lobby_guest *g = pick_up(f);
    put(fd, GET("/"));
    hear_nothing(fd);
    g->kept_n = 0;
    g->next = LOBBY_KEEP;
    lobby_return(f->lobby, g);
    hear(fd, "hello");
    put(fd, GET("/worker"));
    g = pick_up(f);
    close(fd);
    g->kept_n = 0;
    lobby_return(f->lobby, g);
}

static void a_connection_may_be_taken_away(void **state) {
    struct fixture *f = *state;
    int fd = dial(f, GET("/"));
    hear(fd, "hello");
    put(fd, GET("/worker") "more");
    struct lobby_guest *g = pick_up(f);
    struct transport t;
    assert_int_equal(g->kept_n, strlen(GET("/worker") "more"));
    lobby_detach(f->lobby, g, &t);
    lobby_return(f->lobby, g);
    put(fd, GET("/"));
    hear_nothing(fd);
    t.ops->close(&t);
}

struct reader {
    int fd;
    size_t n;
};

/* One piece: false at the end of the stream. */
static bool read_on(struct reader *r) {
    static char got[65536];
    ssize_t k = recv(r->fd, got, sizeof got, 0);
    for (ssize_t c = 0; r->n + (size_t)c < BIG && c < k; c += 97)
        assert_int_equal(got[c], big[r->n + (size_t)c]);
    r->n += k > 0 ? (size_t)k : 0;
    return k > 0;
}

static void slow_readers_hold_nobody(void **state) {
    struct fixture *f = *state;
    struct reader slow[SEATS - 1] = {{0, 0}};
    int small = 4096;
    unsigned left = SEATS - 1;
    for (unsigned i = 0; i < SEATS - 1; i++) {
        slow[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(slow[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        assert_int_equal(connect(slow[i].fd, (struct sockaddr *)&f->at, sizeof f->at),
                         0);
        put(slow[i].fd, GET("/big") GET("/last"));
    }
    int fd = dial(f, GET("/"));
    hear(fd, "hello");
    close(fd);
    /* In turns: nobody falls behind the pace. */
    while (left > 0) {
        for (unsigned i = 0; i < SEATS - 1; i++) {
            if (slow[i].fd >= 0 && !read_on(&slow[i])) {
                assert_int_equal(slow[i].n, BIG + 5);
                close(slow[i].fd);
                slow[i].fd = -1;
                left--;
            }
        }
    }
}

/* As a worker does that has composed the answer. */
static int say_composed(struct fixture *f, struct lobby_guest *g, int *tries) {
    struct iovec piece = {big, LOAD}, *iov = &piece;
    int n = 1, rc;
    g->next = LOBBY_CLOSE;
    *tries = 0;
    while ((rc = lobby_say(f->lobby, g, &iov, &n, false)) == -EMSGSIZE &&
           ++*tries < 1000)
        poll(NULL, 0, 10);
    lobby_return(f->lobby, g);
    return rc;
}

static int ask_slowly(struct fixture *f) {
    int small = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (struct sockaddr *)&f->at, sizeof f->at), 0);
    put(fd, GET("/worker"));
    return fd;
}

/* Large answers wait here, and no worker with them: first in the free places, then the
 * one that has waited longest gives way. */
static void composed_answers_wait_for_slow_readers(void **state) {
    struct fixture *f = *state;
    struct reader slow[LOBBY_LOADS + 1] = {{0, 0}};
    struct lobby_stats st;
    int tries;
    for (unsigned i = 0; i <= LOBBY_LOADS; i++) {
        slow[i].fd = ask_slowly(f);
        assert_int_equal(say_composed(f, pick_up(f), &tries), 0);
        assert_int_equal(tries > 0, i == LOBBY_LOADS);
    }
    lobby_stats(&f->counts, &st);
    assert_int_equal(st.gave_way, 1);
    for (unsigned i = 0; i <= LOBBY_LOADS; i++) {
        while (read_on(&slow[i])) {
        }
        if (i > 0)
            assert_int_equal(slow[i].n, LOAD);
        close(slow[i].fd);
    }
}

static void the_longest_waiting_gives_way(void **state) {
    struct fixture *f = *state;
    int fds[SEATS + 1];
    for (unsigned i = 0; i <= SEATS; i++) {
        fds[i] = dial(f, "");
        accepted(f, i + 1);
    }
    hear_end(fds[0]);
    hear_nothing(fds[1]);
    put(fds[SEATS], GET("/"));
    hear(fds[SEATS], "hello");
    /* Who is idle goes before who has asked for nothing yet. */
    int late = dial(f, GET("/"));
    hear(late, "hello");
    hear_end(fds[SEATS]);
    for (unsigned i = 1; i < SEATS; i++) {
        put(fds[i], GET("/"));
        hear(fds[i], "hello");
        close(fds[i]);
    }
    close(late);
}

/* poll(2) counts an urgent byte, recv(2) does not get past it in the same way: no core
 * may be kept busy by one. */
static void urgent_data_does_not_keep_us_awake(void **state) {
    struct fixture *f = *state;
    int fd = dial(f, "GET / HTT");
    accepted(f, 1);
    assert_int_equal(send(fd, "!", 1, MSG_OOB), 1);
    poll(NULL, 0, 50);
    struct timespec a, b;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    poll(NULL, 0, 300);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    long long used_ns = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec;
    assert_true(used_ns < 100000000);
    close(fd);
}

static void out_of_descriptors(void **state) {
    struct fixture *f = *state;
    int idle = dial(f, GET("/"));
    hear(idle, "hello");
    int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit had, tight;
    getrlimit(RLIMIT_NOFILE, &had);
    tight = had;
    tight.rlim_cur = (rlim_t)dup(0);
    close((int)tight.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &tight);
    /* The idle one gives way to the first; the second finds nobody who could. */
    assert_int_equal(connect(a, (struct sockaddr *)&f->at, sizeof f->at), 0);
    put(a, GET("/worker"));
    hear_end(idle);    /* closes it: a descriptor is free on our side of the process, */
    int last = dup(0); /* and is taken here */
    struct lobby_guest *g = pick_up(f);
    assert_int_equal(connect(b, (struct sockaddr *)&f->at, sizeof f->at), 0);
    hear_end(b);
    setrlimit(RLIMIT_NOFILE, &had);
    if (last >= 0)
        close(last);
    g->kept_n = 0;
    g->next = LOBBY_KEEP;
    lobby_return(f->lobby, g);
    put(a, GET("/"));
    hear(a, "hello");
    close(a);
    int again = dial(f, GET("/"));
    hear(again, "hello");
    close(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_connection_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_head_may_come_in_any_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_may_come_later, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_head_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_worker_gives_it_back, setup, teardown),
        cmocka_unit_test_setup_teardown(meanwhile_the_peer_may_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_may_be_taken_away, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(slow_readers_hold_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(composed_answers_wait_for_slow_readers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_longest_waiting_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(urgent_data_does_not_keep_us_awake, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(out_of_descriptors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
