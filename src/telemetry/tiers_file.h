#pragma once
/* The tiers as bytes that outlive the program. Pure. Version 1, big-endian:
 *
 *     8 B "PULSEHIS"   4 B version   4 B CRC-32 of all that follows   8 B generation
 *     4 B boots   4 B columns   3 x 4 B rows of each tier, oldest first
 *     each boot: 16 B id, 8 B wall clock at monotonic 0, 3 x (4 B first row, 8 B step)
 *     each column: 48 B id, zero-padded, then its points: 3 x 2 B each, tier by tier
 *
 * Rows are numbered from 1 anew; a boot whose first row is beyond the last has none. */
#include "telemetry/tiers.h"

#define TIERS_FILE_VERSION 1u
#define TIERS_FILE_HEAD 44u
#define TIERS_FILE_BOOT (16u + 8u + TIERS_N * 12u)
#define TIERS_FILE_MAX                                                                 \
    (TIERS_FILE_HEAD + TIERS_BOOTS * TIERS_FILE_BOOT +                                 \
     LIM_METRICS * (METRIC_ID_MAX + 6u * (360u + 720u + 672u)))

/* Bytes written: at most TIERS_FILE_MAX, which buf must hold. They lack the checksum,
 * so that no lock need be held for that. */
size_t tiers_pack(const struct tiers *t, uint64_t generation, uint8_t *buf);
void tiers_seal(uint8_t *buf, size_t n);

/* What is in the way of tiers_unpack(), as a word; NULL: nothing, and *generation. The
 * whole of it is looked at. */
const char *tiers_fault(const uint8_t *buf, size_t n, uint64_t *generation);
/* Of bytes without a fault, into zeroed memory; then tiers_begin(). */
void tiers_unpack(struct tiers *t, const uint8_t *buf);
