#pragma once
/* Who we may be called: the defence against DNS rebinding (a foreign name that resolves
 * to this board) and against foreign pages that open our WebSocket. Pure but for
 * hosts_init().
 *
 * Host is allowed when it is an address, localhost, *.localhost (RFC 6761 6.3), *.local
 * (RFC 6762: nobody outside the link can own it), this machine's name, or a configured
 * name. */
#include <stdbool.h>

#include "http/head.h"

struct hosts {
    const char *const *names; /* configured; the caller's */
    unsigned n;
    bool any;
    char self[256];    /* this machine's name */
    size_t self_short; /* length of its first label */
};

void hosts_init(struct hosts *h, const char *const *names, unsigned n, bool any);

/* authority: the value of Host. 0, -EINVAL (malformed), -EACCES (not our name). */
int hosts_check(const struct hosts *h, struct slice authority);

/* Is an Origin (RFC 6454 7) the very host and port that was asked? The scheme may
 * differ, as it does behind a proxy that ends TLS; ports left out are the scheme's. */
bool hosts_same(struct slice origin, struct slice authority);
