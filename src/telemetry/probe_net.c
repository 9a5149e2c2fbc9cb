/* Network rates: proc_pid_net(5), /proc/net/dev. Real interfaces first: those that
 * belong to a device. Virtual ones (bridges, tunnels, VLANs) follow once they have
 * carried anything, veth ends of containers last. The loopback is nobody's traffic. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <string.h>

static const struct pairs_kind kind = {
    .prefix = "net",
    .group = "network",
    .unit = "B/s",
    .kind = METRIC_RATE,
    .end = {"rx", "tx"},
    .word = {"received", "sent"},
};

/* Both directions together, of real interfaces: where a bad cable shows. */
static const struct pairs_kind faults = {
    .prefix = "net",
    .group = "network",
    .unit = "1/s",
    .kind = METRIC_RATE,
    .end = {"errors", "drops"},
    .word = {"errors", "drops"},
};

enum { RANK_REAL, RANK_VIRTUAL, RANK_VETH };

struct net_line {
    const char *name;
    uint64_t rx, tx, errors, drops;
};

/* "  eth0: bytes packets errs drop fifo frame compressed multicast bytes ...": what was
 * received, and from field 8 of 16 on what was sent. */
static bool parse_line(char *line, struct net_line *out) {
    uint64_t f[16];
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon = '\0';
    out->name = text_word(&line);
    const char *s = colon + 1;
    for (int i = 0; i < 16; i++)
        if (!text_u64(&s, &f[i]))
            return false;
    out->rx = f[0];
    out->tx = f[8];
    out->errors = f[2] + f[10];
    out->drops = f[3] + f[11];
    return out->name && strcmp(out->name, "lo") != 0 && !strchr(out->name, '/');
}

static bool next_net(struct probes *p, struct net_line *out) {
    char *line;
    while ((line = source_lines_next(&p->lines)))
        if (parse_line(line, out))
            return true;
    return false;
}

/* Not counted as left out: the interfaces are shown. */
static void sync_faults(struct probes *p, const struct picks *picks) {
    struct picks real = {.max = NET_FAULTS_MAX};
    for (uint32_t i = 0; i < picks->n; i++)
        if (picks->p[i].rank == RANK_REAL)
            picks_add(&real, picks->p[i].name, 0, 0);
    pairs_sync(&p->net_faults, &real, &faults, p->set);
}

static uint32_t net_scan(struct probes *p) {
    struct picks picks = {.max = NET_MAX};
    struct net_line l;
    if (probes_lines(p, SRC_NET_DEV))
        while (next_net(p, &l)) {
            if (source_exists(p->root, "sys/class/net/%s/device", l.name))
                picks_add(&picks, l.name, RANK_REAL, 0);
            else if (l.rx || l.tx)
                picks_add(&picks, l.name,
                          strncmp(l.name, "veth", 4) == 0 ? RANK_VETH : RANK_VIRTUAL,
                          0);
        }
    pairs_sync(&p->net, &picks, &kind, p->set);
    sync_faults(p, &picks);
    return picks.left_out;
}

static void net_sample(struct probes *p) {
    struct net_line l;
    if (!probes_lines(p, SRC_NET_DEV))
        return;
    uint64_t now_ns = p->o.clock_ns();
    while (next_net(p, &l)) {
        struct pair *pair = pairs_find(&p->net, l.name);
        if (!pair)
            continue;
        pair_rate(pair, 0, l.rx, 1, now_ns, p->set);
        pair_rate(pair, 1, l.tx, 1, now_ns, p->set);
        pair = pairs_find(&p->net_faults, l.name);
        if (!pair)
            continue;
        pair_rate(pair, 0, l.errors, 1, now_ns, p->set);
        pair_rate(pair, 1, l.drops, 1, now_ns, p->set);
    }
}

const struct probe probe_net = {.scan = net_scan, .sample = net_sample};
