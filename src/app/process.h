#pragma once
/* What the kernel says of this process. Any thread; never blocks. */
#include <stdint.h>

/* Resident memory; 0: /proc is not there. */
uint64_t process_rss_bytes(void);
/* CPU time of all threads since the start. */
double process_cpu_s(void);

/* Makes room for n open files, if the hard limit lets us: else -EMFILE, and as many as
 * it does. */
int process_raise_files(uint64_t n);
