// link: telemetry base
/* Three machines, read at two moments: exactly these metrics with exactly these values.
 */
#include "probe_fixture.h"

struct expected {
    const char *id, *unit, *group;
    enum metric_kind kind;
    double value;
};

#define PERCENT(id, v)                                                                 \
    { id, "%", "cpu", METRIC_GAUGE, v }
#define HERTZ(id, v)                                                                   \
    { id, "Hz", "cpu", METRIC_GAUGE, v }
#define LOAD(id, v)                                                                    \
    { id, "1", "system", METRIC_GAUGE, v }
#define UPTIME(v)                                                                      \
    { "sys.uptime", "s", "system", METRIC_COUNTER, v }
#define MEMORY(id, kib)                                                                \
    { id, "B", "memory", METRIC_GAUGE, 1024.0 * (kib) }
#define NET(id, v)                                                                     \
    { id, "B/s", "network", METRIC_RATE, v }
#define DISK(id, v)                                                                    \
    { id, "B/s", "disk", METRIC_RATE, v }
#define FS(id, v)                                                                      \
    { id, "B", "disk", METRIC_GAUGE, v }
#define FAULTS(name)                                                                   \
    {"net." name ".errors", "1/s", "network", METRIC_RATE, 0}, {                       \
        "net." name ".drops", "1/s", "network", METRIC_RATE, 0                         \
    }
#define TEMP(id, v)                                                                    \
    { id, "°C", "temperature", METRIC_GAUGE, v }

static const struct expected pc[] = {
    LOAD("load.1", 1.04),
    LOAD("load.5", 0.68),
    LOAD("load.15", 0.62),
    UPTIME(8422.17),
    MEMORY("mem.total", 16147936),
    MEMORY("mem.used", 16147936 - 11520000),
    MEMORY("mem.available", 11520000),
    MEMORY("mem.cached", 6512344 + 214748 + 443444),
    MEMORY("swap.total", 2097148),
    MEMORY("swap.used", 4096),
    PERCENT("cpu.total", 43.75),
    PERCENT("cpu.0", 25),
    PERCENT("cpu.1", 50),
    PERCENT("cpu.2", 0),
    PERCENT("cpu.3", 100),
    HERTZ("cpu.0.freq", 3600123e3),
    HERTZ("cpu.1.freq", 2400000e3),
    HERTZ("cpu.2.freq", 799999e3),
    HERTZ("cpu.3.freq", 4100000e3),
    NET("net.enp3s0.rx", 1250000),
    NET("net.enp3s0.tx", 62500),
    NET("net.wlp2s0.rx", 0),
    NET("net.wlp2s0.tx", 0),
    FAULTS("enp3s0"),
    FAULTS("wlp2s0"),
    NET("net.docker0.rx", 2000),
    NET("net.docker0.tx", 4000),
    NET("net.tailscale0.rx", 0),
    NET("net.tailscale0.tx", 0),
    NET("net.veth9a3c1f2.rx", 100),
    NET("net.veth9a3c1f2.tx", 200),
    DISK("disk.nvme0n1.read", 2048 * 512),
    DISK("disk.nvme0n1.write", 4096 * 512),
    DISK("disk.sda.read", 0),
    DISK("disk.sda.write", 0),
    FS("fs.root.used", 70 * GIB),
    FS("fs.root.total", 100 * GIB),
    FS("fs.boot-efi.used", 64.0 * 1024 * 1024),
    FS("fs.boot-efi.total", 512.0 * 1024 * 1024),
    FS("fs.media-ana-m-ller-stick.used", 0),
    FS("fs.media-ana-m-ller-stick.total", 32768),
    TEMP("temp.acpitz", 27.8),
    TEMP("temp.x86_pkg_temp", 55),
    TEMP("temp.nvme-composite", 36.85),
    TEMP("temp.nvme-sensor-1", 36.85),
    TEMP("temp.coretemp-package-id-0", 55),
    TEMP("temp.coretemp-core-0", 52),
    TEMP("temp.coretemp-core-1", 54),
    TEMP("temp.coretemp-core-2", 55),
    TEMP("temp.coretemp-core-3", 50),
    TEMP("temp.nct6775", 33),
    TEMP("temp.nct6775-temp2", ABSENT), /* says -128 */
    TEMP("temp.nct6775-temp3", 29.5),
    TEMP("temp.nvme-composite-2", 33.85),
    {"fan.nct6775-fan1", "RPM", "sensors", METRIC_GAUGE, 812},
    {"volt.nct6775-in0", "V", "power", METRIC_GAUGE, 1.024},
};

