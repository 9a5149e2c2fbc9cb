// link: telemetry base
/* What goes wrong with a source stays with that source: absent, never zero, never a
 * spike. */
#include "probe_fixture.h"

#include <sys/resource.h>

#define NET_HEAD "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n"

static bool begins(const char *s, const char *with) {
    return strncmp(s, with, strlen(with)) == 0;
}

/* prefixes: of the ids that may be absent, between blanks. */
static bool is_affected(const char *id, const char *prefixes) {
    char copy[128], *save = NULL;
    snprintf(copy, sizeof copy, "%s", prefixes);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        if (begins(id, w))
            return true;
    return false;
}

static const struct {
    const char *path, *prefixes;
} sources[] = {
    {"proc/loadavg", "load."},
    {"proc/uptime", "sys.uptime"},
    {"proc/meminfo", "mem. swap."},
    {"proc/stat", "cpu.total cpu.0 cpu.1 cpu.2 cpu.3"},
    {"proc/net/dev", "net."},
    {"proc/diskstats", "disk."},
    {"proc/self/mountinfo", "fs."},
    {"sys/class/thermal/thermal_zone1/temp", "temp.x86_pkg_temp"},
    {"sys/class/hwmon/hwmon2/temp3_input", "temp.coretemp-core-1"},
    {"sys/devices/system/cpu/cpufreq/policy2/scaling_cur_freq", "cpu.2.freq"},
};
#define SOURCES (sizeof sources / sizeof sources[0])

/* Everything present at moment 1, but for what may be affected. */
static void check_rest(const struct fixture *f, const struct fixture *sound,
                       const char *prefixes) {
    for (uint32_t i = 0; i < sound->set.high; i++) {
        const char *id = sound->set.m[i].id;
        if (!is_affected(id, prefixes))
            check_value(f, id, sound->set.value[i]);
    }
}

static void check_absent(const struct fixture *f, const char *prefixes) {
    for (uint32_t i = 0; i < f->set.high; i++)
        if (is_affected(f->set.m[i].id, prefixes) && !strstr(f->set.m[i].id, ".freq"))
            assert_true(isnan(f->set.value[i]));
}

static void start_sound(struct fixture *sound) {
    fixture_start(sound, "pc");
    tree_load(&sound->tree, "pc", 1);
    sample_after(sound, SECOND);
}

static void a_missing_file_takes_only_its_own(void **state) {
    (void)state;
    struct fixture sound, f;
    start_sound(&sound);
    for (size_t i = 0; i < SOURCES; i++) {
        f.tree = tree_make();
        tree_load(&f.tree, "pc", 0);
        tree_remove(&f.tree, sources[i].path);
        fixture_open(&f);
        probes_scan(&f.probes);
        probes_sample(&f.probes);
        tree_load(&f.tree, "pc", 1);
        tree_remove(&f.tree, sources[i].path);
        sample_after(&f, SECOND);
        check_rest(&f, &sound, sources[i].prefixes);
        check_absent(&f, sources[i].prefixes);
        fixture_stop(&f);
    }
    fixture_stop(&sound);
}

static void an_empty_machine_has_only_gaps(void **state) {
    (void)state;
    struct fixture f = {.tree = tree_make()};
    fixture_open(&f);
    assert_int_equal(probes_scan(&f.probes), 0);
    probes_sample(&f.probes);
    assert_int_equal(count_listed(&f), FIXED_METRICS);
    for (uint32_t i = 0; i < f.set.high; i++)
        assert_true(isnan(f.set.value[i]));
    fixture_stop(&f);
}

static void a_file_that_fails_later_returns_later(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    for (size_t i = 0; i < SOURCES; i++)
        tree_write(&f.tree, sources[i].path, "");
    sample_after(&f, SECOND);
    for (size_t i = 0; i < SOURCES; i++)
        if (strcmp(sources[i].path, "proc/self/mountinfo") != 0)
            check_absent(&f, sources[i].prefixes);
    check_value(&f, "fs.root.total", 100 * GIB);
    tree_load(&f.tree, "pc", 0);
    tree_load(&f.tree, "pc", 1);
    sample_after(&f, SECOND);
    /* The rate over both seconds, since the earlier reading still counts. */
    check_value(&f, "net.enp3s0.rx", 1250000 / 2);
    check_value(&f, "cpu.total", 43.75);
    check_value(&f, "load.1", 1.04);
    check_value(&f, "temp.x86_pkg_temp", 55);
    fixture_stop(&f);
}

