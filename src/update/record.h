#pragma once
/* What the helper remembers of the last update, across reboots: a few lines of
 * key=value in one file. One thread; load and store block on the disk. Nothing is
 * decided by it that could keep a board from booting: without it only the reason is
 * lost. */
#include <stdbool.h>
#include <stddef.h>

#include "update/abstate.h"
#include "update/manifest.h"

/* The states of an update as the API tells them. */
enum update_state {
    UPDATE_IDLE,
    UPDATE_RECEIVING,
    UPDATE_VERIFYING, /* the slot is read back */
    UPDATE_WRITING,   /* the boot loader is told */
    UPDATE_REBOOT,
    UPDATE_TRIAL,
    UPDATE_CONFIRMED,
    UPDATE_ROLLED_BACK,
    UPDATE_FAILED,
    UPDATE_STATES
};
const char *update_state_name(enum update_state s);

#define RECORD_WHY_MAX 160
#define RECORD_BOOT_MAX 40 /* the kernel's boot_id */
#define RECORD_TEXT_MAX 512u

struct record {
    enum update_state state;
    enum ab_slot slot; /* that the update was written to */
    bool network;      /* the system that wrote it could be reached over one */
    char version[MANIFEST_VERSION_MAX], from[MANIFEST_VERSION_MAX];
    char boot[RECORD_BOOT_MAX]; /* in which it was written */
    char why[RECORD_WHY_MAX];   /* a sentence; printable, on one line */
};

/* Pure. Bytes of the text; 0 or -EINVAL. */
size_t record_text(const struct record *r, char out[RECORD_TEXT_MAX]);
int record_parse(struct record *r, const char *text, size_t n);

/* An empty path keeps nothing. load: -ENOENT, -EINVAL; then *r is that of an idle one.
 */
int record_load(struct record *r, const char *path);
int record_store(const struct record *r, const char *path);