static const struct expected pi[] = {
    LOAD("load.1", 0.23),
    LOAD("load.5", 0.06),
    LOAD("load.15", 0.02),
    UPTIME(983.02),
    MEMORY("mem.total", 948280),
    MEMORY("mem.used", 948280 - 799000),
    MEMORY("mem.available", 799000),
    MEMORY("mem.cached", 201200 + 24312 + 31044),
    MEMORY("swap.total", 204796),
    MEMORY("swap.used", 0),
    PERCENT("cpu.total", 21.25),
    PERCENT("cpu.0", 10),
    PERCENT("cpu.1", 50),
    PERCENT("cpu.2", 0),
    PERCENT("cpu.3", 25),
    HERTZ("cpu.0.freq", 1800000e3),
    NET("net.eth0.rx", 100000),
    NET("net.eth0.tx", 5000),
    NET("net.wlan0.rx", 0),
    NET("net.wlan0.tx", 0),
    FAULTS("eth0"),
    FAULTS("wlan0"),
    DISK("disk.mmcblk0.read", 0),
    DISK("disk.mmcblk0.write", 640 * 512 / 2),
    FS("fs.root.used", 70 * GIB),
    FS("fs.root.total", 100 * GIB),
    FS("fs.boot-firmware.used", 64.0 * 1024 * 1024),
    FS("fs.boot-firmware.total", 512.0 * 1024 * 1024),
    TEMP("temp.cpu-thermal", 50.634),
    TEMP("temp.w1_slave_temp", 21.5),
    {"sys.entropy", "bit", "system", METRIC_GAUGE, 256},
    {"power.undervoltage", "1", "power", METRIC_GAUGE, 1},
    {"power.throttled", "1", "power", METRIC_GAUGE, 1},
    {"power.undervoltage.boot", "1", "power", METRIC_GAUGE, 1},
    {"power.throttled.boot", "1", "power", METRIC_GAUGE, 1},
};

static const struct expected router[] = {
    LOAD("load.1", 0),
    LOAD("load.5", 0.01),
    LOAD("load.15", 0),
    UPTIME(4307.44),
    MEMORY("mem.total", 59024),
    MEMORY("mem.used", 59024 - 23900),
    MEMORY("mem.available", 23900),
    MEMORY("mem.cached", 9712 + 2532 + 1880),
    MEMORY("swap.total", 0),
    MEMORY("swap.used", 0),
    PERCENT("cpu.total", 50),
    PERCENT("cpu.0", 50),
    NET("net.eth0.rx", 100000),
    NET("net.eth0.tx", 10000),
    FAULTS("eth0"),
    FAULTS("wlan0"),
    NET("net.wlan0.rx", 1000),
    NET("net.wlan0.tx", 8000),
    NET("net.eth0.2.rx", 1000),
    NET("net.eth0.2.tx", 0),
    NET("net.br-lan.rx", 2000),
    NET("net.br-lan.tx", 333),
    NET("net.pppoe-wan.rx", ABSENT), /* wrapped */
    NET("net.pppoe-wan.tx", 1000),
    FS("fs.root.used", 70 * GIB),
    FS("fs.root.total", 100 * GIB),
    FS("fs.overlay.used", 1024.0 * 1024),
    FS("fs.overlay.total", 10.0 * 1024 * 1024),
};

