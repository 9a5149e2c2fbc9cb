#include "update/network.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>

static bool usable(const struct ifaddrs *i) {
    const unsigned up = IFF_UP | IFF_RUNNING;
    if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) || (i->ifa_flags & up) != up)
        return false;
    const struct sockaddr_in6 *six = (const void *)i->ifa_addr;
    return i->ifa_addr->sa_family == AF_INET ||
           (i->ifa_addr->sa_family == AF_INET6 &&
            !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr));
}

bool network_reachable(void) {
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = usable(i);
    freeifaddrs(all);
    return found;
}
