#include "update/updfile.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* Eight bytes of magic, the format, and three that are reserved and zero. */
static const uint8_t opening[] = {'P', 'U', 'L', 'S', 'E', 'U', 'P', 'D', 1, 0, 0, 0};

ssize_t updfile_head(const uint8_t *p, size_t n, struct updfile *out) {
    size_t known = n < sizeof opening ? n : sizeof opening;
    if (memcmp(p, opening, known) != 0)
        return -EPROTO;
    if (n < UPDFILE_FIXED)
        return 0;
    size_t manifest_n = bytes_get16(p + 12), sig_n = bytes_get16(p + 14);
    if (manifest_n == 0 || manifest_n > UPDFILE_MANIFEST_MAX || sig_n == 0 ||
        sig_n > UPDFILE_SIG_MAX)
        return -EPROTO;
    size_t whole = UPDFILE_FIXED + manifest_n + sig_n;
    if (n < whole)
        return 0;
    *out = (struct updfile){
        .manifest = p + UPDFILE_FIXED,
        .manifest_n = manifest_n,
        .sig = p + UPDFILE_FIXED + manifest_n,
        .sig_n = sig_n,
    };
    return (ssize_t)whole;
}
