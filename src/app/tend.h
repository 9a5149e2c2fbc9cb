#pragma once
/* What main does while everything runs: it waits until a descriptor is ready or a time
 * has come, and calls whoever asked for that. Main thread only. A chore must not block
 * for long: signals and the watchdog wait meanwhile. TEND_MAX chores, no allocation. */
#include <stdbool.h>
#include <stdint.h>

#define TEND_MAX 16u
#define TEND_NEVER UINT64_MAX

struct chore {
    int fd; /* -1: none just now */
    short events;
    uint64_t due_ms; /* clock_ms(); TEND_NEVER: none */
    /* revents: of the descriptor, 0 when it is the time that has come (due_ms is then
     * TEND_NEVER until run sets it). May change its own chore. */
    void (*run)(void *ctx, struct chore *c, short revents);
    void *ctx;
};

struct tend {
    unsigned n;
    struct chore chores[TEND_MAX];
    bool done; /* set by a chore: tend_run() returns */
};

/* Begins with fd, events and due_ms as given. Lives as long as the tend; never NULL:
 * TEND_MAX is for all there are. */
struct chore *tend_add(struct tend *t, int fd, short events, uint64_t due_ms,
                       void (*run)(void *ctx, struct chore *c, short revents),
                       void *ctx);

/* Until done. */
void tend_run(struct tend *t);
