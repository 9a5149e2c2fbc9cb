#pragma once
/* Building the settings from their layers, and what SIGHUP changes. Main thread. */
#include "app/cli.h"
#include "http/httpd.h"
#include "sec/tls.h"

/* The defaults, the file that the command line names, the command line. 0, or -errno
 * after every problem was reported. */
int reload_settings(const struct cli *cli, struct config *out, struct config_report *r);

/* Reads them again and applies what can change while it runs to *now. A wrong file
 * changes nothing and is logged. tls may be NULL. */
void reload_now(const struct cli *cli, struct config *now, struct tls_ctx *tls);
