/* File system use: proc_pid_mountinfo(5), statvfs(3). Mounts that hold somebody's data:
 * those on a block device, and the few kinds that hold data without one. Network mounts
 * have no block device, so none is asked that could hang. Each file system counts once,
 * bind mounts and subvolumes included. */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct pairs_kind kind = {
    .prefix = "fs",
    .group = "disk",
    .unit = "B",
    .kind = METRIC_GAUGE,
    .end = {"used", "total"},
    .word = {"used", "size"},
};

struct mount {
    uint64_t major, dev; /* dev: major and minor */
    char *root, *at, *type;
    bool fixed; /* read-only, wherever it is mounted */
};

/* "\040" is a blank, and so on. */
static void unescape(char *s) {
    char *to = s;
    while (*s) {
        if (*s != '\\' || strspn(s + 1, "01234567") < 3) {
            *to++ = *s++;
            continue;
        }
        unsigned c = 0;
        for (int i = 1; i <= 3; i++)
            c = c << 3 | (unsigned)(s[i] - '0');
        *to++ = (char)c;
        s += 4;
    }
    *to = '\0';
}

/* "id parent major:minor root mount-point options optional... - type source options" */
static bool parse_line(char *line, struct mount *m) {
    uint64_t minor;
    text_word(&line);
    text_word(&line);
    const char *dev = text_word(&line);
    m->root = text_word(&line);
    m->at = text_word(&line);
    if (!m->at || !text_digits(&dev, &m->major) || *dev++ != ':' ||
        !text_digits(&dev, &minor) || *dev || m->major > UINT32_MAX ||
        minor > UINT32_MAX)
        return false;
    char *word;
    while ((word = text_word(&line)) && strcmp(word, "-") != 0)
        continue;
    m->type = text_word(&line);
    text_word(&line);
    const char *of_all = text_word(&line);
    m->fixed = of_all && (strcmp(of_all, "ro") == 0 || strncmp(of_all, "ro,", 3) == 0);
    m->dev = m->major << 32 | minor;
    unescape(m->at);
    return m->type && m->at[0] == '/';
}

static bool one_of(const char *word, const char *const *list) {
    while (*list && strcmp(word, *list) != 0)
        list++;
    return *list != NULL;
}

static bool holds_data(const struct mount *m) {
    static const char *const images[] = {"squashfs", "erofs", "iso9660", "udf",
                                         "cramfs",   "romfs", NULL};
    static const char *const deviceless[] = {"btrfs", "ubifs",    "jffs2",
                                             "zfs",   "bcachefs", NULL};
    bool is_root = strcmp(m->at, "/") == 0;
    if (m->major == 0) /* anonymous: no block device */
        return one_of(m->type, deviceless) ||
               (is_root && strcmp(m->type, "overlay") == 0);
    /* An image is always full, and so is nearly what nobody writes to: a slot of ours.
     * (The options of the mount itself do not count: a service's own view of all may be
     * read-only.) A directory of a file system mounted elsewhere is no file system of
     * its own. */
    return !one_of(m->type, images) &&
           (is_root || (!m->fixed && strcmp(m->root, "/") == 0));
}

/* Of several mounts of one file system the one with the shortest path stands for it. */
static void pick(struct picks *picks, const struct mount *m) {
    for (uint32_t i = 0; i < picks->n; i++)
        if (strcmp(picks->p[i].name, m->at) == 0)
            picks_remove(picks, i); /* hidden under this one */
    if (!holds_data(m))
        return;
    for (uint32_t i = 0; i < picks->n; i++)
        if (picks->p[i].key == m->dev) {
            if (strlen(picks->p[i].name) <= strlen(m->at))
                return;
            picks_remove(picks, i);
        }
    picks_add(picks, m->at, strcmp(m->at, "/") == 0 ? 0 : 1, m->dev);
}

static uint32_t fs_scan(struct probes *p) {
    struct picks picks = {.max = FS_MAX};
    struct mount m;
    char *line;
    if (probes_lines(p, SRC_MOUNTINFO))
        while ((line = source_lines_next(&p->lines)))
            if (parse_line(line, &m))
                pick(&picks, &m);
    pairs_sync(&p->fs, &picks, &kind, p->set);
    return picks.left_out;
}

static void fs_sample(struct probes *p) {
    const char *prefix = strcmp(p->o.root, "/") == 0 ? "" : p->o.root;
    for (uint32_t i = 0; i < p->fs.n; i++) {
        const struct pair *pair = &p->fs.p[i];
        struct statvfs st;
        char path[512];
        int n = snprintf(path, sizeof path, "%s%s", prefix, pair->name);
        if (n < 0 || (size_t)n >= sizeof path || p->o.statvfs(path, &st) != 0 ||
            st.f_blocks == 0 || st.f_bfree > st.f_blocks)
            continue;
        double block = (double)st.f_frsize;
        metric_put(p->set, pair->slot[0], (double)(st.f_blocks - st.f_bfree) * block);
        metric_put(p->set, pair->slot[1], (double)st.f_blocks * block);
    }
}

void probes_storage(const struct probes *p, struct device_now *d) {
    d->n_storage = 0;
    for (uint32_t i = 0; i < p->fs.n; i++) {
        const struct pair *pair = &p->fs.p[i];
        bool shown = pair->slot[0] >= 0 && pair->slot[1] >= 0;
        double used = shown ? p->set->value[pair->slot[0]] : NAN;
        double total = shown ? p->set->value[pair->slot[1]] : NAN;
        if (!(used <= total))
            continue;
        struct device_storage *s = &d->storage[d->n_storage++];
        text_label(s->mount, sizeof s->mount, pair->name);
        s->total = (uint64_t)total;
        s->free = (uint64_t)(total - used);
    }
}

const struct probe probe_fs = {.scan = fs_scan, .sample = fs_sample};
