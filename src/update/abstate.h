#pragma once
/* ab.txt on the boot partition: which slot the boot loader starts. Three lines in the
 * order in which U-Boot's `env export -t` writes them, always of one length: so each
 * change, of the boot loader's or ours, is one sector written in place, and a power cut
 * leaves the old text or the new one. Parsing and writing the text is pure. */
#include <stdbool.h>
#include <stddef.h>

enum ab_slot { AB_A, AB_B };

struct abstate {
    enum ab_slot slot; /* to start next */
    bool pending;      /* on trial: unless confirmed, it starts once only */
    unsigned tries;    /* how often it started on trial, 0..9 */
};

#define ABSTATE_NAME "ab.txt"
#define ABSTATE_TEXT 25u     /* bytes of it */
#define ABSTATE_TEXT_MAX 64u /* what others may have padded it to */

/* 0, or -EINVAL. Line feeds and NULs at the end are padding. */
int abstate_parse(struct abstate *s, const char *text, size_t n);
void abstate_text(const struct abstate *s, char out[ABSTATE_TEXT + 1]);

/* dir: where the boot partition is mounted. -EINVAL: it makes no sense, -ENOENT. */
int abstate_load(struct abstate *s, const char *dir);
/* On the disk when it returns 0. Where the partition is mounted read-only it is
 * writable for that moment; who else wants that waits (flock(2) on dir). */
int abstate_store(const struct abstate *s, const char *dir);

static inline enum ab_slot ab_other(enum ab_slot s) { return s == AB_A ? AB_B : AB_A; }
static inline char ab_letter(enum ab_slot s) { return s == AB_A ? 'a' : 'b'; }
