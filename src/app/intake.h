#pragma once
/* Takes readings in from the programs of this machine: statsd over UDP and over a Unix
 * datagram socket. A thread of its own, which sleeps while nothing comes.
 *
 * What a flood costs is bounded: after INTAKE_BATCH datagrams or INTAKE_BATCH_BYTES it
 * pauses for INTAKE_PAUSE_MS; what the kernel has no room for meanwhile is lost and
 * counted. What is refused is told in the log, at most every INTAKE_TELL_MS, with an
 * example. */
#include "telemetry/own.h"

#define INTAKE_DATAGRAM_MAX 8192u /* a longer one is refused */
#define INTAKE_BATCH 256u
#define INTAKE_BATCH_BYTES (64u * 1024)
#define INTAKE_PAUSE_MS 50
#define INTAKE_TELL_MS 10000u
#define INTAKE_LINE_SHOWN 80

struct intake {
    struct own *own;
    int udp, local;   /* sockets; -1: none */
    int stop;         /* eventfd */
    const char *path; /* of the local one */
    bool started;
    pthread_t thread;
    /* The thread's own: refused and not told yet, and the first of them. */
    uint64_t refused, told_ms;
    uint32_t udp_dropped; /* as the kernel counts them */
    const char *why;
    char line[INTAKE_LINE_SHOWN];
};

/* address: ADDR:PORT (a number; [..] around IPv6) or NULL; path: of the local socket
 * (mode 0660; what was left there by an earlier run is replaced) or NULL. Starts no
 * thread. 0, or -errno and one line in why: a socket that cannot be opened; the other
 * one is, and intake_start() goes on with it. own outlives the intake. */
int intake_open(struct intake *in, struct own *own, const char *address,
                const char *path, char *why, size_t cap);
/* 0 or -errno. Without a socket there is nothing to do. */
int intake_start(struct intake *in);
void intake_stop(struct intake *in);

/* ADDR:PORT of the UDP socket; false: there is none. */
bool intake_bound(const struct intake *in, char *out, size_t cap);

/* Every line of one datagram. Returns how many were refused; the first of them and why
 * are kept in *in. Pure but for `own`. */
unsigned intake_lines(struct intake *in, const char *p, size_t n, uint64_t now_ms);
