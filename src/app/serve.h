#pragma once
/* `pulseboard serve`: starts everything in order, waits for signals, stops in reverse.
 */
#include "app/cli.h"

/* The exit code. Call it with one thread. */
int serve(const struct cli *cli);
