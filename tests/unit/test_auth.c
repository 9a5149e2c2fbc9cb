// link: app
/* On a real folder, with a clock of the test's own. */
#include "app/auth.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/savefile.h"

#define IDLE_S 100u
#define MAX_S 1000u
#define ADMIN "kitchen.window.left"
#define VIEWER "garden.gate.right"
#define DAY_S INT64_C(86400)

struct bench {
    struct auth a;
    char dir[64];
    uint64_t now_ms;
    int64_t wall_s;
    uint8_t host;
};

/* In place of the library's, which takes its time: test_secret looks at that one. */
void pbkdf2(const void *password, size_t n, const uint8_t salt[PBKDF2_SALT],
            uint32_t rounds, uint8_t out[PBKDF2_HASH]) {
    uint8_t text[PBKDF2_SALT + PASSWORD_MAX + 1];
    assert_in_range(rounds, PBKDF2_ROUNDS_MIN, PBKDF2_ROUNDS_MAX);
    memcpy(text, salt, PBKDF2_SALT);
    memcpy(text + PBKDF2_SALT, password, n);
    secret_hash(text, PBKDF2_SALT + n, out);
}

uint32_t pbkdf2_calibrate(void) { return PBKDF2_ROUNDS_MIN; }

static struct auth_from from(const struct bench *b) {
    return (struct auth_from){.ip = {[10] = 0xff, [11] = 0xff, 10, 0, 0, b->host},
                              .now_ms = b->now_ms};
}

static void reopen(struct bench *b) {
    auth_close(&b->a);
    memset(&b->a, 0, sizeof b->a);
    assert_int_equal(auth_open(&b->a, b->dir, IDLE_S, MAX_S), 0);
}

/* Owned, with both passwords. */
static void own(struct bench *b, bool view_login) {
    static char text[AUTH_FILE_MAX];
    struct auth_store s = {.claimed = true,
                           .viewer_set = true,
                           .view_login = view_login,
                           .rounds = PBKDF2_ROUNDS_MIN};
    pbkdf2(ADMIN, strlen(ADMIN), s.salt, s.rounds, s.admin);
    pbkdf2(VIEWER, strlen(VIEWER), s.salt, s.rounds, s.viewer);
    size_t n = auth_file_write(&s, text, sizeof text);
    assert_int_equal(savefile(b->dir, AUTH_FILE, 0600, text, n), 0);
    reopen(b);
}

static int set_up(void **state) {
    static struct bench b;
    memset(&b, 0, sizeof b);
    b.now_ms = 5000;
    b.wall_s = 1795000000;
    b.host = 1;
    snprintf(b.dir, sizeof b.dir, "/tmp/auth-XXXXXX");
    *state = &b;
    log_set_level(LOG_LVL_ERROR);
    return mkdtemp(b.dir) ? auth_open(&b.a, b.dir, IDLE_S, MAX_S) : -1;
}

static const char *path_of(const struct bench *b, const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return path;
}

static int tear_down(void **state) {
    struct bench *b = *state;
    auth_close(&b->a);
    unlink(path_of(b, AUTH_FILE));
    unlink(path_of(b, AUTH_CODE_FILE));
    return rmdir(b->dir);
}

static struct auth_session login(struct bench *b, const char *password,
                                 enum role role) {
    struct auth_session s = {0};
    struct auth_from f = from(b);
    assert_int_equal(auth_login(&b->a, &f, password, &s).rc, AUTH_OK);
    assert_int_equal(s.who.role, role);
    return s;
}

static bool holds(struct bench *b, const struct auth_session *s) {
    struct auth_who who = {0};
    bool yes =
        auth_by_cookie(&b->a, s->cookie, strlen(s->cookie), false, b->now_ms, &who);
    assert_true(!yes || who.role == s->who.role);
    return yes;
}

static enum role anybody(struct bench *b) {
    struct auth_who who;
    auth_anybody(&b->a, &who);
    assert_true(who.credential == AUTH_NOBODY);
    return who.role;
}

