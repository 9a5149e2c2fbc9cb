#include "update/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/jsonw.h"
#include "update/probe.h"
#include "update/updater_priv.h"

/* From the decision to the reboot: the answer goes out, and the page hears of it. */
#define REBOOT_SOON_MS 1500u
#define REBOOT_AGAIN_MS 60000u

extern char **environ;

/* ---- what it says ---- */

void updater_send(const struct updater *u, int who, enum updmsg_answer kind,
                  const char *text, size_t n) {
    char out[UPDMSG_ANSWER_MAX];
    if (who == UPDATER_NOBODY || u->client[who] < 0)
        return;
    n = n < sizeof out - 1 ? n : sizeof out - 1;
    out[0] = (char)kind;
    memcpy(out + 1, text, n);
    /* One question, one answer: a client that reads has room for it. */
    send(u->client[who], out, n + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void updater_record(struct updater *u, enum update_state state, const char *fmt, ...) {
    char why[RECORD_WHY_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    for (char *p = why; *p; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    }
    u->record.state = state;
    memcpy(u->record.why, why, sizeof why);
    int rc = record_store(&u->record, u->o.state);
    if (rc != 0)
        log_warn("update_record", "file=%s why=\"%s\"", u->o.state, strerror(-rc));
    log_notice("update", "state=%s version=%s why=\"%s\"", update_state_name(state),
               u->record.version, why);
}

static double progress(const struct updater *u) {
    const struct slot *s = &u->slot;
    double part = s->fd >= 0 && s->size ? (double)s->at / (double)s->size : 0;
    switch (u->record.state) {
    case UPDATE_RECEIVING:
    case UPDATE_VERIFYING:
        return part;
    case UPDATE_TRIAL:
        return trial_progress(&u->trial, clock_ms());
    case UPDATE_WRITING:
    case UPDATE_REBOOT:
    case UPDATE_CONFIRMED:
        return 1;
    case UPDATE_IDLE:
    case UPDATE_ROLLED_BACK:
    case UPDATE_FAILED:
    case UPDATE_STATES:
        break;
    }
    return 0;
}

static void send_status(const struct updater *u, int who) {
    char text[UPDMSG_ANSWER_MAX - 1], slot[2] = {ab_letter(u->o.running), '\0'};
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    jsonw_obj(&w, NULL);
    jsonw_bool(&w, "supported", true);
    jsonw_str(&w, "state", update_state_name(u->record.state));
    jsonw_str(&w, "slot", slot);
    jsonw_str(&w, "board", u->o.image.board);
    jsonw_str(&w, "version", u->o.image.version);
    jsonw_str(&w, "update", u->record.version);
    jsonw_str(&w, "from", u->record.from);
    jsonw_num(&w, "progress", progress(u), 3);
    jsonw_str(&w, "why", u->record.why);
    jsonw_obj_end(&w);
    updater_send(u, who, UPDMSG_OK, text, jsonw_end(&w));
}

/* ---- the reboot ---- */

void updater_reboot_soon(struct updater *u) {
    u->reboot_at_ms = clock_ms() + REBOOT_SOON_MS;
}

static void reboot_now(struct updater *u) {
    char *argv[] = {(char *)(uintptr_t)u->o.reboot, NULL};
    pid_t pid;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    log_notice("rebooting", "by=%s", u->o.reboot);
    sync();
    int err = posix_spawn(&pid, u->o.reboot, NULL, &attr, argv, environ);
    if (err)
        log_error("reboot", "why=\"%s\"", strerror(err));
    posix_spawnattr_destroy(&attr);
    /* Should it not come about: the next try. */
    u->reboot_at_ms = clock_ms() + REBOOT_AGAIN_MS;
}

/* ---- messages ---- */

static struct updater_answer on_rollback(struct updater *u) {
    if (u->record.state != UPDATE_TRIAL)
        return (struct updater_answer){UPDMSG_WRONG, "no system is on trial"};
    trial_end(u, "it was told to");
    return (struct updater_answer){UPDMSG_OK, ""};
}

static struct updater_answer on_reboot(struct updater *u) {
    if (job_busy(u))
        return (struct updater_answer){UPDMSG_BUSY, "an update is under way"};
    if (u->record.state == UPDATE_TRIAL)
        return (struct updater_answer){UPDMSG_BUSY, "this system is on trial"};
    updater_reboot_soon(u);
    return (struct updater_answer){UPDMSG_OK, ""};
}

static void on_message(struct updater *u, int who, size_t n) {
    const uint8_t *p = u->in + 1;
    struct updater_answer a = {UPDMSG_WRONG, "there is no such message"};
    bool owns = who == u->owner;
    n--;
    switch (u->in[0]) {
    case UPDMSG_STATUS:
        send_status(u, who);
        return;
    case UPDMSG_BEGIN:
        a = job_begin(u, who, p, n);
        break;
    case UPDMSG_DATA:
        if (owns)
            a = job_data(u, p, n);
        break;
    case UPDMSG_END:
        if (owns && job_end(u, &a))
            return;
        break;
    case UPDMSG_ROLLBACK:
        a = on_rollback(u);
        break;
    case UPDMSG_REBOOT:
        a = on_reboot(u);
        break;
    }
    updater_send(u, who, a.kind, a.why, strlen(a.why));
}

/* ---- clients ---- */

static void drop(struct updater *u, int who) {
    close(u->client[who]);
    u->client[who] = -1;
    if (u->owner == who)
        job_lost(u);
}

static bool may_speak(const struct updater *u, int fd) {
    struct ucred c;
    socklen_t len = sizeof c;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) != 0)
        return false;
    if (c.uid == 0 || c.uid == u->o.user)
        return true;
    log_warn("update_stranger", "uid=%u", (unsigned)c.uid);
    return false;
}

/* A free place, or that of the client that is here longest; the owner keeps his. */
static int place(struct updater *u) {
    for (int i = 0; i < UPDATER_CLIENTS; i++) {
        if (u->client[i] < 0)
            return i;
    }
    int i = u->oldest;
    if (i == u->owner)
        i = (i + 1) % UPDATER_CLIENTS;
    u->oldest = (i + 1) % UPDATER_CLIENTS;
    drop(u, i);
    return i;
}

static void on_connect(struct updater *u) {
    int fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (may_speak(u, fd))
        u->client[place(u)] = fd;
    else
        close(fd);
}

static void on_readable(struct updater *u, int who) {
    /* MSG_TRUNC: the length that the packet had. */
    ssize_t n = recv(u->client[who], u->in, sizeof u->in, MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (size_t)n > sizeof u->in)
        drop(u, who);
    else
        on_message(u, who, (size_t)n);
}

/* ---- the loop ---- */

static void sooner(uint64_t *at, uint64_t then) {
    if (then && then < *at)
        *at = then;
}

/* -1: nothing is due, and then it sleeps until somebody speaks. */
static int wait_ms(const struct updater *u) {
    uint64_t at = UINT64_MAX, now_ms = clock_ms();
    if (u->record.state == UPDATE_VERIFYING)
        return 0;
    sooner(&at, u->probe_at_ms);
    sooner(&at, u->reboot_at_ms);
    sooner(&at, u->owner != UPDATER_NOBODY ? u->owner_due_ms : 0);
    if (at == UINT64_MAX)
        return -1;
    return at <= now_ms ? 0 : (int)(at - now_ms);
}

static void do_what_is_due(struct updater *u) {
    uint64_t now_ms = clock_ms();
    if (u->record.state == UPDATE_VERIFYING)
        job_step(u);
    else if (u->owner != UPDATER_NOBODY && now_ms >= u->owner_due_ms)
        drop(u, u->owner);
    if (u->probe_at_ms && now_ms >= u->probe_at_ms)
        trial_look(u);
    if (u->reboot_at_ms && now_ms >= u->reboot_at_ms)
        reboot_now(u);
}

/* Until a signal ends it. */
static void loop(struct updater *u) {
    struct pollfd p[2 + UPDATER_CLIENTS];
    for (;;) {
        p[0] = (struct pollfd){.fd = u->signals, .events = POLLIN};
        p[1] = (struct pollfd){.fd = u->listener, .events = POLLIN};
        for (int i = 0; i < UPDATER_CLIENTS; i++)
            p[2 + i] = (struct pollfd){.fd = u->client[i], .events = POLLIN};
        int n = poll(p, 2 + UPDATER_CLIENTS, wait_ms(u));
        if (n > 0 && p[0].revents)
            return;
        for (int i = 0; n > 0 && i < UPDATER_CLIENTS; i++) {
            if (p[2 + i].revents && u->client[i] == p[2 + i].fd)
                on_readable(u, i);
        }
        if (n > 0 && p[1].revents)
            on_connect(u);
        do_what_is_due(u);
    }
}

/* ---- start ---- */

static int refuse(char *why, size_t cap, const char *what, int rc) {
    snprintf(why, cap, "%s: %s", what, strerror(-rc));
    return rc;
}

static int listen_at(struct updater *u, char *why, size_t cap) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    const char *path = u->o.socket;
    if (strlen(path) >= sizeof sa.sun_path)
        return refuse(why, cap, path, -ENAMETOOLONG);
    memcpy(sa.sun_path, path, strlen(path) + 1);
    u->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->listener < 0)
        return refuse(why, cap, "socket", -errno);
    unlink(path);
    /* Nobody else's for the moment between the two either. */
    mode_t mask = umask(0177);
    int rc = bind(u->listener, (struct sockaddr *)&sa, sizeof sa) == 0 ? 0 : -errno;
    umask(mask);
    if (rc == 0 && u->o.user != geteuid() && lchown(path, u->o.user, (gid_t)-1) != 0)
        rc = -errno;
    if (rc == 0 && listen(u->listener, UPDATER_CLIENTS) != 0)
        rc = -errno;
    return rc ? refuse(why, cap, path, rc) : 0;
}

