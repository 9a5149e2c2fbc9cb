#include "update/abstate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/savefile.h"

/* The value behind "KEY=" where the text begins with it: one character and a line feed.
 */
static char take(const char **text, const char *end, const char *key) {
    size_t n = strlen(key);
    const char *p = *text;
    if ((size_t)(end - p) < n + 2 || memcmp(p, key, n) != 0 || p[n + 1] != '\n')
        return '\0';
    *text = p + n + 2;
    return p[n];
}

int abstate_parse(struct abstate *s, const char *text, size_t n) {
    const char *end = text + n;
    char pending = take(&text, end, "pending=");
    char slot = take(&text, end, "slot=");
    char tries = take(&text, end, "tries=");
    for (; text < end; text++) {
        if (*text != '\n' && *text != '\0')
            return -EINVAL;
    }
    if ((pending != '0' && pending != '1') || (slot != 'a' && slot != 'b') ||
        tries < '0' || tries > '9')
        return -EINVAL;
    *s = (struct abstate){slot == 'a' ? AB_A : AB_B, pending == '1',
                          (unsigned)(tries - '0')};
    return 0;
}

void abstate_text(const struct abstate *s, char out[ABSTATE_TEXT + 1]) {
    snprintf(out, ABSTATE_TEXT + 1, "pending=%d\nslot=%c\ntries=%u\n", s->pending,
             ab_letter(s->slot), s->tries % 10);
}

static int open_in(const char *dir, int flags) {
    int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return -errno;
    int fd = openat(at, ABSTATE_NAME, flags | O_CLOEXEC | O_NOFOLLOW);
    int rc = fd < 0 ? -errno : fd;
    close(at);
    return rc;
}

int abstate_load(struct abstate *s, const char *dir) {
    char text[ABSTATE_TEXT_MAX + 1];
    int fd = open_in(dir, O_RDONLY);
    if (fd < 0)
        return fd;
    ssize_t n = pread(fd, text, sizeof text, 0);
    int rc = n < 0 ? -errno : abstate_parse(s, text, (size_t)n);
    close(fd);
    return rc;
}

/* Over what is there, padded to its length: no other sector changes. -ENOENT where
 * there is no such file to write over. */
static int overwrite(const char *text, const char *dir) {
    char padded[ABSTATE_TEXT_MAX];
    struct stat st;
    int fd = open_in(dir, O_WRONLY);
    if (fd < 0)
        return fd;
    int rc = fstat(fd, &st) == 0 ? 0 : -errno;
    if (rc == 0 && (!S_ISREG(st.st_mode) || st.st_size < (off_t)ABSTATE_TEXT ||
                    st.st_size > (off_t)sizeof padded))
        rc = -ENOENT;
    if (rc == 0) {
        size_t n = (size_t)st.st_size;
        memset(padded, '\n', sizeof padded);
        memcpy(padded, text, ABSTATE_TEXT);
        ssize_t put = pwrite(fd, padded, n, 0);
        rc = put < 0 ? -errno : (size_t)put < n ? -EIO : 0;
    }
    if (rc == 0 && fsync(fd) != 0)
        rc = -errno;
    close(fd);
    return rc;
}

/* The flags by which dir is mounted, for a remount that changes one of them. */
static unsigned long mount_flags(const struct statvfs *v) {
    unsigned long f = MS_REMOUNT;
    f |= v->f_flag & ST_NOSUID ? MS_NOSUID : 0;
    f |= v->f_flag & ST_NODEV ? MS_NODEV : 0;
    f |= v->f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
    f |= v->f_flag & ST_NOATIME ? MS_NOATIME : 0;
    return f;
}

static int store(const char *text, const char *dir) {
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return -errno;
    bool locked = v.f_flag & ST_RDONLY;
    if (locked && mount(NULL, dir, NULL, mount_flags(&v), NULL) != 0)
        return -errno;
    int rc = overwrite(text, dir);
    if (rc == -ENOENT)
        rc = savefile(dir, ABSTATE_NAME, 0644, text, ABSTATE_TEXT);
    /* Where this fails the partition stays writable: less safe, but not wrong. */
    if (locked)
        mount(NULL, dir, NULL, mount_flags(&v) | MS_RDONLY, NULL);
    return rc;
}

int abstate_store(const struct abstate *s, const char *dir) {
    char text[ABSTATE_TEXT + 1];
    abstate_text(s, text);
    int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0)
        return -errno;
    /* The system's scripts mount it to and fro, too:
     * firmware/system/root/etc/functions. */
    int rc = flock(lock, LOCK_EX) == 0 ? store(text, dir) : -errno;
    close(lock);
    return rc;
}
