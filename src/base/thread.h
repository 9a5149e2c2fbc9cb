#pragma once
/* A thread of the program. Signals are main's: every other one starts with all of them
 * blocked. */
#include <pthread.h>
#include <stddef.h>

/* fn(arg) on a thread with a stack of so many bytes. 0 or -errno. */
int thread_start(pthread_t *t, size_t stack, void *(*fn)(void *arg), void *arg);

/* The name of the calling thread, as ps -L and a core dump show it: at most 15 bytes
 * (PR_SET_NAME of prctl(2)). A thread names itself, since another one would have to
 * write below /proc, where a confined process may not. */
void thread_name(const char *name);
