// link: app
/* Which certificate is shown, when it is made anew, and what survives on the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/identity.h"
#include "app/names.h"
#include "base/log.h"

#define DAY 86400LL
#define BUILT 1790000000LL
#define NOW (BUILT + 100 * DAY)

struct fixture {
    char dir[256];
    struct cert_names names;
    struct identity id;
    struct identity_view v;
};

static void called(struct cert_names *out, const char *host) {
    static const struct config_list none;
    names_gather(out, host, &none, NULL);
}

static int setup(void **state) {
    static struct fixture f;
    const char *tmp = getenv("TMPDIR");
    f = (struct fixture){0};
    snprintf(f.dir, sizeof f.dir, "%s/pulse-id-XXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(f.dir) || chdir(f.dir) != 0)
        return -1;
    called(&f.names, "pb");
    log_set_level(LOG_LVL_ERROR);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    const struct fixture *f = *state;
    char line[300];
    snprintf(line, sizeof line, "rm -r '%s'", f->dir);
    return system(line);
}

static void start(struct fixture *f, const char *file, int64_t now_s) {
    char why[200];
    const struct identity_opts o = {.data = ".", .file = file, .built_s = BUILT};
    if (identity_open(&f->id, &o, &f->names, now_s, why, sizeof why) != 0)
        fail_msg("%s", why);
    identity_look(&f->id, &f->v);
}

static void again(struct fixture *f, const char *file, int64_t now_s) {
    identity_close(&f->id);
    start(f, file, now_s);
}

static bool same(const struct cert_facts *a, const struct cert_facts *b) {
    return memcmp(a->sha256, b->sha256, 32) == 0;
}

static mode_t mode(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void both_are_made_once_and_kept(void **state) {
    struct fixture *f = *state;
    start(f, "", NOW);
    assert_int_equal(f->v.kind, IDENTITY_OWN);
    assert_true(f->v.has_ca);
    struct cert_facts ca = f->v.ca, leaf = f->v.served;
    assert_int_equal(mode("tls"), 0700);
    assert_int_equal(mode("tls/ca.key"), 0600);
    assert_int_equal(mode("tls/leaf.pem"), 0600);
    again(f, "", NOW + DAY);
    assert_true(same(&ca, &f->v.ca));
    assert_true(same(&leaf, &f->v.served));
    identity_close(&f->id);
}

static void a_leaf_lasts_397_days_and_is_renewed_at_two_thirds(void **state) {
    struct fixture *f = *state;
    start(f, "", NOW);
    struct cert_facts ca = f->v.ca, leaf = f->v.served;
    assert_int_equal(leaf.span.from_s, NOW - 2 * DAY);
    assert_int_equal(leaf.span.to_s - leaf.span.from_s + 1, 397 * DAY);
    int64_t due_s = identity_due_s(&f->id);
    assert_in_range(due_s, NOW + 255 * DAY, NOW + 270 * DAY);
    identity_refresh(&f->id, &f->names, due_s - 1);
    identity_look(&f->id, &f->v);
    assert_true(same(&leaf, &f->v.served));
    identity_refresh(&f->id, &f->names, due_s);
    identity_look(&f->id, &f->v);
    assert_false(same(&leaf, &f->v.served));
    assert_true(same(&ca, &f->v.ca));
    assert_int_equal(f->v.served.span.from_s, due_s - 2 * DAY);
    /* And it is what the disk holds. */
    leaf = f->v.served;
    again(f, "", due_s);
    assert_true(same(&leaf, &f->v.served));
    identity_close(&f->id);
}

static void without_a_clock_it_is_the_day_of_the_build(void **state) {
    struct fixture *f = *state;
    start(f, "", 1000);
    struct cert_facts leaf = f->v.served;
    assert_int_equal(leaf.span.from_s, BUILT);
    assert_int_equal(f->v.ca.span.from_s, BUILT);
    /* The clock is set: the same leaf while it is good, another when it is not. */
    identity_refresh(&f->id, &f->names, NOW);
    identity_look(&f->id, &f->v);
    assert_true(same(&leaf, &f->v.served));
    identity_refresh(&f->id, &f->names, BUILT + 3000 * DAY);
    identity_look(&f->id, &f->v);
    assert_false(same(&leaf, &f->v.served));
    assert_int_equal(f->v.served.span.from_s, BUILT + 2998 * DAY);
    /* And back again. */
    identity_refresh(&f->id, &f->names, NOW);
    identity_look(&f->id, &f->v);
    assert_int_equal(f->v.served.span.from_s, NOW - 2 * DAY);
    identity_close(&f->id);
}

