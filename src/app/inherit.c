#include "app/inherit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sd_listen_fds(3): the first one. */
#define FIRST_FD 3

static unsigned long number(const char *text) {
    size_t n = text ? strspn(text, "0123456789") : 0;
    unsigned long v = 0;
    if (n == 0 || n > 9 || text[n])
        return 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned long)(text[i] - '0');
    return v;
}

static bool is(const char *name, size_t n, const char *word) {
    return n == strlen(word) && memcmp(name, word, n) == 0;
}

int inherit_doors(struct doors *d, char *why, size_t cap) {
    unsigned long n = number(getenv("LISTEN_FDS"));
    const char *names = getenv("LISTEN_FDNAMES");
    int rc = 0;
    if (number(getenv("LISTEN_PID")) != (unsigned long)getpid())
        return 0;
    for (unsigned long i = 0; rc == 0 && i < n; i++) {
        size_t k = names ? strcspn(names, ":") : 0;
        bool tls = k > 0 && (is(names, k, "https") || is(names, k, "tls"));
        rc = doors_inherit(d, FIRST_FD + (int)i, tls, why, cap);
        if (k > 0)
            names += k + (names[k] == ':');
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return rc;
}
