/* What changes who may do what. A change is made on a copy, which goes to the disk, and
 * only then is it true: a disk that is full changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/auth_priv.h"
#include "base/log.h"
#include "base/savefile.h"

static struct auth_verdict only(enum auth_rc rc) {
    return (struct auth_verdict){.rc = rc};
}

static struct auth_verdict failed(int err) {
    log_warn("auth_not_saved", "errno=%d", -err);
    return (struct auth_verdict){.rc = AUTH_FAILED, .err = err};
}

/* ---- the store ---- */

/* With `writing` held. The old code is worth nothing once the board has an owner. */
static void forget_code(struct auth *a) {
    int folder = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        unlinkat(folder, AUTH_CODE_FILE, 0);
        close(folder);
    }
}

/* With `writing` held. 0 or -errno. */
static int save(struct auth *a, const struct auth_store *next) {
    char text[AUTH_FILE_MAX];
    size_t n = auth_file_write(next, text, sizeof text);
    int rc = n ? savefile(a->dir, AUTH_FILE, 0600, text, n) : -EFBIG;
    if (rc)
        return rc;
    pthread_mutex_lock(&a->lock);
    a->store = *next;
    a->locked = false;
    if (next->claimed)
        secret_wipe(a->code, sizeof a->code);
    auth_turned(a);
    pthread_mutex_unlock(&a->lock);
    if (next->claimed)
        forget_code(a);
    return 0;
}

static struct auth_verdict saved(int rc) { return rc ? failed(rc) : only(AUTH_OK); }

/* ---- stretching ---- */

/* False: another one is at it. */
static bool begin_slow(struct auth *a) {
    return pthread_mutex_trylock(&a->stretching) == 0;
}

static void end_slow(struct auth *a) { pthread_mutex_unlock(&a->stretching); }

static void stretch(const struct auth_store *s, const char *password,
                    uint8_t out[PBKDF2_HASH]) {
    pbkdf2(password, strlen(password), s->salt, s->rounds, out);
}

/* How the first password is kept, and those after it: see struct auth_store. */
static int season(struct auth_store *s) {
    s->rounds = pbkdf2_calibrate();
    return secret_random(s->salt, sizeof s->salt);
}

static bool may_be(const char *password, struct auth_verdict *v) {
    v->weak = password_check(password);
    v->rc = v->weak == PASSWORD_OK ? AUTH_OK : AUTH_WEAK;
    return v->rc == AUTH_OK;
}

/* A stretch that somebody outside has asked for. True: it may begin, and is counted as
 * a failure until somebody says otherwise. */
static bool attempt(struct auth *a, const struct auth_from *from,
                    struct auth_verdict *v) {
    if (!begin_slow(a)) {
        *v = only(AUTH_BUSY);
        return false;
    }
    pthread_mutex_lock(&a->lock);
    v->wait_ms = throttle_try(&a->throttle, from->ip, from->now_ms);
    pthread_mutex_unlock(&a->lock);
    if (v->wait_ms == 0)
        return true;
    v->rc = AUTH_WAIT;
    end_slow(a);
    return false;
}

/* With the lock held. */
static void was_right(struct auth *a, const struct auth_from *from) {
    throttle_good(&a->throttle, from->ip, from->now_ms);
}

static void forgive(struct auth *a, const struct auth_from *from) {
    pthread_mutex_lock(&a->lock);
    was_right(a, from);
    pthread_mutex_unlock(&a->lock);
}

static struct auth_verdict let_in(struct auth *a, const struct auth_from *from,
                                  enum role role, struct auth_session *out) {
    pthread_mutex_lock(&a->lock);
    int rc = auth_admit(a, role, from->secure, from->now_ms, out);
    pthread_mutex_unlock(&a->lock);
    return rc ? failed(rc) : only(AUTH_OK);
}

/* ---- claim ---- */

static bool claimable(struct auth *a) {
    pthread_mutex_lock(&a->lock);
    bool yes = a->code[0] != '\0';
    pthread_mutex_unlock(&a->lock);
    return yes;
}

static bool code_is(struct auth *a, const char *typed) {
    char code[SECRET_CODE] = "";
    pthread_mutex_lock(&a->lock);
    bool same = secret_code_read(code, typed) == 0 && a->code[0] &&
                secret_same(code, a->code, sizeof code);
    pthread_mutex_unlock(&a->lock);
    return same;
}

