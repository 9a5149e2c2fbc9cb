// link: telemetry base
/* Four more machines, for what their sensors say: exactly these metrics, as people see
 * them, with units, values and limits. */
#include "probe_fixture.h"

struct expected {
    const char *id, *label, *unit, *group;
    double value, warn, crit;
};

#define NONE NAN, NAN
#define TEMP(id, label, v, ...)                                                        \
    { "temp." id, label, "°C", "temperature", v, __VA_ARGS__ }
#define FAN(id, label, v)                                                              \
    { "fan." id, label, "RPM", "sensors", v, NONE }
#define POWER(id, label, unit, v)                                                      \
    { id, label, unit, "power", v, NONE }
#define SENSOR(id, label, unit, v)                                                     \
    { id, label, unit, "sensors", v, NONE }
#define NET(name, rx, tx, errors, drops)                                               \
    {"net." name ".rx", name " received", "B/s", "network", rx, NONE},                 \
        {"net." name ".tx", name " sent", "B/s", "network", tx, NONE},                 \
        {"net." name ".errors", name " errors", "1/s", "network", errors, NONE}, {     \
        "net." name ".drops", name " drops", "1/s", "network", drops, NONE             \
    }
#define DISK(name)                                                                     \
    {"disk." name ".read", name " read", "B/s", "disk", 4 * 512, NONE}, {              \
        "disk." name ".write", name " written", "B/s", "disk", 40 * 512, NONE          \
    }
