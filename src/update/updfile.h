#pragma once
/* The head of an update file: what stands before the image of the slot. Pure, any
 * thread; keeps nothing, points into the bytes given. All of it comes from a stranger
 * until the signature was checked. */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UPDFILE_FIXED 16u /* magic, format, both lengths */
#define UPDFILE_MANIFEST_MAX 1024u
#define UPDFILE_SIG_MAX 80u /* ECDSA P-256 as DER takes 72 at the most */
#define UPDFILE_HEAD_MAX (UPDFILE_FIXED + UPDFILE_MANIFEST_MAX + UPDFILE_SIG_MAX)

struct updfile {
    const uint8_t *manifest, *sig;
    size_t manifest_n, sig_n;
};

/* The first n bytes of a file. Its head's length once it is whole, 0: more is needed,
 * -EPROTO as soon as it cannot be one. */
ssize_t updfile_head(const uint8_t *p, size_t n, struct updfile *out);
