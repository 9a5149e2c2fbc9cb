#pragma once
/* What this program keeps when it gives up its privileges (sec/sandbox.h): one table of
 * paths. Main thread, before there is any other. */
#include "app/cli.h"
#include "app/config.h"
#include "http/doors.h"

/* 0, and a log line that says what is in force; or -errno and one line in why. */
int confine(const struct cli *cli, const struct config *c, const struct doors *doors,
            char *why, size_t cap);
