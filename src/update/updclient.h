#pragma once
/* The half of an update that has no rights: asks the one that has. Blocks; one thread
 * per client; keeps nothing but the socket. Errors: -ENOENT and -ECONNREFUSED when
 * there is no updater, -ETIMEDOUT, -EPROTO; and for its answers -EBUSY, -EPERM
 * (refused: not for this board), -EIO (it failed), -EINVAL (makes no sense now), with
 * its sentence. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "update/updmsg.h"

struct updclient {
    int fd;
    char text[UPDMSG_ANSWER_MAX]; /* the last answer without its first byte; ends in NUL
                                   */
    size_t n;
};

/* What asks for a state only waits so long to be let in, and so long for the answer;
 * everything else may wait for a slow card. */
#define UPDCLIENT_PATIENT_S 30

int updclient_open(struct updclient *c, const char *path, int wait_s);
void updclient_close(struct updclient *c);

/* text is then the JSON of the API. */
int updclient_status(struct updclient *c, int wait_s);
int updclient_begin(struct updclient *c, bool force, const uint8_t *head, size_t n);
/* n: UPDMSG_DATA_MAX at the most. */
int updclient_data(struct updclient *c, const uint8_t *p, size_t n);
/* Waits until the slot was read back. */
int updclient_end(struct updclient *c);
int updclient_rollback(struct updclient *c);
int updclient_reboot(struct updclient *c);
