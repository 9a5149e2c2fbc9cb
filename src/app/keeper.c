#include "app/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/log.h"
#include "base/savefile.h"
#include "base/thread.h"
#include "telemetry/source.h"

static const char *const names[] = {"history.a", "history.b"};
#define STACK_BYTES (64u * 1024)

/* ---- reading ---- */

/* The whole file: its size, or -errno. One byte more than fits is -EFBIG. */
static ssize_t read_file(const char *dir, const char *name, uint8_t *buf, size_t cap) {
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int err = errno;
    if (folder >= 0)
        close(folder);
    if (fd < 0)
        return -err;
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n < cap) {
        got = read(fd, buf + n, cap - n);
        n += got > 0 ? (size_t)got : 0;
    }
    err = errno;
    close(fd);
    return got < 0 ? -err : n == cap ? -EFBIG : (ssize_t)n;
}

/* 0 and its generation, -ENOENT: there is none; else it was said what is wrong. */
static int look_at(struct keeper *k, const char *name, uint64_t *generation) {
    ssize_t n = read_file(k->o.dir, name, k->buf, TIERS_FILE_MAX + 1);
    if (n == -ENOENT)
        return -ENOENT;
    const char *fault =
        n < 0 ? strerror((int)-n) : tiers_fault(k->buf, (size_t)n, generation);
    if (!fault)
        return 0;
    char why[64];
    log_notice("history_ignored", "file=%s reason=%s", name,
               log_quote(why, sizeof why, fault));
    return -EINVAL;
}

/* The newer of the two is in the buffer; false: neither can be used. */
static bool find_newest(struct keeper *k) {
    uint64_t a = 0, b = 0;
    bool has_a = look_at(k, names[0], &a) == 0;
    bool has_b = look_at(k, names[1], &b) == 0;
    k->next = has_b && (!has_a || b > a) ? 0 : has_a;
    k->generation = has_b && (!has_a || b > a) ? b : a;
    if (has_a && k->next == 1 && look_at(k, names[0], &a) != 0)
        return false;
    return has_a || has_b;
}

/* Without one that can be read this boot is like no other. */
static void read_boot_id(const char *root_path, uint64_t id[2]) {
    char text[64] = "";
    int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int rc = source_text(root, text, sizeof text, "proc/sys/kernel/random/boot_id");
    if (root >= 0)
        close(root);
    unsigned digits = 0;
    id[0] = id[1] = 0;
    for (const char *p = text; rc >= 0 && *p && digits < 32; p++) {
        const char *hex = "0123456789abcdef", *at = strchr(hex, *p);
        if (!at)
            continue;
        id[digits / 16] = id[digits / 16] << 4 | (uint64_t)(at - hex);
        digits++;
    }
    if (digits < 32)
        (void)getrandom(id, 2 * sizeof id[0], GRND_NONBLOCK);
}

static void restore(struct keeper *k) {
    uint64_t boot_id[2];
    read_boot_id(k->o.root, boot_id);
    bool found = k->buf && find_newest(k);
    telemetry_restore(k->o.telemetry, found ? k->buf : NULL, boot_id);
    if (found)
        log_info("history_restored", "file=%s generation=%llu", names[!k->next],
                 (unsigned long long)k->generation);
}

/* ---- writing ---- */

static void forget_buffer(struct keeper *k) {
    if (k->buf)
        madvise(k->buf, TIERS_FILE_MAX, MADV_DONTNEED);
}

static void save(struct keeper *k) {
    const char *name = names[k->next];
    size_t n = telemetry_pack(k->o.telemetry, k->generation + 1, k->buf);
    int rc = savefile(k->o.dir, name, 0600, k->buf, n);
    forget_buffer(k);
    if (rc == 0) {
        k->generation++;
        k->next = !k->next;
        if (k->failing)
            log_notice("history_saved", "file=%s bytes=%zu", name, n);
        log_debug("history_saved", "file=%s bytes=%zu", name, n);
    } else if (!k->failing) {
        log_notice("history_not_saved", "file=%s reason=\"%s\" retry_s=%u", name,
                   strerror(-rc), k->o.save_s);
    }
    k->failing = rc != 0;
}

/* True when it is time to write, false to stop. */
static bool wait_turn(struct keeper *k) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += k->o.save_s;
    pthread_mutex_lock(&k->lock);
    while (!k->stop && pthread_cond_timedwait(&k->wake, &k->lock, &until) != ETIMEDOUT)
        continue;
    bool stop = k->stop;
    pthread_mutex_unlock(&k->lock);
    return !stop;
}

static void *run(void *arg) {
    struct keeper *k = arg;
    thread_name("keeper");
    while (wait_turn(k))
        save(k);
    return NULL;
}

/* ---- start and stop ---- */

static int start_thread(struct keeper *k) {
    pthread_condattr_t cond;
    pthread_condattr_init(&cond);
    pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, &cond);
    pthread_condattr_destroy(&cond);
    int rc = thread_start(&k->thread, STACK_BYTES, run, k);
    k->threaded = rc == 0;
    return rc;
}

int keeper_start(struct keeper *k, const struct keeper_opts *o) {
    *k = (struct keeper){.o = *o};
    if (o->dir) {
        k->buf = pages_take(TIERS_FILE_MAX + 1);
        if (!k->buf)
            return -ENOMEM;
    }
    restore(k);
    forget_buffer(k);
    int rc = o->dir ? start_thread(k) : 0;
    if (rc)
        pages_give(k->buf, TIERS_FILE_MAX + 1);
    return rc;
}

void keeper_stop(struct keeper *k) {
    if (!k->threaded)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    save(k);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    pages_give(k->buf, TIERS_FILE_MAX + 1);
    k->threaded = false;
}