static int open_signals(struct updater *u) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the reboot */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -errno;
    u->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return u->signals < 0 ? -errno : 0;
}

static int read_keys(struct updater *u, char *why, size_t cap) {
    char pem[VERIFY_PEM_MAX + 1];
    verify_init(&u->keys);
    for (unsigned i = 0; i < u->o.n_keys; i++) {
        int fd = open(u->o.key[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return refuse(why, cap, u->o.key[i], -errno);
        ssize_t n = read(fd, pem, sizeof pem);
        close(fd);
        if (n < 0 || verify_add(&u->keys, pem, (size_t)n) != 0) {
            snprintf(why, cap, "%s: not the public key of a P-256 pair, as PEM",
                     u->o.key[i]);
            return -EINVAL;
        }
    }
    return 0;
}

static int start(struct updater *u, char *why, size_t cap) {
    int rc = read_keys(u, why, cap);
    if (rc == 0 && (rc = open_signals(u)) != 0)
        refuse(why, cap, "signals", rc);
    if (rc == 0)
        rc = listen_at(u, why, cap);
    return rc == 0 ? trial_start(u, why, cap) : rc;
}

static void stop(struct updater *u) {
    for (int i = 0; i < UPDATER_CLIENTS; i++) {
        if (u->client[i] >= 0)
            drop(u, i);
    }
    slot_close(&u->slot);
    if (u->listener >= 0)
        close(u->listener);
    if (u->signals >= 0)
        close(u->signals);
    verify_free(&u->keys);
}

int updater_run(const struct updater_opts *o, char *why, size_t cap) {
    struct updater *u = pages_take(sizeof *u);
    if (!u)
        return refuse(why, cap, "start", -ENOMEM);
    u->o = *o;
    u->owner = UPDATER_NOBODY;
    u->listener = u->signals = u->slot.fd = -1;
    for (int i = 0; i < UPDATER_CLIENTS; i++)
        u->client[i] = -1;
    int rc = start(u, why, cap);
    if (rc == 0) {
        printf("ready updater=%s\n", o->socket);
        fflush(stdout);
        loop(u);
    }
    stop(u);
    pages_give(u, sizeof *u);
    return rc;
}
