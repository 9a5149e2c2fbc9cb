// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "http/guests.h"

#define CAP 10u

static int setup(void **state) {
    static struct guests g;
    *state = &g;
    return guests_init(&g, CAP);
}

static int teardown(void **state) {
    guests_free(*state);
    return 0;
}

static void seats_are_used_again_last_in_first_out(void **state) {
    struct guests *g = *state;
    for (uint32_t i = 0; i < CAP; i++)
        assert_int_equal(guests_take(g, 1, GUEST_HEAD, 10), i);
    assert_int_equal(guests_take(g, 1, GUEST_HEAD, 10), GUEST_NONE);
    uint32_t turn = g->seats[3].turn;
    guests_move(g, 5, GUEST_FREE, GUEST_NEVER);
    guests_move(g, 3, GUEST_FREE, GUEST_NEVER);
    assert_int_equal(guests_take(g, 1, GUEST_HEAD, 20), 3);
    assert_int_equal(g->seats[3].turn, turn + 1);
    assert_int_equal(guests_take(g, 1, GUEST_HEAD, 20), 5);
}

static void the_next_due_is_found_across_places(void **state) {
    struct guests *g = *state;
    assert_int_equal(guests_next_ms(g), GUEST_NEVER);
    uint32_t a = guests_take(g, 1, GUEST_HEAD, 50);
    uint32_t b = guests_take(g, 1, GUEST_IDLE, 150);
    uint32_t c = guests_take(g, 1, GUEST_ASIDE, 0);
    assert_int_equal(guests_next_ms(g), 50);
    assert_int_equal(guests_due(g, 49), GUEST_NONE);
    assert_int_equal(guests_due(g, 50), a);
    guests_move(g, a, GUEST_ANSWER, 200);
    assert_int_equal(guests_due(g, 199), b);
    guests_move(g, b, GUEST_FREE, GUEST_NEVER);
    guests_move(g, a, GUEST_ASIDE, 0);
    assert_int_equal(guests_next_ms(g), GUEST_NEVER);
    guests_move(g, c, GUEST_FREE, GUEST_NEVER);
}

static void who_gives_way(void **state) {
    struct guests *g = *state;
    assert_int_equal(guests_victim(g), GUEST_NONE);
    uint32_t aside = guests_take(g, 1, GUEST_ASIDE, 0);
    assert_int_equal(guests_victim(g), GUEST_NONE);
    uint32_t answer = guests_take(g, 1, GUEST_ANSWER, 1);
    assert_int_equal(guests_victim(g), answer);
    uint32_t head = guests_take(g, 1, GUEST_HEAD, 30);
    uint32_t hello = guests_take(g, 1, GUEST_HELLO, 20);
    assert_int_equal(guests_victim(g), hello);
    guests_move(g, hello, GUEST_HEAD, 40);
    assert_int_equal(guests_victim(g), head);
    guests_take(g, 1, GUEST_ANSWER, 2);
    guests_take(g, 1, GUEST_ANSWER, 3);
    assert_int_equal(guests_victim(g), answer);
    uint32_t bye = guests_take(g, 1, GUEST_BYE, 100);
    assert_int_equal(guests_victim(g), bye);
    uint32_t first = guests_take(g, 1, GUEST_IDLE, 200);
    guests_take(g, 1, GUEST_IDLE, 300);
    assert_int_equal(guests_victim(g), first);
    guests_move(g, first, GUEST_IDLE, 400);
    assert_int_not_equal(guests_victim(g), first);
    assert_int_not_equal(guests_victim(g), aside);
}

static void those_of_an_address_are_counted(void **state) {
    struct guests *g = *state;
    guests_count(g, GUEST_IDLE, GUEST_BODY);
    assert_int_equal(guests_of(g, 7), 0);
    guests_take(g, 7, GUEST_HEAD, 10);
    guests_take(g, 8, GUEST_HEAD, 5);
    guests_take(g, 7, GUEST_ASIDE, 0);
    guests_take(g, 7, GUEST_ANSWER, 1);
    uint32_t body = guests_take(g, 7, GUEST_BODY, 9);
    guests_take(g, 7 + (UINT64_C(1) << 40), GUEST_BODY, 9);
    guests_count(g, GUEST_IDLE, GUEST_BODY);
    assert_int_equal(guests_of(g, 7), 2);
    assert_int_equal(guests_of(g, 8), 1);
    assert_int_equal(guests_of(g, 9), 0);
    guests_move(g, body, GUEST_FREE, GUEST_NEVER);
    guests_count(g, GUEST_IDLE, GUEST_BODY);
    assert_int_equal(guests_of(g, 7), 1);
    guests_count(g, GUEST_ANSWER, GUEST_ANSWER);
    assert_int_equal(guests_of(g, 7), 1);
    assert_int_equal(guests_of(g, 8), 0);
}

/* One address may have all seats; when others come, it is the one that gives way, until
 * it has no more than they. */
static void the_address_with_most_gives_way(void **state) {
    struct guests *g = *state;
    for (uint32_t i = 0; i < CAP; i++)
        assert_int_not_equal(
            guests_take(g, 1, i % 2 ? GUEST_HELLO : GUEST_HEAD, 10 + i), GUEST_NONE);
    for (uint64_t other = 2; other <= CAP / 2; other++) {
        for (int twice = 0; twice < 2; twice++) {
            uint32_t i = guests_victim(g);
            assert_int_equal(g->seats[i].from, 1);
            assert_int_equal(g->seats[i].due_ms,
                             10 + 2 * (other - 2) + (unsigned)twice);
            guests_move(g, i, GUEST_FREE, GUEST_NEVER);
            assert_int_equal(guests_take(g, other, GUEST_HEAD, other), i);
        }
    }
    /* All have two: the longest waiting of all. */
    assert_int_equal(g->seats[guests_victim(g)].from, 2);
}

/* Against a model that keeps nothing but a list of moves in order. */
static void a_thousand_moves_keep_their_order(void **state) {
    struct guests *g = *state;
    uint32_t order[CAP], n = 0;
    srand(7);
    for (uint64_t now = 1; now < 20000; now++) {
        if (n < CAP && rand() % 2) {
            order[n++] = guests_take(g, 1, GUEST_IDLE, now);
        } else if (n > 0) {
            uint32_t k = (uint32_t)rand() % n, i = order[k];
            bool leaves = rand() % 2;
            guests_move(g, i, leaves ? GUEST_FREE : GUEST_IDLE, now);
            for (n--; k < n; k++)
                order[k] = order[k + 1];
            if (!leaves)
                order[n++] = i;
        }
        assert_int_equal(guests_victim(g), n ? order[0] : GUEST_NONE);
        assert_int_equal(g->queue[GUEST_IDLE].n, n);
        assert_int_equal(g->queue[GUEST_FREE].n, CAP - n);
        uint32_t at = g->queue[GUEST_IDLE].first;
        for (uint32_t k = 0; k < n; k++, at = g->seats[at].next)
            assert_int_equal(at, order[k]);
        assert_int_equal(at, GUEST_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(seats_are_used_again_last_in_first_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_next_due_is_found_across_places, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(those_of_an_address_are_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_address_with_most_gives_way, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_thousand_moves_keep_their_order, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