/* Files that are read every second stay open, those of sensors too. */
static void running_out_of_descriptors_does_not_blind(void **state) {
    (void)state;
    struct fixture f;
    struct rlimit was, none;
    fixture_start(&f, "pc");
    uint32_t listed = count_listed(&f);
    tree_load(&f.tree, "pc", 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    check_value(&f, "cpu.total", 43.75);
    check_value(&f, "mem.available", 11520000 * 1024.0);
    check_value(&f, "net.enp3s0.rx", 1250000);
    check_value(&f, "disk.nvme0n1.write", 4096 * 512);
    check_value(&f, "fs.root.used", 70 * GIB);
    check_value(&f, "temp.acpitz", 27.8);
    assert_int_equal(count_listed(&f), listed);
    sample_after(&f, SECOND);
    check_value(&f, "temp.acpitz", 27.8);
    fixture_stop(&f);
}

/* Whatever a file says, a value is a number, and a percentage is one. */
static void check_sane(const struct fixture *f) {
    for (uint32_t i = 0; i < f->set.high; i++) {
        const struct metric *m = &f->set.m[i];
        double v = f->set.value[i];
        if (isnan(v))
            continue;
        assert_true(isfinite(v));
        if (strcmp(m->unit, "%") == 0)
            assert_true(v >= 0 && v <= 100);
        else if (strcmp(m->unit, "°C") == 0)
            assert_true(v >= -100 && v <= 300);
        else
            assert_true(v >= 0);
        assert_int_equal(strspn(m->id, "abcdefghijklmnopqrstuvwxyz0123456789._-"),
                         strlen(m->id));
    }
}

static size_t load_file(const struct tree *t, const char *path, char *buf, size_t cap) {
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", t->dir, path);
    FILE *in = fopen(full, "re");
    assert_non_null(in);
    size_t n = fread(buf, 1, cap, in);
    fclose(in);
    return n;
}

static void a_cut_file_stays_sane(void **state) {
    (void)state;
    struct fixture f, sound;
    start_sound(&sound);
    fixture_start(&f, "pc");
    tree_load(&f.tree, "pc", 1);
    for (size_t i = 0; i < SOURCES; i++) {
        char whole[8192];
        size_t n = load_file(&f.tree, sources[i].path, whole, sizeof whole);
        for (size_t cut = 0; cut < n; cut += 1 + n / 100) {
            tree_write_n(&f.tree, sources[i].path, whole, cut);
            probes_scan(&f.probes);
            sample_after(&f, SECOND);
            check_sane(&f);
            if (strstr(sources[i].path, "proc/"))
                check_value(&f, "temp.coretemp-core-3", 50);
        }
        tree_write_n(&f.tree, sources[i].path, whole, n);
    }
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    check_value(&f, "mem.used", (16147936 - 11520000) * 1024.0);
    assert_int_equal(count_listed(&f), count_listed(&sound));
    fixture_stop(&f);
    fixture_stop(&sound);
}

/* Repeatable; not for secrets. */
static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void garbage_stays_sane(void **state) {
    static const char spice[] = "0123456789 \n\t:-./\\\"\xff\xc3\0";
    (void)state;
    struct fixture f;
    uint32_t seed = 20261122;
    fixture_start(&f, "pc");
    for (int round = 0; round < 300; round++) {
        size_t i = next_random(&seed) % SOURCES;
        char whole[8192], text[8192];
        size_t n = load_file(&f.tree, sources[i].path, whole, sizeof whole);
        memcpy(text, whole, n);
        for (uint32_t k = next_random(&seed) % 40; k > 0; k--)
            text[next_random(&seed) % n] = spice[next_random(&seed) % sizeof spice];
        tree_write_n(&f.tree, sources[i].path, text, n);
        probes_scan(&f.probes);
        sample_after(&f, SECOND);
        check_sane(&f);
        assert_true(count_listed(&f) <= LIM_METRICS);
        tree_write_n(&f.tree, sources[i].path, whole, n);
    }
    fixture_stop(&f);
}

static void numbers_that_are_none_are_absent(void **state) {
    static const struct {
        const char *path, *text, *id;
    } bad[] = {
        {"proc/loadavg", "0.52.1 0.58 0.59 1/3 4\n", "load.1"},
        {"proc/loadavg", "0.52 nan 0.59 1/3 4\n", "load.1"},
        {"proc/loadavg", "-0.52 0.58 0.59 1/3 4\n", "load.1"},
        {"proc/loadavg", "0.52 0.58 0.59", "load.1"},
        {"proc/uptime", "99999999999999999999.0 1\n", "sys.uptime"},
        {"proc/uptime", "\n", "sys.uptime"},
        {"proc/meminfo", "MemTotal: 12 MB\n", "mem.total"},
        {"proc/meminfo", "MemTotal: 0x12 kB\n", "mem.total"},
        {"proc/meminfo", "MemTotal: 100 kB\nMemAvailable: 200 kB\n", "mem.used"},
        {"proc/meminfo", "MemTotal: 18446744073709551616 kB\n", "mem.total"},
        {"proc/meminfo", "SwapTotal: 5 kB\nSwapFree: 6 kB\n", "swap.used"},
        {"proc/stat", "cpu  1 2 3\n", "cpu.total"},
        {"proc/stat", "cpu  98500 390 35600 3203000 x\n", "cpu.total"},
        {"proc/stat", "cpu  18446744073709551616 0 0 3300000 0 0 0 0\n", "cpu.total"},
        {"proc/stat", "cpu  0 0 0 3300000 0 0 0 0\n", "cpu.total"},
        {"proc/stat", "cpu  98000 390 35600 3202000 5400 0 570 0 0 0\n", "cpu.total"},
        {"sys/class/thermal/thermal_zone0/temp", "9223372036854775808\n",
         "temp.acpitz"},
        {"sys/class/thermal/thermal_zone0/temp", "27800 27800\n", "temp.acpitz"},
        {"sys/class/thermal/thermal_zone0/temp", "65535000\n", "temp.acpitz"},
        {"sys/class/thermal/thermal_zone0/temp", "N/A\n", "temp.acpitz"},
        {"sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "<unknown>\n",
         "cpu.0.freq"},
        {"sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "0\n",
         "cpu.0.freq"},
    };
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tree_load(&f.tree, "pc", 0);
        sample_after(&f, SECOND);
        tree_write(&f.tree, bad[i].path, bad[i].text);
        sample_after(&f, SECOND);
        check_value(&f, bad[i].id, ABSENT);
    }
    tree_write(&f.tree, "sys/class/thermal/thermal_zone0/temp", "-5250\n");
    sample_after(&f, SECOND);
    check_value(&f, "temp.acpitz", -5.25);
    fixture_stop(&f);
}