static void whoever_has_the_code_owns_the_board_once(void **state) {
    struct bench *b = *state;
    struct auth_session s = {0};
    struct auth_from f = from(b);
    struct auth_settings set = {.view_login = true};
    struct stat st;
    char code[SECRET_CODE];
    snprintf(code, sizeof code, "%s", auth_code(&b->a));
    assert_int_equal(anybody(b), ROLE_VIEWER);
    assert_int_equal(auth_login(&b->a, &f, ADMIN, &s).rc, AUTH_STATE);
    assert_int_equal(stat(path_of(b, AUTH_CODE_FILE), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    reopen(b); /* the code stays */
    assert_string_equal(auth_code(&b->a), code);

    assert_int_equal(auth_claim(&b->a, &f, "0000-0000-0000", ADMIN, &set, &s).rc,
                     AUTH_WRONG);
    assert_int_equal(auth_claim(&b->a, &f, code, "password1", &set, &s).rc, AUTH_WEAK);
    set.viewer = ADMIN;
    assert_int_equal(auth_claim(&b->a, &f, code, ADMIN, &set, &s).rc, AUTH_SAME);
    set.viewer = NULL;
    assert_int_equal(auth_claim(&b->a, &f, code, ADMIN, &set, &s).rc, AUTH_OK);
    assert_int_equal(s.who.role, ROLE_ADMIN);
    assert_true(holds(b, &s));
    assert_int_equal(anybody(b), ROLE_NONE);
    assert_null(auth_code(&b->a));
    assert_int_equal(stat(path_of(b, AUTH_CODE_FILE), &st), -1);
    assert_int_equal(auth_claim(&b->a, &f, code, VIEWER, &set, &s).rc, AUTH_STATE);
    reopen(b);
    assert_null(auth_code(&b->a));
    login(b, ADMIN, ROLE_ADMIN);
}

static void the_password_decides_the_role(void **state) {
    struct bench *b = *state;
    struct auth_session s = {0};
    own(b, true);
    struct auth_from f = from(b);
    login(b, ADMIN, ROLE_ADMIN);
    login(b, VIEWER, ROLE_VIEWER);
    assert_int_equal(auth_login(&b->a, &f, "neither.of.them", &s).rc, AUTH_WRONG);
    assert_int_equal(auth_login(&b->a, &f, "", &s).rc, AUTH_WRONG);
}

static void a_cookie_is_taken_as_it_was_given_only(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session s = login(b, ADMIN, ROLE_ADMIN);
    struct auth_who who;
    size_t n = strlen(s.cookie);
    assert_true(holds(b, &s));
    assert_false(auth_by_cookie(&b->a, s.cookie, n, true, b->now_ms, &who));
    assert_false(auth_by_cookie(&b->a, s.cookie, n - 1, false, b->now_ms, &who));
    s.cookie[5] ^= 1;
    assert_false(holds(b, &s));
    /* The hash of a free slot is zero; nothing has that hash, but who knows. */
    memset(s.cookie, '0', n);
    assert_false(holds(b, &s));
}

static void a_login_ends_by_idleness_and_by_age(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session idle = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session used = login(b, VIEWER, ROLE_VIEWER);
    for (unsigned t = 0; t < MAX_S; t += IDLE_S / 2) {
        assert_true(holds(b, &used));
        b->now_ms += IDLE_S * 500;
    }
    assert_false(holds(b, &idle));
    assert_false(holds(b, &used));
    /* Whoever is connected is told that it expired. */
    assert_int_equal(auth_life(&b->a, &used.who, b->now_ms, b->wall_s), AUTH_EXPIRED);
    auth_sweep(&b->a, b->now_ms, b->wall_s);
    assert_int_equal(auth_life(&b->a, &used.who, b->now_ms, b->wall_s), AUTH_ENDED);
}

static void being_connected_is_no_idleness(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session s = login(b, ADMIN, ROLE_ADMIN);
    uint64_t turn = 0;
    auth_due(&b->a, b->now_ms, &turn);
    assert_false(auth_due(&b->a, b->now_ms, &turn));
    for (int i = 0; i < 3; i++) {
        b->now_ms += IDLE_S * 1000;
        assert_true(auth_due(&b->a, b->now_ms, &turn));
        assert_int_equal(auth_life(&b->a, &s.who, b->now_ms, b->wall_s), AUTH_HOLDS);
        auth_sweep(&b->a, b->now_ms, b->wall_s);
        assert_false(auth_due(&b->a, b->now_ms, &turn));
    }
    assert_true(holds(b, &s));
}

static void logging_out_ends_one_or_all(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session one = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session two = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session viewer = login(b, VIEWER, ROLE_VIEWER);
    uint64_t turn = 0;
    auth_due(&b->a, b->now_ms, &turn);
    auth_logout(&b->a, &one.who, false);
    assert_true(auth_due(&b->a, b->now_ms, &turn));
    assert_false(holds(b, &one));
    assert_true(holds(b, &two) && holds(b, &viewer));
    auth_logout(&b->a, &viewer.who, true); /* of viewers: no admin's */
    assert_true(holds(b, &two));
    viewer = login(b, VIEWER, ROLE_VIEWER);
    auth_logout(&b->a, &two.who, true);
    assert_false(holds(b, &two) || holds(b, &viewer));
    /* Nobody logged in has nothing to end. */
    two = login(b, ADMIN, ROLE_ADMIN);
    struct auth_who nobody = {ROLE_VIEWER, AUTH_NOBODY};
    auth_logout(&b->a, &nobody, false);
    assert_true(holds(b, &two));
}

static void a_new_password_ends_the_other_logins(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session here = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session there = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session viewer = login(b, VIEWER, ROLE_VIEWER);
    struct auth_from f = from(b);
    static const char fresh[] = "cellar.door.below";
    assert_int_equal(auth_password(&b->a, &f, &here.who, VIEWER, fresh).rc, AUTH_WRONG);
    assert_int_equal(auth_password(&b->a, &f, &here.who, ADMIN, "short").rc, AUTH_WEAK);
    assert_int_equal(auth_password(&b->a, &f, &here.who, ADMIN, VIEWER).rc, AUTH_SAME);
    assert_true(holds(b, &there));
    assert_int_equal(auth_password(&b->a, &f, &here.who, ADMIN, fresh).rc, AUTH_OK);
    assert_true(holds(b, &here) && holds(b, &viewer));
    assert_false(holds(b, &there));
    reopen(b);
    login(b, fresh, ROLE_ADMIN);
    login(b, VIEWER, ROLE_VIEWER);
}

static void viewers_have_what_the_owner_sets(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session viewer = login(b, VIEWER, ROLE_VIEWER);
    struct auth_settings set = {.view_login = true, .keep_viewer = true};
    assert_int_equal(auth_set(&b->a, &set).rc, AUTH_OK);
    assert_true(holds(b, &viewer));
    set = (struct auth_settings){.view_login = true, .viewer = ADMIN};
    assert_int_equal(auth_set(&b->a, &set).rc, AUTH_SAME);
    set.viewer = "attic.lamp.above";
    assert_int_equal(auth_set(&b->a, &set).rc, AUTH_OK);
    assert_false(holds(b, &viewer));
    viewer = login(b, set.viewer, ROLE_VIEWER);
    set = (struct auth_settings){.view_login = false};
    assert_int_equal(auth_set(&b->a, &set).rc, AUTH_OK);
    assert_int_equal(anybody(b), ROLE_VIEWER);
    assert_false(holds(b, &viewer));
}

static void a_reset_needs_no_old_password_and_claims(void **state) {
    struct bench *b = *state;
    assert_int_equal(auth_reset(&b->a, ROLE_VIEWER, VIEWER).rc, AUTH_STATE);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, "12345678").rc, AUTH_WEAK);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, ADMIN).rc, AUTH_OK);
    assert_null(auth_code(&b->a));
    struct auth_session s = login(b, ADMIN, ROLE_ADMIN);
    assert_int_equal(auth_reset(&b->a, ROLE_VIEWER, ADMIN).rc, AUTH_SAME);
    assert_int_equal(auth_reset(&b->a, ROLE_VIEWER, VIEWER).rc, AUTH_OK);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, VIEWER).rc, AUTH_SAME);
    assert_true(holds(b, &s));
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, ADMIN).rc, AUTH_OK);
    assert_false(holds(b, &s));
    login(b, VIEWER, ROLE_VIEWER);
}

