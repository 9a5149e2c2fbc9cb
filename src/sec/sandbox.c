#include "sec/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Landlock by its numbers, which are the kernel's promise (landlock(7)): the headers of
 * the distribution may be older than the kernel that this runs on. */
#define SYS_LANDLOCK_CREATE_RULESET 444
#define SYS_LANDLOCK_ADD_RULE 445
#define SYS_LANDLOCK_RESTRICT_SELF 446
#define VERSION_FLAG 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define FS_EXECUTE (1u << 0)
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_ALL_1 ((1u << 13) - 1)
#define FS_REFER (1u << 13)     /* ABI 2 */
#define FS_TRUNCATE (1u << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1u << 15) /* ABI 5 */
/* What a rule for a file, not a folder, may name. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
/* No devices are made, whoever asks. */
#define FS_MAKE_DEVICES ((1u << 6) | (1u << 11))
#define NET_ALL 3u /* ABI 4: bind, connect */
#define NET_CONNECT 2u
#define SCOPE_ALL 3u /* ABI 6: abstract sockets, signals */

struct ruleset_attr {
    uint64_t fs, net, scoped;
};
struct path_attr {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));
struct port_attr {
    uint64_t access, port;
};

static int fail(char *why, size_t cap, const char *what) {
    int rc = -errno;
    snprintf(why, cap, "%s: %s", what, strerror(-rc));
    return rc;
}

/* ---- whom to become ---- */

static bool is_own(const struct sandbox_opts *o, const char *name) {
    size_t n = strlen(name);
    if (n > 4 && strcmp(name + n - 4, ".new") == 0) /* half of a base/savefile */
        return true;
    for (unsigned i = 0; o->owned_names && o->owned_names[i]; i++) {
        if (strcmp(name, o->owned_names[i]) == 0)
            return true;
    }
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Does the folder hold nothing but what is ours to give away? */
static bool all_own(const struct sandbox_opts *o) {
    const struct dirent *e;
    DIR *d = opendir(o->owned);
    bool all = d != NULL;
    while (all && (e = readdir(d)) != NULL)
        all = is_own(o, e->d_name);
    if (d)
        closedir(d);
    return all;
}

/* Its way to the folder, tried by being this user for a moment. */
static bool reaches(const struct passwd *pw, const char *folder) {
    int fd = -1;
    if (setegid(pw->pw_gid) == 0 && seteuid(pw->pw_uid) == 0)
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0;
    if (ok)
        close(fd);
    ok = seteuid(0) == 0 && ok;
    return setegid(0) == 0 && ok;
}

static bool can_have(const struct sandbox_opts *o, const struct passwd *pw) {
    struct stat st;
    if (!o->owned)
        return true;
    if (stat(o->owned, &st) != 0 || !reaches(pw, o->owned))
        return false;
    return st.st_uid == pw->pw_uid || all_own(o);
}

/* *out NULL: nobody else. */
static int choose(const struct sandbox_opts *o, struct passwd **out, char *why,
                  size_t cap) {
    errno = 0;
    *out = NULL;
    if (geteuid() != 0)
        return 0;
    struct passwd *pw = getpwnam(o->user ? o->user : "pulseboard");
    if (!pw && o->user) {
        snprintf(why, cap, "there is no user %.32s", o->user);
        return -ENOENT;
    }
    if (!pw)
        pw = getpwnam("nobody");
    if (pw && !can_have(o, pw)) {
        if (o->user) {
            snprintf(why, cap, "%.200s cannot be given to user %.32s: chown it",
                     o->owned, o->user);
            return -EACCES;
        }
        pw = NULL;
    }
    *out = pw && pw->pw_uid != 0 ? pw : NULL;
    return 0;
}

static int own_all(int folder, const struct passwd *pw, int depth);

/* A file that has another name as well may be anybody's: whoever may write to the
 * folder could have put it there. */
static int give(int fd, const struct stat *st, const struct passwd *pw) {
    if (st->st_uid == pw->pw_uid || (!S_ISDIR(st->st_mode) && st->st_nlink > 1))
        return 0;
    return fchownat(fd, "", pw->pw_uid, pw->pw_gid, AT_EMPTY_PATH) == 0 ? 0 : -errno;
}

/* What was looked at is what is given, whatever its name leads to by then. */
static int own(int folder, const char *name, const struct passwd *pw, int depth) {
    struct stat st;
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int rc = fstat(fd, &st) == 0 ? give(fd, &st, pw) : -errno;
    if (rc == 0 && S_ISDIR(st.st_mode) && depth > 0) {
        int below = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = below < 0 ? -errno : own_all(below, pw, depth - 1);
    }
    close(fd);
    return rc;
}

/* Takes the descriptor. */
static int own_all(int folder, const struct passwd *pw, int depth) {
    int rc = 0;
    DIR *d = fdopendir(folder);
    const struct dirent *e;
    if (!d) {
        rc = -errno;
        close(folder);
        return rc;
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = own(folder, e->d_name, pw, depth);
    }
    closedir(d);
    return rc;
}

/* Root made it, by hand, at an earlier start, or a moment ago. As deep as DATA/tls, and
 * only what is ours. */
static int hand_over(const struct sandbox_opts *o, const struct passwd *pw) {
    int folder = open(o->owned, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    int rc = own(folder, ".", pw, 0);
    for (unsigned i = 0; rc == 0 && o->owned_names && o->owned_names[i]; i++)
        rc = own(folder, o->owned_names[i], pw, 1);
    close(folder);
    return rc;
}

static int become(const struct sandbox_opts *o, const struct passwd *pw, char *why,
                  size_t cap) {
    int rc = o->owned ? hand_over(o, pw) : 0;
    if (rc != 0) {
        snprintf(why, cap, "%.200s: %s", o->owned, strerror(-rc));
        return rc;
    }
    if (setgroups(0, NULL) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return fail(why, cap, "cannot become an ordinary user");
    return 0;
}

/* ---- capabilities ---- */

/* EPERM: they are not ours to drop, so whoever started us has seen to it. */
static int empty_bounding_set(void) {
    for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) {
        if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0 && errno != EPERM)
            return -errno;
    }
    return 0;
}

static int drop_capabilities(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3],
        have[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    /* A service manager that has left us none may forbid the call as well. */
    if (syscall(SYS_capget, &head, have) == 0 && memcmp(have, none, sizeof none) == 0)
        return 0;
    /* Kernels before 4.3 have no ambient ones. */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0 ? 0 : -errno;
}

/* ---- Landlock ---- */

static uint64_t fs_of(int abi) {
    uint64_t all = FS_ALL_1;
    all |= abi >= 2 ? FS_REFER : 0;
    all |= abi >= 3 ? FS_TRUNCATE : 0;
    all |= abi >= 5 ? FS_IOCTL_DEV : 0;
    return all;
}

static int allow_path(int ruleset, const struct sandbox_path *p, uint64_t handled) {
    struct path_attr a = {.access = FS_READ_FILE | FS_READ_DIR};
    struct stat st;
    if (p->write)
        a.access = handled & ~(uint64_t)(FS_EXECUTE | FS_MAKE_DEVICES | FS_IOCTL_DEV);
    a.fd = open(p->path, O_PATH | O_CLOEXEC);
    if (a.fd < 0)
        return errno == ENOENT || errno == EACCES ? 0 : -errno;
    int rc = fstat(a.fd, &st) != 0 ? -errno : 0;
    if (rc == 0 && !S_ISDIR(st.st_mode))
        a.access &= FS_OF_FILES;
    if (rc == 0 &&
        syscall(SYS_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &a, 0) != 0)
        rc = -errno;
    close(a.fd);
    return rc;
}

static int add_rules(int ruleset, const struct sandbox_opts *o,
                     const struct ruleset_attr *r) {
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < o->n_paths; i++)
        rc = allow_path(ruleset, &o->paths[i], r->fs);
    for (unsigned i = 0; rc == 0 && r->net && i < o->n_connect; i++) {
        struct port_attr a = {NET_CONNECT, o->connect[i]};
        if (syscall(SYS_LANDLOCK_ADD_RULE, ruleset, RULE_NET_PORT, &a, 0) != 0)
            rc = -errno;
    }
    return rc;
}

