// link: base
/* Since when, by the wall clock: the same each time it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"

static void the_start_stays_where_it_is(void **state) {
    (void)state;
    int64_t first = clock_wall_at_zero_ms();
    assert_true(llabs(clock_wall_ms() - (int64_t)clock_ms() - first) < 1000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(clock_wall_at_zero_ms(), first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
