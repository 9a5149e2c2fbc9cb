#pragma once
/* `pulseboard updater`: the command line of update/updater.h. One thread; points into
 * argv. */
#include <stdint.h>
#include <stdio.h>

#include "update/updater.h"

struct updater_args {
    const char *socket, *user, *boot, *slot_a, *slot_b, *running, *image, *state,
        *reboot, *probe, *healthy, *limit;
    const char *key[UPDATER_KEYS_MAX];
    unsigned n_keys;
};

/* --flag VALUE. 0; -ENOENT: there is no such flag, -ENOSPC: too many keys. value NULL:
 * it only asks. */
int updater_cmd_set(struct updater_args *a, const char *flag, const char *value);
void updater_cmd_help(FILE *out);
/* Runs until it is told to stop; the exit code. */
int updater_cmd(const struct updater_args *a);
