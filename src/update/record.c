#include "update/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/savefile.h"

static const char *const names[UPDATE_STATES] = {
    "idle",  "receiving", "verifying",   "writing", "reboot",
    "trial", "confirmed", "rolled_back", "failed",
};

const char *update_state_name(enum update_state s) { return names[s]; }

size_t record_text(const struct record *r, char out[RECORD_TEXT_MAX]) {
    int n = snprintf(out, RECORD_TEXT_MAX,
                     "state=%s\nslot=%c\nnetwork=%d\nversion=%s\nfrom=%s\nboot=%s\n"
                     "why=%s\n",
                     names[r->state], ab_letter(r->slot), r->network, r->version,
                     r->from, r->boot, r->why);
    return n > 0 && (unsigned)n < RECORD_TEXT_MAX ? (size_t)n : 0;
}

static bool take_text(char *out, size_t cap, const char *v, size_t n) {
    if (n >= cap)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)v[i] < 0x20 || (unsigned char)v[i] > 0x7e)
            return false;
    }
    memset(out, 0, cap);
    memcpy(out, v, n);
    return true;
}

static bool take_state(struct record *r, const char *v, size_t n) {
    for (int i = 0; i < UPDATE_STATES; i++) {
        if (strlen(names[i]) == n && memcmp(names[i], v, n) == 0) {
            r->state = (enum update_state)i;
            return true;
        }
    }
    return false;
}

static bool take_slot(struct record *r, const char *v, size_t n) {
    if (n != 1 || (*v != 'a' && *v != 'b'))
        return false;
    r->slot = *v == 'a' ? AB_A : AB_B;
    return true;
}

static bool take_flag(bool *out, const char *v, size_t n) {
    *out = n == 1 && *v == '1';
    return n == 1 && (*v == '0' || *v == '1');
}

static bool take_line(struct record *r, const char *line, size_t n) {
    const char *eq = memchr(line, '=', n);
    if (!eq)
        return false;
    const char *v = eq + 1;
    size_t key_n = (size_t)(eq - line), v_n = n - key_n - 1;
    if (key_n == 5 && memcmp(line, "state", 5) == 0)
        return take_state(r, v, v_n);
    if (key_n == 4 && memcmp(line, "slot", 4) == 0)
        return take_slot(r, v, v_n);
    if (key_n == 7 && memcmp(line, "network", 7) == 0)
        return take_flag(&r->network, v, v_n);
    if (key_n == 7 && memcmp(line, "version", 7) == 0)
        return take_text(r->version, sizeof r->version, v, v_n);
    if (key_n == 4 && memcmp(line, "from", 4) == 0)
        return take_text(r->from, sizeof r->from, v, v_n);
    if (key_n == 4 && memcmp(line, "boot", 4) == 0)
        return take_text(r->boot, sizeof r->boot, v, v_n);
    if (key_n == 3 && memcmp(line, "why", 3) == 0)
        return take_text(r->why, sizeof r->why, v, v_n);
    return false;
}

int record_parse(struct record *r, const char *text, size_t n) {
    memset(r, 0, sizeof *r);
    for (const char *end = text + n; text < end;) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        if (!nl || !take_line(r, text, (size_t)(nl - text))) {
            memset(r, 0, sizeof *r);
            return -EINVAL;
        }
        text = nl + 1;
    }
    return 0;
}

int record_load(struct record *r, const char *path) {
    char text[RECORD_TEXT_MAX];
    memset(r, 0, sizeof *r);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof text);
    int rc = n < 0 ? -errno : record_parse(r, text, (size_t)n);
    close(fd);
    return rc;
}

int record_store(const struct record *r, const char *path) {
    char text[RECORD_TEXT_MAX], dir[1024];
    const char *slash = strrchr(path, '/');
    size_t n = record_text(r, text);
    if (!path[0])
        return 0;
    if (!slash || n == 0 || slash == path || (size_t)(slash - path) >= sizeof dir)
        return -EINVAL;
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    return savefile(dir, slash + 1, 0600, text, n);
}
