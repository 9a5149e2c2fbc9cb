#include "app/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_MAX 256

/* "box.example.org" is also called box and, by multicast DNS, box.local. */
static void add_host(struct cert_names *out, const char *host) {
    char name[HOST_MAX + 8];
    int label = (int)strcspn(host, ".");
    snprintf(name, sizeof name, "%.*s.local", label, host);
    cert_add_dns(out, name);
    cert_add_dns(out, "localhost");
    snprintf(name, sizeof name, "%.*s", label, host);
    cert_add_dns(out, name);
    cert_add_dns(out, host);
}

/* As in allow_hosts: a name, an IPv4 address, an IPv6 address in brackets. */
static bool add_given(struct cert_names *out, const char *text) {
    char six[INET6_ADDRSTRLEN + 2] = "";
    unsigned char raw[16];
    size_t n = strlen(text);
    if (inet_pton(AF_INET, text, raw) == 1)
        return cert_add_ip(out, raw, 4);
    if (text[0] == '[' && n > 2 && n < sizeof six) {
        memcpy(six, text + 1, n - 2);
        return inet_pton(AF_INET6, six, raw) == 1 && cert_add_ip(out, raw, 16);
    }
    return cert_add_dns(out, text);
}

static bool add_address(struct cert_names *out, const struct sockaddr *sa) {
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
        return cert_add_ip(out, &v4->sin_addr, 4);
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
    if (sa->sa_family != AF_INET6 || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
        return true;
    return cert_add_ip(out, &v6->sin6_addr, 16);
}

unsigned names_gather(struct cert_names *out, const char *host,
                      const struct config_list *allow_hosts,
                      const struct ifaddrs *interfaces) {
    static const uint8_t four[4] = {127, 0, 0, 1}, six[16] = {[15] = 1};
    unsigned left_out = 0;
    out->n = 0;
    add_host(out, host);
    cert_add_ip(out, four, sizeof four);
    cert_add_ip(out, six, sizeof six);
    for (uint32_t i = 0; i < allow_hosts->n; i++)
        left_out += !add_given(out, allow_hosts->item[i]);
    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
        if (i->ifa_addr && (i->ifa_flags & IFF_UP))
            left_out += !add_address(out, i->ifa_addr);
    }
    return left_out;
}

unsigned names_read(struct cert_names *out, const struct config_list *allow_hosts) {
    char host[HOST_MAX] = "";
    struct ifaddrs *interfaces = NULL;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    unsigned left_out = names_gather(out, host, allow_hosts, interfaces);
    if (interfaces)
        freeifaddrs(interfaces);
    return left_out;
}

int names_watch_addresses(void) {
    struct sockaddr_nl at = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) != 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* What has happened is read from the interfaces; ENOBUFS says no more than that. */
void names_drain(int fd) {
    char some[4096];
    for (int i = 0; i < 64; i++) {
        if (recv(fd, some, sizeof some, MSG_DONTWAIT) < 0 && errno != EINTR &&
            errno != ENOBUFS)
            return;
    }
}

/* proc(5): the file can be polled for changes. */
int names_watch_host(void) {
    int fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
