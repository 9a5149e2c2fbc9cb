/* What follows a boot: is this system on trial, and does it prove itself? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "update/bootup.h"
#include "update/network.h"
#include "update/probe.h"
#include "update/updater_priv.h"

static int read_boot_id(char out[RECORD_BOOT_MAX]) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, out, RECORD_BOOT_MAX - 1);
    int rc = n < 0 ? -errno : 0;
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    close(fd);
    return rc;
}

static int settle(struct updater *u) {
    struct abstate ab = {.slot = u->o.running};
    return abstate_store(&ab, u->o.boot_dir);
}

static void begin_trial(struct updater *u) {
    /* A trial that nobody remembers began with the system that runs. */
    if (!u->record.version[0])
        memcpy(u->record.version, u->o.image.version, sizeof u->record.version);
    trial_begin(&u->trial, clock_ms(), u->o.healthy_ms, u->o.limit_ms);
    u->probe_at_ms = clock_ms();
    log_notice("update_trial", "version=%s slot=%c", u->record.version,
               ab_letter(u->o.running));
}

int trial_start(struct updater *u, char *why, size_t cap) {
    struct bootup b = {.running = u->o.running, .boot = u->boot, .record = &u->record};
    int rc = read_boot_id(u->boot);
    if (rc != 0) {
        snprintf(why, cap, "no boot id: %s", strerror(-rc));
        return rc;
    }
    record_load(&u->record, u->o.state);
    b.ab_ok = abstate_load(&b.ab, u->o.boot_dir) == 0;
    struct record before = u->record;
    enum bootup_todo todo = bootup_judge(&b);
    if (before.state != u->record.state || before.slot != u->record.slot ||
        strcmp(before.why, u->record.why) != 0)
        record_store(&u->record, u->o.state);
    if (todo == BOOTUP_TRY)
        begin_trial(u);
    if (todo == BOOTUP_REBOOT)
        updater_reboot_soon(u);
    if (todo == BOOTUP_SETTLE && (rc = settle(u)) != 0)
        snprintf(why, cap, "%s/%s: %s", u->o.boot_dir, ABSTATE_NAME, strerror(-rc));
    return rc;
}

static void confirm(struct updater *u) {
    int rc = settle(u);
    if (rc != 0) {
        log_error("update_confirm", "why=\"%s\"", strerror(-rc));
        return; /* the next look tries again, until the limit */
    }
    u->probe_at_ms = 0;
    updater_record(u, UPDATE_CONFIRMED, "it has served for %u s",
                   u->o.healthy_ms / 1000);
}

/* Back to the slot before, at once. When even that cannot be written, the boot loader
 * does it by itself at the reboot: a trial is for one boot. */
void trial_end(struct updater *u, const char *why) {
    struct abstate back = {.slot = ab_other(u->o.running)};
    u->probe_at_ms = 0;
    updater_record(u, UPDATE_ROLLED_BACK, "%s", why);
    int rc = abstate_store(&back, u->o.boot_dir);
    if (rc != 0)
        log_error("update_back", "why=\"%s\"", strerror(-rc));
    updater_reboot_soon(u);
}

/* Pages and sessions; and where the system before could be reached over a network, so
 * can this one: a kernel without the driver may serve nobody but us. */
static bool serves(const struct updater *u, char why[PROBE_WHY_MAX]) {
    if (!probe_serves(u->o.probe, why))
        return false;
    bool reached = !u->record.network || network_reachable();
    if (!reached)
        snprintf(why, PROBE_WHY_MAX, "no network: the system before had one");
    return reached;
}

void trial_look(struct updater *u) {
    char why[PROBE_WHY_MAX] = "", text[RECORD_WHY_MAX];
    bool served = serves(u, why);
    uint64_t now_ms = clock_ms();
    u->probe_at_ms = now_ms + u->o.probe_ms;
    switch (trial_see(&u->trial, now_ms, served)) {
    case TRIAL_PASSED:
        confirm(u);
        break;
    case TRIAL_FAILED:
        snprintf(text, sizeof text, "it did not serve: %s",
                 why[0] ? why : "not without a pause");
        trial_end(u, text);
        break;
    case TRIAL_GOES_ON:
        break;
    }
    if (!served)
        log_warn("update_probe", "why=\"%s\"", why);
}
