#pragma once
/* Sockets that a service manager listens on for us (sd_listen_fds(3), without its
 * library): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. Main thread, before others start.
 */
#include "http/doors.h"

/* Adds them. One named "https" or "tls" is for TLS, other TCP sockets for plain HTTP, a
 * Unix socket is the local one. 0, also when there are none; else -errno and one line
 * in why. The variables are taken out of the environment. */
int inherit_doors(struct doors *d, char *why, size_t cap);
