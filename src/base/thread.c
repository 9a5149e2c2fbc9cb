#include "base/thread.h"

#include <signal.h>
#include <sys/prctl.h>

int thread_start(pthread_t *t, size_t stack, void *(*fn)(void *arg), void *arg) {
    pthread_attr_t attr;
    sigset_t all, before;
    int rc = pthread_attr_init(&attr);
    if (rc)
        return -rc;
    rc = pthread_attr_setstacksize(&attr, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!rc)
        rc = pthread_create(t, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return -rc;
}

void thread_name(const char *name) { prctl(PR_SET_NAME, name); }
