/* Disk rates: /proc/diskstats, the kernel's admin-guide/iostats.rst. Whole disks only:
 * those in /sys/block that belong to a device, which leaves out partitions, loop, ram
 * and zram (memory, not a disk), dm and md (their disks are counted already). */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <stdio.h>
#include <string.h>

#define SECTOR_BYTES 512 /* whatever the disk's own are */

static const struct pairs_kind kind = {
    .prefix = "disk",
    .group = "disk",
    .unit = "B/s",
    .kind = METRIC_RATE,
    .end = {"read", "write"},
    .word = {"read", "written"},
};

struct disk_line {
    const char *name;
    uint64_t read, written; /* sectors */
};

/* "254 0 vda reads merged sectors ms writes merged sectors ms ..." */
static bool parse_line(char *line, struct disk_line *out) {
    uint64_t dev, f[7];
    const char *s = line;
    if (!text_u64(&s, &dev) || !text_u64(&s, &dev))
        return false;
    line += s - line; /* behind the numbers */
    out->name = text_word(&line);
    s = line;
    for (int i = 0; i < 7; i++)
        if (!text_u64(&s, &f[i]))
            return false;
    out->read = f[2];
    out->written = f[6];
    return out->name != NULL;
}

static bool next_disk(struct probes *p, struct disk_line *out) {
    char *line;
    while ((line = source_lines_next(&p->lines)))
        if (parse_line(line, out))
            return true;
    return false;
}

/* Optical and floppy drives, flash that is used through UBI or JFFS2, and the boot and
 * secure areas of an eMMC are devices too, but no disks to anybody. */
static bool is_disk(const char *name) {
    static const char *const others[] = {"loop", "ram", "zram", "sr", "fd", "mtdblock"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strncmp(name, others[i], strlen(others[i])) == 0)
            return false;
    return strncmp(name, "mmcblk", 6) != 0 ||
           name[6 + strspn(name + 6, "0123456789")] == '\0';
}

static bool is_whole(const struct probes *p, const char *name) {
    char dir[PAIRS_NAME_MAX];
    snprintf(dir, sizeof dir, "%s", name);
    for (char *s = dir; (s = strchr(s, '/'));)
        *s = '!'; /* as sysfs spells it */
    return source_exists(p->root, "sys/block/%s/device", dir);
}

static uint32_t disk_scan(struct probes *p) {
    struct picks picks = {.max = DISK_MAX};
    struct disk_line l;
    if (probes_lines(p, SRC_DISKSTATS))
        while (next_disk(p, &l))
            if (is_disk(l.name) && is_whole(p, l.name))
                picks_add(&picks, l.name, 0, 0);
    pairs_sync(&p->disk, &picks, &kind, p->set);
    return picks.left_out;
}

static void disk_sample(struct probes *p) {
    struct disk_line l;
    if (!probes_lines(p, SRC_DISKSTATS))
        return;
    uint64_t now_ns = p->o.clock_ns();
    while (next_disk(p, &l)) {
        struct pair *pair = pairs_find(&p->disk, l.name);
        if (!pair)
            continue;
        pair_rate(pair, 0, l.read, SECTOR_BYTES, now_ns, p->set);
        pair_rate(pair, 1, l.written, SECTOR_BYTES, now_ns, p->set);
    }
}

const struct probe probe_disk = {.scan = disk_scan, .sample = disk_sample};
