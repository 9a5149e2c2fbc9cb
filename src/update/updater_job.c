/* One update: judged before the first byte is written, then written, read back, and
 * switched to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "update/network.h"
#include "update/updater_priv.h"
#include "update/updfile.h"

/* A client that sends nothing for so long is gone. */
#define OWNER_MS 60000u

static const struct updater_answer fine = {UPDMSG_OK, ""};

static struct updater_answer say(enum updmsg_answer kind, const char *why) {
    return (struct updater_answer){kind, why};
}

bool job_busy(const struct updater *u) {
    enum update_state s = u->record.state;
    return s == UPDATE_RECEIVING || s == UPDATE_VERIFYING || s == UPDATE_WRITING ||
           s == UPDATE_REBOOT || u->reboot_at_ms;
}

/* Whose word is it, and is it meant for this board? Only here a stranger's bytes become
 * a manifest. */
static struct updater_answer judge(struct updater *u, const uint8_t *p, size_t n,
                                   bool force) {
    struct updfile f;
    const char *why;
    ssize_t head = updfile_head(p, n, &f);
    if (head <= 0 || (size_t)head != n)
        return say(UPDMSG_REFUSED, "this is not an update file");
    if (!verify_signed(&u->keys, f.manifest, f.manifest_n, f.sig, f.sig_n))
        return say(UPDMSG_REFUSED, "the signature is by none of this board's keys");
    if (manifest_json(&u->incoming, (const char *)f.manifest, f.manifest_n, &why) != 0)
        return say(UPDMSG_REFUSED, why);
    if (strcmp(u->incoming.board, u->o.image.board) != 0)
        return say(UPDMSG_REFUSED, "the update is for another board");
    if (!force && manifest_order(&u->incoming, &u->o.image) < 0)
        return say(UPDMSG_REFUSED, "the update is older than what runs");
    return fine;
}

/* The boot loader must not care for the slot that is about to be spoiled. */
static int leave_idle(const struct updater *u) {
    struct abstate ab, want = {.slot = u->o.running};
    if (abstate_load(&ab, u->o.boot_dir) == 0 && ab.slot == want.slot && !ab.pending)
        return 0;
    return abstate_store(&want, u->o.boot_dir);
}

static struct updater_answer fail(struct updater *u, enum updmsg_answer kind,
                                  const char *what, int rc) {
    slot_close(&u->slot);
    u->owner = UPDATER_NOBODY;
    if (rc)
        updater_record(u, UPDATE_FAILED, "%s: %s", what, strerror(-rc));
    else
        updater_record(u, UPDATE_FAILED, "%s", what);
    return say(kind, u->record.why);
}

struct updater_answer job_begin(struct updater *u, int who, const uint8_t *p,
                                size_t n) {
    if (job_busy(u))
        return say(UPDMSG_BUSY, "another update is under way");
    if (u->record.state == UPDATE_TRIAL)
        return say(UPDMSG_BUSY,
                   "this system is on trial: the other slot is its way back");
    if (n < 1 || p[0] > UPDMSG_FORCE)
        return say(UPDMSG_WRONG, "an update begins with its head");
    u->incoming = (struct manifest){.size = 0};
    struct updater_answer a = judge(u, p + 1, n - 1, p[0] == UPDMSG_FORCE);
    u->record =
        (struct record){.slot = ab_other(u->o.running), .network = network_reachable()};
    memcpy(u->record.version, u->incoming.version, sizeof u->record.version);
    memcpy(u->record.from, u->o.image.version, sizeof u->record.from);
    memcpy(u->record.boot, u->boot, sizeof u->record.boot);
    if (a.kind != UPDMSG_OK)
        return fail(u, a.kind, a.why, 0);
    int rc = slot_open(&u->slot, u->o.slot[u->record.slot], u->incoming.size);
    if (rc == -EFBIG)
        return fail(u, UPDMSG_REFUSED, "the image is larger than the slot", 0);
    if (rc == 0)
        rc = leave_idle(u);
    if (rc != 0)
        return fail(u, UPDMSG_BROKEN, "the slot", rc);
    u->owner = who;
    u->owner_due_ms = clock_ms() + OWNER_MS;
    updater_record(u, UPDATE_RECEIVING, "%s", "");
    return fine;
}

struct updater_answer job_data(struct updater *u, const uint8_t *p, size_t n) {
    if (u->record.state != UPDATE_RECEIVING || n == 0)
        return say(UPDMSG_WRONG, "no bytes are expected now");
    int rc = slot_put(&u->slot, p, n);
    if (rc == -EFBIG)
        return fail(u, UPDMSG_REFUSED, "the file is longer than it says", 0);
    if (rc != 0)
        return fail(u, UPDMSG_BROKEN, "writing the slot", rc);
    u->owner_due_ms = clock_ms() + OWNER_MS;
    return fine;
}

bool job_end(struct updater *u, struct updater_answer *a) {
    uint8_t hash[VERIFY_HASH_BYTES];
    if (u->record.state != UPDATE_RECEIVING) {
        *a = say(UPDMSG_WRONG, "there is no update to end");
        return false;
    }
    int rc = slot_finish(&u->slot, hash);
    if (rc == -ENODATA)
        *a = fail(u, UPDMSG_REFUSED, "the file is shorter than it says", 0);
    else if (rc != 0)
        *a = fail(u, UPDMSG_BROKEN, "writing the slot", rc);
    else if (memcmp(hash, u->incoming.sha256, sizeof hash) != 0)
        *a = fail(u, UPDMSG_REFUSED, "the image is not the one that was signed", 0);
    else
        u->record.state = UPDATE_VERIFYING;
    return u->record.state == UPDATE_VERIFYING;
}

/* The record goes first: should the power fail in between, nothing was switched, and
 * the record is found out. */
static struct updater_answer switch_over(struct updater *u) {
    struct abstate next = {.slot = u->record.slot, .pending = true};
    updater_record(u, UPDATE_REBOOT, "%s", "");
    int rc = abstate_store(&next, u->o.boot_dir);
    if (rc != 0)
        return fail(u, UPDMSG_BROKEN, "telling the boot loader", rc);
    slot_close(&u->slot);
    u->owner = UPDATER_NOBODY;
    updater_reboot_soon(u);
    return fine;
}

void job_step(struct updater *u) {
    uint8_t hash[VERIFY_HASH_BYTES];
    struct updater_answer a;
    int who = u->owner, rc = slot_check(&u->slot, hash);
    if (rc > 0)
        return;
    if (rc < 0)
        a = fail(u, UPDMSG_BROKEN, "reading the slot back", rc);
    else if (memcmp(hash, u->incoming.sha256, sizeof hash) != 0)
        a = fail(u, UPDMSG_BROKEN, "the slot does not hold what was written to it", 0);
    else
        a = switch_over(u);
    updater_send(u, who, a.kind, a.why, strlen(a.why));
}

void job_lost(struct updater *u) {
    char text[RECORD_WHY_MAX];
    snprintf(text, sizeof text, "the upload ended after %llu of %llu bytes",
             (unsigned long long)u->slot.at, (unsigned long long)u->slot.size);
    /* Once all of it is here nobody needs to stay. */
    if (u->record.state == UPDATE_RECEIVING)
        fail(u, UPDMSG_BROKEN, text, 0);
    u->owner = UPDATER_NOBODY;
}