static bool token_holds(struct bench *b, const char *token, enum role role) {
    struct auth_who who = {0};
    bool yes = auth_by_token(&b->a, token, strlen(token), b->wall_s, &who);
    assert_true(!yes || who.role == role);
    return yes;
}

static void a_token_is_shown_once_and_lasts_as_long_as_it_shall(void **state) {
    struct bench *b = *state;
    char ever[AUTH_TOKEN_TEXT], brief[AUTH_TOKEN_TEXT];
    uint32_t ever_id, brief_id;
    assert_int_equal(
        auth_token_add(&b->a, "x", ROLE_VIEWER, 0, b->wall_s, ever, &ever_id).rc,
        AUTH_STATE);
    own(b, true);
    assert_int_equal(
        auth_token_add(&b->a, "x", ROLE_VIEWER, 0, b->wall_s, ever, &ever_id).rc,
        AUTH_OK);
    assert_int_equal(
        auth_token_add(&b->a, "y", ROLE_ADMIN, 10, b->wall_s, brief, &brief_id).rc,
        AUTH_OK);
    assert_true(token_holds(b, ever, ROLE_VIEWER) && token_holds(b, brief, ROLE_ADMIN));
    reopen(b);
    assert_true(token_holds(b, ever, ROLE_VIEWER) && token_holds(b, brief, ROLE_ADMIN));
    struct auth_who who = {ROLE_ADMIN, brief_id};
    assert_int_equal(auth_life(&b->a, &who, b->now_ms, b->wall_s), AUTH_HOLDS);
    int64_t made_s = b->wall_s;
    b->wall_s = made_s + 10 * DAY_S;
    assert_false(token_holds(b, brief, ROLE_ADMIN));
    assert_true(token_holds(b, ever, ROLE_VIEWER));
    assert_int_equal(auth_life(&b->a, &who, b->now_ms, b->wall_s), AUTH_EXPIRED);
    /* A clock a day behind is forgiven, one that was never set is not. */
    b->wall_s = made_s - DAY_S;
    assert_true(token_holds(b, brief, ROLE_ADMIN));
    b->wall_s = 1000;
    assert_false(token_holds(b, brief, ROLE_ADMIN));
    assert_true(token_holds(b, ever, ROLE_VIEWER));
    ever[7] ^= 1;
    assert_false(token_holds(b, ever, ROLE_VIEWER));
}

