// link: app
/* auth.json as it may lie on a disk: what is read is what was written, and written
 * again it is the same.
 *
 * Input: the bytes of the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/auth_file.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_store(const struct auth_store *s) {
    CHECK(s->rounds >= PBKDF2_ROUNDS_MIN && s->rounds <= PBKDF2_ROUNDS_MAX);
    CHECK(s->n_tokens <= AUTH_TOKENS);
    for (uint32_t i = 0; i < s->n_tokens; i++) {
        const struct auth_token *t = &s->tokens[i];
        CHECK(t->id > 0 && t->id <= s->last_id);
        CHECK(t->role == ROLE_VIEWER || t->role == ROLE_ADMIN);
        CHECK(auth_name_ok(t->name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct auth_store s, again;
    static char text[AUTH_FILE_MAX], twice[AUTH_FILE_MAX];
    memset(&s, 0x5a, sizeof s);
    if (auth_file_read(&s, (const char *)data, size) != 0) {
        CHECK(s.rounds == 0x5a5a5a5a); /* untouched */
        return 0;
    }
    check_store(&s);
    size_t n = auth_file_write(&s, text, sizeof text);
    CHECK(n > 0 && auth_file_read(&again, text, n) == 0);
    CHECK(auth_file_write(&again, twice, sizeof twice) == n);
    CHECK(memcmp(text, twice, n) == 0);
    return 0;
}
