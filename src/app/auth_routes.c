#include "app/auth_routes.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/auth.h"
#include "app/body.h"
#include "app/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/field.h"
#include "http/uri.h"
#include "sec/secret.h"

#define TOKEN_DAYS_MAX 36500.0

static int64_t wall_s(void) { return clock_wall_ms() / 1000; }

/* ---- who asks ---- */

/* More than one cookie of the name is somebody else's doing: none counts. */
static bool by_cookie(struct auth *a, const struct httpd_rq *rq, struct auth_who *who) {
    struct slice field = {NULL, 0}, value = {NULL, 0};
    const char *name = rq->secure ? AUTH_COOKIE_TLS : AUTH_COOKIE;
    return head_get(rq->head, "Cookie", &field) == 1 &&
           field_cookie(field, name, &value) == 1 &&
           auth_by_cookie(a, value.p, value.n, rq->secure, clock_ms(), who);
}

void auth_identify(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct auth_who who = {ROLE_NONE, AUTH_NOBODY};
    struct slice field = {NULL, 0}, token = {NULL, 0};
    unsigned fields = head_get(rq->head, "Authorization", &field);
    if (rq->local) {
        who = (struct auth_who){ROLE_ADMIN, AUTH_LOCAL};
    } else if (fields > 0) {
        if (fields == 1 && field_bearer(field, &token))
            auth_by_token(r->auth, token.p, token.n, wall_s(), &who);
    } else if (by_cookie(r->auth, rq, &who))
        rq->ambient = true;
    else
        auth_anybody(r->auth, &who);
    rq->role = who.role;
    rq->credential = who.credential;
}

static struct auth_who asker(const struct httpd_rq *rq) {
    return (struct auth_who){rq->role, rq->credential};
}

static struct auth_from from(const struct httpd_rq *rq) {
    struct auth_from f = {.secure = rq->secure, .now_ms = clock_ms()};
    memcpy(f.ip, rq->addr.ip, sizeof f.ip);
    return f;
}

/* ---- answers ---- */

/* The event is for the log: what was tried, from where, and what came of it. */
static void note(const struct httpd_rq *rq, const char *event, const char *result) {
    char addr[SESS_ADDR_TEXT];
    log_notice(event, "address=%s result=%s",
               sess_addr_text(&rq->addr, addr, sizeof addr), result);
}

static void slow_down(struct httpd_rq *rq, uint64_t wait_ms) {
    char extra[48], text[96];
    unsigned long long s = (wait_ms + 999) / 1000;
    snprintf(extra, sizeof extra, "Retry-After: %llu\r\n", s);
    snprintf(text, sizeof text, "Too many attempts. Try again in %llu s.", s);
    httpd_problem(rq, 429, extra, text);
}

/* wrong: what to say of a password or code that is not right, and its status. True: it
 * was done, and wants its answer. */
static bool done(struct httpd_rq *rq, const char *event, struct auth_verdict v,
                 int wrong_status, const char *wrong) {
    static const char *const results[] = {
        [AUTH_OK] = "ok",         [AUTH_WRONG] = "wrong", [AUTH_BUSY] = "busy",
        [AUTH_WAIT] = "slowed",   [AUTH_STATE] = "state", [AUTH_WEAK] = "weak",
        [AUTH_SAME] = "same",     [AUTH_FULL] = "full",   [AUTH_NONE] = "none",
        [AUTH_FAILED] = "failed",
    };
    note(rq, event, results[v.rc]);
    switch (v.rc) {
    case AUTH_OK:
        return true;
    case AUTH_WRONG:
        httpd_problem(rq, wrong_status,
                      wrong_status == 401 ? "WWW-Authenticate: Bearer\r\n" : NULL,
                      wrong);
        break;
    case AUTH_BUSY:
        slow_down(rq, 1000);
        break;
    case AUTH_WAIT:
        slow_down(rq, v.wait_ms);
        break;
    case AUTH_STATE:
        httpd_problem(rq, 409, NULL, "This board is claimed already, or not yet.");
        break;
    case AUTH_WEAK:
        httpd_problem(rq, 422, NULL, password_why(v.weak));
        break;
    case AUTH_SAME:
        httpd_problem(rq, 422, NULL,
                      "Both passwords are the same: they decide who may "
                      "what, so they must differ.");
        break;
    case AUTH_FULL:
        httpd_problem(rq, 409, NULL, "There is no room for another token.");
        break;
    case AUTH_NONE:
        httpd_problem(rq, 404, NULL, "There is no such token.");
        break;
    case AUTH_FAILED:
        httpd_problem(rq, 500, NULL, "It could not be kept: nothing has changed.");
        break;
    }
    return false;
}

