/* The wall clock of a program under test, set by another: loaded before the C library
 * (LD_PRELOAD), it adds the seconds that lie in the file CLOCK_SHIFT to CLOCK_REALTIME.
 * Nothing else changes: neither the machine's clock, nor the monotonic one. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FDS 1024

static const volatile int64_t *shift_s;
static unsigned char wall[FDS]; /* timers of the wall clock */

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_SHIFT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof(*shift_s), PROT_READ, MAP_SHARED, fd, 0);
    shift_s = p == MAP_FAILED ? NULL : p;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ts) {
    long rc = syscall(SYS_clock_gettime, clock, ts);
    if (rc == 0 && clock == CLOCK_REALTIME && shift_s)
        ts->tv_sec += *shift_s;
    return (int)rc;
}

time_t time(time_t *out) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    if (out)
        *out = ts.tv_sec;
    return ts.tv_sec;
}

int timerfd_create(clockid_t clock, int flags) {
    long fd = syscall(SYS_timerfd_create, clock, flags);
    if (fd >= 0 && fd < FDS)
        wall[fd] = clock == CLOCK_REALTIME;
    return (int)fd;
}

/* A time of the shifted clock comes when the machine's shows less by the shift. */
int timerfd_settime(int fd, int flags, const struct itimerspec *at,
                    struct itimerspec *old) {
    struct itimerspec real = *at;
    if (fd >= 0 && fd < FDS && wall[fd] && (flags & TFD_TIMER_ABSTIME) && shift_s)
        real.it_value.tv_sec -= *shift_s;
    return (int)syscall(SYS_timerfd_settime, fd, flags, &real, old);
}
