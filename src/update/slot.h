#pragma once
/* The slot that does not run, while a new image is written to it. A block device or, in
 * tests, a plain file. One thread; holds SLOT_STEP bytes, whatever the image's size.
 * What was written is on the disk, and what is on the disk was read back, before
 * slot_check() says so. */
#include <stdint.h>

#include "sec/verify.h"

#define SLOT_STEP (64u * 1024)
/* So much may wait to be written: the last flush is then a short one, and progress is
 * true. */
#define SLOT_FLUSH (1024u * 1024)

struct slot {
    int fd; /* -1: closed */
    uint64_t size, at, flushed;
    struct verify_hash hash;
    uint8_t buf[SLOT_STEP] __attribute__((aligned(4096)));
};

/* size: of the image; -EFBIG when the slot is smaller. */
int slot_open(struct slot *s, const char *path, uint64_t size);
/* Appends. -EFBIG: more than size. */
int slot_put(struct slot *s, const void *p, size_t n);
/* All came: *hash of it. -ENODATA: less than size did. Then it is to be read back. */
int slot_finish(struct slot *s, uint8_t hash[VERIFY_HASH_BYTES]);
/* Reads back one step: 1 when there is more, 0 when it was the last, and *hash. */
int slot_check(struct slot *s, uint8_t hash[VERIFY_HASH_BYTES]);
void slot_close(struct slot *s);