static void session_json(struct jsonw *w, const struct routes *r,
                         const struct httpd_rq *rq, enum role role) {
    char https[320];
    bool elsewhere = httpd_only_looks(rq) && httpd_over_tls(rq, https, sizeof https);
    struct auth_store s;
    auth_view(r->auth, &s);
    bool locked = auth_is_locked(r->auth);
    jsonw_obj(w, NULL);
    jsonw_str(w, "role", role_name(role));
    jsonw_bool(w, "claimed", s.claimed || locked);
    jsonw_bool(w, "claimable", r->auth->dir && !s.claimed && !locked);
    jsonw_bool(w, "view_login", s.view_login);
    jsonw_u64(w, "min_password", PASSWORD_MIN);
    jsonw_str(w, "password_at", elsewhere ? https : NULL);
    jsonw_obj_end(w);
}

/* value NULL: the browser forgets it. */
static void cookie_field(const struct routes *r, const struct httpd_rq *rq,
                         const char *value, char *out, size_t cap) {
    unsigned long long age_s = value ? r->auth->max_ms / 1000 : 0;
    snprintf(out, cap,
             "Set-Cookie: %s=%s; Path=/; Max-Age=%llu; HttpOnly; SameSite=Strict%s\r\n",
             rq->secure ? AUTH_COOKIE_TLS : AUTH_COOKIE, value ? value : "", age_s,
             rq->secure ? "; Secure" : "");
}

/* As the page sees it from now on; with a cookie that is new, or none any more. */
static void answer_session(const struct routes *r, struct httpd_rq *rq, enum role role,
                           bool sets_cookie, const char *cookie) {
    char text[640], extra[256] = "";
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    session_json(&w, r, rq, role);
    if (sets_cookie)
        cookie_field(r, rq, cookie, extra, sizeof extra);
    httpd_reply(rq, &(struct reply){.status = 200,
                                    .type = "application/json",
                                    .extra = extra,
                                    .body = text,
                                    .n = jsonw_end(&w)});
}

void auth_get_session(void *ctx, struct httpd_rq *rq) {
    answer_session(ctx, rq, rq->role, false, NULL);
}

/* ---- claim, login, logout ---- */

void auth_post_claim(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    bool ok = true;
    struct auth_session s = {0};
    struct auth_from f = from(rq);
    const char *code = body_text(rq, body, "code", true, &ok);
    const char *password = body_text(rq, body, "password", true, &ok);
    struct auth_settings set = {
        .view_login = body_bool(rq, body, "view_login", false, &ok),
        .viewer = body_text(rq, body, "viewer_password", false, &ok),
    };
    if (ok && done(rq, "claim", auth_claim(r->auth, &f, code, password, &set, &s), 403,
                   "This is not the claim code of this board.")) {
        hub_kick(r->hub);
        answer_session(r, rq, s.who.role, true, s.cookie);
    }
    secret_wipe(&s, sizeof s);
    body_done(body);
}

void auth_post_login(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    bool ok = true;
    struct auth_session s = {0};
    struct auth_from f = from(rq);
    const char *password = body_text(rq, body, "password", true, &ok);
    if (ok && done(rq, "login", auth_login(r->auth, &f, password, &s), 401,
                   "This is not the password."))
        answer_session(r, rq, s.who.role, true, s.cookie);
    secret_wipe(&s, sizeof s);
    body_done(body);
}

void auth_post_logout(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    bool ok = true, everywhere = body_bool(rq, body, "everywhere", false, &ok);
    if (ok) {
        /* Only a login can be ended: tokens are revoked, nobody stays nobody. */
        struct auth_who who = asker(rq);
        if (rq->ambient) {
            auth_logout(r->auth, &who, everywhere);
            note(rq, "logout", everywhere ? "everywhere" : "ok");
            hub_kick(r->hub);
        }
        auth_anybody(r->auth, &who);
        answer_session(r, rq, who.role, true, NULL);
    }
    body_done(body);
}

static const char wrong_role[] = "The role is viewer or admin.";

/* ---- passwords ---- */

/* Whoever is at the device needs no old one: it is their way back in. */
static struct auth_verdict reset(struct httpd_rq *rq, const struct routes *r,
                                 const cJSON *body, const char *fresh, bool *ok) {
    const char *text = body_text(rq, body, "role", false, ok);
    enum role role = ROLE_ADMIN;
    if (*ok && text && !role_parse(text, &role)) {
        httpd_problem(rq, 422, NULL, wrong_role);
        *ok = false;
    }
    return *ok ? auth_reset(r->auth, role, fresh) : (struct auth_verdict){0};
}

void auth_post_password(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    bool ok = true;
    struct auth_from f = from(rq);
    struct auth_who who = asker(rq);
    const char *old = body_text(rq, body, "old", !rq->local, &ok);
    const char *fresh = body_text(rq, body, "new", true, &ok);
    struct auth_verdict v = {0};
    if (ok)
        v = rq->local ? reset(rq, r, body, fresh, &ok)
                      : auth_password(r->auth, &f, &who, old, fresh);
    if (ok && done(rq, "password", v, 403, "The old password is not right.")) {
        hub_kick(r->hub);
        httpd_reply(rq, &(struct reply){.status = 204});
    }
    body_done(body);
}

