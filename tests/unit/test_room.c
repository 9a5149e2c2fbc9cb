// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/room.h"

#define WHOLE "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct fixture {
    struct room room;
    int stop_fd, door;
    struct sockaddr_in at;
};

static int setup(void **state) {
    static struct fixture f;
    socklen_t n = sizeof f.at;
    f.stop_fd = eventfd(0, EFD_NONBLOCK);
    f.door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    f.at = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(f.door, (struct sockaddr *)&f.at, n) || listen(f.door, 128) ||
        getsockname(f.door, (struct sockaddr *)&f.at, &n))
        return -1;
    *state = &f;
    return room_init(&f.room, f.stop_fd);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    room_free(&f->room);
    close(f->door);
    close(f->stop_fd);
    return 0;
}

static int dial(struct fixture *f, const char *words) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&f->at, sizeof f->at), 0);
    if (*words)
        assert_int_equal(send(fd, words, strlen(words), 0), strlen(words));
    return fd;
}

static void say(int fd, const char *words) {
    assert_int_equal(send(fd, words, strlen(words), 0), strlen(words));
}

/* Runs the accept loop until somebody is handed over, or nothing has happened for ms.
 */
static int hand_over(struct fixture *f, int ms) {
    uint64_t until_ms = clock_ms() + (uint64_t)ms;
    while (clock_ms() < until_ms) {
        struct pollfd p = {.fd = f->door, .events = POLLIN};
        struct sockaddr_in from;
        socklen_t n = sizeof from;
        /* room_poll() waits without end: the stop bell rings when there is nothing to
         * do. */
        struct pollfd idle[1 + ROOM_GUESTS] = {p};
        for (uint32_t i = 0; i < f->room.n; i++)
            idle[1 + i] = (struct pollfd){f->room.guests[i].fd, POLLIN | POLLRDHUP, 0};
        if (poll(idle, 1 + f->room.n, 10) == 0)
            eventfd_write(f->stop_fd, 1);
        int busy = room_poll(&f->room, &p, 1);
        eventfd_t bell;
        eventfd_read(f->stop_fd, &bell);
        if (busy == 0)
            continue;
        assert_int_equal(p.revents, POLLIN);
        int fd = room_accept(&f->room, f->door, (struct sockaddr *)&from, &n);
        if (fd >= 0) {
            assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
            return fd;
        }
    }
    return -1;
}

/* What a worker would read now. */
static void reads(int fd, const char *want) {
    char got[256] = "";
    ssize_t n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
    assert_int_equal(n, strlen(want));
    assert_string_equal(got, want);
}

static bool hung_up(int fd, int ms) {
    char c;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

static void a_whole_head_passes(void **state) {
    struct fixture *f = *state;
    int client = dial(f, WHOLE);
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    reads(fd, WHOLE);
    close(fd);
    close(client);
}

static void a_tls_hello_passes_when_its_record_is_whole(void **state) {
    struct fixture *f = *state;
    /* Content type, version, a length of 6. */
    int client = dial(f, "\x16");
    assert_int_equal(hand_over(f, 100), -1);
    assert_int_equal(send(client, "\x03\x01\x00", 3, 0), 3);
    assert_int_equal(hand_over(f, 100), -1);
    say(client, "\x06hello");
    assert_int_equal(hand_over(f, 100), -1);
    say(client, "!");
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    close(fd);
    close(client);
}

/* poll(2) counts an urgent byte, a look does not get past it: one that sends it would
 * keep us awake for nothing. */
static void urgent_data_is_shown_out(void **state) {
    struct fixture *f = *state;
    int client = dial(f, "GET / HTT");
    assert_int_equal(hand_over(f, 50), -1);
    assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
    assert_int_equal(hand_over(f, 500), -1);
    assert_int_equal(f->room.n, 0);
    assert_true(hung_up(client, 1000));
    close(client);
}

static void half_a_head_waits_for_the_rest(void **state) {
    struct fixture *f = *state;
    int client = dial(f, "GET / HTT");
    assert_int_equal(hand_over(f, 100), -1);
    assert_int_equal(f->room.n, 1);
    say(client, "P/1.1\r\nHost: a\r\n\r");
    assert_int_equal(hand_over(f, 100), -1);
    say(client, "\n");
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    reads(fd, WHOLE);
    /* The socket reports single bytes again. */
    int low = 0;
    socklen_t n = sizeof low;
    getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, &n);
    assert_int_equal(low, 1);
    close(fd);
    close(client);
}