static void write_eth(const struct fixture *f, uint64_t rx, uint64_t tx) {
    tree_writef(&f->tree, "proc/net/dev",
                NET_HEAD "  eth0:%llu 1 0 0 0 0 0 0 %llu 1 0 0 0 0 0 0\n",
                (unsigned long long)rx, (unsigned long long)tx);
}

static void a_counter_that_goes_back_is_absent_once(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pi");
    write_eth(&f, 4294967000u, 50);
    sample_after(&f, SECOND);
    write_eth(&f, 704, 150); /* wrapped at 2^32 */
    sample_after(&f, SECOND);
    check_value(&f, "net.eth0.rx", ABSENT);
    check_value(&f, "net.eth0.tx", 100);
    write_eth(&f, 1704, 250);
    sample_after(&f, SECOND);
    check_value(&f, "net.eth0.rx", 1000);
    fixture_stop(&f);
}

static void write_disk(const struct fixture *f, unsigned read, unsigned written) {
    tree_writef(&f->tree, "proc/diskstats",
                " 179 0 mmcblk0 1 2 %u 4 5 6 %u 8 0 10 11\n"
                " 179 8 mmcblk0boot0 1 2 3 4 5 6 7 8 9 10 11\n"
                " 179 1 mmcblk0p1 1 2 3 4 5 6 7 8 9 10 11\n",
                read, written);
}

