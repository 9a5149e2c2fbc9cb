#pragma once
/* Who may do what on this board: the owner's passwords, the browsers that are logged
 * in, tokens for programs. It knows no HTTP (app/auth_routes) and no sessions of the
 * hub: those carry the id of the credential that opened them, and ask whether it still
 * holds (auth_life).
 *
 * Any thread. The tables are under a mutex that is held for microseconds. What
 * stretches a password [slow] runs on the caller's thread, one at a time in the whole
 * program: the next gets AUTH_BUSY. What is written [disk] is on the disk before it is
 * true.
 *
 * Fixed memory: AUTH_LOGINS browsers, of which the one idle longest gives way, and
 * AUTH_TOKENS tokens. Logins live in RAM: a restart ends them. Their time is monotonic,
 * that of tokens the wall clock's. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/auth_file.h"
#include "sec/password.h"
#include "sec/throttle.h"

#define AUTH_LOGINS 64u
#define AUTH_SECRET_TEXT (2 * SECRET_BYTES + 1) /* of a cookie's value */
#define AUTH_TOKEN_PREFIX "pb_"                 /* tokens are told by it */
#define AUTH_TOKEN_TEXT (AUTH_SECRET_TEXT + 3)
#define AUTH_CODE_FILE "claim-code"
/* Credentials that are no login or token. */
#define AUTH_NOBODY UINT64_C(0)
#define AUTH_LOCAL UINT64_MAX /* the socket on this machine */

struct auth_login {
    uint64_t credential; /* 0: the slot is free */
    uint64_t made_ms, seen_ms;
    uint8_t role;
    bool secure; /* it came over TLS, and goes only there */
    uint8_t hash[SECRET_HASH];
};

struct auth {
    const char *dir; /* the data folder; NULL: nobody can claim this board */
    uint64_t idle_ms, max_ms;
    int lock_fd; /* the folder, locked by whoever has the store open; -1: none */
    bool locked; /* auth.json cannot be understood: nobody gets in from outside */
    atomic_uint_fast64_t turn;   /* credentials ended since; see auth_due() */
    atomic_uint_fast64_t due_ms; /* the next may end by itself */
    pthread_mutex_t writing;     /* one change of the store at a time */
    pthread_mutex_t stretching;  /* one password at a time */
    pthread_mutex_t lock;        /* what follows */
    struct auth_store store;
    struct auth_login logins[AUTH_LOGINS];
    uint64_t last_credential;
    struct throttle throttle;
    char code[SECRET_CODE]; /* "": there is none to claim with */
};

/* a: zeroed. dir: NULL or the data folder, kept. Reads auth.json; while nobody owns the
 * board, there is a claim code in its file. 0 or -errno. A file that makes no sense is
 * no error: the board is then locked, and says so. */
int auth_open(struct auth *a, const char *dir, uint32_t idle_s, uint32_t max_s);
void auth_close(struct auth *a);
/* Nobody else has this store open, and nobody can open it before auth_close(): 0, or
 * -EWOULDBLOCK. For a change beside the program, when it does not run. */
int auth_alone(struct auth *a);
/* The claim code, or NULL when there is none: for whoever stands at the device. Before
 * other threads start. */
const char *auth_code(const struct auth *a);

/* ---- who asks ---- */

struct auth_who {
    enum role role;
    uint64_t credential;
};

/* Without a credential. */
void auth_anybody(struct auth *a, struct auth_who *who);
/* True, and *who, when it holds; being asked for is being used. */
bool auth_by_cookie(struct auth *a, const char *value, size_t n, bool secure,
                    uint64_t now_ms, struct auth_who *who);
bool auth_by_token(struct auth *a, const char *text, size_t n, int64_t wall_s,
                   struct auth_who *who);

/* ---- whether a credential still holds; for the hub's thread ---- */

/* Something may have ended since *turn, which moves on; cheap. */
bool auth_due(struct auth *a, uint64_t now_ms, uint64_t *turn);
enum auth_life { AUTH_HOLDS, AUTH_EXPIRED, AUTH_ENDED };
/* Of somebody who is connected with it, which counts as use. */
enum auth_life auth_life(struct auth *a, const struct auth_who *who, uint64_t now_ms,
                         int64_t wall_s);
/* After everybody was asked: lets expired logins go, and sees when the next will. */
void auth_sweep(struct auth *a, uint64_t now_ms, int64_t wall_s);

/* ---- changes ---- */

enum auth_rc {
    AUTH_OK,
    AUTH_WRONG,  /* the password or code is not right */
    AUTH_BUSY,   /* somebody else's is being stretched: in a second */
    AUTH_WAIT,   /* too many attempts: in wait_ms */
    AUTH_STATE,  /* claimed already, or not yet, or it cannot be */
    AUTH_WEAK,   /* the new password may not be: see weak */
    AUTH_SAME,   /* both passwords would be the same */
    AUTH_FULL,   /* no room for another token */
    AUTH_NONE,   /* there is no such token */
    AUTH_FAILED, /* the disk or the kernel refused: see err */
};

struct auth_verdict {
    enum auth_rc rc;
    uint64_t wait_ms;
    enum password_rc weak;
    int err;
};

/* Where somebody tries a password from. */
struct auth_from {
    uint8_t ip[16];
    bool secure;
    uint64_t now_ms;
};

/* A browser that is logged in now. */
struct auth_session {
    struct auth_who who;
    char cookie[AUTH_SECRET_TEXT];
};

struct auth_settings {
    bool view_login;
    bool keep_viewer;   /* its password stays */
    const char *viewer; /* else this; NULL: there is none */
};

/* [slow] [disk] The first to bring the code owns the board. */
struct auth_verdict auth_claim(struct auth *a, const struct auth_from *from,
                               const char *code, const char *password,
                               const struct auth_settings *set,
                               struct auth_session *out);
/* [slow] The password decides the role. */
struct auth_verdict auth_login(struct auth *a, const struct auth_from *from,
                               const char *password, struct auth_session *out);
/* Ends this login, or all of its role and below. */
void auth_logout(struct auth *a, const struct auth_who *who, bool everywhere);
/* [slow] [disk] The admin's new password; ends all other logins of admins. */
struct auth_verdict auth_password(struct auth *a, const struct auth_from *from,
                                  const struct auth_who *who, const char *old,
                                  const char *fresh);
/* [slow] [disk] Without the old one, for who stands at the device: claims the board
 * when nobody has. Ends all logins of the role. fresh NULL: viewers have none. */
struct auth_verdict auth_reset(struct auth *a, enum role role, const char *fresh);
/* [slow] [disk] A viewer's password that changes or goes ends the logins of viewers. */
struct auth_verdict auth_set(struct auth *a, const struct auth_settings *set);

/* [disk] text: the token itself, which nobody can show again. days: 0 for ever. */
struct auth_verdict auth_token_add(struct auth *a, const char *name, enum role role,
                                   uint32_t days, int64_t wall_s,
                                   char text[AUTH_TOKEN_TEXT], uint32_t *id);
/* [disk] */
struct auth_verdict auth_token_revoke(struct auth *a, uint32_t id);

/* auth.json made no sense, and nobody has made another by auth_reset(). */
bool auth_is_locked(struct auth *a);
/* A copy of what is true now. */
void auth_view(struct auth *a, struct auth_store *out);
