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
    assert_false(resume_known(r, (struct resume_token){{0, 0}}, 0));
}

static void one_who_left_is_known_for_a_while(void **state) {
    struct resume *r = *state;
    struct resume_token t = resume_open(r, 1);
    resume_close(r, 1, 1000);
    assert_true(resume_known(r, t, 1000));
    assert_true(resume_known(r, t, 1000 + RESUME_MS));
    assert_false(resume_known(r, t, 1001 + RESUME_MS));
    t.half[1] ^= 1;
    assert_false(resume_known(r, t, 1000));
}

static void one_who_seems_alive_is_known(void **state) {
    struct resume *r = *state;
    struct resume_token t = resume_open(r, 2);
    assert_true(resume_known(r, t, 5));
    resume_open(r, 2); /* the seat went to somebody else without a goodbye */
    assert_false(resume_known(r, t, 5));
}

/* Everybody at once may leave and come back; more than that, and the oldest is
 * forgotten. */
static void the_ring_holds_a_full_table(void **state) {
    struct resume *r = *state;
    struct resume_token t[CAP + 1];
    for (uint32_t i = 0; i < CAP; i++)
        t[i] = resume_open(r, i);
    for (uint32_t i = 0; i < CAP; i++)
        resume_close(r, i, 1);
    for (uint32_t i = 0; i < CAP; i++)
        assert_true(resume_known(r, t[i], 2));
    t[CAP] = resume_open(r, 0);
    resume_close(r, 0, 3);
    assert_false(resume_known(r, t[0], 3));
    for (uint32_t i = 1; i <= CAP; i++)
        assert_true(resume_known(r, t[i], 3));
    resume_close(r, 0, 4); /* an empty seat leaves nothing behind */
    assert_true(resume_known(r, t[1], 4));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(tokens_are_random_and_never_none),
        WITH(one_who_left_is_known_for_a_while),
        WITH(one_who_seems_alive_is_known),
        WITH(the_ring_holds_a_full_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
