#pragma once
/* What the files of the updater share: updater.c (sockets, the loop), updater_job.c
 * (one update, from its first message to the switch), updater_trial.c (what follows the
 * boot). Nobody else's; one thread. */
#include "base/clock.h"
#include "base/log.h"
#include "sec/verify.h"
#include "update/record.h"
#include "update/slot.h"
#include "update/trial.h"
#include "update/updater.h"
#include "update/updmsg.h"

#define UPDATER_CLIENTS 4
#define UPDATER_NOBODY (-1)

struct updater {
    struct updater_opts o;
    struct verify_keys keys;
    char boot[RECORD_BOOT_MAX];
    int listener, signals;
    int client[UPDATER_CLIENTS]; /* -1: free */
    int oldest;                  /* whose place a new one takes when all are taken */

    struct record record; /* .state is the state of everything */
    int owner;            /* the client whose update is under way */
    uint64_t owner_due_ms;
    struct manifest incoming;
    struct slot slot;

    struct trial trial;
    uint64_t probe_at_ms;  /* 0: no trial */
    uint64_t reboot_at_ms; /* 0: not */
    uint8_t in[UPDMSG_MAX];
};

/* An answer: its kind, and a sentence for those that have one. */
struct updater_answer {
    enum updmsg_answer kind;
    const char *why;
};

void updater_send(const struct updater *u, int who, enum updmsg_answer kind,
                  const char *text, size_t n);
/* Ends what the record tells of: its state, the reason, and on the disk. */
void updater_record(struct updater *u, enum update_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void updater_reboot_soon(struct updater *u);

/* updater_job.c. Of `who`, whose message is in u->in, n bytes of payload. */
struct updater_answer job_begin(struct updater *u, int who, const uint8_t *p, size_t n);
struct updater_answer job_data(struct updater *u, const uint8_t *p, size_t n);
/* True: to be answered when the slot was read back, by job_step(). */
bool job_end(struct updater *u, struct updater_answer *a);
void job_step(struct updater *u);
/* The owner went, or is too slow. */
void job_lost(struct updater *u);
bool job_busy(const struct updater *u);

/* updater_trial.c */
int trial_start(struct updater *u, char *why, size_t cap);
void trial_look(struct updater *u);
void trial_end(struct updater *u, const char *why);
