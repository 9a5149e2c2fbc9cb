#include "telemetry/device.h"

#include "telemetry/source.h"
#include "telemetry/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The first line of a file as a label; false when there is none. */
static bool read_label(int root, const char *path, char *out, size_t cap) {
    char raw[128];
    if (source_text(root, raw, sizeof raw, "%s", path) < 0)
        return false;
    return text_label(out, cap, raw) > 0;
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)": shell quoting, of which the quotes
 * matter. */
static void read_os(int root, struct source_lines *l, struct device *d) {
    static const char key[] = "PRETTY_NAME=";
    struct source src = {.path = "etc/os-release", .fd = -1};
    char *line;
    if (source_lines_open(l, root, &src) < 0)
        return;
    while ((line = source_lines_next(l))) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        char *value = line + sizeof key - 1;
        if (*value == '"' || *value == '\'') {
            char quote[2] = {*value++};
            value[strcspn(value, quote)] = '\0';
        }
        text_label(d->os, sizeof d->os, value);
    }
    source_close(&src);
}

static unsigned count_cpus(int root, struct source_lines *l) {
    struct source src = {.path = "proc/stat", .fd = -1};
    unsigned n = 0;
    char *line;
    if (source_lines_open(l, root, &src) < 0)
        return 0;
    while ((line = source_lines_next(l)) && strncmp(line, "cpu", 3) == 0)
        n += line[3] >= '0' && line[3] <= '9';
    source_close(&src);
    return n;
}

/* Our own images say on the kernel's command line which half of them runs. */
static void read_slot(int root, struct device *d) {
    static const char key[] = "pulseboard.slot=";
    char line[1024];
    if (source_text(root, line, sizeof line, "proc/cmdline") < 0)
        return;
    char *rest = line, *word;
    while ((word = text_word(&rest)))
        if (strncmp(word, key, sizeof key - 1) == 0)
            text_label(d->slot, sizeof d->slot, word + sizeof key - 1);
}

int device_read(struct device *d, const char *root_path) {
    struct source_lines lines;
    struct utsname uts;
    int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    memset(d, 0, sizeof *d);
    if (!read_label(root, "proc/device-tree/model", d->model, sizeof d->model))
        read_label(root, "sys/class/dmi/id/product_name", d->model, sizeof d->model);
    read_label(root, "proc/sys/kernel/osrelease", d->kernel, sizeof d->kernel);
    read_label(root, "proc/sys/kernel/hostname", d->host, sizeof d->host);
    /* The file is there since Linux 6.1. */
    if (!read_label(root, "proc/sys/kernel/arch", d->arch, sizeof d->arch) &&
        uname(&uts) == 0)
        text_label(d->arch, sizeof d->arch, uts.machine);
    read_label(root, "proc/sys/kernel/random/boot_id", d->boot_id, sizeof d->boot_id);
    read_slot(root, d);
    read_os(root, &lines, d);
    d->cpus = count_cpus(root, &lines);
    close(root);
    return 0;
}
