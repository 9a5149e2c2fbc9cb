// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/deadline.h"

struct fixture {
    struct transport t;
    struct deadline due;
    int peer;
    pthread_t thread;
};

static int setup(void **state) {
    static struct fixture f;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
        return -1;
    transport_plain(&f.t, pair[0]);
    f.peer = pair[1];
    f.due = (struct deadline){.at_ms = clock_ms() + 300, .stop_fd = eventfd(0, 0)};
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    if (f->t.fd >= 0)
        f->t.ops->close(&f->t);
    close(f->peer);
    close(f->due.stop_fd);
    return 0;
}

/* A byte now and then for as long as somebody takes them. */
static void *trickle(void *arg) {
    struct fixture *f = arg;
    while (send(f->peer, "x", 1, MSG_NOSIGNAL) == 1)
        poll(NULL, 0, 20);
    return NULL;
}

static void trickling_bytes_do_not_move_it(void **state) {
    struct fixture *f = *state;
    char c;
    long rc;
    uint64_t began_ms = clock_ms();
    pthread_create(&f->thread, NULL, trickle, f);
    while ((rc = deadline_recv(&f->t, &f->due, &c, 1)) == 1)
        assert_true(clock_ms() - began_ms < 5000);
    assert_int_equal(rc, -ETIMEDOUT);
    assert_true(clock_ms() >= f->due.at_ms);
    f->t.ops->close(&f->t);
    pthread_join(f->thread, NULL);
}

static void the_end_of_the_stream_is_no_error(void **state) {
    struct fixture *f = *state;
    char c;
    shutdown(f->peer, SHUT_WR);
    assert_int_equal(deadline_recv(&f->t, &f->due, &c, 1), 0);
}

static void stopping_ends_every_wait(void **state) {
    struct fixture *f = *state;
    char c;
    f->due.at_ms = clock_ms() + 60000;
    eventfd_write(f->due.stop_fd, 1);
    assert_int_equal(deadline_recv(&f->t, &f->due, &c, 1), -ECANCELED);
}

struct sink {
    int fd;
    size_t n;
    unsigned long sum;
};

static void *swallow(void *arg) {
    struct sink *s = arg;
    unsigned char buf[1000];
    ssize_t got;
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    while (poll(&p, 1, 5000) == 1 && (got = recv(s->fd, buf, sizeof buf, 0)) > 0)
        for (ssize_t i = 0; i < got; i++)
            s->sum += buf[i] * ++s->n;
    return NULL;
}

static void all_pieces_arrive_in_order(void **state) {
    struct fixture *f = *state;
    static char a[3], b[700000], c[1];
    struct sink s = {.fd = f->peer};
    unsigned long sum = 0;
    size_t n = 0;
    memset(a, 1, sizeof a);
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (char)(i % 100);
    memset(c, 9, sizeof c);
    struct iovec iov[] = {
        {a, sizeof a}, {NULL, 0}, {b, sizeof b}, {c, sizeof c}, {NULL, 0}};
    for (size_t k = 0; k < 5; k++)
        for (size_t i = 0; i < iov[k].iov_len; i++)
            sum += ((unsigned char *)iov[k].iov_base)[i] * ++n;
    f->due.at_ms = clock_ms() + 20000;
    pthread_create(&f->thread, NULL, swallow, &s);
    assert_int_equal(deadline_send(&f->t, &f->due, iov, 5), 0);
    shutdown(f->t.fd, SHUT_WR);
    pthread_join(f->thread, NULL);
    assert_int_equal(s.n, n);
    assert_int_equal(s.sum, sum);
}

static void who_does_not_read_is_given_up(void **state) {
    struct fixture *f = *state;
    static char big[4000000];
    struct iovec iov = {big, sizeof big};
    assert_int_equal(deadline_send(&f->t, &f->due, &iov, 1), -ETIMEDOUT);
}

static void bytes_that_keep_the_pace_move_it(void **state) {
    struct fixture *f = *state;
    char c;
    f->due.pace_bytes = 3;
    f->due.pace_ms = 300;
    deadline_begin(&f->due);
    uint64_t began_ms = clock_ms();
    pthread_create(&f->thread, NULL, trickle, f);
    while (clock_ms() - began_ms < 1000)
        assert_int_equal(deadline_recv(&f->t, &f->due, &c, 1), 1);
    f->t.ops->close(&f->t);
    pthread_join(f->thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trickling_bytes_do_not_move_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_stream_is_no_error, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(stopping_ends_every_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(all_pieces_arrive_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_keep_the_pace_move_it, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
