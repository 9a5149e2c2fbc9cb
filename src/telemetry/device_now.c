#include "telemetry/device_now.h"

#include "telemetry/text.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

/* ---- clock ---- */

/* Who sets the clock leaves traces in /run. */
static void find_source(struct device_now *d) {
    static const struct {
        const char *path, *name;
    } all[] = {
        {"/run/systemd/timesync", "systemd-timesyncd"},
        {"/run/chrony", "chrony"},
        {"/run/ntpd.pid", "ntpd"},
        {"/run/ntpd.sock", "openntpd"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (access(all[i].path, F_OK) == 0) {
            snprintf(d->clock_source, sizeof d->clock_source, "%s", all[i].name);
            return;
        }
}

/* The kernel's own word, adjtimex(2): whoever sets the clock clears STA_UNSYNC, and
 * when nobody did for long it comes back. A locked-up service may not ask (systemd's
 * ProtectClock); then systemd-timesyncd, if it is there, has left its word in a file.
 */
static void read_clock(struct device_now *d) {
    struct timex t = {.modes = 0};
    bool asked = adjtimex(&t) >= 0;
    bool timesyncd = access("/run/systemd/timesync", F_OK) == 0;
    d->clock_known = asked || timesyncd;
    d->clock_synced = (asked && !(t.status & STA_UNSYNC)) ||
                      access("/run/systemd/timesync/synchronized", F_OK) == 0;
    find_source(d);
}

/* ---- addresses: rtnetlink(7), since getifaddrs(3) allocates ---- */

/* The loopback's and link-local ones are of no use to anybody elsewhere. */
static bool is_of_use(const struct ifaddrmsg *m) {
    return m->ifa_scope == RT_SCOPE_UNIVERSE || m->ifa_scope == RT_SCOPE_SITE;
}

static void add(struct device_now *d, const struct ifaddrmsg *m, const void *addr) {
    char name[IF_NAMESIZE];
    if (d->n_addresses == DEVICE_ADDRESSES || !if_indextoname(m->ifa_index, name))
        return;
    struct device_address *a = &d->address[d->n_addresses];
    if (!inet_ntop(m->ifa_family, addr, a->text, sizeof a->text))
        return;
    text_label(a->iface, sizeof a->iface, name);
    d->n_addresses++;
}

/* The attribute with the address: IFA_LOCAL is ours where IFA_ADDRESS may be the other
 * end's. NULL: there is none. */
static const void *find_address(const char *p, size_t n, size_t want) {
    const void *found = NULL;
    while (n >= sizeof(struct rtattr)) {
        const struct rtattr *r = (const void *)p;
        size_t step = RTA_ALIGN((size_t)r->rta_len);
        if (r->rta_len < sizeof *r || r->rta_len > n)
            break;
        bool fits = r->rta_len == RTA_LENGTH(want);
        if (fits &&
            (r->rta_type == IFA_LOCAL || (r->rta_type == IFA_ADDRESS && !found)))
            found = p + RTA_LENGTH(0);
        p += step < n ? step : n;
        n -= step < n ? step : n;
    }
    return found;
}

static void take(struct device_now *d, const struct nlmsghdr *h) {
    const char *p = (const char *)h;
    const struct ifaddrmsg *m = (const void *)(p + NLMSG_HDRLEN);
    size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof *m);
    if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < head || !is_of_use(m) ||
        (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
        return;
    const void *addr =
        find_address(p + head, h->nlmsg_len - head, m->ifa_family == AF_INET ? 4 : 16);
    if (addr)
        add(d, m, addr);
}

/* True: there is more to come. */
static bool take_all(struct device_now *d, int fd) {
    _Alignas(struct nlmsghdr) char buf[4096];
    ssize_t got = recv(fd, buf, sizeof buf, 0);
    size_t n = got > 0 ? (size_t)got : 0, at = 0;
    bool more = n > 0;
    while (at < n && n - at >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *h = (const void *)(buf + at);
        if (h->nlmsg_len < sizeof *h || h->nlmsg_len > n - at)
            return false;
        if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
            more = false;
        take(d, h);
        at += NLMSG_ALIGN(h->nlmsg_len);
    }
    return more;
}

static void read_addresses(struct device_now *d) {
    struct {
        struct nlmsghdr h;
        struct ifaddrmsg m;
    } ask = {
        .h = {.nlmsg_len = sizeof ask,
              .nlmsg_type = RTM_GETADDR,
              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return;
    if (send(fd, &ask, sizeof ask, 0) == sizeof ask)
        while (take_all(d, fd))
            continue;
    close(fd);
}

void device_now_read(struct device_now *d, const char *root) {
    *d = (struct device_now){.n_addresses = 0};
    if (strcmp(root, "/") != 0)
        return;
    read_clock(d);
    read_addresses(d);
}
