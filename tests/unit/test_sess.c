// link: session base
/* The session table: slots, ids with generations, the one door of the state. */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "base/limits.h"
#include "session/sess.h"

static void capacity_is_checked(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, 0), -EINVAL);
    assert_int_equal(sess_table_init(&t, LIM_SESSIONS_SLOTS + 1), -EINVAL);
    assert_int_equal(sess_table_init(&t, LIM_SESSIONS_SLOTS), 0);
    sess_table_free(&t);
    assert_null(t.slots);
}

static void end(struct sess_table *t, struct sess *s) {
    sess_doom(t, s, DISC_PEER_GONE, 1);
    sess_close(t, s);
}

static void a_table_fills_and_empties(void **state) {
    (void)state;
    static const uint32_t caps[] = {1, 2, 64, LIM_SESSIONS_SLOTS};
    for (size_t i = 0; i < 4; i++) {
        struct sess_table t;
        assert_int_equal(sess_table_init(&t, caps[i]), 0);
        for (int round = 0; round < 3; round++) {
            for (uint32_t k = 0; k < caps[i]; k++) {
                struct sess *s = sess_open(&t);
                assert_non_null(s);
                assert_int_equal(s->state, SESS_OPEN);
                assert_int_not_equal(s->id, 0);
                assert_ptr_equal(sess_find(&t, s->id), s);
                assert_ptr_equal(s, &t.slots[sess_slot(s->id)]);
            }
            assert_int_equal(t.n_live, caps[i]);
            assert_null(sess_open(&t));
            for (uint32_t k = t.n_live; k > 0; k--)
                end(&t, &t.slots[t.live[k - 1]]);
            assert_int_equal(t.n_live, 0);
            assert_int_equal(t.n_closing, 0);
        }
        sess_table_free(&t);
    }
}

static void a_slot_comes_back_clean_under_a_new_id(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, 4), 0);
    struct sess *s = sess_open(&t);
    sess_id first = s->id;
    s->asked_ms = 0x5ec2e7;
    s->bytes_in = 17;
    s->role = 3;
    s->secure = true;
    end(&t, s);
    assert_int_equal(s->asked_ms, 0); /* wiped at once, not at the next use */
    assert_null(sess_find(&t, first));
    assert_null(sess_find(&t, s->id)); /* the next one's id, but it is not open yet */
    struct sess *again = sess_open(&t);
    assert_ptr_equal(again, s);
    assert_int_equal(again->id, first + (UINT64_C(1) << 32));
    assert_null(sess_find(&t, first));
    assert_int_equal(again->why, DISC_NONE);
    assert_int_equal(again->bytes_in + again->closing_ms + again->role, 0);
    assert_false(again->secure);
    end(&t, again);
    sess_table_free(&t);
}

static void ids_that_never_were_find_nothing(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, 4), 0);
    static const sess_id ids[] = {0,
                                  1,
                                  3,
                                  4,
                                  UINT64_C(1) << 32,
                                  (UINT64_C(1) << 32) + 3,
                                  (UINT64_C(1) << 32) + 4,
                                  (UINT64_C(2) << 32) + 1,
                                  UINT32_MAX,
                                  UINT64_MAX};
    for (size_t i = 0; i < 10; i++)
        assert_null(sess_find(&t, ids[i]));
    struct sess *s = sess_open(&t);
    for (size_t i = 0; i < 10; i++)
        assert_true((sess_find(&t, ids[i]) == s) == (ids[i] == s->id));
    end(&t, s);
    sess_table_free(&t);
}

static void generations_wrap_past_zero(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, 1), 0);
    struct sess *s = sess_open(&t);
    assert_int_equal(s->id >> 32, 1);
    s->id = (uint64_t)UINT32_MAX << 32; /* as after 2^32 - 2 sessions */
    end(&t, s);
    assert_int_equal(sess_open(&t)->id >> 32, 1);
    sess_table_free(&t);
}

