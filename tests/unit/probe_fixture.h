#pragma once
/* All probes over a copy of a recorded tree, with a clock and file systems of the test.
 */
#include "tree.h"

#include "telemetry/probes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND 1000000000u
#define ABSENT NAN
#define GIB (1024.0 * 1024 * 1024)

static uint64_t fake_now_ns;
static uint64_t fake_step_ns; /* the clock moves by this whenever it is read */

static uint64_t fake_clock(void) {
    fake_now_ns += fake_step_ns;
    return fake_now_ns;
}

struct fixture {
    struct tree tree;
    struct metric_set set;
    struct probes probes;
};

static const struct fixture *fixture_now;

/* A file system for every mount of the trees, and none anywhere else. */
static int fake_statvfs(const char *path, struct statvfs *out) {
    static const struct {
        const char *at;
        struct statvfs st;
    } all[] = {
        {"/", {.f_frsize = 4096, .f_blocks = 26214400, .f_bfree = 7864320}},
        {"/boot/efi", {.f_frsize = 4096, .f_blocks = 131072, .f_bfree = 114688}},
        {"/boot/firmware", {.f_frsize = 512, .f_blocks = 1048576, .f_bfree = 917504}},
        {"/media/ana/MÜLLER STICK", {.f_frsize = 32768, .f_blocks = 1, .f_bfree = 1}},
        {"/empty", {.f_frsize = 4096}},
        {"/overlay", {.f_frsize = 1024, .f_blocks = 10240, .f_bfree = 9216}},
    };
    size_t root = strlen(fixture_now->tree.dir);
    assert_memory_equal(path, fixture_now->tree.dir, root);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(path + root, all[i].at) == 0) {
            *out = all[i].st;
            return 0;
        }
    errno = ENOENT;
    return -1;
}

static inline void fixture_open(struct fixture *f) {
    struct probes_opts o = {
        .root = f->tree.dir, .clock_ns = fake_clock, .statvfs = fake_statvfs};
    fixture_now = f;
    fake_now_ns = SECOND;
    fake_step_ns = 0;
    metric_init(&f->set);
    assert_int_equal(probes_open(&f->probes, &o, &f->set), 0);
}

/* Moment 0 of a tree, found and read once. */
static inline void fixture_start(struct fixture *f, const char *tree) {
    f->tree = tree_make();
    tree_load(&f->tree, tree, 0);
    fixture_open(f);
    probes_scan(&f->probes);
    probes_sample(&f->probes);
}

static inline void fixture_stop(struct fixture *f) {
    probes_close(&f->probes);
    tree_free(&f->tree);
}

/* The slow lane has answered by then what it was asked now. */
static inline void sample_after(struct fixture *f, uint64_t ns) {
    fake_now_ns += ns;
    slow_settle(&f->probes.slow);
    slow_ask(&f->probes.slow, fake_now_ns);
    slow_settle(&f->probes.slow);
    probes_sample(&f->probes);
}

static inline bool is_listed(const struct fixture *f, const char *id) {
    return metric_find(&f->set, id) >= 0;
}

/* NaN: absent. */
static inline double value_of(const struct fixture *f, const char *id) {
    int slot = metric_find(&f->set, id);
    return slot < 0 ? NAN : f->set.value[slot];
}

static inline void check_value(const struct fixture *f, const char *id, double want) {
    double got = value_of(f, id);
    bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-9 * fabs(want);
    if (!same)
        fail_msg("%s is %.17g, not %.17g", id, got, want);
}

static inline uint32_t count_listed(const struct fixture *f) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->set.high; i++)
        n += f->set.live[i];
    return n;
}
