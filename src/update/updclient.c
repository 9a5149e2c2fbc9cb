#include "update/updclient.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* Reading a slot back takes longer than anything else. */
#define END_S 300

static void limit(const struct updclient *c, int wait_s) {
    struct timeval tv = {.tv_sec = wait_s};
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

/* Of a call that limit() bounds. */
static int failure(void) { return errno == EAGAIN ? -ETIMEDOUT : -errno; }

int updclient_open(struct updclient *c, const char *path, int wait_s) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    *c = (struct updclient){.fd = -1};
    if (strlen(path) >= sizeof sa.sun_path)
        return -ENAMETOOLONG;
    memcpy(sa.sun_path, path, strlen(path) + 1);
    c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    limit(c, wait_s); /* unix(7): connect() too waits while the backlog is full */
    if (connect(c->fd, (struct sockaddr *)&sa, sizeof sa) == 0)
        return 0;
    int rc = failure();
    updclient_close(c);
    return rc;
}

void updclient_close(struct updclient *c) {
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static int meaning(char kind) {
    switch (kind) {
    case UPDMSG_OK:
        return 0;
    case UPDMSG_BUSY:
        return -EBUSY;
    case UPDMSG_REFUSED:
        return -EPERM;
    case UPDMSG_BROKEN:
        return -EIO;
    case UPDMSG_WRONG:
        return -EINVAL;
    }
    return -EPROTO;
}

static int answer(struct updclient *c) {
    char kind = 0;
    struct iovec iov[] = {{&kind, 1}, {c->text, sizeof c->text - 1}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n;
    do
        n = recvmsg(c->fd, &m, 0);
    while (n < 0 && errno == EINTR);
    c->n = n > 0 ? (size_t)n - 1 : 0;
    c->text[c->n] = '\0';
    if (n < 0)
        return failure();
    return n == 0 ? -ECONNRESET : meaning(kind);
}

static int ask(struct updclient *c, enum updmsg_ask what, struct iovec *p, int count,
               int wait_s) {
    char kind = (char)what;
    struct iovec iov[3] = {{&kind, 1}};
    struct msghdr m = {.msg_iov = iov};
    int parts = 1 + count;
    m.msg_iovlen = (__typeof__(m.msg_iovlen))parts; /* size_t; an int to musl */
    c->text[0] = '\0';
    c->n = 0;
    for (int i = 0; i < count; i++)
        iov[1 + i] = p[i];
    limit(c, wait_s);
    if (sendmsg(c->fd, &m, MSG_NOSIGNAL) < 0)
        return failure();
    return answer(c);
}

int updclient_status(struct updclient *c, int wait_s) {
    return ask(c, UPDMSG_STATUS, NULL, 0, wait_s);
}

int updclient_begin(struct updclient *c, bool force, const uint8_t *head, size_t n) {
    uint8_t flags = force ? UPDMSG_FORCE : 0;
    struct iovec p[] = {{&flags, 1}, {(void *)(uintptr_t)head, n}};
    return ask(c, UPDMSG_BEGIN, p, 2, UPDCLIENT_PATIENT_S);
}

int updclient_data(struct updclient *c, const uint8_t *p, size_t n) {
    struct iovec iov = {(void *)(uintptr_t)p, n};
    return ask(c, UPDMSG_DATA, &iov, 1, UPDCLIENT_PATIENT_S);
}

int updclient_end(struct updclient *c) { return ask(c, UPDMSG_END, NULL, 0, END_S); }

int updclient_rollback(struct updclient *c) {
    return ask(c, UPDMSG_ROLLBACK, NULL, 0, UPDCLIENT_PATIENT_S);
}

int updclient_reboot(struct updclient *c) {
    return ask(c, UPDMSG_REBOOT, NULL, 0, UPDCLIENT_PATIENT_S);
}
