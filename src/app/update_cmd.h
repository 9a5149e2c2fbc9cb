#pragma once
/* `pulseboard update`: hands a file to the updater of this board, on its socket: it
 * works whatever state the dashboard is in. One thread; points into argv. */
#include <stdbool.h>

struct update_args {
    const char *file;   /* NULL: only says where it stands */
    const char *socket; /* of `pulseboard updater` */
    bool force, rollback, reboot;
};

#define UPDATE_CMD_SOCKET "/run/pulseboard/updater.sock"

/* The exit code. */
int update_cmd(const struct update_args *a);
