// link: telemetry base
#include "tree.h"

#include "telemetry/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void devices_are_described(void **state) {
    static const struct {
        const char *root, *model, *kernel, *arch, *os, *host;
        unsigned cpus;
    } want[] = {
        {"../trees/pc/0", "OptiPlex 7060", "6.12.48+deb13-amd64", "x86_64",
         "Debian GNU/Linux 13 (trixie)", "workshop", 4},
        {"../trees/pi/0", "Raspberry Pi 4 Model B Rev 1.4", "6.12.47+rpt-rpi-v8",
         "aarch64", "Debian GNU/Linux 12 (bookworm)", "raspberrypi", 4},
        {"../trees/router/0", "TP-Link Archer C7 v2", "5.15.167", NULL,
         "OpenWrt 23.05.5", "OpenWrt", 1},
    };
    (void)state;
    struct device d;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(device_read(&d, want[i].root), 0);
        assert_string_equal(d.model, want[i].model);
        assert_string_equal(d.kernel, want[i].kernel);
        assert_string_equal(d.os, want[i].os);
        assert_string_equal(d.host, want[i].host);
        assert_int_equal(d.cpus, want[i].cpus);
        if (want[i].arch)
            assert_string_equal(d.arch, want[i].arch);
        else
            assert_true(d.arch[0] != '\0'); /* of the machine the test runs on */
    }
    struct tree tree = tree_make();
    tree_write(&tree, "proc/cmdline", "console=tty1 pulseboard.slot=b quiet\n");
    tree_write(&tree, "proc/sys/kernel/random/boot_id",
               "7b3f0c62-51d0-4f9e-9a55-2f1f0f6d1c11\n");
    tree_write(&tree, "etc/os-release", "PRETTY_NAME=\"x\x01\xff\ny\"\n");
    assert_int_equal(device_read(&d, tree.dir), 0);
    assert_string_equal(d.os, "x\?\?");
    assert_string_equal(d.model, "");
    assert_string_equal(d.slot, "b");
    assert_string_equal(d.boot_id, "7b3f0c62-51d0-4f9e-9a55-2f1f0f6d1c11");
    assert_int_equal(d.cpus, 0);
    tree_free(&tree);
    assert_int_equal(device_read(&d, "../trees/no-such-machine"), -ENOENT);
    assert_int_equal(device_read(&d, "/"), 0);
    assert_true(d.kernel[0] && d.arch[0] && d.cpus > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