static void nonsense_passes_to_be_answered(void **state) {
    struct fixture *f = *state;
    int client = dial(f, "hello\n");
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    close(fd);
    close(client);
}

static void half_a_head_and_a_fin_passes(void **state) {
    struct fixture *f = *state;
    int client = dial(f, "GET / HTT");
    assert_int_equal(hand_over(f, 50), -1);
    shutdown(client, SHUT_WR);
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    reads(fd, "GET / HTT");
    reads(fd, "");
    close(fd);
    close(client);
}

static void who_leaves_is_forgotten(void **state) {
    struct fixture *f = *state;
    int fin = dial(f, ""), rst = dial(f, "");
    assert_int_equal(hand_over(f, 100), -1);
    assert_int_equal(f->room.n, 2);
    struct linger hard = {1, 0};
    setsockopt(rst, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(rst);
    close(fin);
    assert_int_equal(hand_over(f, 100), -1);
    assert_int_equal(f->room.n, 0);
}

static void the_longest_waiting_gives_way(void **state) {
    struct fixture *f = *state;
    int clients[ROOM_GUESTS + 1];
    for (uint32_t i = 0; i <= ROOM_GUESTS; i++) {
        clients[i] = dial(f, "");
        assert_int_equal(hand_over(f, 20), -1);
    }
    assert_int_equal(f->room.n, ROOM_GUESTS);
    assert_true(hung_up(clients[0], 1000));
    assert_false(hung_up(clients[1], 0));
    /* And the others are still heard, in any order. */
    say(clients[ROOM_GUESTS], WHOLE);
    int fd = hand_over(f, 1000);
    assert_true(fd >= 0);
    close(fd);
    for (uint32_t i = 0; i <= ROOM_GUESTS; i++)
        close(clients[i]);
}

static void patience_ends(void **state) {
    struct fixture *f = *state;
    uint64_t began_ms = clock_ms();
    int silent = dial(f, ""), half = dial(f, "GET /");
    int fd = hand_over(f, 3 * (int)ROOM_PATIENCE_MS);
    assert_true(clock_ms() - began_ms >= ROOM_PATIENCE_MS);
    /* Half a head is handed over as all that there is, for an answer. */
    assert_true(fd >= 0);
    reads(fd, "GET /");
    reads(fd, "");
    assert_true(hung_up(silent, 1000));
    assert_int_equal(f->room.n, 0);
    close(fd);
    close(silent);
    close(half);
}

static void out_of_descriptors_it_refuses_and_recovers(void **state) {
    struct fixture *f = *state;
    struct rlimit old, none;
    int client = dial(f, WHOLE);
    int top = dup(0);
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    none.rlim_cur = (rlim_t)top; /* the next descriptor there would be */
    close(top);
    /* Lower ones may be free; fill them. */
    int filler[64], n = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    while (n < 64 && (filler[n] = dup(0)) >= 0)
        n++;
    assert_int_equal(hand_over(f, 200), -1);
    assert_true(hung_up(client, 1000));
    setrlimit(RLIMIT_NOFILE, &old);
    while (n > 0)
        close(filler[--n]);
    close(client);
    a_whole_head_passes(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_head_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(urgent_data_is_shown_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tls_hello_passes_when_its_record_is_whole,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(half_a_head_waits_for_the_rest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nonsense_passes_to_be_answered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(half_a_head_and_a_fin_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(who_leaves_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(the_longest_waiting_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(patience_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(out_of_descriptors_it_refuses_and_recovers,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
