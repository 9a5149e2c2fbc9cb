#include "update/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int capacity(int fd, uint64_t *out) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return -ENOTBLK;
    off_t end = lseek(fd, 0, SEEK_END);
    *out = (uint64_t)end;
    return end < 0 ? -errno : 0;
}

int slot_open(struct slot *s, const char *path, uint64_t size) {
    uint64_t room = 0;
    /* O_EXCL on a block device: nobody has it mounted. */
    s->fd = open(path, O_RDWR | O_CLOEXEC | O_EXCL);
    if (s->fd < 0)
        return -errno;
    s->size = size;
    s->at = s->flushed = 0;
    verify_hash_begin(&s->hash);
    int rc = capacity(s->fd, &room);
    if (rc == 0 && room < size)
        rc = -EFBIG;
    if (rc != 0)
        slot_close(s);
    return rc;
}

static int write_all(const struct slot *s, const uint8_t *p, size_t n) {
    uint64_t at = s->at;
    while (n > 0) {
        ssize_t put = pwrite(s->fd, p, n, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        at += (uint64_t)put;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

int slot_put(struct slot *s, const void *p, size_t n) {
    if (n > s->size - s->at)
        return -EFBIG;
    int rc = write_all(s, p, n);
    if (rc != 0)
        return rc;
    verify_hash_add(&s->hash, p, n);
    s->at += n;
    if (s->at - s->flushed < SLOT_FLUSH)
        return 0;
    s->flushed = s->at;
    return fdatasync(s->fd) == 0 ? 0 : -errno;
}

/* So that it is the disk that is read back, and not our memory of it. */
static void forget(int fd) {
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ioctl(fd, BLKFLSBUF, 0); /* refused by a plain file, which the advice is for */
}

int slot_finish(struct slot *s, uint8_t hash[VERIFY_HASH_BYTES]) {
    if (s->at != s->size)
        return -ENODATA;
    if (fsync(s->fd) != 0)
        return -errno;
    verify_hash_end(&s->hash, hash);
    forget(s->fd);
    s->at = 0;
    verify_hash_begin(&s->hash);
    return 0;
}

int slot_check(struct slot *s, uint8_t hash[VERIFY_HASH_BYTES]) {
    uint64_t left = s->size - s->at;
    size_t want = left < sizeof s->buf ? (size_t)left : sizeof s->buf;
    ssize_t got = pread(s->fd, s->buf, want, (off_t)s->at);
    if (got < 0 && errno == EINTR)
        return 1;
    if (got <= 0)
        return got < 0 ? -errno : -EIO;
    verify_hash_add(&s->hash, s->buf, (size_t)got);
    s->at += (uint64_t)got;
    if (s->at < s->size)
        return 1;
    verify_hash_end(&s->hash, hash);
    return 0;
}

void slot_close(struct slot *s) {
    if (s->fd < 0)
        return;
    close(s->fd);
    s->fd = -1;
}