static bool viewer_fits(const char *viewer, const char *admin, struct auth_verdict *v) {
    if (!viewer)
        return true;
    if (admin && strcmp(viewer, admin) == 0) {
        *v = only(AUTH_SAME);
        return false;
    }
    return may_be(viewer, v);
}

static struct auth_verdict found(struct auth *a, const char *password,
                                 const struct auth_settings *set) {
    struct auth_store next = {.claimed = true, .view_login = set->view_login};
    int rc = season(&next);
    if (rc)
        return failed(rc);
    stretch(&next, password, next.admin);
    if (set->viewer)
        stretch(&next, set->viewer, next.viewer);
    next.viewer_set = set->viewer != NULL;
    pthread_mutex_lock(&a->writing);
    bool late = a->store.claimed;
    rc = late ? 0 : save(a, &next);
    pthread_mutex_unlock(&a->writing);
    return late ? only(AUTH_STATE) : saved(rc);
}

struct auth_verdict auth_claim(struct auth *a, const struct auth_from *from,
                               const char *code, const char *password,
                               const struct auth_settings *set,
                               struct auth_session *out) {
    struct auth_verdict v = {0};
    if (!claimable(a))
        return only(AUTH_STATE);
    if (!may_be(password, &v) || !viewer_fits(set->viewer, password, &v) ||
        !attempt(a, from, &v))
        return v;
    if (code_is(a, code)) {
        forgive(a, from);
        v = found(a, password, set);
        if (v.rc == AUTH_OK)
            v = let_in(a, from, ROLE_ADMIN, out);
    } else
        v.rc = AUTH_WRONG;
    end_slow(a);
    return v;
}

/* ---- login ---- */

/* Whose password it is; the time tells nothing. */
static enum role owner_of(const struct auth_store *s, const char *password) {
    uint8_t hash[PBKDF2_HASH];
    stretch(s, password, hash);
    bool admin = secret_same(hash, s->admin, sizeof hash);
    bool viewer = secret_same(hash, s->viewer, sizeof hash);
    secret_wipe(hash, sizeof hash);
    if (s->claimed && admin)
        return ROLE_ADMIN;
    return s->viewer_set && viewer ? ROLE_VIEWER : ROLE_NONE;
}

struct auth_verdict auth_login(struct auth *a, const struct auth_from *from,
                               const char *password, struct auth_session *out) {
    struct auth_verdict v = {0};
    struct auth_store s;
    auth_view(a, &s);
    if (!s.claimed)
        return only(AUTH_STATE);
    if (!attempt(a, from, &v))
        return v;
    enum role role = owner_of(&s, password);
    if (role > ROLE_NONE) {
        forgive(a, from);
        v = let_in(a, from, role, out);
    } else
        v.rc = AUTH_WRONG;
    end_slow(a);
    return v;
}

/* ---- other passwords ---- */

/* Puts a password of this role into the store, NULL: takes it out; ends its logins, but
 * for one. s: how it is stretched, which changes only under `stretching`. */
static struct auth_verdict put_password(struct auth *a, const struct auth_store *s,
                                        enum role role, const char *fresh,
                                        uint64_t but) {
    struct auth_store next;
    uint8_t hash[PBKDF2_HASH] = {0};
    if (fresh)
        stretch(s, fresh, hash);
    pthread_mutex_lock(&a->writing);
    auth_view(a, &next);
    next.rounds = s->rounds;
    memcpy(next.salt, s->salt, sizeof next.salt);
    memcpy(role == ROLE_ADMIN ? next.admin : next.viewer, hash, sizeof hash);
    if (role == ROLE_ADMIN)
        next.claimed = true;
    else
        next.viewer_set = fresh != NULL;
    int rc = save(a, &next);
    pthread_mutex_unlock(&a->writing);
    if (rc)
        return failed(rc);
    pthread_mutex_lock(&a->lock);
    auth_end_logins(a, role, but);
    pthread_mutex_unlock(&a->lock);
    return only(AUTH_OK);
}

