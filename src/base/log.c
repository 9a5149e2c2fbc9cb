#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How often one event was logged at one level in the current window. */
struct burst {
    const char *event;
    enum log_level lvl;
    uint64_t since_ms;
    uint32_t n, suppressed;
};

/* File-scope state, one of the two exceptions to rule R5: a log that has to be handed
 * around is a log that is not used. */
static _Atomic int level = LOG_LVL_INFO;
static _Atomic int prefix = -1; /* not decided yet */
static pthread_mutex_t burst_lock = PTHREAD_MUTEX_INITIALIZER;
static struct burst bursts[64];
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned lost; /* lines that could not be written */
static _Atomic int tapped;    /* the tap hears lines up to this level; 0: no tap */
static pthread_mutex_t tap_lock = PTHREAD_MUTEX_INITIALIZER;
static log_tap *tap_line;
static void *tap_ctx;

static const char *const names[] = {
    [LOG_LVL_ERROR] = "error", [LOG_LVL_WARN] = "warn",   [LOG_LVL_NOTICE] = "notice",
    [LOG_LVL_INFO] = "info",   [LOG_LVL_DEBUG] = "debug",
};

void log_set_level(enum log_level lvl) {
    atomic_store_explicit(&level, (int)lvl, memory_order_relaxed);
}

enum log_level log_level(void) {
    return (enum log_level)atomic_load_explicit(&level, memory_order_relaxed);
}

static bool is_written(enum log_level lvl) { return lvl <= log_level(); }

bool log_on(enum log_level lvl) {
    return is_written(lvl) ||
           (int)lvl <= atomic_load_explicit(&tapped, memory_order_relaxed);
}

void log_set_tap(log_tap *tap, void *ctx) {
    pthread_mutex_lock(&tap_lock);
    tap_line = tap;
    tap_ctx = ctx;
    atomic_store(&tapped, tap ? LOG_LVL_INFO : 0);
    pthread_mutex_unlock(&tap_lock);
}

static void tell_tap(enum log_level lvl, const char *event, const char *text) {
    if ((int)lvl > atomic_load_explicit(&tapped, memory_order_relaxed))
        return;
    pthread_mutex_lock(&tap_lock);
    if (tap_line)
        tap_line(tap_ctx, lvl, event, text);
    pthread_mutex_unlock(&tap_lock);
}

void log_set_syslog_prefix(bool on) { atomic_store(&prefix, on); }

