#pragma once
/* What this machine is called, for its certificate: its host name, the addresses of its
 * interfaces, and what the owner says. Main thread. Reads take the kernel a moment
 * (rtnetlink(7)) and allocate while they last. */
#include "app/config.h"
#include "sec/cert.h"

/* In the order of their use, so that what does not fit is the last address. Link-local
 * IPv6 addresses are left out: no URL can name one. Returns how many did not fit. */
unsigned names_read(struct cert_names *out, const struct config_list *allow_hosts);

/* The same for a host name given. Pure but for the interfaces, NULL: none. */
struct ifaddrs;
unsigned names_gather(struct cert_names *out, const char *host,
                      const struct config_list *allow_hosts,
                      const struct ifaddrs *interfaces);

/* A descriptor that is readable when addresses have come or gone, or -errno; empty it
 * before waiting again. */
int names_watch_addresses(void);
void names_drain(int fd);
/* One whose POLLPRI says that the host name was changed, or -errno. */
int names_watch_host(void);