static void a_revoked_token_is_gone_and_its_number_with_it(void **state) {
    struct bench *b = *state;
    char text[AUTH_TOKENS + 1][AUTH_TOKEN_TEXT];
    uint32_t id[AUTH_TOKENS + 1];
    own(b, true);
    for (uint32_t i = 0; i < AUTH_TOKENS; i++)
        assert_int_equal(
            auth_token_add(&b->a, "t", ROLE_VIEWER, 0, b->wall_s, text[i], &id[i]).rc,
            AUTH_OK);
    assert_int_equal(auth_token_add(&b->a, "t", ROLE_VIEWER, 0, b->wall_s,
                                    text[AUTH_TOKENS], &id[AUTH_TOKENS])
                         .rc,
                     AUTH_FULL);
    uint64_t turn = 0;
    auth_due(&b->a, b->now_ms, &turn);
    assert_int_equal(auth_token_revoke(&b->a, id[3]).rc, AUTH_OK);
    assert_true(auth_due(&b->a, b->now_ms, &turn));
    assert_int_equal(auth_token_revoke(&b->a, id[3]).rc, AUTH_NONE);
    struct auth_who who = {ROLE_VIEWER, id[3]};
    assert_int_equal(auth_life(&b->a, &who, b->now_ms, b->wall_s), AUTH_ENDED);
    for (uint32_t i = 0; i < AUTH_TOKENS; i++)
        assert_true(token_holds(b, text[i], ROLE_VIEWER) == (i != 3));
    assert_int_equal(
        auth_token_add(&b->a, "t", ROLE_VIEWER, 0, b->wall_s, text[3], &id[3]).rc,
        AUTH_OK);
    assert_int_equal(id[3], AUTH_TOKENS + 1);
}

static void guessing_is_slowed_but_a_login_goes_on(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session s = login(b, ADMIN, ROLE_ADMIN), other = {0};
    b->host = 66;
    struct auth_from f = from(b);
    struct auth_verdict v = {0};
    for (unsigned i = 0; i <= THROTTLE_FREE; i++)
        assert_int_equal(auth_login(&b->a, &f, "guess", &other).rc, AUTH_WRONG);
    v = auth_login(&b->a, &f, ADMIN, &other);
    assert_int_equal(v.rc, AUTH_WAIT);
    assert_int_equal(v.wait_ms, THROTTLE_WAIT_MS);
    assert_true(holds(b, &s));
    b->host = 1;
    login(b, ADMIN, ROLE_ADMIN);
    b->now_ms += THROTTLE_WAIT_MS;
    b->host = 66;
    login(b, ADMIN, ROLE_ADMIN);
}