static void the_first_cause_wins(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, 2), 0);
    struct sess *s = sess_open(&t);
    assert_true(sess_doom(&t, s, DISC_SLOW_READER, 100));
    assert_false(sess_doom(&t, s, DISC_PEER_RESET, 200));
    assert_int_equal(s->why, DISC_SLOW_READER);
    assert_int_equal(s->closing_ms, 100);
    assert_int_equal(s->state, SESS_CLOSING);
    assert_int_equal(t.n_closing, 1);
    assert_int_equal(t.n_live, 1);
    assert_ptr_equal(sess_find(&t, s->id), s);
    sess_close(&t, s);
    sess_table_free(&t);
}

/* What each move does in each state; a move that is not allowed must end the program.
 */
enum move { DOOM, CLOSE };

static bool survives(enum sess_state from, enum move move) {
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        struct sess_table t;
        sess_table_init(&t, 2);
        struct sess *s = sess_open(&t);
        if (from != SESS_OPEN)
            sess_doom(&t, s, DISC_EVICTED, 1);
        if (from == SESS_FREE)
            sess_close(&t, s);
        if (move == DOOM)
            sess_doom(&t, s, DISC_EVICTED, 1);
        else
            sess_close(&t, s);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGABRT);
    return WIFEXITED(status);
}

static void forbidden_moves_abort(void **state) {
    (void)state;
    static const bool allowed[3][2] = {
        [SESS_FREE] = {[DOOM] = false, [CLOSE] = false},
        [SESS_OPEN] = {[DOOM] = true, [CLOSE] = false},
        [SESS_CLOSING] = {[DOOM] = true, [CLOSE] = true},
    };
    for (unsigned from = 0; from < 3; from++) {
        for (unsigned move = 0; move < 2; move++)
            assert_int_equal(survives(from, move), allowed[from][move]);
    }
}

/* Random life against a plain list of what ought to be there. */
#define CHURN_CAP 16

static void check_table(struct sess_table *t, const sess_id *want, uint32_t n) {
    assert_int_equal(t->n_live, n);
    uint32_t closing = 0;
    bool seen[CHURN_CAP] = {false};
    for (uint32_t i = 0; i < n; i++) {
        struct sess *s = sess_find(t, want[i]);
        assert_non_null(s);
        closing += s->state == SESS_CLOSING;
        assert_false(seen[t->live[i]]);
        seen[t->live[i]] = true;
    }
    for (uint32_t i = 0; i < n; i++)
        assert_true(seen[sess_slot(want[i])]);
    assert_int_equal(t->n_closing, closing);
}

static void churn_keeps_the_table_straight(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, CHURN_CAP), 0);
    sess_id want[CHURN_CAP];
    sess_id gone[256] = {0};
    uint32_t n = 0;
    uint64_t rnd = 42;
    for (uint32_t i = 0; i < 20000; i++) {
        rnd = rnd * 6364136223846793005u + 1442695040888963407u;
        uint32_t pick = n ? (uint32_t)(rnd >> 40) % n : 0;
        if (rnd >> 63) {
            struct sess *s = sess_open(&t);
            assert_true(!s == (n == CHURN_CAP));
            if (s)
                want[n++] = s->id;
        } else if (n > 0 && (rnd >> 62 & 1)) {
            sess_doom(&t, sess_find(&t, want[pick]), DISC_EXPIRED, i);
        } else if (n > 0) {
            struct sess *s = sess_find(&t, want[pick]);
            end(&t, s);
            gone[i % 256] = want[pick];
            want[pick] = want[--n];
        }
        check_table(&t, want, n);
        assert_null(sess_find(&t, gone[rnd >> 32 & 255]));
    }
    sess_table_free(&t);
}

static size_t resident_pages(const struct sess_table *t) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = t->cap * (sizeof(struct sess) + sizeof(uint32_t));
    size_t pages = (bytes + page - 1) / page;
    unsigned char in[1024];
    assert_true(pages <= sizeof(in));
    assert_int_equal(mincore(t->slots, bytes, in), 0);
    size_t n = 0;
    for (size_t i = 0; i < pages; i++)
        n += in[i] & 1;
    return n;
}

