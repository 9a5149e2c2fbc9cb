#pragma once
/* Somebody outside who restarts us when we do not live: systemd (WATCHDOG_USEC,
 * sd_notify(3)) or the hardware (/dev/watchdog). They are fed only after our own front
 * door has answered: GET /healthz, which asks the hub, too, and a TLS hello, which gets
 * an alert. The healthy half of a program must not hide the dead one, so nothing else
 * feeds. Main thread; nothing blocks, nothing allocates. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "app/config.h"
#include "app/tend.h"
#include "http/doors.h"

enum watchdog_probe { WATCHDOG_PLAIN, WATCHDOG_TLS, WATCHDOG_PROBES };

struct watchdog {
    int notify;        /* to the service manager, -1: there is none */
    int device;        /* -1: none */
    uint32_t every_ms; /* 0: nobody wants to be fed */
    /* Where each probe knocks; 0 bytes: there is no such door. */
    struct sockaddr_storage at[WATCHDOG_PROBES];
    socklen_t at_n[WATCHDOG_PROBES];
    enum watchdog_probe probe;
    struct chore *chore;
    char heard[16];
    unsigned n;    /* bytes of it */
    bool starving; /* said so already */
};

/* Opens what takes privileges. 0, or -errno and one line in why: the device that the
 * configuration names cannot be used. */
int watchdog_open(struct watchdog *w, const struct config *c, const struct doors *doors,
                  char *why, size_t cap);
/* We answer: tells the service manager, and begins to probe. */
void watchdog_begin(struct watchdog *w, struct tend *t);
/* We stop in order: nobody shall wonder. */
void watchdog_end(struct watchdog *w);