static void disks_follow_the_same_rules(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pi");
    tree_write(&f.tree, "sys/block/mmcblk0boot0/device/uevent", "\n");
    write_disk(&f, 700000, 300000);
    sample_after(&f, SECOND);
    write_disk(&f, 0, 300001);
    sample_after(&f, SECOND);
    check_value(&f, "disk.mmcblk0.read", ABSENT);
    check_value(&f, "disk.mmcblk0.write", 512);
    write_disk(&f, 2, 300001);
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    check_value(&f, "disk.mmcblk0.read", 1024);
    assert_false(is_listed(&f, "disk.mmcblk0boot0.read"));
    assert_false(is_listed(&f, "disk.mmcblk0p1.read"));
    fixture_stop(&f);
}

static void interfaces_come_and_go(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pi");
    tree_write(&f.tree, "proc/net/dev",
               NET_HEAD "  wwan0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
                        "  eth0: 7340032 1 0 0 0 0 0 0 524288 1 0 0 0 0 0 0\n");
    tree_write(&f.tree, "sys/class/net/wwan0/device/uevent", "\n");
    sample_after(&f, SECOND);
    assert_true(is_listed(&f, "net.wlan0.rx")); /* until the next look */
    check_value(&f, "net.wlan0.rx", ABSENT);
    check_value(&f, "net.eth0.rx", 0);
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    assert_false(is_listed(&f, "net.wlan0.rx"));
    assert_false(is_listed(&f, "net.wlan0.tx"));
    check_value(&f, "net.wwan0.rx", ABSENT); /* nothing to compare with yet */
    sample_after(&f, SECOND);
    check_value(&f, "net.wwan0.rx", 0);
    check_value(&f, "net.eth0.tx", 0);
    tree_load(&f.tree, "pi", 0);
    probes_scan(&f.probes);
    assert_true(is_listed(&f, "net.wlan0.rx"));
    assert_false(is_listed(&f, "net.wwan0.rx"));
    fixture_stop(&f);
}

