#pragma once
/* The words between the half without rights and the half with them, on a Unix socket of
 * type SOCK_SEQPACKET: each packet is one message, each message has one answer. The
 * first byte says what it is, the rest is its payload. Nobody can ask for a path, a
 * command or an offset: there are no words for it. */
#include <stdint.h>

enum updmsg_ask {
    UPDMSG_STATUS = 'S',
    UPDMSG_BEGIN = 'B',    /* a byte of UPDMSG_FORCE or 0, then the head of the file */
    UPDMSG_DATA = 'D',     /* the next bytes of the image */
    UPDMSG_END = 'E',      /* that was all: answered once the slot was read back */
    UPDMSG_ROLLBACK = 'R', /* a trial ends now */
    UPDMSG_REBOOT = 'X',
};

enum updmsg_answer {
    UPDMSG_OK = 'K',      /* to STATUS: JSON of struct update in the API, else empty */
    UPDMSG_BUSY = 'b',    /* the rest are followed by a sentence */
    UPDMSG_REFUSED = 'r', /* it is not an update for this board */
    UPDMSG_BROKEN = 'i',  /* the disk, or we, failed */
    UPDMSG_WRONG = 'w',   /* that message makes no sense now */
};

#define UPDMSG_FORCE 1u /* an older version is welcome */
#define UPDMSG_DATA_MAX (32u * 1024)
#define UPDMSG_MAX (1u + UPDMSG_DATA_MAX)
#define UPDMSG_ANSWER_MAX 1024u