static void one_login_more_than_fit_ends_the_idlest(void **state) {
    struct bench *b = *state;
    own(b, true);
    struct auth_session admin = login(b, ADMIN, ROLE_ADMIN);
    struct auth_session first = {0}, last = {0};
    for (unsigned i = 0; i < AUTH_LOGINS; i++) {
        b->now_ms++;
        struct auth_session s = login(b, VIEWER, ROLE_VIEWER);
        first = i == 0 ? s : first;
        last = s;
    }
    assert_true(holds(b, &admin) && holds(b, &last));
    assert_false(holds(b, &first));
}

static void a_file_that_makes_no_sense_locks_the_board(void **state) {
    struct bench *b = *state;
    struct auth_session s = {0};
    own(b, false);
    assert_int_equal(anybody(b), ROLE_VIEWER);
    assert_int_equal(savefile(b->dir, AUTH_FILE, 0600, "{", 1), 0);
    reopen(b);
    struct auth_from f = from(b);
    assert_true(auth_is_locked(&b->a));
    assert_null(auth_code(&b->a));
    assert_int_equal(anybody(b), ROLE_NONE);
    assert_int_equal(auth_login(&b->a, &f, ADMIN, &s).rc, AUTH_STATE);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, ADMIN).rc, AUTH_OK);
    assert_false(auth_is_locked(&b->a));
    assert_int_equal(anybody(b), ROLE_NONE);
    login(b, ADMIN, ROLE_ADMIN);
}

static void what_cannot_be_written_does_not_happen(void **state) {
    struct bench *b = *state;
    char text[AUTH_TOKEN_TEXT];
    uint32_t id;
    own(b, true);
    /* A folder in the place of the new file. */
    char blocked[80];
    snprintf(blocked, sizeof blocked, "%s/%s.new", b->dir, AUTH_FILE);
    assert_int_equal(mkdir(blocked, 0700), 0);
    struct auth_verdict v =
        auth_token_add(&b->a, "x", ROLE_VIEWER, 0, b->wall_s, text, &id);
    assert_int_equal(v.rc, AUTH_FAILED);
    assert_int_equal(v.err, -EISDIR);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, "cellar.door.below").rc,
                     AUTH_FAILED);
    assert_int_equal(rmdir(blocked), 0);
    assert_false(token_holds(b, text, ROLE_VIEWER));
    login(b, ADMIN, ROLE_ADMIN);
}

static void without_a_folder_nobody_can_own_the_board(void **state) {
    struct bench *b = *state;
    struct auth_settings set = {0};
    struct auth_session s;
    auth_close(&b->a);
    memset(&b->a, 0, sizeof b->a);
    assert_int_equal(auth_open(&b->a, NULL, IDLE_S, MAX_S), 0);
    struct auth_from f = from(b);
    assert_null(auth_code(&b->a));
    assert_int_equal(auth_claim(&b->a, &f, "", ADMIN, &set, &s).rc, AUTH_STATE);
    assert_int_equal(auth_reset(&b->a, ROLE_ADMIN, ADMIN).rc, AUTH_STATE);
    assert_int_equal(anybody(b), ROLE_VIEWER);
}

#define ON_A_BENCH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_A_BENCH(whoever_has_the_code_owns_the_board_once),
        ON_A_BENCH(the_password_decides_the_role),
        ON_A_BENCH(a_cookie_is_taken_as_it_was_given_only),
        ON_A_BENCH(a_login_ends_by_idleness_and_by_age),
        ON_A_BENCH(being_connected_is_no_idleness),
        ON_A_BENCH(logging_out_ends_one_or_all),
        ON_A_BENCH(a_new_password_ends_the_other_logins),
        ON_A_BENCH(viewers_have_what_the_owner_sets),
        ON_A_BENCH(a_reset_needs_no_old_password_and_claims),
        ON_A_BENCH(a_token_is_shown_once_and_lasts_as_long_as_it_shall),
        ON_A_BENCH(a_revoked_token_is_gone_and_its_number_with_it),
        ON_A_BENCH(guessing_is_slowed_but_a_login_goes_on),
        ON_A_BENCH(one_login_more_than_fit_ends_the_idlest),
        ON_A_BENCH(a_file_that_makes_no_sense_locks_the_board),
        ON_A_BENCH(what_cannot_be_written_does_not_happen),
        ON_A_BENCH(without_a_folder_nobody_can_own_the_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