#define CORE(n)                                                                        \
    { "cpu." #n, "CPU " #n, "%", "cpu", 25, NONE }
#define BITS(v)                                                                        \
    { "sys.entropy", "Entropy", "bit", "system", v, NONE }
#define KIB(id, label, kib)                                                            \
    { id, label, "B", "memory", 1024.0 * (kib), NONE }

/* What every machine has, and in these trees with the same figures. */
static const struct expected common[] = {
    {"load.1", "Load, 1 min", "1", "system", 0.12, NONE},
    {"load.5", "Load, 5 min", "1", "system", 0.08, NONE},
    {"load.15", "Load, 15 min", "1", "system", 0.01, NONE},
    {"sys.uptime", "Uptime", "s", "system", 981.02, NONE},
    KIB("mem.total", "Memory, total", 500000),
    KIB("mem.used", "Memory, used", 100000),
    KIB("mem.available", "Memory, available", 400000),
    KIB("mem.cached", "Memory, cached", 65000),
    KIB("swap.total", "Swap, total", 0),
    KIB("swap.used", "Swap, used", 0),
    {"cpu.total", "CPU", "%", "cpu", 25, NONE},
    {"fs.root.used", "/ used", "B", "disk", 70 * GIB, NONE},
    {"fs.root.total", "/ size", "B", "disk", 100 * GIB, NONE},
};

/* A BeagleBone: a converter with one scale for all channels, an environment sensor, an
 * eMMC that is a third used up; raw numbers without a scale mean nothing. */
static const struct expected beagle[] = {
    CORE(0),
    NET("eth0", 2000, 400, 2, 4),
    NET("usb0", 4000, 400, 3, 4),
    DISK("mmcblk1"),
    BITS(256),
    {"disk.mmcblk1-life-used", "mmcblk1 life used", "%", "disk", 30, 80, 100},
    {"disk.mmcblk1-reserve-state", "mmcblk1 reserve state", "1", "disk", 1, 2, 3},
    POWER("power.tps65217-ac-online", "tps65217-ac online", "1", 1),
    SENSOR("volt.ti-am335x-adc-voltage0", "TI-am335x-adc voltage0", "V", 0),
    SENSOR("volt.ti-am335x-adc-voltage1", "TI-am335x-adc voltage1", "V", 1.8),
    SENSOR("volt.ti-am335x-adc-voltage2", "TI-am335x-adc voltage2", "V", 0.9),
    SENSOR("volt.ti-am335x-adc-battery", "TI-am335x-adc battery", "V", 1.35),
    SENSOR("volt.ti-am335x-adc-voltage4", "TI-am335x-adc voltage4", "V", 0),
    SENSOR("volt.ti-am335x-adc-voltage5", "TI-am335x-adc voltage5", "V", 0.45),
    SENSOR("volt.ti-am335x-adc-voltage6", "TI-am335x-adc voltage6", "V", 0.9),
    SENSOR("volt.ti-am335x-adc-voltage7", "TI-am335x-adc voltage7", "V", 1.35),
    TEMP("bme280", "bme280", 23.56, NONE),
    SENSOR("pressure.bme280", "bme280", "hPa", 1013.25),
    SENSOR("humidity.bme280", "bme280", "%", 45.123),
};

/* A NAS: fans, rails, a power supply that measures, disks with limits of their own. */
static const struct expected nas[] = {
    CORE(0),
    CORE(1),
    NET("eno1", 2000, 400, 2, 4),
    NET("eno2", 4000, 400, 3, 4),
    DISK("sda"),
    BITS(256),
    {"psi.cpu", "CPU pressure", "%", "cpu", 12.5, NONE},
    {"psi.memory", "Memory pressure", "%", "memory", 0, NONE},
    {"psi.memory.full", "Memory pressure, all wait", "%", "memory", 0, NONE},
    {"psi.io", "I/O pressure", "%", "disk", 50, NONE},
    {"psi.io.full", "I/O pressure, all wait", "%", "disk", 25, NONE},
    TEMP("k10temp-tctl", "k10temp Tctl", 46.5, 70, 90),
    TEMP("nct6798-systin", "nct6798 SYSTIN", 34, NONE), /* a limit of 127: none */
    TEMP("nct6798-cputin", "nct6798 CPUTIN", 41.5, 80, NAN),
    TEMP("nct6798-auxtin0", "nct6798 AUXTIN0", ABSENT, NONE),
    TEMP("nvme-composite", "nvme Composite", 38.85, 81.85, 84.85),
    TEMP("drivetemp", "drivetemp", 31, 55, 60),
    TEMP("drivetemp-2", "drivetemp 2", 33, 55, 60),
    TEMP("sht3x", "sht3x", 22.125, NONE),
    FAN("nct6798-cpu-fan", "nct6798 CPU Fan", 640),
    FAN("nct6798-fan2", "nct6798 fan2", 0), /* it stands still, and says so */
    FAN("nct6798-fan10", "nct6798 fan10", 1250),
    POWER("volt.nct6798-vcore", "nct6798 Vcore", "V", 1.072),
    POWER("volt.nct6798-in1", "nct6798 in1", "V", 1.008),
    POWER("volt.nct6798-in8", "nct6798 in8", "V", 3.264),
    POWER("volt.corsairpsu-v_in", "corsairpsu v_in", "V", 231.5),
    {"amp.corsairpsu-curr-in", "corsairpsu curr in", "A", "power", 0.208, NAN, 10},
    POWER("power.corsairpsu-power-total", "corsairpsu power total", "W", 48),
    POWER("power.acpi_power_meter-power1", "acpi_power_meter power1", "W", 51),
    SENSOR("humidity.sht3x", "sht3x", "%", 41.2),
};

/* A laptop: two batteries of two makes, and a mouse whose battery is its own affair. */
static const struct expected laptop[] = {
    CORE(0),
    CORE(1),
    NET("wlp3s0", 2000, 400, 2, 4),
    {"net.wlp3s0.signal", "wlp3s0 signal", "dBm", "network", -60, NONE},
    DISK("nvme0n1"),
    BITS(256),
    TEMP("acpitz", "acpitz", 47, 95, 128),
    TEMP("thinkpad-cpu", "thinkpad CPU", 47, NONE),
    TEMP("thinkpad-temp2", "thinkpad temp2", ABSENT, NONE), /* says nothing */
    POWER("power.ac-online", "AC online", "1", 0),
    POWER("power.bat0-charge", "BAT0 charge", "%", 81),
    POWER("power.bat0-voltage", "BAT0 voltage", "V", 12.345),
    POWER("power.bat0-power", "BAT0 power", "W", 7.654),
    POWER("power.bat1-charge", "BAT1 charge", "%", 64),
    POWER("power.bat1-voltage", "BAT1 voltage", "V", 3.9),
    POWER("power.bat1-current", "BAT1 current", "A", -0.512),
    TEMP("bat1", "BAT1", 29.1, NONE),
    FAN("thinkpad-fan1", "thinkpad fan1", ABSENT), /* says 65535 */
    FAN("thinkpad-fan2", "thinkpad fan2", 2400),
    SENSOR("light.als", "als", "lx", 121),
};

/* An Orange Pi: trip points, and 1-wire sensors that other faces show again. */
static const struct expected orangepi[] = {
    CORE(0),
    CORE(1),
    CORE(2),
    CORE(3),
    NET("eth0", 1000, 200, 1, 2),
    BITS(3120),
    {"disk.mmcblk0.read", "mmcblk0 read", "B/s", "disk", 2 * 512, NONE},
    {"disk.mmcblk0.write", "mmcblk0 written", "B/s", "disk", 20 * 512, NONE},
    TEMP("cpu-thermal", "cpu-thermal", 52, 75, 100),
    TEMP("1-wire-28-0316a2794bff", "1-Wire 28-0316a2794bff", -1.25, NONE),
    TEMP("1-wire-28-0417c1f20aff", "1-Wire 28-0417c1f20aff", ABSENT, NONE), /* CRC */
};

static void check_same(double got, double want, const char *id, const char *what) {
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= 1e-9 * fabs(want)))
        fail_msg("%s: %s is %.17g, not %.17g", id, what, got, want);
}

