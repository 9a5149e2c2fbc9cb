#pragma once
/* Files of /proc and /sys below a root directory (an open descriptor), so that tests
 * can put a recorded tree there. Sampler thread. Never allocates; buffers are the
 * caller's. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file that is read at every sample: it stays open, which is cheaper and goes on
 * working when the process runs out of descriptors. Closed on an error and opened again
 * next time. */
struct source {
    const char *path; /* below the root, without a leading slash */
    int fd;           /* -1: not open */
};

void source_close(struct source *s);

/* A longer line is skipped; of an endless file no more than SOURCE_BYTES_MAX is read.
 */
#define SOURCE_LINE_MAX 8192u
#define SOURCE_BYTES_MAX (512u * 1024)

struct source_lines {
    struct source *src;
    off_t at;        /* of the file: the next byte to read */
    size_t pos, len; /* of buf: the part not yet handed out */
    bool skip;       /* within a line that is too long */
    char buf[SOURCE_LINE_MAX];
};

/* Starts at the first line. 0 or -errno. */
int source_lines_open(struct source_lines *l, int root, struct source *s);

/* The next line, without its newline, to be changed at will until the next call; NULL
 * at the end and on an error. A last line without newline was cut off, and is left out.
 */
char *source_lines_next(struct source_lines *l);

/* The start of a small file that is read at every sample, cap - 1 bytes at most, as a
 * string; *fd is -1 at first and then stays open as above. 0 or -errno; -ENODATA: it is
 * empty. */
int source_read(int root, int *fd, const char *path, char *out, size_t cap);
void source_release(int *fd);

/* Names in a directory. */
#define SOURCE_NAMES_MAX 64u
#define SOURCE_NAME_MAX 40 /* a longer one is left out */

struct source_names {
    uint32_t n;
    char name[SOURCE_NAMES_MAX][SOURCE_NAME_MAX];
};

/* Those that want() takes (NULL: all), in the order of their numbers: "in2" comes
 * before "in10". What is beyond the limit is left out. An empty list when it cannot be
 * read. */
void source_list(int root, const char *dir, bool (*want)(const char *name),
                 struct source_names *out);

/* For files that are read now and then; fmt is their path below the root. */

/* The first line. 0 or -errno; -ENODATA: an empty line. */
int source_text(int root, char *out, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The whole file is this one number. 0 or -errno; -EINVAL: it is not. */
int source_int(int root, int64_t *out, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool source_exists(int root, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