static void check_all(const struct fixture *f, const struct expected *want, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int slot = metric_find(&f->set, want[i].id);
        if (slot < 0)
            fail_msg("%s is missing", want[i].id);
        const struct metric *m = &f->set.m[slot];
        assert_string_equal(m->unit, want[i].unit);
        assert_string_equal(m->group, want[i].group);
        assert_int_equal(m->kind, want[i].kind);
        check_value(f, want[i].id, want[i].value);
    }
    for (uint32_t i = 0; i < f->set.high; i++) {
        size_t k = 0;
        while (k < n && strcmp(want[k].id, f->set.m[i].id) != 0)
            k++;
        if (k == n)
            fail_msg("%s is not expected", f->set.m[i].id);
    }
}

static void read_tree(const char *name, uint64_t ns, const struct expected *want,
                      size_t n) {
    struct fixture f;
    fixture_start(&f, name);
    tree_load(&f.tree, name, 1);
    sample_after(&f, ns);
    check_all(&f, want, n);
    /* Finding them again changes nothing. */
    uint32_t layout = f.set.layout;
    assert_int_equal(probes_scan(&f.probes), 0);
    assert_int_equal(f.set.layout, layout);
    fixture_stop(&f);
}

static void pc_is_read_exactly(void **state) {
    (void)state;
    read_tree("pc", SECOND, pc, sizeof pc / sizeof pc[0]);
}

static void pi_is_read_exactly(void **state) {
    (void)state;
    read_tree("pi", 2ull * SECOND, pi, sizeof pi / sizeof pi[0]);
}

static void router_is_read_exactly(void **state) {
    (void)state;
    read_tree("router", SECOND, router, sizeof router / sizeof router[0]);
}

static void rates_are_absent_in_the_first_sample(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    for (uint32_t i = 0; i < f.set.high; i++) {
        bool rate = f.set.m[i].kind == METRIC_RATE || strcmp(f.set.m[i].unit, "%") == 0;
        bool dead = strcmp(f.set.m[i].id, "temp.nct6775-temp2") == 0;
        assert_int_equal(isnan(f.set.value[i]), rate || dead);
    }
    fixture_stop(&f);
}

static void rates_use_the_time_that_passed(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    tree_load(&f.tree, "pc", 1);
    sample_after(&f, SECOND / 4);
    check_value(&f, "net.enp3s0.rx", 4 * 1250000.0);
    check_value(&f, "disk.nvme0n1.write", 4 * 4096 * 512.0);
    fixture_stop(&f);
}

static void no_time_gives_no_rate(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    tree_load(&f.tree, "pc", 1);
    sample_after(&f, 0);
    check_value(&f, "net.enp3s0.rx", ABSENT);
    check_value(&f, "disk.nvme0n1.read", ABSENT);
    check_value(&f, "mem.total", 16147936 * 1024.0);
    fixture_stop(&f);
}

static void scales_are_known(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    const struct metric *total = &f.set.m[metric_find(&f.set, "cpu.total")];
    const struct metric *freq = &f.set.m[metric_find(&f.set, "cpu.2.freq")];
    const struct metric *load = &f.set.m[metric_find(&f.set, "load.1")];
    assert_true(total->min == 0 && total->max == 100);
    assert_true(freq->min == 0 && freq->max == 4.3e9);
    assert_true(isnan(load->min) && isnan(load->max));
    fixture_stop(&f);
}

static void labels_are_for_people(void **state) {
    static const char *const want[][2] = {
        {"cpu.3", "CPU 3"},
        {"net.eth0.rx", "eth0 received"},
        {"disk.mmcblk0.write", "mmcblk0 written"},
        {"fs.boot-firmware.used", "/boot/firmware used"},
        {"temp.cpu-thermal", "cpu-thermal"},
    };
    (void)state;
    struct fixture f;
    fixture_start(&f, "pi");
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_string_equal(f.set.m[metric_find(&f.set, want[i][0])].label, want[i][1]);
    fixture_stop(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pc_is_read_exactly),
        cmocka_unit_test(pi_is_read_exactly),
        cmocka_unit_test(router_is_read_exactly),
        cmocka_unit_test(rates_are_absent_in_the_first_sample),
        cmocka_unit_test(rates_use_the_time_that_passed),
        cmocka_unit_test(no_time_gives_no_rate),
        cmocka_unit_test(scales_are_known),
        cmocka_unit_test(labels_are_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
