// link: update
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "update/abstate.h"
#include "update/bootup.h"
#include "update/record.h"
#include "update/trial.h"

static void boot_state_is_of_one_length(void **state) {
    (void)state;
    char text[ABSTATE_TEXT + 1];
    for (int slot = 0; slot < 2; slot++) {
        for (unsigned tries = 0; tries < 10; tries++) {
            for (int pending = 0; pending < 2; pending++) {
                struct abstate s = {(enum ab_slot)slot, pending, tries}, got;
                abstate_text(&s, text);
                assert_int_equal(strlen(text), ABSTATE_TEXT);
                assert_int_equal(abstate_parse(&got, text, ABSTATE_TEXT), 0);
                assert_int_equal(got.slot, slot);
                assert_int_equal(got.pending, pending);
                assert_int_equal(got.tries, tries);
            }
        }
    }
}

static void boot_state_is_strict_but_for_padding(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        int rc;
    } cases[] = {
        {"pending=1\nslot=b\ntries=0\n\0", 26, 0},
        {"pending=1\nslot=b\ntries=0\n\n\n", 27, 0},
        {"pending=1\nslot=b\ntries=0", 24, -EINVAL},
        {"pending=1\nslot=b\n", 17, -EINVAL},
        {"slot=b\npending=1\ntries=0\n", 25, -EINVAL},
        {"pending=2\nslot=b\ntries=0\n", 25, -EINVAL},
        {"pending=1\nslot=c\ntries=0\n", 25, -EINVAL},
        {"pending=1\nslot=b\ntries=x\n", 25, -EINVAL},
        {"pending=1\nslot=b\ntries=0\nx", 26, -EINVAL},
        {"pending=1\r\nslot=b\r\ntries=0\r\n", 28, -EINVAL},
        {"", 0, -EINVAL},
    };
    struct abstate s;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(abstate_parse(&s, cases[i].text, cases[i].n), cases[i].rc);
}

static void record_is(const struct record *got, const struct record *want) {
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->slot, want->slot);
    assert_int_equal(got->network, want->network);
    assert_string_equal(got->version, want->version);
    assert_string_equal(got->from, want->from);
    assert_string_equal(got->boot, want->boot);
    assert_string_equal(got->why, want->why);
}

static void record_comes_back_as_it_was(void **state) {
    (void)state;
    char text[RECORD_TEXT_MAX];
    for (int s = 0; s < UPDATE_STATES; s++) {
        struct record got, r = {.state = (enum update_state)s,
                                .slot = AB_B,
                                .network = s % 2 != 0,
                                .version = "1.2.3+gabc",
                                .from = "1.2.2",
                                .boot = "11111111-2222-3333-4444-555555555555",
                                .why = "no page: Connection refused = sad"};
        size_t n = record_text(&r, text);
        assert_true(n > 0);
        assert_int_equal(record_parse(&got, text, n), 0);
        record_is(&got, &r);
        for (size_t cut = 1; cut < n; cut++) {
            int rc = record_parse(&got, text, cut);
            assert_int_equal(rc, text[cut - 1] == '\n' ? 0 : -EINVAL);
        }
    }
}

static void the_longest_record_fits(void **state) {
    (void)state;
    char text[RECORD_TEXT_MAX];
    struct record r = {.state = UPDATE_ROLLED_BACK};
    memset(r.version, 'v', sizeof r.version - 1);
    memset(r.from, 'f', sizeof r.from - 1);
    memset(r.boot, 'b', sizeof r.boot - 1);
    memset(r.why, 'w', sizeof r.why - 1);
    assert_true(record_text(&r, text) > 0);
}

#define NOW "this-boot"
#define THEN "a-boot-before"

