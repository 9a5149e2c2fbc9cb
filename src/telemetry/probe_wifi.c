/* Wi-Fi signal: /proc/net/wireless, the third field of an interface in dBm. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <stdio.h>
#include <string.h>

struct wifi_line {
    char *name;
    double dbm;
};

/* " wlan0: 0000   54.  -56.  -256        0      0      0     12      0        0": a dot
 * says that the figure is fresh. Drivers that give no dBm give what is not negative. */
static bool parse_line(char *line, struct wifi_line *out) {
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon = '\0';
    out->name = text_word(&line);
    char *rest = colon + 1;
    text_word(&rest);
    text_word(&rest);
    char *level = text_word(&rest);
    if (!out->name || !level)
        return false;
    level[strcspn(level, ".")] = '\0';
    const char *s = level;
    return text_number(&s, &out->dbm) && out->dbm < 0 && out->dbm >= -120;
}

static bool next_wifi(struct probes *p, struct wifi_line *out) {
    char *line;
    while ((line = source_lines_next(&p->lines)))
        if (parse_line(line, out) && strlen(out->name) < WIFI_NAME_MAX)
            return true;
    return false;
}

static struct wifi *find(struct probes *p, const char *name) {
    for (uint32_t i = 0; i < WIFI_MAX; i++)
        if (strcmp(p->wifi[i].name, name) == 0)
            return &p->wifi[i];
    return NULL;
}

/* Returns 1 when there is no room for it. */
static uint32_t add(struct probes *p, const char *name) {
    struct wifi *w = find(p, "");
    char slug[METRIC_SLUG_MAX], id[METRIC_ID_MAX], label[METRIC_LABEL_MAX];
    if (!w)
        return 1;
    snprintf(w->name, sizeof w->name, "%s", name);
    metric_slug(p->set, "net", name, "signal", slug);
    snprintf(id, sizeof id, "net.%s.signal", slug);
    snprintf(label, sizeof label, "%s signal", name);
    w->slot = probes_claim(p, id, label, "dBm", "network", METRIC_GAUGE);
    w->seen = true;
    return 0;
}

/* One that is not connected has no signal, but is there: its interface says when it is
 * gone. */
static void drop_gone(struct probes *p) {
    for (uint32_t i = 0; i < WIFI_MAX; i++) {
        struct wifi *w = &p->wifi[i];
        if (!w->name[0] || w->seen ||
            source_exists(p->root, "sys/class/net/%s", w->name))
            continue;
        metric_drop(p->set, w->slot);
        w->name[0] = '\0';
    }
}

static uint32_t wifi_scan(struct probes *p) {
    struct wifi_line l;
    uint32_t left_out = 0;
    for (uint32_t i = 0; i < WIFI_MAX; i++)
        p->wifi[i].seen = false;
    if (probes_lines(p, SRC_WIRELESS))
        while (next_wifi(p, &l)) {
            struct wifi *w = find(p, l.name);
            left_out += w ? 0 : add(p, l.name);
            if (w)
                w->seen = true;
        }
    drop_gone(p);
    return left_out;
}

static void wifi_sample(struct probes *p) {
    struct wifi_line l;
    if (!probes_lines(p, SRC_WIRELESS))
        return;
    while (next_wifi(p, &l)) {
        const struct wifi *w = find(p, l.name);
        if (w)
            metric_put(p->set, w->slot, l.dbm);
    }
}

const struct probe probe_wifi = {.scan = wifi_scan, .sample = wifi_sample};
