#include "app/tend.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>

#include "base/clock.h"

struct chore *tend_add(struct tend *t, int fd, short events, uint64_t due_ms,
                       void (*run)(void *ctx, struct chore *c, short revents),
                       void *ctx) {
    assert(t->n < TEND_MAX);
    struct chore *c = &t->chores[t->n++];
    *c = (struct chore){fd, events, due_ms, run, ctx};
    return c;
}

/* For poll(2); rounded up, or it would return a moment too early, again and again. */
static int wait_ms(const struct tend *t, uint64_t now_ms) {
    uint64_t due_ms = TEND_NEVER;
    for (unsigned i = 0; i < t->n; i++)
        due_ms = t->chores[i].due_ms < due_ms ? t->chores[i].due_ms : due_ms;
    if (due_ms == TEND_NEVER)
        return -1;
    uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static void look(struct tend *t, const struct pollfd *fds) {
    uint64_t now_ms = clock_ms();
    for (unsigned i = 0; i < t->n && !t->done; i++) {
        struct chore *c = &t->chores[i];
        /* One that ran before may have closed or changed this one's descriptor. */
        if (fds[i].fd >= 0 && fds[i].revents && fds[i].fd == c->fd) {
            c->run(c->ctx, c, fds[i].revents);
        } else if (c->due_ms <= now_ms) {
            c->due_ms = TEND_NEVER;
            c->run(c->ctx, c, 0);
        }
    }
}

void tend_run(struct tend *t) {
    struct pollfd fds[TEND_MAX];
    while (!t->done) {
        for (unsigned i = 0; i < t->n; i++)
            fds[i] =
                (struct pollfd){.fd = t->chores[i].fd, .events = t->chores[i].events};
        if (poll(fds, t->n, wait_ms(t, clock_ms())) >= 0)
            look(t, fds);
    }
}
