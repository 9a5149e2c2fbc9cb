#include "app/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/auth_priv.h"
#include "base/log.h"
#include "base/savefile.h"

/* Tokens end by the wall clock, which may jump: looked at this often while one is in
 * use. */
#define WALL_LOOK_MS 60000u
/* A clock further behind than this was never set: what may have ended, has. */
#define WALL_SLACK_S (2 * 86400)

/* ---- start ---- */

/* Bytes read, or -errno. */
static long read_file(const char *dir, const char *name, char *out, size_t cap) {
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC);
    long rc = -errno;
    if (folder >= 0)
        close(folder);
    if (fd < 0)
        return rc;
    size_t n = 0;
    ssize_t got = 0;
    do {
        got = read(fd, out + n, cap - n);
        n += got > 0 ? (size_t)got : 0;
    } while (n < cap && (got > 0 || (got < 0 && errno == EINTR)));
    rc = got < 0 ? -errno : n == cap ? -EFBIG : (long)n;
    close(fd);
    return rc;
}

/* The one of an earlier start, so that what somebody wrote down stays right. */
static int read_code(struct auth *a) {
    char text[64];
    long n = read_file(a->dir, AUTH_CODE_FILE, text, sizeof text - 1);
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    return secret_code_read(a->code, text);
}

static int make_code(struct auth *a) {
    char line[SECRET_CODE + 1];
    int rc = secret_code(a->code);
    if (rc)
        return rc;
    int n = snprintf(line, sizeof line, "%s\n", a->code);
    return savefile(a->dir, AUTH_CODE_FILE, 0600, line, (size_t)n);
}

static int read_store(struct auth *a) {
    char text[AUTH_FILE_MAX + 1];
    long n = read_file(a->dir, AUTH_FILE, text, sizeof text);
    return n < 0 ? (int)n : auth_file_read(&a->store, text, (size_t)n);
}

/* Better closed than open: what cannot be understood may have said that looking needs a
 * login, and surely said who owns the board. */
static int open_store(struct auth *a) {
    int rc = read_store(a);
    if (rc && rc != -ENOENT) {
        log_warn("auth_locked", "file=%s errno=%d", AUTH_FILE, -rc);
        a->locked = a->store.view_login = true;
        return 0;
    }
    if (a->store.claimed)
        return 0;
    return read_code(a) == 0 ? 0 : make_code(a);
}

/* Waits only for one who is changing the store beside the program. */
static int take_lock(struct auth *a) {
    int folder = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    a->lock_fd = folder;
    return folder < 0 || flock(folder, LOCK_SH) != 0 ? -errno : 0;
}

