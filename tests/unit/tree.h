#pragma once
/* A copy of a recorded tree (tests/trees) that a test may change, in a temporary
 * folder. Files are written in place, as the kernel's own change, not replaced. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE_FDS 16

struct tree {
    char dir[PATH_MAX / 2];
};

static inline void tree_check(int ok, const char *what) {
    if (ok)
        return;
    perror(what);
    abort();
}

static inline struct tree tree_make(void) {
    struct tree t;
    const char *tmp = getenv("TMPDIR");
    snprintf(t.dir, sizeof t.dir, "%s/pulse-tree-XXXXXX", tmp && *tmp ? tmp : P_tmpdir);
    tree_check(mkdtemp(t.dir) != NULL, t.dir);
    return t;
}

static inline void tree_write_n(const struct tree *t, const char *path,
                                const char *data, size_t n) {
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", t->dir, path);
    for (char *s = full + strlen(t->dir) + 1; (s = strchr(s, '/')); s++) {
        *s = '\0';
        tree_check(mkdir(full, 0755) == 0 || errno == EEXIST, full);
        *s = '/';
    }
    /* Cut behind what was written: a file that is emptied first is flushed to the disk
     * by some file systems when it is closed. */
    int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    tree_check(fd >= 0 && write(fd, data, n) == (ssize_t)n && !ftruncate(fd, (off_t)n),
               full);
    close(fd);
}

static inline void tree_write(const struct tree *t, const char *path,
                              const char *text) {
    tree_write_n(t, path, text, strlen(text));
}

static inline void tree_writef(const struct tree *t, const char *path, const char *fmt,
                               ...) __attribute__((format(printf, 3, 4)));
static inline void tree_writef(const struct tree *t, const char *path, const char *fmt,
                               ...) {
    char text[8192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tree_write(t, path, text);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
                                  struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

/* A file, or a folder with everything in it, if it is there. */
static inline void tree_remove(const struct tree *t, const char *path) {
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", t->dir, path);
    int rc = nftw(full, tree_remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS);
    tree_check(rc == 0 || errno == ENOENT, full);
}

static inline void tree_free(const struct tree *t) { tree_remove(t, ""); }

static const struct tree *tree_copy_to;
static size_t tree_copy_skip;

static inline int tree_copy_one(const char *path, const struct stat *st, int type,
                                struct FTW *ftw) {
    char data[65536];
    (void)st, (void)ftw;
    if (type != FTW_F)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof data);
    tree_check(n >= 0, path);
    close(fd);
    tree_write_n(tree_copy_to, path + tree_copy_skip, data, (size_t)n);
    return 0;
}

/* Puts tests/trees/NAME/MOMENT over what is there. Tests run in tests/unit. */
static inline void tree_load(const struct tree *t, const char *name, int moment) {
    char from[PATH_MAX];
    int n = snprintf(from, sizeof from, "../trees/%s/%d/", name, moment);
    tree_copy_to = t;
    tree_copy_skip = (size_t)n;
    tree_check(nftw(from, tree_copy_one, TREE_FDS, FTW_PHYS) == 0, from);
}
