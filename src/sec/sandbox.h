#pragma once
/* Least privilege: gives up, for good, what a server does not need once it has opened
 * what it needs. To be called by main before there is any other thread: threads inherit
 * it, and those that are there would not get all of it (Landlock is per thread).
 *
 * In this order: every capability leaves the bounding set; supplementary groups go;
 * root becomes an ordinary user; no capability is left; no_new_privs; Landlock, as far
 * as the kernel has it: nothing can be executed, files only below the paths given, no
 * TCP bind or connect but to the ports given (ABI 4), no signal to and no abstract
 * socket of anybody else (ABI 6). There is no seccomp filter: the set of system calls
 * differs between C libraries and processors, and one that is forgotten fails in the
 * field. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_path {
    const char *path; /* a folder with all below it, or a file; need not exist */
    bool write;       /* else read only */
};

struct sandbox_opts {
    /* For root: whom to become. NULL: `pulseboard` if there is such a user, else
     * `nobody`; if that one cannot have `owned` we stay root, without capabilities. */
    const char *user;
    /* A folder that the user shall own with its files and theirs, or NULL. It is handed
     * over only while it holds nothing but these: a home directory never is. */
    const char *owned;
    const char *const *owned_names; /* ends with NULL */
    const struct sandbox_path *paths;
    unsigned n_paths;
    const uint16_t *connect; /* TCP ports that may be connected to */
    unsigned n_connect;
};

struct sandbox_state {
    char user[40]; /* who we are now: a name, or a number */
    bool root;     /* still */
    int landlock;  /* the ABI in force, 0: none */
};

/* 0, or -errno and one line in why: then the process is of no use any more. What the
 * kernel does not have is no error. */
int sandbox_enter(const struct sandbox_opts *o, struct sandbox_state *out, char *why,
                  size_t cap);
