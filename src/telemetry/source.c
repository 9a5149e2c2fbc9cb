#include "telemetry/source.h"

#include "telemetry/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_BYTES 192

static int open_read(int root, const char *path) {
    return openat(root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* Bytes read, or -errno. */
static ssize_t read_at(int fd, char *buf, size_t n, off_t at) {
    ssize_t got;
    do
        got = pread(fd, buf, n, at);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void source_close(struct source *s) {
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

int source_lines_open(struct source_lines *l, int root, struct source *s) {
    if (s->fd < 0)
        s->fd = open_read(root, s->path);
    if (s->fd < 0)
        return -errno;
    l->src = s;
    l->at = 0;
    l->pos = l->len = 0;
    l->skip = false;
    return 0;
}

/* Makes room behind the part not yet handed out and reads on; false at the end. */
static bool refill(struct source_lines *l) {
    if (l->at >= (off_t)SOURCE_BYTES_MAX)
        return false;
    l->len -= l->pos;
    memmove(l->buf, l->buf + l->pos, l->len);
    l->pos = 0;
    if (l->len == sizeof l->buf) {
        l->skip = true;
        l->len = 0;
    }
    ssize_t got = read_at(l->src->fd, l->buf + l->len, sizeof l->buf - l->len, l->at);
    if (got < 0)
        source_close(l->src);
    if (got <= 0)
        return false;
    l->len += (size_t)got;
    l->at += got;
    return true;
}

char *source_lines_next(struct source_lines *l) {
    do {
        char *line = l->buf + l->pos;
        char *end;
        while ((end = memchr(line, '\n', l->len - l->pos))) {
            *end = '\0';
            l->pos = (size_t)(end + 1 - l->buf);
            if (!l->skip)
                return line;
            l->skip = false;
            line = end + 1;
        }
    } while (refill(l));
    return NULL;
}

void source_release(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int source_read(int root, int *fd, const char *path, char *out, size_t cap) {
    if (*fd < 0)
        *fd = open_read(root, path);
    if (*fd < 0)
        return -errno;
    ssize_t n = read_at(*fd, out, cap - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    if (n > 0)
        return 0;
    source_release(fd); /* of a device that is made anew, this would stay its end */
    return n < 0 ? (int)n : -ENODATA;
}

/* ---- directories: getdents64(2) itself, since opendir(3) allocates ---- */

struct entry {
    uint64_t ino;
    int64_t off;
    unsigned short len;
    unsigned char type;
    char name[];
};

static void add_name(struct source_names *out, const char *name) {
    if (strlen(name) >= SOURCE_NAME_MAX)
        return;
    uint32_t at = out->n;
    while (at > 0 && strverscmp(out->name[at - 1], name) > 0)
        at--;
    if (at == SOURCE_NAMES_MAX)
        return;
    if (out->n < SOURCE_NAMES_MAX)
        out->n++;
    memmove(out->name[at + 1], out->name[at], (out->n - 1 - at) * sizeof out->name[0]);
    memcpy(out->name[at], name, strlen(name) + 1);
}

static bool is_name(const char *name) {
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

void source_list(int root, const char *dir, bool (*want)(const char *name),
                 struct source_names *out) {
    _Alignas(struct entry) char buf[2048];
    out->n = 0;
    int fd = openat(root, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    long got;
    while ((got = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
        for (long at = 0; at < got;) {
            const struct entry *e = (const struct entry *)(const void *)(buf + at);
            if (is_name(e->name) && (!want || want(e->name)))
                add_name(out, e->name);
            at += e->len;
        }
    close(fd);
}

static int format_path(char path[PATH_BYTES], const char *fmt, va_list ap) {
    int n = vsnprintf(path, PATH_BYTES, fmt, ap);
    return n < 0 ? -EINVAL : n >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

static int read_first_line(int root, const char *path, char *out, size_t cap) {
    int fd = open_read(root, path);
    if (fd < 0)
        return -errno;
    ssize_t n = read_at(fd, out, cap - 1, 0);
    close(fd);
    if (n < 0)
        return (int)n;
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return out[0] ? 0 : -ENODATA;
}

int source_text(int root, char *out, size_t cap, const char *fmt, ...) {
    char path[PATH_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int rc = format_path(path, fmt, ap);
    va_end(ap);
    return rc < 0 ? rc : read_first_line(root, path, out, cap);
}

int source_int(int root, int64_t *out, const char *fmt, ...) {
    char path[PATH_BYTES], text[32];
    va_list ap;
    va_start(ap, fmt);
    int rc = format_path(path, fmt, ap);
    va_end(ap);
    if (rc == 0)
        rc = read_first_line(root, path, text, sizeof text);
    if (rc < 0)
        return rc;
    const char *s = text;
    int64_t v;
    if (!text_i64(&s, &v) || s[strspn(s, " \t")] != '\0')
        return -EINVAL;
    *out = v;
    return 0;
}

bool source_exists(int root, const char *fmt, ...) {
    char path[PATH_BYTES];
    struct stat st;
    va_list ap;
    va_start(ap, fmt);
    int rc = format_path(path, fmt, ap);
    va_end(ap);
    return rc == 0 && fstatat(root, path, &st, 0) == 0;
}