static void a_new_address_makes_a_leaf_that_keeps_the_old_one(void **state) {
    struct fixture *f = *state;
    uint32_t a = htonl(0xc0a80101), b = htonl(0xc0a80102);
    struct cert_names more = f->names;
    start(f, "", NOW);
    struct cert_facts leaf = f->v.served;
    cert_add_ip(&more, &a, 4);
    identity_refresh(&f->id, &more, NOW);
    identity_look(&f->id, &f->v);
    assert_false(same(&leaf, &f->v.served));
    assert_true(cert_has(&f->v.served.names, &more.name[more.n - 1]));
    /* The address changes: the one before stays in, so changing back costs nothing. */
    struct cert_names other = f->names;
    cert_add_ip(&other, &b, 4);
    identity_refresh(&f->id, &other, NOW);
    identity_look(&f->id, &f->v);
    assert_true(cert_has(&f->v.served.names, &other.name[other.n - 1]));
    leaf = f->v.served;
    identity_refresh(&f->id, &more, NOW);
    identity_refresh(&f->id, &f->names, NOW);
    identity_look(&f->id, &f->v);
    assert_true(same(&leaf, &f->v.served));
    identity_close(&f->id);
}

static void a_name_that_the_ca_must_not_sign_is_left_out(void **state) {
    struct fixture *f = *state;
    struct cert_names renamed;
    start(f, "", NOW);
    called(&renamed, "bank.example.com");
    identity_refresh(&f->id, &renamed, NOW);
    identity_look(&f->id, &f->v);
    assert_string_equal(f->v.served.names.name[0].text, "bank.local");
    for (unsigned i = 0; i < f->v.served.names.n; i++)
        assert_true(cert_permits(&f->v.ca.names, &f->v.served.names.name[i]));
    identity_close(&f->id);
}

static void broken_files_are_replaced(void **state) {
    struct fixture *f = *state;
    start(f, "", NOW);
    struct cert_facts ca = f->v.ca, leaf = f->v.served;
    assert_int_equal(system("echo nonsense > tls/leaf.pem"), 0);
    again(f, "", NOW);
    assert_true(same(&ca, &f->v.ca));
    assert_false(same(&leaf, &f->v.served));
    static const char *const harm[] = {"echo > tls/ca.pem", "rm tls/ca.key",
                                       "cp tls/leaf.pem tls/ca.key",
                                       "cp tls/leaf.pem tls/ca.pem"};
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        ca = f->v.ca;
        leaf = f->v.served;
        assert_int_equal(system(harm[i]), 0);
        again(f, "", NOW);
        assert_false(same(&ca, &f->v.ca));
        assert_false(same(&leaf, &f->v.served)); /* the old CA's is foreign */
    }
    identity_close(&f->id);
}

/* Text of a file, kept until the next call. */
static const char *text_of(const char *path) {
    static char text[16384];
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static void make_owners(void) {
    assert_int_equal(
        system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
               "-keyout k -out c -subj /CN=x -addext subjectAltName=DNS:own.example "
               "-days 9000 2>log && cat k c > own.pem"),
        0);
}

static void the_owners_is_installed_kept_and_taken_away(void **state) {
    struct fixture *f = *state;
    char why[200];
    make_owners();
    start(f, "", NOW);
    struct cert_facts leaf = f->v.served;
    assert_int_equal(identity_remove(&f->id, why, sizeof why), -ENOENT);
    assert_int_equal(identity_install(&f->id, text_of("own.pem"), NOW, why, sizeof why),
                     0);
    again(f, "", NOW);
    assert_int_equal(f->v.kind, IDENTITY_INSTALLED);
    assert_string_equal(f->v.served.names.name[0].text, "own.example");
    assert_int_equal(mode("tls/installed.pem"), 0600);
    /* Our own is kept ready meanwhile. */
    identity_refresh(&f->id, &f->names, NOW + 300 * DAY);
    identity_look(&f->id, &f->v);
    assert_int_equal(f->v.kind, IDENTITY_INSTALLED);
    assert_int_equal(identity_remove(&f->id, why, sizeof why), 0);
    identity_look(&f->id, &f->v);
    assert_int_equal(f->v.kind, IDENTITY_OWN);
    assert_false(same(&leaf, &f->v.served));
    assert_int_equal(access("tls/installed.pem", F_OK), -1);
    identity_close(&f->id);
}

