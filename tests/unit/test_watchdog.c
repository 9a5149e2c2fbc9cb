// link: app
/* What the hardware says of its time-out, told by an ioctl(2) in the place of the
 * kernel's: watchdog_core refuses what is above a driver's max_timeout. */
#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/watchdog.h"

static struct {
    bool is_watchdog, takes_nearest;
    int max, now;
} device;

#ifdef __GLIBC__
int ioctl(int fd, unsigned long what, ...) {
#else
int ioctl(int fd, int what, ...) {
#endif
    va_list ap;
    va_start(ap, what);
    int *seconds = va_arg(ap, int *);
    va_end(ap);
    (void)fd;
    errno = ENOTTY;
    if (!device.is_watchdog)
        return -1;
    if ((unsigned)what == WDIOC_SETTIMEOUT && *seconds > device.max &&
        !device.takes_nearest) {
        errno = EINVAL;
        return -1;
    }
    if ((unsigned)what == WDIOC_SETTIMEOUT)
        device.now = *seconds < device.max ? *seconds : device.max;
    *seconds = device.now;
    return 0;
}

static uint32_t every_ms(void) {
    char path[] = "/tmp/watchdog-XXXXXX", why[256] = "";
    struct doors none = {.n = 0};
    struct config c = {.watchdog = ""};
    struct watchdog w;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(c.watchdog, sizeof c.watchdog, "%s", path);
    assert_int_equal(watchdog_open(&w, &c, &none, why, sizeof why), 0);
    watchdog_end(&w);
    unlink(path);
    return w.every_ms;
}

static void fed_three_times_in_what_the_device_gives(void **state) {
    (void)state;
    device.is_watchdog = true;
    device.max = 120;
    assert_int_equal(every_ms(), 20000);
    /* sunxi_wdt, bcm2835_wdt: longer than they can is refused, and theirs holds. */
    device.max = device.now = 16;
    assert_int_equal(every_ms(), 5333);
    device.takes_nearest = true;
    device.max = 30;
    assert_int_equal(every_ms(), 10000);
    device.max = 1;
    assert_int_equal(every_ms(), 1000);
}

static void what_is_no_watchdog_keeps_ours(void **state) {
    (void)state;
    device.is_watchdog = false;
    assert_int_equal(every_ms(), 20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fed_three_times_in_what_the_device_gives),
        cmocka_unit_test(what_is_no_watchdog_keeps_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