int log_level_parse(const char *word, enum log_level *out) {
    for (int i = LOG_LVL_ERROR; i <= LOG_LVL_DEBUG; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

const char *log_level_name(enum log_level lvl) { return names[lvl]; }

/* The slot of this event, or the one longest unused. */
static struct burst *burst_of(const char *event, enum log_level lvl) {
    struct burst *oldest = &bursts[0];
    for (size_t i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++) {
        if (bursts[i].event && bursts[i].lvl == lvl &&
            strcmp(bursts[i].event, event) == 0)
            return &bursts[i];
        if (bursts[i].since_ms < oldest->since_ms)
            oldest = &bursts[i];
    }
    *oldest = (struct burst){.event = event, .lvl = lvl};
    return oldest;
}

/* Whether this line may be written; *suppressed: how many before it were not. */
static bool admit(const char *event, enum log_level lvl, uint32_t *suppressed) {
    uint64_t now_ms = clock_ms();
    pthread_mutex_lock(&burst_lock);
    struct burst *b = burst_of(event, lvl);
    *suppressed = 0;
    if (b->since_ms == 0 || now_ms - b->since_ms >= LOG_WINDOW_MS) {
        *suppressed = b->suppressed;
        *b = (struct burst){.event = event, .lvl = lvl, .since_ms = now_ms};
    }
    bool ok = b->n < LOG_BURST;
    if (ok)
        b->n++;
    else
        b->suppressed++;
    pthread_mutex_unlock(&burst_lock);
    return ok;
}

static size_t append(char *line, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static size_t append_v(char *line, size_t at, const char *fmt, va_list ap) {
    int n = vsnprintf(line + at, LOG_LINE_MAX - at, fmt, ap);
    if (n < 0)
        return at;
    return at + (size_t)n < LOG_LINE_MAX ? at + (size_t)n : LOG_LINE_MAX;
}

static size_t append(char *line, size_t at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    size_t end = at < LOG_LINE_MAX ? append_v(line, at, fmt, ap) : at;
    va_end(ap);
    return end;
}

static size_t append_head(char *line, enum log_level lvl) {
    int with_prefix = atomic_load(&prefix);
    if (with_prefix < 0) {
        with_prefix = getenv("JOURNAL_STREAM") != NULL;
        atomic_store(&prefix, with_prefix);
    }
    if (with_prefix)
        return append(line, 0, "<%d>", (int)lvl);
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    char when[24];
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    return append(line, 0, "time=%s.%03ldZ ", when, ts.tv_nsec / 1000000);
}

void log_own_stderr(void) {
    struct stat st;
    if (fstat(STDERR_FILENO, &st) != 0 ||
        !(S_ISFIFO(st.st_mode) || isatty(STDERR_FILENO)))
        return;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* Bytes taken, or -1. */
static ssize_t put(const struct iovec *iov, int n) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
        return -1;
    ssize_t rc;
    do
        rc = writev(STDERR_FILENO, iov, n);
    while (rc < 0 && errno == EINTR);
    return rc;
}

/* A reader that does not read must not stop whoever logs. Alone, so that nobody takes
 * the room between the question and the answer. */
static bool emit(char *line, size_t n) {
    static bool torn; /* half a line was the last that went out */
    pthread_mutex_lock(&out_lock);
    struct iovec iov[2] = {{"\n", 1}, {line, n}};
    size_t first = torn ? 1 : 0;
    ssize_t rc = put(torn ? iov : iov + 1, torn ? 2 : 1);
    size_t taken = rc > 0 ? (size_t)rc - first : 0;
    if (rc > 0)
        torn = taken > 0 && taken < n;
    pthread_mutex_unlock(&out_lock);
    return taken == n;
}

/* The line as it will stand, without its newline: cut to fit, and one line whatever is
 * in it, since a value may come from a peer. Returns its length. */
static size_t tidy(char *line, size_t n) {
    if (n >= LOG_LINE_MAX) {
        n = LOG_LINE_MAX - 1;
        memcpy(line + n - 3, "...", 3);
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    }
    while (n > 0 && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    return n;
}

void log_line(enum log_level lvl, const char *event, const char *fmt, ...) {
    uint32_t suppressed;
    if (!admit(event, lvl, &suppressed))
        return;
    char line[LOG_LINE_MAX + 1];
    size_t n = append_head(line, lvl);
    n = append(line, n, "level=%s event=%s ", names[lvl], event);
    size_t pairs = n;
    va_list ap;
    va_start(ap, fmt);
    if (n < LOG_LINE_MAX)
        n = append_v(line, n, fmt, ap);
    va_end(ap);
    if (suppressed)
        n = append(line, n, " suppressed=%u", suppressed);
    bool written = is_written(lvl);
    unsigned gone = written ? atomic_exchange(&lost, 0) : 0;
    if (gone)
        n = append(line, n, " lost=%u", gone);
    n = tidy(line, n);
    tell_tap(lvl, event, n > pairs ? line + pairs : "");
    line[n++] = '\n';
    if (written && !emit(line, n))
        atomic_fetch_add(&lost, gone + 1);
}

const char *log_quote(char *out, unsigned cap, const char *s) {
    unsigned n = 0;
    if (cap < 8)
        return "";
    out[n++] = '"';
    for (; *s && n < cap - 5; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        out[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (*s) {
        memcpy(out + n, "...", 3);
        n = n + 3 < cap - 2 ? n + 3 : cap - 2;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}
