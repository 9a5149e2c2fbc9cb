#include "app/intake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "proto/statsd.h"

#define STACK_BYTES (64u * 1024)

/* ---- sockets ---- */

static int parse_port(const char *s, uint16_t *out) {
    double v;
    bool good = reading_number(s, strlen(s), &v) && s[strspn(s, "0123456789")] == '\0';
    if (!good || v < 0 || v > 65535)
        return -EINVAL;
    *out = (uint16_t)v;
    return 0;
}

/* "127.0.0.1:8125", "[::1]:8125". */
static int parse_address(const char *text, struct sockaddr_storage *sa,
                         socklen_t *len) {
    struct sockaddr_in *four = (struct sockaddr_in *)sa;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)sa;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    uint16_t port;
    *sa = (struct sockaddr_storage){0};
    if (!colon || parse_port(colon + 1, &port) != 0)
        return -EINVAL;
    bool brackets = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    int n = (int)(colon - text) - 2 * brackets;
    if ((size_t)n >= sizeof host)
        return -EINVAL;
    snprintf(host, sizeof host, "%.*s", n, text + brackets);
    if (!brackets && inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        *len = sizeof *four;
        return 0;
    }
    if (brackets && inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        *len = sizeof *six;
        return 0;
    }
    return -EINVAL;
}

/* A descriptor or -errno. */
static int bind_to(const struct sockaddr *sa, socklen_t len) {
    int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, sa, len) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

static int open_udp(const char *address) {
    struct sockaddr_storage sa;
    socklen_t len = 0;
    int rc = parse_address(address, &sa, &len);
    return rc ? rc : bind_to((const struct sockaddr *)&sa, len);
}