static void check_one(const struct fixture *f, const struct expected *want) {
    int slot = metric_find(&f->set, want->id);
    if (slot < 0)
        fail_msg("%s is missing", want->id);
    const struct metric *m = &f->set.m[slot];
    assert_string_equal(m->label, want->label);
    assert_string_equal(m->unit, want->unit);
    assert_string_equal(m->group, want->group);
    assert_int_equal(m->heard_ms, 0);
    check_same(f->set.value[slot], want->value, want->id, "value");
    check_same(m->warn, want->warn, want->id, "warn");
    check_same(m->crit, want->crit, want->id, "crit");
}

static bool is_among(const char *id, const struct expected *want, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(want[i].id, id) == 0)
            return true;
    return false;
}

#define COMMON (sizeof common / sizeof common[0])

static void check_board(const char *name, uint64_t ns, const struct expected *want,
                        size_t n) {
    struct fixture f;
    fixture_start(&f, name);
    tree_load(&f.tree, name, 1);
    sample_after(&f, ns);
    for (size_t i = 0; i < COMMON; i++)
        check_one(&f, &common[i]);
    for (size_t i = 0; i < n; i++)
        check_one(&f, &want[i]);
    for (uint32_t i = 0; i < f.set.high; i++)
        if (!is_among(f.set.m[i].id, want, n) &&
            !is_among(f.set.m[i].id, common, COMMON))
            fail_msg("%s is not expected", f.set.m[i].id);
    /* Finding them again changes nothing. */
    uint32_t layout = f.set.layout;
    assert_int_equal(probes_scan(&f.probes), 0);
    assert_int_equal(f.set.layout, layout);
    fixture_stop(&f);
}

#define CHECK(board, ns)                                                               \
    check_board(#board, (ns), (board), sizeof(board) / sizeof((board)[0]))

static void a_beaglebone_is_read_exactly(void **state) {
    (void)state;
    CHECK(beagle, SECOND);
}

static void a_nas_is_read_exactly(void **state) {
    (void)state;
    CHECK(nas, SECOND);
}

static void a_laptop_is_read_exactly(void **state) {
    (void)state;
    CHECK(laptop, SECOND);
}

static void an_orange_pi_is_read_exactly(void **state) {
    (void)state;
    CHECK(orangepi, 2ull * SECOND); /* the slow lane makes its rounds that often */
}

/* A battery is taken out, another one put in, a thermometer plugged. */
static void sensors_come_and_go(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "laptop");
    int slot = metric_find(&f.set, "power.bat1-charge");
    tree_remove(&f.tree, "sys/class/power_supply/BAT1");
    tree_write(&f.tree, "sys/class/power_supply/BAT2/capacity", "12\n");
    tree_write(&f.tree, "sys/bus/w1/devices/28-000000000001/w1_slave",
               "00 : crc=00 YES\n00 t=4000\n");
    assert_int_equal(probes_scan(&f.probes), 0);
    sample_after(&f, 2ull * SECOND);
    assert_false(is_listed(&f, "power.bat1-charge"));
    assert_false(is_listed(&f, "temp.bat1"));
    check_value(&f, "power.bat2-charge", 12);
    check_value(&f, "power.bat0-charge", 81);
    check_value(&f, "temp.1-wire-28-000000000001", 4);
    tree_load(&f.tree, "laptop", 0);
    tree_remove(&f.tree, "sys/class/power_supply/BAT2");
    tree_remove(&f.tree, "sys/bus/w1");
    assert_int_equal(probes_scan(&f.probes), 0);
    sample_after(&f, SECOND);
    assert_int_equal(metric_find(&f.set, "power.bat1-charge"), slot); /* and its past */
    check_value(&f, "power.bat1-charge", 64);
    assert_false(is_listed(&f, "power.bat2-charge"));
    assert_false(is_listed(&f, "temp.1-wire-28-000000000001"));
    fixture_stop(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beaglebone_is_read_exactly),
        cmocka_unit_test(a_nas_is_read_exactly),
        cmocka_unit_test(a_laptop_is_read_exactly),
        cmocka_unit_test(an_orange_pi_is_read_exactly),
        cmocka_unit_test(sensors_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
