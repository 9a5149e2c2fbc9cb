#pragma once
/* The checksum of ISO 3309 (zlib, PNG): finds what a failing medium changes; no defence
 * against a forger. Pure. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *p, size_t n);
