#include "app/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/uri.h"

/* A board that takes longer is of no use to anybody. */
#define DEVICE_S 60
/* How long an answer may take, of the time between two. */
#define ANSWER_MAX_MS 5000u

/* ---- the service manager ---- */

static void tell(const struct watchdog *w, const char *text) {
    if (w->notify >= 0)
        send(w->notify, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* sd_notify(3). Connected at once: later we may not reach abstract sockets. */
static int open_notify(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&at, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* sd_watchdog_enabled(3): how often the manager wants to hear of us, 0: not at all. */
static uint64_t manager_ms(void) {
    const char *usec = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
    uint64_t v = 0, pid = 0;
    if (!usec || uri_u64(usec, &v) != 0)
        return 0;
    if (whose && (uri_u64(whose, &pid) != 0 || pid != (uint64_t)getpid()))
        return 0;
    return v / 1000;
}

/* ---- the hardware ---- */

/* A request is an int to musl, whose top bit this one has; to glibc it is a long. */
#ifdef __GLIBC__
#define SET_TIMEOUT WDIOC_SETTIMEOUT
#define GET_TIMEOUT WDIOC_GETTIMEOUT
#else
#define SET_TIMEOUT ((int)WDIOC_SETTIMEOUT)
#define GET_TIMEOUT ((int)WDIOC_GETTIMEOUT)
#endif

static int open_device(struct watchdog *w, const char *path, char *why, size_t cap) {
    int seconds = DEVICE_S;
    w->device = open(path, O_WRONLY | O_CLOEXEC);
    if (w->device < 0) {
        int rc = -errno;
        snprintf(why, cap, "%.200s: %s", path, strerror(-rc));
        return rc;
    }
    /* Some take what comes nearest, and say what; others refuse what is too long for
     * them (watchdog-api: the SoCs of many boards, with 16 s at most) and stay with
     * their own. One that cannot tell (a file) keeps ours. */
    if (ioctl(w->device, SET_TIMEOUT, &seconds) != 0 &&
        ioctl(w->device, GET_TIMEOUT, &seconds) != 0)
        seconds = DEVICE_S;
    if (seconds < 3)
        seconds = 3;
    w->every_ms = (uint32_t)seconds * 1000 / 3;
    return 0;
}

/* ---- where to knock ---- */

/* A door for everybody is knocked at from this host. */
static void aim(struct watchdog *w, enum watchdog_probe p, int fd) {
    socklen_t n = sizeof w->at[p];
    if (w->at_n[p] || getsockname(fd, (struct sockaddr *)&w->at[p], &n) != 0)
        return;
    struct sockaddr_in *four = (void *)&w->at[p];
    struct sockaddr_in6 *six = (void *)&w->at[p];
    if (w->at[p].ss_family == AF_INET && four->sin_addr.s_addr == INADDR_ANY)
        four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (w->at[p].ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
        six->sin6_addr = in6addr_loopback;
    w->at_n[p] = n;
}

int watchdog_open(struct watchdog *w, const struct config *c, const struct doors *doors,
                  char *why, size_t cap) {
    *w = (struct watchdog){.notify = open_notify(), .device = -1};
    int rc = c->watchdog[0] ? open_device(w, c->watchdog, why, cap) : 0;
    uint64_t ms = manager_ms() / 3;
    if (ms > 0 && ms < UINT32_MAX && (w->every_ms == 0 || ms < w->every_ms))
        w->every_ms = (uint32_t)ms;
    for (unsigned i = 0; i < doors->n; i++) {
        if (doors->door[i].kind == LOBBY_TLS)
            aim(w, WATCHDOG_TLS, doors->door[i].fd);
        if (doors->door[i].kind == LOBBY_PLAIN)
            aim(w, WATCHDOG_PLAIN, doors->door[i].fd);
    }
    /* Without plain HTTP the local socket asks how we are. */
    for (unsigned i = 0; i < doors->n; i++) {
        if (doors->door[i].kind == LOBBY_LOCAL)
            aim(w, WATCHDOG_PLAIN, doors->door[i].fd);
    }
    return rc;
}

/* ---- probing ---- */

static void feed(struct watchdog *w) {
    w->starving = false;
    tell(w, "WATCHDOG=1");
    if (w->device >= 0 && write(w->device, "", 1) != 1)
        log_warn("watchdog_device", "errno=%d", errno);
}

static void hang_up(struct watchdog *w) {
    if (w->chore->fd >= 0)
        close(w->chore->fd);
    w->chore->fd = -1;
}

/* All over, for this time. */
static void rest(struct watchdog *w, bool well) {
    hang_up(w);
    if (well)
        feed(w);
    else if (!w->starving)
        log_warn("watchdog_starved", "probe=%s",
                 w->probe == WATCHDOG_TLS ? "tls" : "healthz");
    w->starving = !well;
    w->probe = WATCHDOG_PLAIN;
    w->chore->due_ms = clock_ms() + w->every_ms;
}

/* The next door that there is; after the last one, we live. */
static void knock(struct watchdog *w) {
    while (w->probe < WATCHDOG_PROBES && w->at_n[w->probe] == 0)
        w->probe++;
    if (w->probe == WATCHDOG_PROBES) {
        rest(w, true);
        return;
    }
    const struct sockaddr *at = (const struct sockaddr *)&w->at[w->probe];
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    w->chore->fd = fd;
    w->chore->events = POLLOUT;
    w->n = 0;
    if (fd < 0 || (connect(fd, at, w->at_n[w->probe]) != 0 && errno != EINPROGRESS)) {
        rest(w, false);
        return;
    }
    uint32_t limit_ms = w->every_ms < ANSWER_MAX_MS ? w->every_ms : ANSWER_MAX_MS;
    w->chore->due_ms = clock_ms() + limit_ms;
}

/* The hello is one byte long: an alert costs the board no computing, and shows that
 * whoever shakes hands is there. */
static bool ask(const struct watchdog *w) {
    static const char get[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n";
    static const char hello[] = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
    const char *text = w->probe == WATCHDOG_TLS ? hello : get;
    size_t n = w->probe == WATCHDOG_TLS ? sizeof hello - 1 : sizeof get - 1;
    return send(w->chore->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* 1: a good answer, 0: not yet, -1: a bad one or none. RFC 8446 6: an alert is 21. */
static int listen_to(struct watchdog *w) {
    static const char good[] = "HTTP/1.1 200";
    ssize_t got = recv(w->chore->fd, w->heard + w->n, sizeof w->heard - w->n, 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    w->n += (unsigned)got;
    if (w->probe == WATCHDOG_TLS)
        return w->heard[0] == 21 ? 1 : -1;
    if (w->n < sizeof good - 1)
        return 0;
    return memcmp(w->heard, good, sizeof good - 1) == 0 ? 1 : -1;
}

static void on_probe(void *ctx, struct chore *c, short revents) {
    struct watchdog *w = ctx;
    if (revents == 0 && c->fd < 0) {
        knock(w);
    } else if (revents == 0) {
        rest(w, false); /* no answer in time */
    } else if (c->events == POLLOUT) {
        c->events = POLLIN;
        if (!ask(w))
            rest(w, false);
    } else {
        int said = listen_to(w);
        if (said == 0)
            return;
        hang_up(w);
        w->probe += said > 0;
        if (said > 0)
            knock(w);
        else
            rest(w, false);
    }
}

void watchdog_begin(struct watchdog *w, struct tend *t) {
    tell(w, "READY=1");
    if (w->every_ms > 0)
        w->chore = tend_add(t, -1, 0, 0, on_probe, w);
}

/* The magic character: watchdog-api(7). */
void watchdog_end(struct watchdog *w) {
    tell(w, "STOPPING=1");
    if (w->chore)
        hang_up(w);
    if (w->device >= 0) {
        if (write(w->device, "V", 1) != 1)
            log_warn("watchdog_device", "errno=%d", errno);
        close(w->device);
    }
    if (w->notify >= 0)
        close(w->notify);
    w->notify = w->device = -1;
}
