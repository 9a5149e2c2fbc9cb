#pragma once
/* The half of an update that needs rights: it alone writes the slot that does not run,
 * tells the boot loader, and restarts the board. One thread, a few clients of
 * update/updmsg.h at a time, one of them with an update; memory is fixed. It believes
 * nobody: signature, board, version and hash are checked here, before the first byte is
 * written, and whether a new system has proved itself it finds out by itself. One thing
 * it takes on the word of its client, which says that an administrator asked for it: to
 * go back to an older version that is signed (UPDMSG_FORCE).
 *
 * Invariants, whenever it is killed: ab.txt is whole, the slot it names runs or is on
 * trial for one boot, and the slot that runs was never written to. */
#include <stdint.h>
#include <sys/types.h>

#include "update/abstate.h"
#include "update/manifest.h"

#define UPDATER_KEYS_MAX 4u

struct updater_opts {
    const char *socket;   /* where it listens; made anew, mode 0600 */
    uid_t user;           /* whose socket that is; this user and root may speak */
    const char *boot_dir; /* where the boot partition is mounted */
    const char *slot[2];  /* devices of slots a and b */
    enum ab_slot running;
    struct manifest image; /* what runs: board, version, built */
    const char *key[UPDATER_KEYS_MAX];
    unsigned n_keys;
    const char *state;  /* file for struct record; "": none */
    const char *reboot; /* program that restarts the board */
    /* Of the dashboard: http://IPV4:PORT or unix:PATH. */
    const char *probe;
    uint32_t healthy_ms, limit_ms, probe_ms;
};

/* Serves until SIGTERM or SIGINT. 0, or -errno and one line in why: it cannot start. */
int updater_run(const struct updater_opts *o, char *why, size_t cap);
