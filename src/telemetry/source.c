#include "telemetry/source.h"

#include "telemetry/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