static void real_interfaces_win_over_virtual_ones(void **state) {
    (void)state;
    struct fixture f;
    char text[8192];
    int n = snprintf(text, sizeof text, NET_HEAD);
    fixture_start(&f, "pi");
    for (int i = 0; i < 20; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "veth%d: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
                      "br-%d: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
                      "dummy%d: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                      i, i, i);
    }
    tree_writef(&f.tree, "proc/net/dev",
                "%swlan0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
                "eth0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                text);
    /* 40 virtual ones that carried something and 2 real ones, of which 10 are shown. */
    assert_int_equal(probes_scan(&f.probes), 42 - NET_MAX);
    assert_true(is_listed(&f, "net.eth0.rx"));
    assert_true(is_listed(&f, "net.wlan0.tx"));
    assert_true(is_listed(&f, "net.br-0.rx"));
    assert_true(is_listed(&f, "net.br-7.rx"));
    assert_false(is_listed(&f, "net.br-8.rx"));
    assert_false(is_listed(&f, "net.veth0.rx"));
    assert_false(is_listed(&f, "net.dummy0.rx"));
    fixture_stop(&f);
}

static void cores_go_off_line(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    tree_write(&f.tree, "proc/stat",
               "cpu  98100 390 35600 3202300 5400 0 570 0 0 0\n"
               "cpu0 25100 120 9000 800000 1500 0 300 0 0 0\n"
               "cpu40 25100 120 9000 800000 1500 0 300 0 0 0\nintr 1\n");
    sample_after(&f, SECOND);
    check_value(&f, "cpu.total", 25);
    check_value(&f, "cpu.0", 100);
    check_value(&f, "cpu.1", ABSENT);
    assert_int_equal(probes_scan(&f.probes), 1); /* cpu40 */
    assert_true(is_listed(&f, "cpu.0"));
    assert_false(is_listed(&f, "cpu.1"));
    assert_false(is_listed(&f, "cpu.40"));
    fixture_stop(&f);
}

static void cpu_time_that_goes_back_is_absent(void **state) {
    static const char *const after[] = {
        "cpu  98100 390 35600 3201000 5400 0 570 0 0 0\n", /* idle */
        "cpu  97000 390 35600 3203000 5400 0 570 0 0 0\n", /* busy */
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        fixture_start(&f, "pc");
        tree_write(&f.tree, "proc/stat", after[i]);
        sample_after(&f, SECOND);
        check_value(&f, "cpu.total", ABSENT);
        fixture_stop(&f);
    }
}

static void idle_may_lose_to_iowait(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    tree_write(&f.tree, "proc/stat", "cpu  98050 390 35600 3202060 5390 0 570 0 0 0\n");
    sample_after(&f, SECOND);
    check_value(&f, "cpu.total", 50);
    fixture_stop(&f);
}

/* A sensor that is made anew under another number keeps its id. */
static void sensors_are_renumbered(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    /* A file that is open still has a device that is gone: reading it fails. */
    tree_write(&f.tree, "sys/class/hwmon/hwmon1/temp1_input", "");
    tree_remove(&f.tree, "sys/class/hwmon/hwmon1");
    tree_write(&f.tree, "sys/class/hwmon/hwmon7/name", "nvme\n");
    tree_write(&f.tree, "sys/class/hwmon/hwmon7/temp1_input", "44000\n");
    tree_write(&f.tree, "sys/class/hwmon/hwmon7/temp1_label", "Composite\n");
    sample_after(&f, SECOND);
    check_value(&f, "temp.nvme-composite", ABSENT);
    check_value(&f, "temp.nvme-composite-2", 33.85);
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    check_value(&f, "temp.nvme-composite", 44);
    check_value(&f, "temp.nvme-composite-2", 33.85);
    assert_false(is_listed(&f, "temp.nvme-sensor-1"));
    fixture_stop(&f);
}

static void a_number_taken_by_another_chip_is_another_sensor(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pc");
    tree_write(&f.tree, "sys/class/hwmon/hwmon4/name", "drivetemp\n");
    tree_remove(&f.tree, "sys/class/hwmon/hwmon4/temp1_label");
    probes_scan(&f.probes);
    sample_after(&f, SECOND);
    check_value(&f, "temp.drivetemp", 33.85);
    assert_false(is_listed(&f, "temp.nvme-composite-2"));
    fixture_stop(&f);
}

static void sensors_beyond_the_limit_are_counted(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, "pi"); /* two sensors */
    for (int i = 0; i < 80; i++) {
        char path[64];
        snprintf(path, sizeof path, "sys/class/hwmon/hwmon%d/temp%d_input", 8 + i / 40,
                 1 + i % 40);
        tree_write(&f.tree, path, "1000\n");
    }
    tree_write(&f.tree, "sys/class/hwmon/hwmon8/name", "more\n");
    tree_write(&f.tree, "sys/class/hwmon/hwmon9/name", "many\n");
    assert_int_equal(probes_scan(&f.probes), 82 - SENSORS_MAX);
    sample_after(&f, SECOND);
    check_value(&f, "temp.cpu-thermal", 48.199);
    check_value(&f, "temp.more-temp40", 1);
    check_value(&f, "temp.many-temp22", 1);
    assert_false(is_listed(&f, "temp.many-temp23"));
    fixture_stop(&f);
}

