#pragma once
/* Keeps the certificate right while everything runs: wakes main when addresses or the
 * host name change, when it is to be renewed, and when somebody sets the clock. Nothing
 * is polled. Main thread. */
#include "app/config.h"
#include "app/identity.h"
#include "app/tend.h"

struct upkeep {
    struct identity *id;
    const struct config *config; /* allow_hosts, as it is now */
    int addresses, host, clock;  /* descriptors, -1: the kernel has none */
    struct chore *refresh;
    /* The host name has changed, if it has; or NULL. */
    void (*renamed)(void *ctx);
    void *ctx;
};

/* The fields above up to config, and those behind refresh, are set. What the kernel
 * does not offer is logged and left out. Opens only. */
void upkeep_open(struct upkeep *u);
/* Adds its chores. */
void upkeep_begin(struct upkeep *u, struct tend *t);
void upkeep_close(struct upkeep *u);
/* Soon: for who has changed allow_hosts. */
void upkeep_hurry(struct upkeep *u);