static void untouched_slots_are_not_resident(void **state) {
    (void)state;
    struct sess_table t;
    assert_int_equal(sess_table_init(&t, LIM_SESSIONS_SLOTS), 0);
    assert_int_equal(resident_pages(&t), 0);
    /* However many come and go, it is the load at a time that counts. */
    for (int i = 0; i < 10000; i++) {
        sess_find(&t, UINT64_C(1) << 32 | 4000);
        struct sess *a = sess_open(&t), *b = sess_open(&t);
        end(&t, a);
        end(&t, b);
    }
    assert_int_equal(resident_pages(&t), 2); /* one of slots, one of the live list */
    void *was = t.slots;
    sess_table_free(&t);
    assert_int_equal(mincore(was, 1, (unsigned char[1]){0}), -1);
}

static void addresses_are_shown_as_people_write_them(void **state) {
    (void)state;
    static const struct {
        int family;
        const char *ip;
        uint16_t port;
        const char *text;
    } row[] = {
        {AF_INET, "192.168.1.7", 51234, "192.168.1.7:51234"},
        {AF_INET, "255.255.255.255", 65535, "255.255.255.255:65535"},
        {AF_INET, "0.0.0.0", 0, "0.0.0.0:0"},
        {AF_INET6, "fe80::1", 51234, "[fe80::1]:51234"},
        {AF_INET6, "::ffff:10.0.0.1", 80, "10.0.0.1:80"}, /* a dual-stack listener's */
        {AF_INET6, "::1", 1, "[::1]:1"},
        {AF_INET6, "::", 1, "[::]:1"},
        /* RFC 5952: longest run of zeros, the first of equals, not a single one. */
        {AF_INET6, "2001:0DB8:0:0:1:0:0:1", 80, "[2001:db8::1:0:0:1]:80"},
        {AF_INET6, "2001:db8:0:1:1:1:1:1", 80, "[2001:db8:0:1:1:1:1:1]:80"},
        {AF_INET6, "2001:0:0:1:0:0:0:1", 80, "[2001:0:0:1::1]:80"},
        {AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        union {
            struct sockaddr any;
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } sa = {.any.sa_family = (sa_family_t)row[i].family};
        if (row[i].family == AF_INET) {
            sa.in.sin_port = htons(row[i].port);
            assert_int_equal(inet_pton(AF_INET, row[i].ip, &sa.in.sin_addr), 1);
        } else {
            sa.in6.sin6_port = htons(row[i].port);
            assert_int_equal(inet_pton(AF_INET6, row[i].ip, &sa.in6.sin6_addr), 1);
        }
        struct sess_addr a;
        char text[SESS_ADDR_TEXT];
        sess_addr_from(&a, &sa.any);
        assert_string_equal(sess_addr_text(&a, text, sizeof(text)), row[i].text);
    }
}

static void a_unix_socket_is_local(void **state) {
    (void)state;
    union {
        struct sockaddr any;
        struct sockaddr_un un;
    } sa = {.un = {.sun_family = AF_UNIX, .sun_path = "/run/x"}};
    struct sess_addr a;
    char text[SESS_ADDR_TEXT];
    sess_addr_from(&a, &sa.any);
    assert_string_equal(sess_addr_text(&a, text, sizeof(text)), "local");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_checked),
        cmocka_unit_test(a_table_fills_and_empties),
        cmocka_unit_test(a_slot_comes_back_clean_under_a_new_id),
        cmocka_unit_test(ids_that_never_were_find_nothing),
        cmocka_unit_test(generations_wrap_past_zero),
        cmocka_unit_test(the_first_cause_wins),
        cmocka_unit_test(forbidden_moves_abort),
        cmocka_unit_test(churn_keeps_the_table_straight),
        cmocka_unit_test(untouched_slots_are_not_resident),
        cmocka_unit_test(addresses_are_shown_as_people_write_them),
        cmocka_unit_test(a_unix_socket_is_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
