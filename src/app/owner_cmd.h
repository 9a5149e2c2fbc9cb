#pragma once
/* `pulseboard passwd` and `pulseboard token`: for whoever is on the board itself. They
 * ask the running one over its local socket; where none runs, they change auth.json in
 * the data folder, alone (app/auth.h). Blocks; the exit code. */
#include "app/cli.h"

/* A new password of the owner or of viewers: asked for twice on a terminal, else the
 * first line of stdin. Needs no old one: it is the way back in. */
int owner_passwd(const struct cli *cli);
/* add NAME, list, revoke ID. A new token goes to stdout, once. */
int owner_token(const struct cli *cli);