/* Only a socket is in our way by right; anything else stays. */
static int open_local(const char *path) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof sa.sun_path)
        return -ENAMETOOLONG;
    memcpy(sa.sun_path, path, strlen(path) + 1);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    int fd = bind_to((const struct sockaddr *)&sa, sizeof sa);
    if (fd >= 0 && chmod(path, 0660) != 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static int say(int rc, const char *what, char *why, size_t cap) {
    snprintf(why, cap, "%s: %s", what, strerror(-rc));
    return rc;
}

int intake_open(struct intake *in, struct own *own, const char *address,
                const char *path, char *why, size_t cap) {
    int rc = 0;
    *in = (struct intake){.own = own, .udp = -1, .local = -1, .path = path};
    in->stop = eventfd(0, EFD_CLOEXEC);
    if (in->stop < 0)
        return say(-errno, "statsd", why, cap);
    if (path)
        in->local = open_local(path);
    if (path && in->local < 0)
        rc = say(in->local, path, why, cap);
    if (address)
        in->udp = open_udp(address);
    if (address && in->udp < 0 && rc == 0)
        rc = say(in->udp, address, why, cap);
    return rc;
}

/* ---- lines ---- */

static void refuse(struct intake *in, const char *p, size_t n, const char *why) {
    if (in->refused++ > 0)
        return;
    in->why = why;
    snprintf(in->line, sizeof in->line, "%.*s", n < 4096 ? (int)n : 4096, p);
}

unsigned intake_lines(struct intake *in, const char *p, size_t n, uint64_t now_ms) {
    const char *end = p + n;
    unsigned refused = 0;
    while (p < end) {
        struct reading r;
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        size_t text = len - (len > 0 && p[len - 1] == '\r');
        const char *why = text > 0 ? statsd_parse(p, text, &r) : NULL;
        if (why)
            own_count(in->own, 1, 0);
        else if (text > 0)
            why = own_tell(in->own, &r, now_ms);
        if (why)
            refuse(in, p, text, why);
        refused += why != NULL;
        p += len + (stop != NULL);
    }
    return refused;
}

/* ---- the thread ---- */

static void tell_refused(struct intake *in, uint64_t now_ms) {
    char why[96], line[2 * INTAKE_LINE_SHOWN];
    if (in->refused == 0 || (in->told_ms && now_ms - in->told_ms < INTAKE_TELL_MS))
        return;
    log_notice("readings_refused", "from=statsd count=%llu why=%s line=%s",
               (unsigned long long)in->refused, log_quote(why, sizeof why, in->why),
               log_quote(line, sizeof line, in->line));
    in->refused = 0;
    in->told_ms = now_ms;
}

/* Reads what is there, as far as the budget goes. */
static void drain(struct intake *in, int fd) {
    char buf[INTAKE_DATAGRAM_MAX];
    uint64_t now_ms = clock_ms();
    size_t bytes = 0;
    for (unsigned i = 0; i < INTAKE_BATCH && bytes < INTAKE_BATCH_BYTES; i++) {
        ssize_t n = recv(fd, buf, sizeof buf, MSG_TRUNC);
        if (n < 0)
            return;
        bytes += (size_t)n + 1;
        if ((size_t)n > sizeof buf) {
            own_count(in->own, 1, 0);
            refuse(in, buf, sizeof buf, "the datagram is longer than 8192 bytes");
        } else {
            intake_lines(in, buf, (size_t)n, now_ms);
        }
    }
}

/* Datagrams that found no room since the last time. A Unix socket loses none: its
 * senders are told to wait. */
static void count_dropped(struct intake *in) {
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof info;
    if (in->udp < 0 || getsockopt(in->udp, SOL_SOCKET, SO_MEMINFO, info, &len) != 0 ||
        len <= SK_MEMINFO_DROPS * sizeof info[0])
        return;
    uint32_t lost = info[SK_MEMINFO_DROPS] - in->udp_dropped;
    in->udp_dropped = info[SK_MEMINFO_DROPS];
    if (lost == 0)
        return;
    own_count(in->own, 0, lost);
    log_notice("readings_lost", "from=statsd datagrams=%u", lost);
}

/* True when it is time to stop. */
static bool pause_ms(const struct intake *in, int ms) {
    struct pollfd p = {.fd = in->stop, .events = POLLIN};
    return poll(&p, 1, ms) > 0;
}

static void *run(void *arg) {
    struct intake *in = arg;
    thread_name("intake");
    struct pollfd p[] = {
        {.fd = in->stop, .events = POLLIN},
        {.fd = in->udp, .events = POLLIN},
        {.fd = in->local, .events = POLLIN},
    };
    do {
        /* What was refused lately is told in time, even if nothing more comes. */
        int wait_ms = in->refused ? (int)INTAKE_TELL_MS : -1;
        if (poll(p, 3, wait_ms) < 0 && errno != EINTR)
            break;
        if (p[1].revents)
            drain(in, in->udp);
        if (p[2].revents)
            drain(in, in->local);
        count_dropped(in);
        tell_refused(in, clock_ms());
    } while (!p[0].revents && !pause_ms(in, INTAKE_PAUSE_MS));
    return NULL;
}

int intake_start(struct intake *in) {
    if (in->udp < 0 && in->local < 0)
        return 0;
    int rc = thread_start(&in->thread, STACK_BYTES, run, in);
    in->started = rc == 0;
    return rc;
}

static void close_one(int fd) {
    if (fd >= 0)
        close(fd);
}

void intake_stop(struct intake *in) {
    if (in->started) {
        uint64_t one = 1;
        ssize_t n = write(in->stop, &one, sizeof one);
        (void)n; /* an eventfd of zero takes a one */
        pthread_join(in->thread, NULL);
    }
    if (in->local >= 0)
        unlink(in->path);
    close_one(in->udp);
    close_one(in->local);
    close_one(in->stop);
}

bool intake_bound(const struct intake *in, char *out, size_t cap) {
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    char host[INET6_ADDRSTRLEN], port[8];
    const struct sockaddr *at = (const struct sockaddr *)&sa;
    if (in->udp < 0 || getsockname(in->udp, (struct sockaddr *)&sa, &len) != 0 ||
        getnameinfo(at, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    snprintf(out, cap, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return true;
}
