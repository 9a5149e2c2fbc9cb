#pragma once
/* What did the last boot mean? Pure: from what the boot loader left, what the helper
 * remembered and what runs now to where the update stands. */
#include "update/abstate.h"
#include "update/record.h"

struct bootup {
    struct abstate ab;     /* as it was read */
    bool ab_ok;            /* it could be read */
    enum ab_slot running;  /* the slot of the system that runs */
    const char *boot;      /* the kernel's boot_id: the same as long as it runs */
    struct record *record; /* in: as remembered; out: as it is now */
};

enum bootup_todo {
    BOOTUP_NOTHING,
    BOOTUP_TRY,    /* this system is on trial */
    BOOTUP_REBOOT, /* the switch was made, the reboot is still to come */
    BOOTUP_SETTLE, /* ab.txt shall say what runs */
};

/* Changes *record where the boot has decided something. */
enum bootup_todo bootup_judge(const struct bootup *b);
