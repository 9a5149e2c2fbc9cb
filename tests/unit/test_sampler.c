// link: telemetry base
/* The thread itself, over a recorded tree and over the machine the test runs on. */
#include "tree.h"

#include "base/clock.h"
#include "telemetry/sampler.h"

#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_S 30

static struct telemetry board;
static struct sampler sampler;
static struct telemetry_snap snap;
static struct telemetry_list list;
static struct history_times times;
static sem_t sampled;

static void on_sample(void *ctx) { sem_post(ctx); }

static int begin(void **state) {
    (void)state;
    memset(&board, 0, sizeof board);
    return sem_init(&sampled, 0, 0) + telemetry_init(&board);
}

static int end(void **state) {
    (void)state;
    telemetry_free(&board);
    return sem_destroy(&sampled);
}

static int start(const char *root, uint32_t sample_ms) {
    struct sampler_opts o = {
        .probes = {.root = root},
        .sample_ms = sample_ms,
        .out = &board,
        .on_sample = on_sample,
        .ctx = &sampled,
    };
    return sampler_start(&sampler, &o);
}

static void await_samples(int n) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    for (; n > 0; n--)
        assert_int_equal(sem_timedwait(&sampled, &until), 0);
}

static double value_of(const char *id) {
    for (uint32_t i = 0; i < snap.n; i++)
        if (strcmp(snap.v[i].id, id) == 0)
            return snap.v[i].value;
    return NAN;
}

static void samples_are_published(void **state) {
    (void)state;
    struct tree tree = tree_make();
    float total[LIM_HISTORY_N];
    tree_load(&tree, "pi", 0);
    int64_t wall = clock_wall_ms();
    assert_int_equal(start(tree.dir, SAMPLER_MS_MIN), 0);
    await_samples(1);
    tree_load(&tree, "pi", 1);
    await_samples(4);
    sampler_stop(&sampler);

    telemetry_snapshot(&board, &snap);
    assert_true(snap.seq >= 5);
    assert_true(snap.wall_ms >= wall && snap.wall_ms <= clock_wall_ms());
    assert_true(snap.mono_ms <= clock_ms());
    assert_true(value_of("load.1") == 0.23);
    assert_true(value_of("mem.total") == 948280 * 1024.0);
    assert_true(value_of("temp.cpu-thermal") == 50.634);
    assert_true(isnan(value_of("cpu.total"))); /* the tree stands still */
    assert_true(value_of("net.eth0.rx") == 0);

    telemetry_times(&board, 0, LIM_HISTORY_N, &times);
    assert_int_equal(times.seq0, 1);
    assert_int_equal(times.n, snap.seq);
    for (uint32_t i = 1; i < times.n; i++)
        assert_true(times.mono_ms[i] > times.mono_ms[i - 1]);
    assert_int_equal(telemetry_history(&board, "mem.total", 1, times.n, total), 0);
    assert_true(total[0] == 948280 * 1024.0f && total[times.n - 1] == total[0]);
    tree_free(&tree);
}

/* Until the thread sleeps between two samples. */
static void await_rest(void) {
    uint64_t until = clock_ms() + WAIT_S * 1000;
    bool rests = false;
    while (!rests) {
        DIR *tasks = opendir("/proc/self/task");
        assert_non_null(tasks);
        for (struct dirent *d; (d = readdir(tasks));) {
            char path[300], text[256] = "";
            snprintf(path, sizeof path, "/proc/self/task/%s/stat", d->d_name);
            FILE *in = fopen(path, "re");
            if (in && fgets(text, sizeof text, in))
                rests |= strstr(text, "(sampler) S") != NULL;
            if (in)
                fclose(in);
        }
        closedir(tasks);
        assert_true(clock_ms() < until);
        sched_yield();
    }
}

static void stopping_does_not_wait_for_the_deadline(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(start("../trees/router/0", SAMPLER_MS_MAX), 0);
        if (i % 2) {
            await_samples(1);
            await_rest();
        }
        uint64_t from = clock_ms();
        sampler_stop(&sampler);
        assert_true(clock_ms() - from < SAMPLER_MS_MAX / 2);
    }
}

static void bad_options_are_refused(void **state) {
    (void)state;
    assert_int_equal(start("/", SAMPLER_MS_MIN - 1), -EINVAL);
    assert_int_equal(start("/", SAMPLER_MS_MAX + 1), -EINVAL);
    assert_int_equal(start("../trees/no-such-machine", 1000), -ENOENT);
    assert_int_equal(start("test_sampler.c", 1000), -ENOTDIR);
}

static int count_fds(void) {
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void descriptors_are_given_back(void **state) {
    (void)state;
    int before = count_fds();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(start("/", SAMPLER_MS_MIN), 0);
        await_samples(1);
        sampler_stop(&sampler);
        assert_int_equal(start("../trees/no-such-machine", 1000), -ENOENT);
    }
    assert_int_equal(count_fds(), before);
}

/* Readers of any thread meet the sampler only under the lock (for ThreadSanitizer). */
static void readers_and_sampler_agree(void **state) {
    (void)state;
    static float column[LIM_HISTORY_N];
    uint64_t last = 0;
    assert_int_equal(start("/", SAMPLER_MS_MIN), 0);
    while (last < 4) {
        telemetry_snapshot(&board, &snap);
        telemetry_describe(&board, &list);
        telemetry_times(&board, 0, LIM_HISTORY_N, &times);
        assert_true(snap.seq >= last && times.n >= last);
        assert_true(snap.n <= list.n);
        for (uint32_t i = 0; i < list.n; i++)
            telemetry_history(&board, list.m[i].id, times.seq0, times.n, column);
        last = snap.seq;
        if (last < 4)
            await_samples(1);
    }
    sampler_stop(&sampler);
}

static void this_machine_is_plausible(void **state) {
    (void)state;
    assert_int_equal(start("/", 200), 0);
    await_samples(3);
    sampler_stop(&sampler);
    telemetry_snapshot(&board, &snap);
    telemetry_describe(&board, &list);
    assert_true(list.n >= FIXED_METRICS && list.n <= LIM_METRICS);
    double cpu = value_of("cpu.total");
    assert_true(cpu >= 0 && cpu <= 100);
    assert_true(value_of("load.1") >= 0);
    assert_true(value_of("sys.uptime") > 0);
    assert_true(value_of("mem.total") > 16e6);
    assert_true(value_of("mem.used") > 0 &&
                value_of("mem.used") < value_of("mem.total"));
    for (uint32_t i = 0; i < snap.n; i++)
        assert_true(isfinite(snap.v[i].value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_are_published, begin, end),
        cmocka_unit_test_setup_teardown(stopping_does_not_wait_for_the_deadline, begin,
                                        end),
        cmocka_unit_test_setup_teardown(bad_options_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(descriptors_are_given_back, begin, end),
        cmocka_unit_test_setup_teardown(readers_and_sampler_agree, begin, end),
        cmocka_unit_test_setup_teardown(this_machine_is_plausible, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
