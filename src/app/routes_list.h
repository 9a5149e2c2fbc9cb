#pragma once
/* `pulseboard routes`: the tables of what is answered, and to whom, for people and for
 * the test that tries all of it. Main thread, instead of a server. */
#include <stdio.h>

/* The exit code. */
int routes_list(FILE *out);