/* The ABI in force, 0: the kernel has none or has it switched off; or -errno. */
static int lock_land(const struct sandbox_opts *o) {
    long abi = syscall(SYS_LANDLOCK_CREATE_RULESET, NULL, 0, VERSION_FLAG);
    if (abi < 1)
        return 0;
    struct ruleset_attr r = {fs_of((int)abi), abi >= 4 ? NET_ALL : 0,
                             abi >= 6 ? SCOPE_ALL : 0};
    size_t n = abi >= 6   ? sizeof r
               : abi >= 4 ? offsetof(struct ruleset_attr, scoped)
                          : offsetof(struct ruleset_attr, net);
    int ruleset = (int)syscall(SYS_LANDLOCK_CREATE_RULESET, &r, n, 0);
    if (ruleset < 0)
        return -errno;
    int rc = add_rules(ruleset, o, &r);
    if (rc == 0 && syscall(SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0)
        rc = -errno;
    close(ruleset);
    return rc == 0 ? (int)abi : rc;
}

/* ---- all of it ---- */

int sandbox_enter(const struct sandbox_opts *o, struct sandbox_state *out, char *why,
                  size_t cap) {
    struct passwd *pw;
    int rc = choose(o, &pw, why, cap);
    if (rc != 0)
        return rc;
    *out = (struct sandbox_state){.root = !pw && geteuid() == 0};
    snprintf(out->user, sizeof out->user, "%u", pw ? pw->pw_uid : geteuid());
    if (pw)
        snprintf(out->user, sizeof out->user, "%.32s", pw->pw_name);
    rc = empty_bounding_set();
    if (rc == 0 && pw) {
        rc = become(o, pw, why, cap);
        if (rc != 0)
            return rc;
    }
    if (rc == 0 && out->root && setgroups(0, NULL) != 0 && errno != EPERM)
        rc = -errno;
    if (rc == 0)
        rc = drop_capabilities();
    if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        rc = -errno;
    int abi = rc == 0 ? lock_land(o) : 0;
    if (rc != 0 || abi < 0) {
        rc = rc != 0 ? rc : abi;
        snprintf(why, cap, "cannot give up privileges: %s", strerror(-rc));
        return rc;
    }
    out->landlock = abi;
    return 0;
}
