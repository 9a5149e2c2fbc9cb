#pragma once
/* Does the dashboard serve? A page and a session, asked for as any browser would.
 * Blocks, PROBE_MS at most; one thread. */
#include <stdbool.h>
#include <stddef.h>

#define PROBE_MS 4000u
#define PROBE_WHY_MAX 128

/* 0 when `at` is http://IPV4:PORT or unix:PATH, else -EINVAL. Pure. */
int probe_check(const char *at);

/* True: the page came, and a WebSocket said hello (or, where one must log in first, the
 * server says that it is well). False, and what was missing. */
bool probe_serves(const char *at, char why[PROBE_WHY_MAX]);
