#pragma once
/* The file that an owner writes on the boot partition before a board's first start:
 * host name, Wi-Fi, a fixed address, claim code, SSH key. JSON with comments; a comma
 * too many before a closing bracket is forgiven, since lines are commented in and out.
 *
 * Read strictly: what is wrong is said, key by key, and left out; what is sound is
 * printed as NAME='value' lines, quoted, for the shell script that starts the board.
 * Main thread; memory of cJSON for a file of FIRST_BOOT_MAX bytes at most. */
#include <stddef.h>
#include <stdio.h>

#define FIRST_BOOT_MAX (16u * 1024)

/* Settings to `out`, a line per problem to `say`, which names `path`. The text is
 * changed; n bytes and room for one more. Returns the number of problems. Pure. */
unsigned first_boot_text(const char *path, char *text, size_t n, FILE *out, FILE *say);

/* `pulseboard first-boot FILE`: the exit code, 1 when something was wrong. */
int first_boot_run(const char *path);