struct auth_verdict auth_password(struct auth *a, const struct auth_from *from,
                                  const struct auth_who *who, const char *old,
                                  const char *fresh) {
    struct auth_verdict v = {0};
    struct auth_store s;
    auth_view(a, &s);
    if (!s.claimed)
        return only(AUTH_STATE);
    if (!may_be(fresh, &v) || !attempt(a, from, &v))
        return v;
    if (owner_of(&s, old) != ROLE_ADMIN)
        v.rc = AUTH_WRONG;
    else {
        forgive(a, from);
        v = owner_of(&s, fresh) == ROLE_VIEWER
                ? only(AUTH_SAME)
                : put_password(a, &s, ROLE_ADMIN, fresh, who->credential);
    }
    end_slow(a);
    return v;
}

struct auth_verdict auth_reset(struct auth *a, enum role role, const char *fresh) {
    enum role other = role == ROLE_ADMIN ? ROLE_VIEWER : ROLE_ADMIN;
    struct auth_verdict v = {0};
    struct auth_store s;
    if (!a->dir)
        return only(AUTH_STATE);
    if (fresh && !may_be(fresh, &v))
        return v;
    if (!begin_slow(a))
        return only(AUTH_BUSY);
    auth_view(a, &s);
    int rc = s.rounds ? 0 : season(&s);
    if (rc)
        v = failed(rc);
    else if (role == ROLE_VIEWER && !s.claimed)
        v.rc = AUTH_STATE;
    else if (fresh && owner_of(&s, fresh) == other)
        v.rc = AUTH_SAME;
    else
        v = put_password(a, &s, role, fresh, AUTH_NOBODY);
    end_slow(a);
    return v;
}

struct auth_verdict auth_set(struct auth *a, const struct auth_settings *set) {
    struct auth_verdict v = {0};
    struct auth_store next;
    if (!set->keep_viewer)
        v = auth_reset(a, ROLE_VIEWER, set->viewer);
    if (v.rc != AUTH_OK)
        return v;
    pthread_mutex_lock(&a->writing);
    auth_view(a, &next);
    int rc = 0;
    if (!next.claimed)
        v.rc = AUTH_STATE;
    else if (next.view_login != set->view_login) {
        next.view_login = set->view_login;
        rc = save(a, &next);
    }
    pthread_mutex_unlock(&a->writing);
    return rc ? failed(rc) : v;
}

/* ---- tokens ---- */

static int make_token(struct auth_token *t, char text[AUTH_TOKEN_TEXT]) {
    uint8_t raw[SECRET_BYTES];
    int rc = secret_random(raw, sizeof raw);
    if (rc)
        return rc;
    secret_hash(raw, sizeof raw, t->hash);
    memcpy(text, AUTH_TOKEN_PREFIX, sizeof AUTH_TOKEN_PREFIX);
    secret_hex(text + strlen(text), raw, sizeof raw);
    secret_wipe(raw, sizeof raw);
    return 0;
}

struct auth_verdict auth_token_add(struct auth *a, const char *name, enum role role,
                                   uint32_t days, int64_t wall_s,
                                   char text[AUTH_TOKEN_TEXT], uint32_t *id) {
    struct auth_verdict v = {0};
    struct auth_store next;
    pthread_mutex_lock(&a->writing);
    auth_view(a, &next);
    if (!next.claimed)
        v.rc = AUTH_STATE;
    else if (next.n_tokens == AUTH_TOKENS || next.last_id == UINT32_MAX)
        v.rc = AUTH_FULL;
    else {
        struct auth_token *t = &next.tokens[next.n_tokens++];
        *t = (struct auth_token){
            .id = ++next.last_id, .role = (uint8_t)role, .made_s = wall_s};
        t->ends_s = days ? wall_s + (int64_t)days * 86400 : 0;
        snprintf(t->name, sizeof t->name, "%s", name);
        int rc = make_token(t, text);
        rc = rc ? rc : save(a, &next);
        if (rc)
            v = failed(rc);
        else
            *id = t->id;
    }
    pthread_mutex_unlock(&a->writing);
    return v;
}

struct auth_verdict auth_token_revoke(struct auth *a, uint32_t id) {
    struct auth_store next;
    uint32_t i = 0;
    pthread_mutex_lock(&a->writing);
    auth_view(a, &next);
    while (i < next.n_tokens && next.tokens[i].id != id)
        i++;
    struct auth_verdict v = only(AUTH_NONE);
    if (i < next.n_tokens) {
        next.tokens[i] = next.tokens[--next.n_tokens];
        v = saved(save(a, &next));
    }
    pthread_mutex_unlock(&a->writing);
    return v;
}
