// link: hub
/* Bursts say of each socket what send(2) would, in the order of adding. Without a
 * kernel that has them there is nothing to test but that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/burst.h"

#define FULL_AT (1024u * 1024)

static struct burst burst;
static int ours[BURST_MAX], theirs[BURST_MAX];
static uint8_t bytes[FULL_AT];

static int setup(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < BURST_MAX; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
            return -1;
        ours[i] = pair[0];
        theirs[i] = pair[1];
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < BURST_MAX; i++) {
        close(ours[i]);
        close(theirs[i]);
    }
    return 0;
}

static void begin(void) {
    int rc = burst_init(&burst);
    if (rc != 0) {
        assert_int_equal(burst.fd, -1);
        burst_send(&burst);
        print_message("no bursts here: %s\n", strerror(-rc));
        skip();
    }
}

static void everybody_gets_what_was_added_for_him(void **state) {
    (void)state;
    begin();
    for (size_t round = 0; round < 300; round++) {
        size_t n = 1 + round % BURST_MAX;
        for (size_t i = 0; i < n; i++)
            burst_add(&burst, ours[i], bytes + i, 1 + (i + round) % 600);
        burst_send(&burst);
        for (size_t i = 0; i < n; i++) {
            uint8_t got[700];
            size_t len = 1 + (i + round) % 600;
            assert_int_equal(burst.result[i], len);
            assert_int_equal(recv(theirs[i], got, sizeof got, 0), len);
            assert_memory_equal(got, bytes + i, len);
        }
    }
    burst_free(&burst);
}

static void a_full_socket_is_eagain_and_holds_up_nobody(void **state) {
    (void)state;
    begin();
    burst_add(&burst, ours[0], bytes, 7);
    burst_add(&burst, ours[1], bytes, FULL_AT);
    burst_add(&burst, ours[2], bytes, 9);
    burst_send(&burst);
    assert_int_equal(burst.result[0], 7);
    assert_true(burst.result[1] > 0 && burst.result[1] < FULL_AT);
    assert_int_equal(burst.result[2], 9);
    size_t taken = (size_t)burst.result[1];
    while (send(ours[1], bytes + taken, 1, MSG_DONTWAIT) == 1)
        taken++;
    burst_add(&burst, ours[1], bytes + taken, 1);
    burst_add(&burst, ours[2], bytes, 1);
    burst_send(&burst);
    assert_int_equal(burst.result[0], -EAGAIN);
    assert_int_equal(burst.result[1], 1);
    size_t got = 0;
    static uint8_t buf[FULL_AT];
    for (ssize_t k; (k = recv(theirs[1], buf + got, sizeof buf - got, 0)) > 0;)
        got += (size_t)k;
    assert_int_equal(got, taken);
    assert_memory_equal(buf, bytes, got);
    while (recv(theirs[0], buf, sizeof buf, 0) > 0 || recv(theirs[2], buf, 100, 0) > 0)
        ;
    burst_free(&burst);
}

/* And no signal. */
static void a_peer_that_is_gone_is_epipe(void **state) {
    (void)state;
    begin();
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    close(pair[1]);
    burst_add(&burst, pair[0], bytes, 5);
    burst_add(&burst, ours[0], bytes, 5);
    burst_add(&burst, -1, bytes, 5);
    burst_send(&burst);
    assert_int_equal(burst.result[0], -EPIPE);
    assert_int_equal(burst.result[1], 5);
    assert_int_equal(burst.result[2], -EBADF);
    assert_int_equal(recv(theirs[0], bytes + 10, 100, 0), 5);
    close(pair[0]);
    burst_free(&burst);
}

static void a_kernel_that_refuses_ends_them(void **state) {
    (void)state;
    begin();
    int other = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(other >= 0 && dup2(other, burst.fd) == burst.fd);
    close(other);
    burst_add(&burst, ours[0], bytes, 5);
    burst_send(&burst);
    assert_int_equal(burst.result[0], 0);
    assert_int_equal(burst.fd, -1);
    assert_int_equal(recv(theirs[0], bytes + 10, 100, 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_what_was_added_for_him),
        cmocka_unit_test(a_full_socket_is_eagain_and_holds_up_nobody),
        cmocka_unit_test(a_peer_that_is_gone_is_epipe),
        cmocka_unit_test(a_kernel_that_refuses_ends_them),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
