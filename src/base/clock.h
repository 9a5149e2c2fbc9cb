#pragma once
/* Clocks. Any thread. Deadlines use the monotonic clock only, so that a wall-clock jump
 * changes nothing; wall time is for showing to people. */
#include <stdint.h>

/* CLOCK_MONOTONIC, clock_gettime(2): never jumps, starts near zero at boot. */
uint64_t clock_ns(void);
uint64_t clock_ms(void);

/* CLOCK_REALTIME in milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* The wall clock at monotonic time 0, in milliseconds since 1970-01-01 UTC: to tell
 * since when. Steady: it follows only when the wall clock was set by a second or more.
 */
int64_t clock_wall_at_zero_ms(void);
