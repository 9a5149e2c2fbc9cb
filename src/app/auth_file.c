#include "app/auth_file.h"

#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "proto/json.h"

#define VERSION 1
#define SECONDS_MAX 99999999999.0

bool auth_name_ok(const char *name) {
    static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-_.";
    size_t n = strspn(name, may);
    return n > 0 && n < AUTH_NAME_MAX && name[n] == '\0';
}

/* ---- writing ---- */

static void put_hex(struct jsonw *w, const char *key, const void *p, size_t n) {
    char text[2 * SECRET_HASH + 1];
    secret_hex(text, p, n);
    jsonw_str(w, key, text);
}

static void put_token(struct jsonw *w, const struct auth_token *t) {
    jsonw_obj(w, NULL);
    jsonw_u64(w, "id", t->id);
    jsonw_str(w, "name", t->name);
    jsonw_str(w, "role", role_name(t->role));
    jsonw_i64(w, "made", t->made_s);
    jsonw_i64(w, "ends", t->ends_s);
    put_hex(w, "hash", t->hash, sizeof t->hash);
    jsonw_obj_end(w);
}

size_t auth_file_write(const struct auth_store *s, char *out, size_t cap) {
    struct jsonw w;
    jsonw_init(&w, out, cap);
    jsonw_obj(&w, NULL);
    jsonw_u64(&w, "version", VERSION);
    jsonw_bool(&w, "view_login", s->view_login);
    jsonw_u64(&w, "rounds", s->rounds);
    put_hex(&w, "salt", s->salt, sizeof s->salt);
    if (s->claimed)
        put_hex(&w, "admin", s->admin, sizeof s->admin);
    if (s->viewer_set)
        put_hex(&w, "viewer", s->viewer, sizeof s->viewer);
    jsonw_u64(&w, "last_id", s->last_id);
    jsonw_arr(&w, "tokens");
    for (uint32_t i = 0; i < s->n_tokens; i++)
        put_token(&w, &s->tokens[i]);
    jsonw_arr_end(&w);
    jsonw_obj_end(&w);
    return jsonw_end(&w);
}

/* ---- reading ---- */

static const cJSON *at(const cJSON *v, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(v, key);
}

static int get_int(const cJSON *v, const char *key, double least, double most,
                   int64_t *out) {
    const cJSON *x = at(v, key);
    if (!cJSON_IsNumber(x) || !(x->valuedouble >= least && x->valuedouble <= most) ||
        x->valuedouble != floor(x->valuedouble))
        return -EINVAL;
    *out = (int64_t)x->valuedouble;
    return 0;
}

static int get_u32(const cJSON *v, const char *key, uint32_t least, uint32_t most,
                   uint32_t *out) {
    int64_t x = 0;
    int rc = get_int(v, key, least, most, &x);
    if (rc == 0)
        *out = (uint32_t)x;
    return rc;
}

static int get_hex(const cJSON *v, const char *key, void *out, size_t n) {
    const cJSON *x = at(v, key);
    if (!cJSON_IsString(x))
        return -EINVAL;
    return secret_unhex(out, n, x->valuestring, strlen(x->valuestring));
}

/* Absent is an answer, too. */
static int get_password(const cJSON *v, const char *key, uint8_t *hash, bool *set) {
    *set = at(v, key) != NULL;
    return *set ? get_hex(v, key, hash, PBKDF2_HASH) : 0;
}

static int get_role(const cJSON *v, uint8_t *out) {
    const cJSON *x = at(v, "role");
    enum role role;
    if (!cJSON_IsString(x) || !role_parse(x->valuestring, &role))
        return -EINVAL;
    *out = (uint8_t)role;
    return 0;
}

static int get_token(const cJSON *v, uint32_t last_id, struct auth_token *t) {
    const cJSON *name = at(v, "name");
    if (!cJSON_IsString(name) || !auth_name_ok(name->valuestring))
        return -EINVAL;
    snprintf(t->name, sizeof t->name, "%s", name->valuestring);
    int rc = get_u32(v, "id", 1, last_id, &t->id);
    rc = rc ? rc : get_role(v, &t->role);
    rc = rc ? rc : get_int(v, "made", -SECONDS_MAX, SECONDS_MAX, &t->made_s);
    rc = rc ? rc : get_int(v, "ends", -SECONDS_MAX, SECONDS_MAX, &t->ends_s);
    return rc ? rc : get_hex(v, "hash", t->hash, sizeof t->hash);
}

static int get_tokens(const cJSON *v, struct auth_store *s) {
    const cJSON *all = at(v, "tokens"), *one;
    if (!cJSON_IsArray(all) || cJSON_GetArraySize(all) > (int)AUTH_TOKENS)
        return -EINVAL;
    cJSON_ArrayForEach(one, all) {
        int rc = get_token(one, s->last_id, &s->tokens[s->n_tokens]);
        for (uint32_t i = 0; rc == 0 && i < s->n_tokens; i++)
            rc = s->tokens[i].id == s->tokens[s->n_tokens].id ? -EINVAL : 0;
        if (rc)
            return rc;
        s->n_tokens++;
    }
    return 0;
}

static int get_store(const cJSON *v, struct auth_store *s) {
    uint32_t version;
    if (get_u32(v, "version", VERSION, VERSION, &version) != 0 ||
        !cJSON_IsBool(at(v, "view_login")))
        return -EINVAL;
    s->view_login = cJSON_IsTrue(at(v, "view_login"));
    int rc = get_password(v, "admin", s->admin, &s->claimed);
    rc = rc ? rc : get_password(v, "viewer", s->viewer, &s->viewer_set);
    rc = rc ? rc : get_hex(v, "salt", s->salt, sizeof s->salt);
    /* Whoever may write this file may do anything; a slip must not make it cheap. */
    rc = rc ? rc
            : get_u32(v, "rounds", PBKDF2_ROUNDS_MIN, PBKDF2_ROUNDS_MAX, &s->rounds);
    rc = rc ? rc : get_u32(v, "last_id", 0, UINT32_MAX, &s->last_id);
    return rc ? rc : get_tokens(v, s);
}

int auth_file_read(struct auth_store *s, const char *text, size_t n) {
    struct auth_store fresh = {0};
    if (n > AUTH_FILE_MAX || !json_ok(text, n))
        return -EINVAL;
    cJSON *tree = cJSON_ParseWithLength(text, n);
    if (!tree)
        return -ENOMEM;
    int rc = cJSON_IsObject(tree) ? get_store(tree, &fresh) : -EINVAL;
    cJSON_Delete(tree);
    if (rc == 0)
        *s = fresh;
    return rc;
}
