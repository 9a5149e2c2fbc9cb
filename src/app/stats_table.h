#pragma once
/* `pulseboard stats`: asks a running one for /ws/stats and shows it to a person.
 * Main thread, instead of a server; blocks until it is answered or fetch.h gives up. */
#include <cJSON.h>
#include <stdio.h>

/* The exit code. */
int stats_table_run(const char *url, int json);
/* The answer as an aligned table; what is missing in it is "-". */
void stats_table_print(FILE *out, const cJSON *stats);