static void hostile_names_come_out_clean(void **state) {
    static const struct {
        const char *raw, *id, *label;
    } names[] = {
        {"\x1b[31mred\x07\n", "temp.chip-31mred", "chip ?[31mred?"},
        {"\xff\xfe\xc3(", "temp.chip", "chip ?\?\?("},
        {"<script>alert(1)</script>\n", "temp.chip-script-alert-1-script",
         "chip <script>alert(1)</script>"},
        {"../../etc\n", "temp.chip-..-..-etc", "chip ../../etc"},
        {"Gehäuse\n", "temp.chip-geh-use", "chip Gehäuse"},
        {"%s%n%d\n", "temp.chip-s-n-d", "chip %s%n%d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fixture f;
        f.tree = tree_make();
        tree_write(&f.tree, "sys/class/hwmon/hwmon0/name", "chip\n");
        tree_write(&f.tree, "sys/class/hwmon/hwmon0/temp1_input", "1000\n");
        tree_write(&f.tree, "sys/class/hwmon/hwmon0/temp1_label", names[i].raw);
        fixture_open(&f);
        probes_scan(&f.probes);
        int slot = metric_find(&f.set, names[i].id);
        assert_true(slot >= 0);
        assert_string_equal(f.set.m[slot].label, names[i].label);
        fixture_stop(&f);
    }
}

/* Found out while it is read: the next answer comes from the lane. */
static void what_takes_long_is_left_to_the_slow_lane(void **state) {
    (void)state;
    struct fixture f;
    f.tree = tree_make();
    tree_write(&f.tree, "sys/class/hwmon/hwmon0/name", "lazy\n");
    tree_write(&f.tree, "sys/class/hwmon/hwmon0/temp1_input", "1000\n");
    fixture_open(&f);
    probes_scan(&f.probes);
    fake_step_ns = SECOND / 2; /* it takes that long, says the clock */
    probes_sample(&f.probes);
    check_value(&f, "temp.lazy", 1);
    assert_true(f.probes.sensors.s[0].slow);
    fake_step_ns = 0;
    tree_write(&f.tree, "sys/class/hwmon/hwmon0/temp1_input", "2000\n");
    sample_after(&f, 2ull * SECOND);
    check_value(&f, "temp.lazy", 2);
    /* It says nothing any more: its last word holds for a while. */
    tree_write(&f.tree, "sys/class/hwmon/hwmon0/temp1_input", "");
    sample_after(&f, SLOW_HOLD_NS);
    check_value(&f, "temp.lazy", 2);
    sample_after(&f, SECOND);
    check_value(&f, "temp.lazy", ABSENT);
    tree_remove(&f.tree, "sys/class/hwmon/hwmon0");
    probes_scan(&f.probes);
    assert_false(is_listed(&f, "temp.lazy"));
    fixture_stop(&f);
}

#define W1(n) "sys/bus/w1/devices/28-00000000000" n "/w1_slave"

/* A pipe nobody writes to blocks its reader, as a conversion does: while it lasts
 * everything else is sampled. */
static void a_sensor_that_hangs_delays_nothing(void **state) {
    (void)state;
    struct fixture f;
    char path[PATH_MAX];
    fixture_start(&f, "pi");
    slow_settle(&f.probes.slow); /* the round that asks the pipe is the next one */
    tree_write(&f.tree, W1("1"), "");
    tree_remove(&f.tree, W1("1"));
    snprintf(path, sizeof path, "%s/" W1("1"), f.tree.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    tree_write(&f.tree, W1("2"), "00 : crc=00 YES\n00 t=4000\n");
    probes_scan(&f.probes);
    tree_load(&f.tree, "pi", 1);
    fake_now_ns += 2ull * SECOND;
    probes_sample(&f.probes);
    probes_sample(&f.probes);
    check_value(&f, "temp.cpu-thermal", 50.634);
    check_value(&f, "temp.1-wire-28-000000000001", ABSENT);
    int fd = open(path, O_WRONLY | O_CLOEXEC); /* waits until the lane reads */
    assert_true(fd >= 0);
    close(fd);
    slow_settle(&f.probes.slow);
    probes_sample(&f.probes);
    check_value(&f, "temp.1-wire-28-000000000001", ABSENT);
    check_value(&f, "temp.1-wire-28-000000000002", 4);
    fixture_stop(&f);
}

static void check_mounts(const char *mountinfo, const char *const *ids) {
    struct fixture f;
    uint32_t n = 0;
    f.tree = tree_make();
    tree_write(&f.tree, "proc/self/mountinfo", mountinfo);
    fixture_open(&f);
    probes_scan(&f.probes);
    for (; ids[n]; n++)
        if (!is_listed(&f, ids[n]))
            fail_msg("%s is missing", ids[n]);
    assert_int_equal(count_listed(&f), FIXED_METRICS + 2 * n);
    fixture_stop(&f);
}

static void mounts_are_chosen_with_sense(void **state) {
    (void)state;
    /* The same file system twice: the shorter path. */
    check_mounts("1 0 8:1 / /mnt/long rw - ext4 /dev/sda1 rw\n"
                 "2 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n"
                 "3 0 8:1 / /mnt/other rw - ext4 /dev/sda1 rw\n",
                 (const char *const[]){"fs.mnt.used", NULL});
    /* Hidden under another mount. */
    check_mounts("1 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n"
                 "2 0 0:9 / /mnt rw - tmpfs tmpfs rw\n",
                 (const char *const[]){NULL});
    /* Subvolumes of one btrfs, a file mounted into a container, its overlay root. */
    check_mounts(
        "1 0 0:30 /@ / rw - overlay overlay rw\n"
        "2 0 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
        "3 0 0:31 /@a /a rw shared:1 - btrfs /dev/sdb rw,subvol=/@a\n"
        "4 0 0:31 /@b /bb rw shared:1 master:2 - btrfs /dev/sdb rw,subvol=/@b\n",
        (const char *const[]){"fs.root.used", "fs.a.used", NULL});
    /* Nobody writes to it; a root that is so tells all the same, and so does what only
     * a service's own view has read-only. */
    check_mounts(
        "1 0 8:1 / / ro - ext4 /dev/sda1 ro,relatime\n"
        "2 0 8:2 / /slot ro - ext4 /dev/sda2 ro\n"
        "3 0 8:3 / /data ro - ext4 /dev/sda3 rw,relatime\n"
        "4 0 8:4 / /rom rw - ext4 /dev/sda4 rom\n",
        (const char *const[]){"fs.root.used", "fs.data.used", "fs.rom.used", NULL});
    /* Two paths with one slug; an escaped name; lines that make no sense. */
    check_mounts("1 0 8:1 / /x\\040y rw - ext4 /dev/sda1 rw\n"
                 "2 0 8:2 / /x:y rw - ext4 /dev/sda2 rw\n"
                 "3 0 8:3 / /\\ rw - ext4 /dev/sda3 rw\n"
                 "4 0 8 / /no rw - ext4 /dev/sda3 rw\n"
                 "5 0 8:5x / /no rw - ext4 /dev/sda3 rw\n"
                 "6 0 8:6 / /no rw ext4 /dev/sda3 rw\n"
                 "7 0 8:7 / no rw - ext4 /dev/sda3 rw\n"
                 "8 0 8:8\n\n",
                 (const char *const[]){"fs.x-y.used", "fs.x-y-2.total",
                                       "fs.unnamed.used", NULL});
}

static void a_file_system_that_fails_is_absent(void **state) {
    (void)state;
    struct fixture f;
    f.tree = tree_make();
    tree_write(&f.tree, "proc/self/mountinfo",
               "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "2 0 8:2 / /gone rw - ext4 /dev/sda2 rw\n"
               "3 0 8:3 / /empty rw - ext4 /dev/sda3 rw\n");
    fixture_open(&f);
    probes_scan(&f.probes);
    probes_sample(&f.probes);
    check_value(&f, "fs.root.used", 70 * GIB);
    assert_true(is_listed(&f, "fs.gone.used"));
    check_value(&f, "fs.gone.used", ABSENT);
    check_value(&f, "fs.empty.total", ABSENT); /* as FUSE says when it does not know */
    fixture_stop(&f);
}

static void a_root_that_is_none_is_an_error(void **state) {
    (void)state;
    struct fixture f;
    struct probes_opts o = {.root = "../trees/no-such-machine"};
    metric_init(&f.set);
    assert_int_equal(probes_open(&f.probes, &o, &f.set), -ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file_takes_only_its_own),
        cmocka_unit_test(an_empty_machine_has_only_gaps),
        cmocka_unit_test(a_file_that_fails_later_returns_later),
        cmocka_unit_test(running_out_of_descriptors_does_not_blind),
        cmocka_unit_test(a_cut_file_stays_sane),
        cmocka_unit_test(garbage_stays_sane),
        cmocka_unit_test(numbers_that_are_none_are_absent),
        cmocka_unit_test(a_counter_that_goes_back_is_absent_once),
        cmocka_unit_test(disks_follow_the_same_rules),
        cmocka_unit_test(interfaces_come_and_go),
        cmocka_unit_test(real_interfaces_win_over_virtual_ones),
        cmocka_unit_test(cores_go_off_line),
        cmocka_unit_test(cpu_time_that_goes_back_is_absent),
        cmocka_unit_test(idle_may_lose_to_iowait),
        cmocka_unit_test(sensors_are_renumbered),
        cmocka_unit_test(a_number_taken_by_another_chip_is_another_sensor),
        cmocka_unit_test(sensors_beyond_the_limit_are_counted),
        cmocka_unit_test(hostile_names_come_out_clean),
        cmocka_unit_test(what_takes_long_is_left_to_the_slow_lane),
        cmocka_unit_test(a_sensor_that_hangs_delays_nothing),
        cmocka_unit_test(mounts_are_chosen_with_sense),
        cmocka_unit_test(a_file_system_that_fails_is_absent),
        cmocka_unit_test(a_root_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
