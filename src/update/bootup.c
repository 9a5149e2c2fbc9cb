#include "update/bootup.h"

#include <stdio.h>
#include <string.h>

static void decide(struct record *r, enum update_state state, const char *why) {
    r->state = state;
    snprintf(r->why, sizeof r->why, "%s", why);
}

static bool under_way(const struct record *r) {
    return r->state == UPDATE_TRIAL || r->state == UPDATE_REBOOT;
}

/* Nothing is on trial: what became of the update, if there was one? */
static void conclude(struct record *r, enum ab_slot running, bool same_boot) {
    if (under_way(r) && same_boot)
        decide(r, UPDATE_FAILED, "it was interrupted before the switch");
    else if (under_way(r) && r->slot == running)
        decide(r, UPDATE_CONFIRMED, "it has proved itself");
    else if (under_way(r))
        decide(r, UPDATE_ROLLED_BACK, "it did not come up");
    else if (r->state == UPDATE_RECEIVING || r->state == UPDATE_VERIFYING ||
             r->state == UPDATE_WRITING)
        decide(r, UPDATE_FAILED, "it was interrupted while it was written");
}

enum bootup_todo bootup_judge(const struct bootup *b) {
    struct record *r = b->record;
    bool same_boot = r->boot[0] && strcmp(r->boot, b->boot) == 0;
    bool pending = b->ab_ok && b->ab.pending;
    if (pending && b->ab.slot == b->running) {
        decide(r, UPDATE_TRIAL, "");
        r->slot = b->running;
        return BOOTUP_TRY;
    }
    if (pending && same_boot && under_way(r)) {
        decide(r, UPDATE_REBOOT, "");
        return BOOTUP_REBOOT;
    }
    /* On trial is the other slot, but this one was started: the boot loader went back,
     * and could not write that down. */
    if (pending)
        decide(r, UPDATE_ROLLED_BACK, "it did not come up");
    else
        conclude(r, b->running, same_boot);
    bool right = b->ab_ok && b->ab.slot == b->running && !pending;
    return right ? BOOTUP_NOTHING : BOOTUP_SETTLE;
}
