// link: app
#include "app/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CAP 3u

static int set_up(void **state) {
    static struct resume r;
    *state = &r;
    return resume_init(&r, CAP);
}

static int tear_down(void **state) {
    resume_free(*state);
    return 0;
}

static void tokens_are_random_and_never_none(void **state) {
    struct resume *r = *state;
    struct resume_token a = resume_open(r, 0), b = resume_open(r, 0);
    assert_true(a.half[0] != b.half[0] && a.half[1] != b.half[1]);
    assert_false(resume_claim(r, (struct resume_token){{0, 0}}, 0));
}

static struct resume_token leave(struct resume *r, uint32_t slot, uint64_t now_ms) {
    struct resume_token t = resume_open(r, slot);
    resume_close(r, slot, now_ms);
    return t;
}

static void one_who_left_is_known_for_a_while(void **state) {
    struct resume *r = *state;
    assert_true(resume_claim(r, leave(r, 1, 1000), 1000));
    assert_true(resume_claim(r, leave(r, 1, 1000), 1000 + RESUME_MS));
    assert_false(resume_claim(r, leave(r, 1, 1000), 1001 + RESUME_MS));
    struct resume_token t = leave(r, 1, 1000);
    t.half[1] ^= 1;
    assert_false(resume_claim(r, t, 1000));
}

static void a_token_serves_once(void **state) {
    struct resume *r = *state;
    struct resume_token t = leave(r, 0, 1);
    assert_true(resume_claim(r, t, 2));
    assert_false(resume_claim(r, t, 2));
    t = resume_open(r, 0); /* the old connection is still there */
    assert_true(resume_claim(r, t, 3));
    resume_close(r, 0, 4);
    assert_false(resume_claim(r, t, 5));
}

/* Everybody at once may leave and come back; more than that, and the oldest is
 * forgotten. */
static void the_ring_holds_a_full_table(void **state) {
    struct resume *r = *state;
    struct resume_token t[CAP + 1];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < CAP; i++)
            t[i] = leave(r, i, 1);
        for (uint32_t i = 0; i < CAP; i++)
            assert_true(resume_claim(r, t[i], 2));
    }
    for (uint32_t i = 0; i <= CAP; i++)
        t[i] = leave(r, 0, 3);
    assert_false(resume_claim(r, t[0], 3));
    for (uint32_t i = 1; i <= CAP; i++)
        assert_true(resume_claim(r, t[i], 3));
}

/* A seat whose token was used, or that never had one, leaves nothing behind. */
static void an_empty_seat_takes_no_place(void **state) {
    struct resume *r = *state;
    struct resume_token t = leave(r, 0, 1);
    for (uint32_t i = 0; i < 2 * CAP; i++)
        resume_close(r, 1, 2);
    assert_true(resume_claim(r, t, 2));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(tokens_are_random_and_never_none),
        WITH(one_who_left_is_known_for_a_while),
        WITH(a_token_serves_once),
        WITH(an_empty_seat_takes_no_place),
        WITH(the_ring_holds_a_full_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