static void what_cannot_be_served_is_not_installed(void **state) {
    struct fixture *f = *state;
    char why[200];
    make_owners();
    start(f, "", NOW);
    static const struct {
        const char *make, *why;
    } bad[] = {{"cp c x", "private key"},
               {"cat c tls/ca.key > x", "does not fit"},
               {"echo > x", "usable certificate"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(system(bad[i].make), 0);
        assert_int_equal(identity_install(&f->id, text_of("x"), NOW, why, sizeof why),
                         -EINVAL);
        if (!strstr(why, bad[i].why))
            fail_msg("%s: %s", bad[i].make, why);
    }
    assert_int_equal(identity_install(&f->id, text_of("own.pem"), NOW + 20000 * DAY,
                                      why, sizeof why),
                     -EINVAL);
    assert_non_null(strstr(why, "expired"));
    assert_int_equal(access("tls/installed.pem", F_OK), -1);
    identity_look(&f->id, &f->v);
    assert_int_equal(f->v.kind, IDENTITY_OWN);
    identity_close(&f->id);
}

static void a_file_of_the_configuration_goes_first(void **state) {
    struct fixture *f = *state;
    char why[200];
    make_owners();
    start(f, "own.pem", NOW);
    assert_int_equal(f->v.kind, IDENTITY_FILE);
    assert_false(f->v.has_ca);
    assert_int_equal(access("tls/ca.pem", F_OK), -1);
    assert_int_equal(identity_install(&f->id, text_of("own.pem"), NOW, why, sizeof why),
                     -EBUSY);
    assert_int_equal(identity_use_file(&f->id, "missing", why, sizeof why), -ENOENT);
    assert_int_equal(identity_use_file(&f->id, "own.pem", why, sizeof why), 0);
    again(f, "", NOW);
    assert_int_equal(f->v.kind, IDENTITY_OWN);
    assert_int_equal(identity_use_file(&f->id, "own.pem", why, sizeof why), 0);
    assert_int_equal(identity_use_file(&f->id, "", why, sizeof why), 0);
    identity_look(&f->id, &f->v);
    assert_int_equal(f->v.kind, IDENTITY_OWN);
    identity_close(&f->id);
    const struct identity_opts o = {.data = NULL, .file = "", .built_s = BUILT};
    assert_int_equal(identity_open(&f->id, &o, &f->names, NOW, why, sizeof why),
                     -EINVAL);
}

static void a_host_has_all_its_names(void **state) {
    struct cert_names n;
    struct config_list own = {3, {"board.example.org", "192.168.7.7", "[fd00::7]"}};
    static const char *const dns[] = {"box.local", "localhost", "box",
                                      "box.example.org", "board.example.org"};
    (void)state;
    assert_int_equal(names_gather(&n, "Box.Example.org", &own, NULL), 0);
    unsigned seen = 0;
    for (unsigned i = 0; i < n.n; i++) {
        if (!n.name[i].ip)
            assert_string_equal(n.name[i].text, dns[seen++]);
    }
    assert_int_equal(seen, 5);
    assert_int_equal(n.n, 5 + 4); /* loopback twice, and the two that were given */
    /* A name that DNS does not know is none. */
    assert_int_equal(names_gather(&n, "(none)", &own, NULL), 0);
    assert_string_equal(n.name[0].text, "localhost");
}

int main(void) {
#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(both_are_made_once_and_kept),
        EACH(a_leaf_lasts_397_days_and_is_renewed_at_two_thirds),
        EACH(without_a_clock_it_is_the_day_of_the_build),
        EACH(a_new_address_makes_a_leaf_that_keeps_the_old_one),
        EACH(a_name_that_the_ca_must_not_sign_is_left_out),
        EACH(broken_files_are_replaced),
        EACH(the_owners_is_installed_kept_and_taken_away),
        EACH(what_cannot_be_served_is_not_installed),
        EACH(a_file_of_the_configuration_goes_first),
        EACH(a_host_has_all_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