/* Slot a runs. Every way in which a boot can be found. */
static const struct {
    const char *name;
    bool ab_ok;
    struct abstate ab;
    enum update_state was;
    enum ab_slot slot; /* of the record */
    const char *boot;
    enum bootup_todo todo;
    enum update_state is;
} boots[] = {
    {"an ordinary one",
     true,
     {AB_A, false, 0},
     UPDATE_IDLE,
     AB_A,
     "",
     BOOTUP_NOTHING,
     UPDATE_IDLE},
    {"after a confirmed one",
     true,
     {AB_A, false, 0},
     UPDATE_CONFIRMED,
     AB_A,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_CONFIRMED},
    {"on trial",
     true,
     {AB_A, true, 1},
     UPDATE_REBOOT,
     AB_A,
     THEN,
     BOOTUP_TRY,
     UPDATE_TRIAL},
    {"on trial again: the helper came back",
     true,
     {AB_A, true, 1},
     UPDATE_TRIAL,
     AB_A,
     THEN,
     BOOTUP_TRY,
     UPDATE_TRIAL},
    {"on trial, and the record is lost",
     true,
     {AB_A, true, 1},
     UPDATE_IDLE,
     AB_A,
     "",
     BOOTUP_TRY,
     UPDATE_TRIAL},
    {"the boot loader went back",
     true,
     {AB_A, false, 0},
     UPDATE_REBOOT,
     AB_B,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_ROLLED_BACK},
    {"back in the middle of the trial",
     true,
     {AB_A, false, 0},
     UPDATE_TRIAL,
     AB_B,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_ROLLED_BACK},
    {"it went back and could not write it down",
     true,
     {AB_B, true, 1},
     UPDATE_REBOOT,
     AB_B,
     THEN,
     BOOTUP_SETTLE,
     UPDATE_ROLLED_BACK},
    {"switched, not rebooted yet",
     true,
     {AB_B, true, 0},
     UPDATE_REBOOT,
     AB_B,
     NOW,
     BOOTUP_REBOOT,
     UPDATE_REBOOT},
    {"cut between record and switch",
     true,
     {AB_A, false, 0},
     UPDATE_REBOOT,
     AB_B,
     NOW,
     BOOTUP_NOTHING,
     UPDATE_FAILED},
    {"cut between confirmation and record",
     true,
     {AB_A, false, 0},
     UPDATE_TRIAL,
     AB_A,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_CONFIRMED},
    {"cut while it was written",
     true,
     {AB_A, false, 0},
     UPDATE_RECEIVING,
     AB_B,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_FAILED},
    {"rolled back, told, and still to be read",
     true,
     {AB_A, false, 0},
     UPDATE_ROLLED_BACK,
     AB_B,
     THEN,
     BOOTUP_NOTHING,
     UPDATE_ROLLED_BACK},
    {"the boot state is lost",
     false,
     {AB_B, true, 3},
     UPDATE_IDLE,
     AB_A,
     "",
     BOOTUP_SETTLE,
     UPDATE_IDLE},
    {"it names the other slot, which did not start",
     true,
     {AB_B, false, 0},
     UPDATE_IDLE,
     AB_A,
     "",
     BOOTUP_SETTLE,
     UPDATE_IDLE},
};

static void every_boot_is_understood(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof boots / sizeof boots[0]; i++) {
        struct record r = {.state = boots[i].was, .slot = boots[i].slot};
        snprintf(r.boot, sizeof r.boot, "%s", boots[i].boot);
        struct bootup b = {boots[i].ab, boots[i].ab_ok, AB_A, NOW, &r};
        enum bootup_todo todo = bootup_judge(&b);
        if (todo != boots[i].todo || r.state != boots[i].is)
            fail_msg("%s: todo %d, state %s", boots[i].name, todo,
                     update_state_name(r.state));
    }
}

static void a_trial_passes_after_serving_without_a_pause(void **state) {
    (void)state;
    struct trial t;
    trial_begin(&t, 1000, 60000, 240000);
    assert_int_equal(trial_see(&t, 1000, false), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 6000, true), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 60000, true), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 61000, false), TRIAL_GOES_ON);
    assert_true(trial_progress(&t, 61000) == 0);
    assert_int_equal(trial_see(&t, 66000, true), TRIAL_GOES_ON);
    assert_true(trial_progress(&t, 96000) == 0.5);
    assert_int_equal(trial_see(&t, 125999, true), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 126000, true), TRIAL_PASSED);
}

static void a_trial_fails_at_its_limit(void **state) {
    (void)state;
    struct trial t;
    trial_begin(&t, 1000, 60000, 240000);
    assert_int_equal(trial_see(&t, 240999, false), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 241000, false), TRIAL_FAILED);
    /* Good, but begun too late to be sure of. */
    trial_begin(&t, 1000, 60000, 240000);
    assert_int_equal(trial_see(&t, 190000, true), TRIAL_GOES_ON);
    assert_int_equal(trial_see(&t, 241000, true), TRIAL_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_state_is_of_one_length),
        cmocka_unit_test(boot_state_is_strict_but_for_padding),
        cmocka_unit_test(record_comes_back_as_it_was),
        cmocka_unit_test(the_longest_record_fits),
        cmocka_unit_test(every_boot_is_understood),
        cmocka_unit_test(a_trial_passes_after_serving_without_a_pause),
        cmocka_unit_test(a_trial_fails_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
