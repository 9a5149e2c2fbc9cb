#pragma once
/* What outlives a restart of who may do what (app/auth.h), and how it stands in
 * auth.json: hashes, never a password or a token. Pure, any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"
#include "sec/pbkdf2.h"
#include "sec/secret.h"

#define AUTH_FILE "auth.json"
#define AUTH_TOKENS 32u
#define AUTH_NAME_MAX 33u /* of a token, with its NUL */

struct auth_token {
    uint32_t id;    /* never 0, never used again */
    uint8_t role;   /* ROLE_VIEWER or ROLE_ADMIN */
    int64_t made_s; /* wall clock */
    int64_t ends_s; /* 0: never */
    char name[AUTH_NAME_MAX];
    uint8_t hash[SECRET_HASH];
};

struct auth_store {
    bool claimed;    /* there is an admin's password */
    bool viewer_set; /* and one for viewers */
    bool view_login; /* looking needs a login, too */
    /* One salt for both passwords: an attempt is stretched once and compared to both,
     * so its time tells nothing. */
    uint32_t rounds;
    uint8_t salt[PBKDF2_SALT];
    uint8_t admin[PBKDF2_HASH], viewer[PBKDF2_HASH];
    uint32_t last_id; /* newest token's */
    uint32_t n_tokens;
    struct auth_token tokens[AUTH_TOKENS];
};

#define AUTH_FILE_MAX (1024u + AUTH_TOKENS * 512u)

/* Bytes written, or 0 when they do not fit (AUTH_FILE_MAX always do). */
size_t auth_file_write(const struct auth_store *s, char *out, size_t cap);
/* Strictly what auth_file_write() writes, but for blanks: 0, or -EINVAL, -ENOMEM and *s
 * as it was. */
int auth_file_read(struct auth_store *s, const char *text, size_t n);

/* A token may be called so: 1 to 32 letters, digits, "-", "_", ".". */
bool auth_name_ok(const char *name);
