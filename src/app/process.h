#pragma once
/* What the kernel says of this process. Any thread; never blocks. */
#include <stdint.h>

/* Resident memory; 0: /proc is not there. */
uint64_t process_rss_bytes(void);
/* CPU time of all threads since the start. */
double process_cpu_s(void);