int auth_alone(struct auth *a) {
    return flock(a->lock_fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

int auth_open(struct auth *a, const char *dir, uint32_t idle_s, uint32_t max_s) {
    a->dir = dir;
    a->idle_ms = (uint64_t)idle_s * 1000;
    a->max_ms = (uint64_t)max_s * 1000;
    a->last_credential = AUTH_FIRST_LOGIN;
    atomic_store(&a->due_ms, UINT64_MAX);
    pthread_mutex_init(&a->writing, NULL);
    pthread_mutex_init(&a->stretching, NULL);
    pthread_mutex_init(&a->lock, NULL);
    a->lock_fd = -1;
    int rc = dir ? take_lock(a) : 0;
    if (dir && rc == 0)
        rc = open_store(a);
    if (rc)
        auth_close(a);
    return rc;
}

void auth_close(struct auth *a) {
    pthread_mutex_destroy(&a->writing);
    pthread_mutex_destroy(&a->stretching);
    pthread_mutex_destroy(&a->lock);
    if (a->lock_fd >= 0)
        close(a->lock_fd);
    secret_wipe(a, sizeof *a);
}

const char *auth_code(const struct auth *a) { return a->code[0] ? a->code : NULL; }

/* ---- what holds ---- */

void auth_turned(struct auth *a) { atomic_fetch_add(&a->turn, 1); }

static bool open_to_all(const struct auth *a) {
    return !a->locked && !(a->store.claimed && a->store.view_login);
}

static uint64_t login_end_ms(const struct auth *a, const struct auth_login *l) {
    uint64_t idle_ms = l->seen_ms + a->idle_ms, end_ms = l->made_ms + a->max_ms;
    return idle_ms < end_ms ? idle_ms : end_ms;
}

static bool login_holds(const struct auth *a, const struct auth_login *l,
                        uint64_t now_ms) {
    return now_ms < login_end_ms(a, l);
}

static bool token_holds(const struct auth_token *t, int64_t wall_s) {
    return t->ends_s == 0 || (wall_s < t->ends_s && wall_s >= t->made_s - WALL_SLACK_S);
}

/* A login ends no later than this. */
static void due_by(struct auth *a, uint64_t at_ms) {
    if (at_ms < atomic_load(&a->due_ms))
        atomic_store(&a->due_ms, at_ms);
}

/* ---- who asks ---- */

void auth_anybody(struct auth *a, struct auth_who *who) {
    pthread_mutex_lock(&a->lock);
    *who = (struct auth_who){open_to_all(a) ? ROLE_VIEWER : ROLE_NONE, AUTH_NOBODY};
    pthread_mutex_unlock(&a->lock);
}

bool auth_by_cookie(struct auth *a, const char *value, size_t n, bool secure,
                    uint64_t now_ms, struct auth_who *who) {
    uint8_t raw[SECRET_BYTES], hash[SECRET_HASH];
    bool found = false;
    if (secret_unhex(raw, sizeof raw, value, n) != 0)
        return false;
    secret_hash(raw, sizeof raw, hash);
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        if (!secret_same(l->hash, hash, sizeof hash) || !l->credential ||
            l->secure != secure || !login_holds(a, l, now_ms))
            continue;
        l->seen_ms = now_ms;
        *who = (struct auth_who){(enum role)l->role, l->credential};
        found = true;
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

bool auth_by_token(struct auth *a, const char *text, size_t n, int64_t wall_s,
                   struct auth_who *who) {
    static const size_t head = sizeof AUTH_TOKEN_PREFIX - 1;
    uint8_t raw[SECRET_BYTES], hash[SECRET_HASH];
    bool found = false;
    if (n < head || memcmp(text, AUTH_TOKEN_PREFIX, head) != 0 ||
        secret_unhex(raw, sizeof raw, text + head, n - head) != 0)
        return false;
    secret_hash(raw, sizeof raw, hash);
    pthread_mutex_lock(&a->lock);
    for (uint32_t i = 0; i < a->store.n_tokens; i++) {
        const struct auth_token *t = &a->store.tokens[i];
        if (!secret_same(t->hash, hash, sizeof hash) || !token_holds(t, wall_s))
            continue;
        *who = (struct auth_who){(enum role)t->role, t->id};
        found = true;
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

/* ---- those who are connected ---- */

bool auth_due(struct auth *a, uint64_t now_ms, uint64_t *turn) {
    uint64_t now = atomic_load(&a->turn);
    bool due = now != *turn || now_ms >= atomic_load(&a->due_ms);
    *turn = now;
    return due;
}

static enum auth_life life_of_login(struct auth *a, uint64_t credential,
                                    uint64_t now_ms) {
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        if (l->credential != credential)
            continue;
        /* Whoever watches is not idle, even if it was looked at late. */
        l->seen_ms = now_ms;
        return login_holds(a, l, now_ms) ? AUTH_HOLDS : AUTH_EXPIRED;
    }
    return AUTH_ENDED;
}

static enum auth_life life_of_token(const struct auth *a, uint64_t credential,
                                    int64_t wall_s) {
    for (uint32_t i = 0; i < a->store.n_tokens; i++) {
        const struct auth_token *t = &a->store.tokens[i];
        if (t->id == credential)
            return token_holds(t, wall_s) ? AUTH_HOLDS : AUTH_EXPIRED;
    }
    return AUTH_ENDED;
}

enum auth_life auth_life(struct auth *a, const struct auth_who *who, uint64_t now_ms,
                         int64_t wall_s) {
    enum auth_life life = AUTH_HOLDS;
    if (who->credential == AUTH_LOCAL)
        return AUTH_HOLDS;
    pthread_mutex_lock(&a->lock);
    if (who->credential == AUTH_NOBODY)
        life = open_to_all(a) ? AUTH_HOLDS : AUTH_ENDED;
    else if (who->credential >= AUTH_FIRST_LOGIN)
        life = life_of_login(a, who->credential, now_ms);
    else
        life = life_of_token(a, who->credential, wall_s);
    pthread_mutex_unlock(&a->lock);
    return life;
}

void auth_sweep(struct auth *a, uint64_t now_ms, int64_t wall_s) {
    uint64_t due_ms = UINT64_MAX;
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        if (!l->credential)
            continue;
        if (!login_holds(a, l, now_ms))
            *l = (struct auth_login){0};
        else if (login_end_ms(a, l) < due_ms)
            due_ms = login_end_ms(a, l);
    }
    for (uint32_t i = 0; i < a->store.n_tokens; i++) {
        const struct auth_token *t = &a->store.tokens[i];
        if (t->ends_s == 0 || !token_holds(t, wall_s))
            continue;
        uint64_t left_s = (uint64_t)(t->ends_s - wall_s);
        uint64_t look_ms = left_s < WALL_LOOK_MS / 1000 ? left_s * 1000 : WALL_LOOK_MS;
        if (now_ms + look_ms < due_ms)
            due_ms = now_ms + look_ms;
    }
    atomic_store(&a->due_ms, due_ms);
    pthread_mutex_unlock(&a->lock);
}

/* ---- logins ---- */

/* A free slot, or that of the login which is idle longest; an admin's goes last. */
static struct auth_login *login_slot(struct auth *a) {
    struct auth_login *best = &a->logins[0];
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        if (!l->credential)
            return l;
        if (l->role != best->role ? l->role < best->role : l->seen_ms < best->seen_ms)
            best = l;
    }
    auth_turned(a);
    return best;
}

int auth_admit(struct auth *a, enum role role, bool secure, uint64_t now_ms,
               struct auth_session *out) {
    uint8_t raw[SECRET_BYTES];
    int rc = secret_random(raw, sizeof raw);
    if (rc)
        return rc;
    struct auth_login *l = login_slot(a);
    *l = (struct auth_login){.credential = ++a->last_credential,
                             .made_ms = now_ms,
                             .seen_ms = now_ms,
                             .role = (uint8_t)role,
                             .secure = secure};
    secret_hash(raw, sizeof raw, l->hash);
    secret_hex(out->cookie, raw, sizeof raw);
    secret_wipe(raw, sizeof raw);
    out->who = (struct auth_who){role, l->credential};
    due_by(a, login_end_ms(a, l));
    return 0;
}

void auth_end_logins(struct auth *a, enum role role, uint64_t but) {
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        if (l->role == role && l->credential != but)
            *l = (struct auth_login){0};
    }
    auth_turned(a);
}

void auth_logout(struct auth *a, const struct auth_who *who, bool everywhere) {
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        struct auth_login *l = &a->logins[i];
        bool same = l->credential == who->credential;
        if (l->credential && (same || (everywhere && l->role <= who->role)))
            *l = (struct auth_login){0};
    }
    auth_turned(a);
    pthread_mutex_unlock(&a->lock);
}

bool auth_is_locked(struct auth *a) {
    pthread_mutex_lock(&a->lock);
    bool locked = a->locked;
    pthread_mutex_unlock(&a->lock);
    return locked;
}

void auth_view(struct auth *a, struct auth_store *out) {
    pthread_mutex_lock(&a->lock);
    *out = a->store;
    pthread_mutex_unlock(&a->lock);
}
