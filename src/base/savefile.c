#include "base/savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* What root writes beside a service is the service's. */
static int give(int folder, int fd) {
    struct stat st;
    if (fstat(folder, &st) != 0)
        return -errno;
    bool mine = geteuid() != 0 || st.st_uid == 0;
    return mine || fchown(fd, st.st_uid, st.st_gid) == 0 ? 0 : -errno;
}

static int fill(int folder, int fd, mode_t mode, const void *p, size_t n) {
    int given = give(folder, fd);
    if (given != 0)
        return given;
    /* open(2) leaves out what the umask says. */
    if (fchmod(fd, mode) != 0)
        return -errno;
    int rc = write_all(fd, p, n);
    return rc == 0 && fsync(fd) != 0 ? -errno : rc;
}

/* One that a power cut left behind is in the way, and whose it is nobody knows. */
static int open_new(int folder, const char *name) {
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        return -errno;
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    return fd < 0 ? -errno : fd;
}

static int replace(int folder, const char *name, mode_t mode, const void *p, size_t n) {
    char fresh[SAVEFILE_NAME_MAX + 4];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = open_new(folder, fresh);
    if (fd < 0)
        return fd;
    int rc = fill(folder, fd, mode, p, n);
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && renameat(folder, fresh, folder, name) != 0)
        rc = -errno;
    if (rc != 0)
        unlinkat(folder, fresh, 0);
    return rc;
}

/* What was done in it outlives a power cut. */
static int settle(int folder, int rc) {
    if (rc == 0 && fsync(folder) != 0)
        rc = -errno;
    close(folder);
    return rc;
}

int savefile(const char *dir, const char *name, mode_t mode, const void *p, size_t n) {
    if (strlen(name) >= SAVEFILE_NAME_MAX || strchr(name, '/'))
        return -EINVAL;
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    return settle(folder, replace(folder, name, mode, p, n));
}

int savefile_remove(const char *dir, const char *name) {
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    return settle(folder, unlinkat(folder, name, 0) == 0 ? 0 : -errno);
}
