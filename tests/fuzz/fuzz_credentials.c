// link: app
/* What somebody who has no credential sends as one: in a Cookie, in an Authorization,
 * as a claim code, as a new password. None of it gets in.
 *
 * Input: the bytes of a field, as http/head has let them pass. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/auth_priv.h"
#include "http/field.h"
#include "sec/password.h"

#define CHECK(x) ((x) ? (void)0 : abort())
#define NOW_MS 1000
#define WALL_S 1795000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A board with one login and one token, whose secrets nobody knows. */
static struct auth *board(void) {
    static struct auth a;
    struct auth_session s;
    if (a.max_ms)
        return &a;
    auth_open(&a, NULL, 60, 3600);
    pthread_mutex_lock(&a.lock);
    CHECK(auth_admit(&a, ROLE_ADMIN, false, NOW_MS, &s) == 0);
    a.store.claimed = a.store.view_login = true;
    a.store.n_tokens = a.store.last_id = 1;
    a.store.tokens[0] = (struct auth_token){.id = 1, .role = ROLE_ADMIN, .name = "t"};
    CHECK(secret_random(a.store.tokens[0].hash, SECRET_HASH) == 0);
    pthread_mutex_unlock(&a.lock);
    return &a;
}

static void inside(struct slice s, const char *p, size_t n) {
    CHECK(s.n == 0 || (s.p >= p && s.p + s.n <= p + n));
}

static void get_in(const char *p, size_t n) {
    struct slice field = {p, n}, value = {p, 0};
    struct auth_who who;
    struct auth *a = board();
    if (field_cookie(field, "pulseboard", &value) > 0) {
        inside(value, p, n);
        CHECK(!auth_by_cookie(a, value.p, value.n, false, NOW_MS, &who));
    }
    value = (struct slice){p, 0};
    if (field_bearer(field, &value)) {
        inside(value, p, n);
        CHECK(!auth_by_token(a, value.p, value.n, WALL_S, &who));
    }
    CHECK(!auth_by_cookie(a, p, n, false, NOW_MS, &who));
    CHECK(!auth_by_token(a, p, n, WALL_S, &who));
    CHECK(!field_is_type(field, "application/json") || n >= 16);
}

static void choose(const char *s) {
    char code[SECRET_CODE], again[SECRET_CODE];
    if (secret_code_read(code, s) == 0) {
        CHECK(strlen(code) == SECRET_CODE - 1);
        CHECK(secret_code_read(again, code) == 0 && strcmp(code, again) == 0);
    }
    enum password_rc rc = password_check(s);
    CHECK(rc != PASSWORD_OK ||
          (strlen(s) >= PASSWORD_MIN && strlen(s) <= PASSWORD_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096)
        return 0;
    char *p = malloc(size + 1);
    memcpy(p, data, size);
    p[size] = '\0';
    choose(p);
    p = realloc(p, size ? size : 1); /* a read past the end is seen */
    get_in(p, size);
    free(p);
    return 0;
}
