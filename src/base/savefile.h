#pragma once
/* Files that are either as they were or as they shall be, whatever happens meanwhile:
 * the bytes go to a new file beside it, to the disk, and only then under the name. Any
 * thread; who writes the same file from two at once brings a lock. Blocks on the disk;
 * allocates nothing. */
#include <stddef.h>
#include <sys/types.h>

/* Of a name, with its NUL. */
#define SAVEFILE_NAME_MAX 64u

/* dir/name holds these n bytes with exactly this mode: 0, or -errno and it is what it
 * was, but for -EIO of the folder itself, when the new one may not outlive a power cut.
 * name: without a slash. Written by root, it belongs to whom the folder does. */
int savefile(const char *dir, const char *name, mode_t mode, const void *p, size_t n);

/* dir/name is gone, for good: 0, or -errno. */
int savefile_remove(const char *dir, const char *name);
