// link: http
/* What we rely on in CivetWeb, by behaviour: the types of its fields are pinned where
 * it is compiled (http/civet.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "http/civet.h"

#define SEATS 64u
#define PORT 8080

/* What each seat asks, and what CivetWeb made of it. */
struct seat {
    const char *words;
    _Atomic int requests, refused, done;
};

struct fixture {
    struct civet *civet;
    struct seat seats[SEATS];
    sem_t done;
    sem_t *hold; /* requests wait here */
};

static size_t on_arrived(void *ctx, struct civet_conn *c) {
    struct fixture *f = ctx;
    assert_true(c->seat < SEATS && c->worker < 2);
    c->n = strlen(f->seats[c->seat].words);
    memcpy(c->buf, f->seats[c->seat].words, c->n);
    return c->n;
}

static void on_request(void *ctx, struct civet_conn *c) {
    struct fixture *f = ctx;
    atomic_fetch_add(&f->seats[c->seat].requests, 1);
    if (f->hold)
        sem_wait(f->hold);
}

static void on_refused(void *ctx, struct civet_conn *c, int status) {
    struct fixture *f = ctx;
    atomic_store(&f->seats[c->seat].refused, status);
}

static void on_done(void *ctx, struct civet_conn *c) {
    struct fixture *f = ctx;
    atomic_fetch_add(&f->seats[c->seat].done, 1);
    sem_post(&f->done);
}

static const struct civet_app app = {on_arrived, on_request, on_refused, on_done};

static int setup(void **state) {
    static struct fixture f;
    char why[160];
    f = (struct fixture){.hold = NULL};
    *state = &f;
    log_set_level(LOG_LVL_ERROR);
    sem_init(&f.done, 0, 0);
    return civet_start(
        &f.civet,
        &(struct civet_opts){
            .door = -1, .workers = 2, .queue = SEATS, .app = &app, .ctx = &f},
        why, sizeof why);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    civet_stop(f->civet);
    sem_destroy(&f->done);
    return 0;
}

static struct seat *ask(struct fixture *f, uint32_t seat, const char *words) {
    f->seats[seat].words = words;
    civet_pass(f->civet, seat, PORT);
    sem_wait(&f->done);
    assert_int_equal(f->seats[seat].done, 1);
    return &f->seats[seat];
}

#define HOST "Host: a\r\n\r\n"

/* It neither reads from, writes to nor closes what stands where it has a socket: seats
 * 0 to 2 would be the test's own input and output. */
static void a_seat_is_a_number_and_no_socket(void **state) {
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(ask(f, i, "GET / HTTP/1.1\r\n" HOST)->requests, 1);
    for (int fd = 0; fd < 3; fd++)
        assert_true(dup2(fd, fd) == fd);
}

static void what_it_parses_is_handled_once(void **state) {
    static const char *const cases[] = {
        "GET / HTTP/1.1\r\n" HOST,
        "GET /?x=%zz HTTP/1.0\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\n" HOST,
        "DELETE /a HTTP/1.1\r\n" HOST,
        "GET / HTTP/1.1\r\nX:\ta\tb\r\n" HOST,
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" HOST,
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n" HOST,
        "GET http://a:8080/ HTTP/1.1\r\n" HOST,
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seat *s = ask(*state, i, cases[i]);
        if (s->requests != 1 || s->refused != 0)
            fail_msg("%s: %d requests, status %d", cases[i], s->requests, s->refused);
    }
}

static void what_it_does_not_parse_is_told_or_just_ends(void **state) {
    static const struct {
        const char *words;
        int refused;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost a\r\n\r\n", 400},
        {"GET / HTTP/9.9\r\n" HOST, 505},
        {"GET http://a:1/ HTTP/1.1\r\n" HOST, 0}, /* another server's */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seat *s = ask(*state, i, cases[i].words);
        if (s->requests != 0 || s->refused != cases[i].refused)
            fail_msg("%s: status %d", cases[i].words, s->refused);
    }
}

static void the_queue_holds_every_seat(void **state) {
    struct fixture *f = *state;
    sem_t hold;
    sem_init(&hold, 0, 0);
    f->hold = &hold;
    for (uint32_t i = 0; i < SEATS; i++) {
        f->seats[i].words = "GET / HTTP/1.1\r\n" HOST;
        civet_pass(f->civet, i, PORT);
    }
    for (uint32_t i = 0; i < SEATS; i++)
        sem_post(&hold);
    for (uint32_t i = 0; i < SEATS; i++)
        sem_wait(&f->done);
    for (uint32_t i = 0; i < SEATS; i++)
        assert_int_equal(f->seats[i].requests, 1);
    sem_destroy(&hold);
}

/* What is still in the queue is nobody's any more, and no number of it is closed. */
static void stopping_leaves_the_queue(void **state) {
    struct fixture *f = *state;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < SEATS; i++) {
            f->seats[i].words = "GET / HTTP/1.1\r\n" HOST;
            civet_pass(f->civet, i, PORT);
        }
        teardown(state);
        for (int fd = 0; fd < 3; fd++)
            assert_true(dup2(fd, fd) == fd);
        assert_int_equal(setup(state), 0);
    }
}

/* CivetWeb listens on the door that it is given, and on no other. */
static void it_listens_where_it_is_told(void **state) {
    struct fixture *f = *state;
    char why[160];
    int pair = socket(AF_UNIX, SOCK_STREAM, 0), listens = 0;
    socklen_t n = sizeof listens;
    /* It takes the first two letters for the name of a file that it is to remove. */
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "zz-civet-door"};
    int file = open("zz", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    unlink(at.sun_path);
    assert_int_equal(bind(pair, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(pair, 1), 0);
    civet_stop(f->civet);
    assert_int_equal(
        civet_start(
            &f->civet,
            &(struct civet_opts){
                .door = pair, .workers = 1, .queue = SEATS, .app = &app, .ctx = f},
            why, sizeof why),
        0);
    getsockopt(pair, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n);
    assert_int_equal(listens, 1);
    assert_int_equal(ask(f, 1, "GET / HTTP/1.1\r\n" HOST)->requests, 1);
    civet_stop(f->civet);
    assert_int_equal(setup(state), 0);
    close(pair);
    close(file);
    assert_int_equal(unlink("zz"), 0);
    assert_int_equal(unlink(at.sun_path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_seat_is_a_number_and_no_socket, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_it_parses_is_handled_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_it_does_not_parse_is_told_or_just_ends,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_queue_holds_every_seat, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_leaves_the_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(it_listens_where_it_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
