#pragma once
/* What an image says about itself: in an update file as JSON, in the running system as
 * lines of key=value (release.txt). Pure, any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_BOARD_MAX 32
#define MANIFEST_VERSION_MAX 64
#define MANIFEST_SIZE_MAX (2ull << 30) /* no slot of ours comes near */

struct manifest {
    char board[MANIFEST_BOARD_MAX];
    char version[MANIFEST_VERSION_MAX];
    uint64_t built; /* seconds since 1970: the time of its source */
    uint64_t size;  /* of the image; of a running one unknown: 0 */
    uint8_t sha256[32];
};

/* The manifest of an update file: each key once, nothing else. 0, or -EINVAL (-ENOMEM)
 * and what is wrong in *why, a constant. */
int manifest_json(struct manifest *m, const char *text, size_t n, const char **why);

/* Of the running system: board, version and, if there is one, built. The same. */
int manifest_lines(struct manifest *m, const char *text, size_t n, const char **why);

/* Less than, equal to or greater than 0 as a is older than, the same as or newer than
 * b: by the numbers in front of the version, then by when they were built. */
int manifest_order(const struct manifest *a, const struct manifest *b);
