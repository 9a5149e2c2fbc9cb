#pragma once
/* `pulseboard publish NAME=VALUE ...`: tells a running one readings of this machine's
 * programs. Over HTTP (--url, or --socket) each is answered; without these they go to
 * its statsd port, where nothing answers. Exit code: 0 when all were taken. Main
 * thread, instead of a server; blocks until it is answered or fetch.h gives up. */
#include "app/cli.h"

int tell_run(const struct cli *cli);
