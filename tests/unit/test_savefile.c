// link: base
#include "base/savefile.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/savefile-XXXXXX";

static int set_up(void **state) {
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    return mkdtemp(dir) ? 0 : -1;
}

static const char *path_of(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* Files in the folder; removes them when asked. */
static unsigned files(bool remove_them) {
    unsigned n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (remove_them)
            unlink(path_of(e->d_name));
    }
    closedir(d);
    return n;
}

static int empty(void **state) {
    (void)state;
    files(true);
    return 0;
}

static int tear_down(void **state) {
    empty(state);
    return rmdir(dir);
}

static void holds(const char *name, const char *text, mode_t mode) {
    char got[64] = "";
    struct stat st;
    FILE *f = fopen(path_of(name), "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    assert_string_equal(got, text);
    assert_int_equal(fstat(fileno(f), &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
    fclose(f);
}

static void a_file_is_made_and_replaced(void **state) {
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(savefile(dir, "a.json", 0644, "first", 5), 0);
    umask(before);
    holds("a.json", "first", 0644);
    assert_int_equal(savefile(dir, "a.json", 0600, "x", 1), 0);
    holds("a.json", "x", 0600);
    assert_int_equal(savefile(dir, "a.json", 0600, "", 0), 0);
    holds("a.json", "", 0600);
    assert_int_equal(files(false), 1);
}

static void a_file_goes(void **state) {
    (void)state;
    assert_int_equal(savefile(dir, "a", 0600, "x", 1), 0);
    assert_int_equal(savefile_remove(dir, "a"), 0);
    assert_int_equal(files(false), 0);
    assert_int_equal(savefile_remove(dir, "a"), -ENOENT);
    assert_int_equal(savefile_remove("/nowhere", "a"), -ENOENT);
}

static void what_a_power_cut_left_is_no_obstacle(void **state) {
    (void)state;
    FILE *f = fopen(path_of("a.json.new"), "w");
    fputs("half of someth", f);
    fclose(f);
    assert_int_equal(savefile(dir, "a.json", 0600, "whole", 5), 0);
    holds("a.json", "whole", 0600);
    assert_int_equal(files(false), 1);
}

/* Whoever may write to the folder cannot make us write elsewhere. */
static void a_link_in_the_way_is_not_followed(void **state) {
    (void)state;
    assert_int_equal(savefile(dir, "other", 0600, "kept", 4), 0);
    assert_int_equal(symlink("other", path_of("a.json.new")), 0);
    assert_int_equal(savefile(dir, "a.json", 0600, "new", 3), 0);
    holds("other", "kept", 0600);
    holds("a.json", "new", 0600);
}

static void a_disk_that_fills_up_leaves_the_old_file(void **state) {
    (void)state;
    static const uint8_t much[4096];
    struct rlimit was;
    assert_int_equal(savefile(dir, "a.json", 0600, "old", 3), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    struct rlimit small = {1024, was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = savefile(dir, "a.json", 0600, much, sizeof much);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(rc, -EFBIG);
    holds("a.json", "old", 0600);
    assert_int_equal(files(false), 1);
}

static void what_cannot_be_is_said(void **state) {
    (void)state;
    char longest[SAVEFILE_NAME_MAX + 1];
    memset(longest, 'n', sizeof longest);
    longest[SAVEFILE_NAME_MAX] = '\0';
    assert_int_equal(savefile("/nowhere/at/all", "a", 0600, "", 0), -ENOENT);
    assert_int_equal(savefile("/dev/null", "a", 0600, "", 0), -ENOTDIR);
    assert_int_equal(savefile(dir, longest, 0600, "", 0), -EINVAL);
    assert_int_equal(savefile(dir, "../a", 0600, "", 0), -EINVAL);
    longest[SAVEFILE_NAME_MAX - 1] = '\0';
    assert_int_equal(savefile(dir, longest, 0600, "", 0), 0);
    assert_int_equal(mkdir(path_of("taken"), 0700), 0);
    assert_int_equal(savefile(dir, "taken", 0600, "", 0), -EISDIR);
    rmdir(path_of("taken"));
}

static void what_root_writes_is_the_folders(void **state) {
    (void)state;
    struct stat st;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(dir, 65534, 65534), 0);
    assert_int_equal(savefile(dir, "a.json", 0600, "x", 1), 0);
    assert_int_equal(stat(path_of("a.json"), &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_gid, 65534);
    assert_int_equal(chown(dir, 0, 0), 0);
    assert_int_equal(savefile(dir, "a.json", 0600, "x", 1), 0);
    assert_int_equal(stat(path_of("a.json"), &st), 0);
    assert_int_equal(st.st_uid, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_made_and_replaced, empty),
        cmocka_unit_test_setup(a_file_goes, empty),
        cmocka_unit_test_setup(what_a_power_cut_left_is_no_obstacle, empty),
        cmocka_unit_test_setup(a_link_in_the_way_is_not_followed, empty),
        cmocka_unit_test_setup(a_disk_that_fills_up_leaves_the_old_file, empty),
        cmocka_unit_test_setup(what_cannot_be_is_said, empty),
        cmocka_unit_test_setup(what_root_writes_is_the_folders, empty),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
