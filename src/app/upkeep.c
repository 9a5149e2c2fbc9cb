#include "app/upkeep.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "app/names.h"
#include "base/clock.h"
#include "base/log.h"

/* Addresses come in groups, and IPv6 ones want to be looked for first (RFC 4862 5.4).
 */
#define SETTLE_MS 3000u

static int or_none(const char *what, int fd) {
    if (fd < 0)
        log_notice("not_watched", "what=%s reason=\"%s\"", what, strerror(-fd));
    return fd < 0 ? -1 : fd;
}

static int open_clock(void) {
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void upkeep_open(struct upkeep *u) {
    u->addresses = or_none("addresses", names_watch_addresses());
    u->host = or_none("host_name", names_watch_host());
    u->clock = or_none("clock", open_clock());
}

/* At the time when the certificate is to be renewed, and (timerfd_create(2)) as soon as
 * the clock jumps. */
static void arm(struct upkeep *u) {
    struct itimerspec at = {.it_value.tv_sec = identity_due_s(u->id)};
    if (u->clock >= 0 && at.it_value.tv_sec > 0)
        timerfd_settime(u->clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at,
                        NULL);
}

void upkeep_hurry(struct upkeep *u) {
    if (u->refresh && u->refresh->due_ms == TEND_NEVER)
        u->refresh->due_ms = clock_ms() + SETTLE_MS;
}

static void refresh(void *ctx, struct chore *c, short revents) {
    struct upkeep *u = ctx;
    struct cert_names names;
    (void)c;
    (void)revents;
    unsigned left_out = names_read(&names, &u->config->allow_hosts);
    if (left_out)
        log_notice("names_left_out", "count=%u", left_out);
    identity_refresh(u->id, &names, clock_wall_ms() / 1000);
    arm(u);
}

static void on_addresses(void *ctx, struct chore *c, short revents) {
    (void)revents;
    names_drain(c->fd);
    upkeep_hurry(ctx);
}

static void on_host(void *ctx, struct chore *c, short revents) {
    struct upkeep *u = ctx;
    (void)c;
    (void)revents;
    if (u->renamed)
        u->renamed(u->ctx);
    upkeep_hurry(u);
}

/* ECANCELED: it was set. Either way the timer is armed again by the refresh. */
static void on_clock(void *ctx, struct chore *c, short revents) {
    uint64_t times;
    (void)revents;
    if (read(c->fd, &times, sizeof times) < 0 && errno == ECANCELED)
        log_info("clock_set", "%s", "");
    upkeep_hurry(ctx);
}

void upkeep_begin(struct upkeep *u, struct tend *t) {
    u->refresh = tend_add(t, -1, 0, TEND_NEVER, refresh, u);
    tend_add(t, u->addresses, POLLIN, TEND_NEVER, on_addresses, u);
    /* The kernel says POLLERR | POLLPRI once for each change. */
    tend_add(t, u->host, POLLPRI, TEND_NEVER, on_host, u);
    tend_add(t, u->clock, POLLIN, TEND_NEVER, on_clock, u);
    arm(u);
}

void upkeep_close(struct upkeep *u) {
    int *fds[] = {&u->addresses, &u->host, &u->clock};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}