static void answer_access(const struct routes *r, struct httpd_rq *rq) {
    char text[128];
    struct auth_store s;
    struct jsonw w;
    auth_view(r->auth, &s);
    jsonw_init(&w, text, sizeof text);
    jsonw_obj(&w, NULL);
    jsonw_bool(&w, "view_login", s.view_login);
    jsonw_bool(&w, "viewer_password", s.viewer_set);
    jsonw_obj_end(&w);
    routes_answer_json(rq, &w);
}

void auth_get_access(void *ctx, struct httpd_rq *rq) { answer_access(ctx, rq); }

void auth_post_access(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    bool ok = true;
    struct auth_store now;
    auth_view(r->auth, &now);
    struct auth_settings set = {
        .view_login = body_bool(rq, body, "view_login", now.view_login, &ok),
        .keep_viewer = !cJSON_HasObjectItem(body, "viewer_password"),
        .viewer = body_text(rq, body, "viewer_password", false, &ok),
    };
    if (ok && done(rq, "access", auth_set(r->auth, &set), 403, NULL)) {
        hub_kick(r->hub);
        answer_access(r, rq);
    }
    body_done(body);
}

/* ---- tokens ---- */

static void token_json(struct jsonw *w, const struct auth_token *t) {
    jsonw_obj(w, NULL);
    jsonw_u64(w, "id", t->id);
    jsonw_str(w, "name", t->name);
    jsonw_str(w, "role", role_name(t->role));
    jsonw_i64(w, "made", t->made_s);
    if (t->ends_s)
        jsonw_i64(w, "ends", t->ends_s);
    else
        jsonw_null(w, "ends");
    jsonw_obj_end(w);
}

void auth_get_tokens(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    size_t cap;
    char *text = httpd_body(rq, &cap);
    struct auth_store s;
    struct jsonw w;
    auth_view(r->auth, &s);
    jsonw_init(&w, text, cap);
    jsonw_obj(&w, NULL);
    jsonw_arr(&w, "tokens");
    for (uint32_t i = 0; i < s.n_tokens; i++)
        token_json(&w, &s.tokens[i]);
    jsonw_arr_end(&w);
    jsonw_obj_end(&w);
    routes_answer_json(rq, &w);
}

/* What a new token shall be. */
struct wish {
    const char *name;
    enum role role;
    uint32_t days;
};

static bool read_wish(struct httpd_rq *rq, const cJSON *body, struct wish *out) {
    bool ok = true;
    const char *role = body_text(rq, body, "role", false, &ok);
    const cJSON *days = cJSON_GetObjectItemCaseSensitive(body, "days");
    out->name = body_text(rq, body, "name", true, &ok);
    if (!ok)
        return false;
    const char *wrong = NULL;
    if (!auth_name_ok(out->name))
        wrong = "A name is 1 to 32 letters, digits, dashes, dots.";
    out->role = ROLE_VIEWER;
    if (role && !role_parse(role, &out->role))
        wrong = wrong_role;
    if (days && (!cJSON_IsNumber(days) ||
                 !(days->valuedouble >= 0 && days->valuedouble <= TOKEN_DAYS_MAX) ||
                 days->valuedouble != floor(days->valuedouble)))
        wrong = "The days are a whole number up to 36500, 0 for ever.";
    if (wrong)
        httpd_problem(rq, 422, NULL, wrong);
    out->days = days && !wrong ? (uint32_t)days->valuedouble : 0;
    return !wrong;
}

static void answer_token(struct httpd_rq *rq, const struct wish *wish, uint32_t id,
                         const char *token) {
    char text[256];
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    jsonw_obj(&w, NULL);
    jsonw_u64(&w, "id", id);
    jsonw_str(&w, "name", wish->name);
    jsonw_str(&w, "role", role_name(wish->role));
    jsonw_str(&w, "token", token);
    jsonw_obj_end(&w);
    httpd_reply(rq, &(struct reply){.status = 201,
                                    .type = "application/json",
                                    .body = text,
                                    .n = jsonw_end(&w)});
    secret_wipe(text, sizeof text);
}

void auth_post_tokens(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    cJSON *body = body_json(rq);
    if (!body)
        return;
    struct wish wish;
    char token[AUTH_TOKEN_TEXT];
    uint32_t id;
    if (read_wish(rq, body, &wish) &&
        done(rq, "token_add",
             auth_token_add(r->auth, wish.name, wish.role, wish.days, wall_s(), token,
                            &id),
             403, NULL)) {
        answer_token(rq, &wish, id, token);
        secret_wipe(token, sizeof token);
    }
    body_done(body);
}

void auth_delete_token(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    uint64_t id;
    if (uri_u64(rq->tail, &id) != 0 || id > UINT32_MAX)
        id = 0; /* which none has */
    if (!done(rq, "token_revoke", auth_token_revoke(r->auth, (uint32_t)id), 403, NULL))
        return;
    hub_kick(r->hub);
    httpd_reply(rq, &(struct reply){.status = 204});
}
