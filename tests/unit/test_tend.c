// link: app
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "app/tend.h"
#include "base/clock.h"

struct seen {
    struct tend t;
    int ready, due, pipe[2];
};

static void on_bell(void *ctx, struct chore *c, short revents) {
    struct seen *s = ctx;
    char byte;
    assert_int_equal(revents, POLLIN);
    assert_int_equal(read(c->fd, &byte, 1), 1);
    s->ready++;
}

/* Rings twice, then ends. */
static void on_time(void *ctx, struct chore *c, short revents) {
    struct seen *s = ctx;
    assert_int_equal(revents, 0);
    assert_true(c->due_ms == TEND_NEVER);
    if (++s->due == 3) {
        s->t.done = true;
        return;
    }
    assert_int_equal(write(s->pipe[1], "!", 1), 1);
    c->due_ms = clock_ms() + 1;
}

static void descriptors_and_times_are_served(void **state) {
    static struct seen s;
    (void)state;
    assert_int_equal(pipe(s.pipe), 0);
    tend_add(&s.t, -1, POLLIN, TEND_NEVER, on_bell, &s);
    tend_add(&s.t, s.pipe[0], POLLIN, TEND_NEVER, on_bell, &s);
    tend_add(&s.t, -1, 0, 0, on_time, &s);
    tend_run(&s.t);
    assert_int_equal(s.due, 3);
    assert_int_equal(s.ready, 2);
}

static void shut(void *ctx, struct chore *c, short revents) {
    struct seen *s = ctx;
    (void)c;
    (void)revents;
    s->t.chores[1].fd = -1;
    s->t.chores[2].due_ms = 0;
}

static void fail_if_run(void *ctx, struct chore *c, short revents) {
    (void)ctx;
    (void)c;
    (void)revents;
    fail();
}

static void end(void *ctx, struct chore *c, short revents) {
    struct seen *s = ctx;
    (void)c;
    (void)revents;
    s->t.done = true;
}

/* Both are ready; the first takes the second's descriptor away. */
static void what_was_taken_away_is_not_served(void **state) {
    static struct seen s;
    (void)state;
    assert_int_equal(pipe(s.pipe), 0);
    assert_int_equal(write(s.pipe[1], "!", 1), 1);
    tend_add(&s.t, s.pipe[0], POLLIN, TEND_NEVER, shut, &s);
    tend_add(&s.t, s.pipe[0], POLLIN, TEND_NEVER, fail_if_run, &s);
    tend_add(&s.t, -1, 0, TEND_NEVER, end, &s);
    tend_run(&s.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_and_times_are_served),
        cmocka_unit_test(what_was_taken_away_is_not_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
