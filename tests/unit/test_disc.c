// link: session base
/* Evidence to cause, and what each cause means (the table of causes in the design). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/disc.h"

static void each_cause_has_its_meaning(void **state) {
    (void)state;
    static const struct {
        enum disc_why why;
        struct disc_info is;
    } row[] = {
        {DISC_NONE, {"none", 0, LOG_LVL_DEBUG, true}},
        {DISC_PEER_CLOSED, {"peer_closed", 0, LOG_LVL_DEBUG, true}},
        {DISC_PEER_GONE, {"peer_gone", 0, LOG_LVL_DEBUG, true}},
        {DISC_PEER_RESET, {"peer_reset", 0, LOG_LVL_DEBUG, true}},
        {DISC_HEARTBEAT_LOST, {"heartbeat_lost", 4001, LOG_LVL_INFO, true}},
        {DISC_SLOW_READER, {"slow_reader", 4008, LOG_LVL_INFO, true}},
        {DISC_LOGGED_OUT, {"logged_out", 1008, LOG_LVL_INFO, true}},
        {DISC_EXPIRED, {"expired", 1008, LOG_LVL_INFO, true}},
        {DISC_EVICTED, {"evicted", 4002, LOG_LVL_INFO, true}},
        {DISC_PROTOCOL_ERROR, {"protocol_error", 1002, LOG_LVL_NOTICE, false}},
        {DISC_SHUTDOWN, {"shutdown", 1001, LOG_LVL_INFO, true}},
        {DISC_INTERNAL_ERROR, {"internal_error", 1011, LOG_LVL_ERROR, false}},
    };
    assert_int_equal(sizeof(row) / sizeof(row[0]), DISC_N);
    for (unsigned i = 0; i < DISC_N; i++) {
        const struct disc_info *is = disc_info(row[i].why);
        assert_int_equal(row[i].why, i);
        assert_string_equal(is->name, row[i].is.name);
        assert_int_equal(is->close_code, row[i].is.close_code);
        assert_int_equal(is->level, row[i].is.level);
        assert_int_equal(is->expected, row[i].is.expected);
    }
}

/* The promise: ERROR in the log means a fault of ours, and nothing else does. */
static void only_our_own_faults_are_errors(void **state) {
    (void)state;
    for (unsigned why = 0; why < DISC_N; why++) {
        const struct disc_info *is = disc_info(why);
        assert_int_equal(is->level == LOG_LVL_ERROR, why == DISC_INTERNAL_ERROR);
        if (is->expected)
            assert_true(is->level >= LOG_LVL_INFO);
    }
}

static const int outside[] = {
    ECONNRESET, EPIPE,        ENOTCONN,    ESHUTDOWN, ECONNABORTED, ETIMEDOUT,
    EPROTO,     EBADMSG,      ENETUNREACH, ENETDOWN,  ENETRESET,    EHOSTUNREACH,
    EHOSTDOWN,  ECONNREFUSED, ENOPROTOOPT, EMSGSIZE,  EOPNOTSUPP,   ENONET,
    EACCES,     ENODEV,       EPERM,
};

static bool is_outside(int err) {
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        if (outside[i] == err)
            return true;
    }
    return false;
}

static void every_errno_is_theirs_or_ours(void **state) {
    (void)state;
    for (int err = 1; err <= 4095; err++) {
        struct disc_facts f = {.err = err};
        assert_int_equal(disc_classify(&f),
                         is_outside(err) ? DISC_PEER_RESET : DISC_INTERNAL_ERROR);
    }
    static const int ours[] = {EBADF,   ENOTSOCK,    EFAULT, EINVAL, ENOMEM,
                               ENOBUFS, EMFILE,      ENFILE, EIO,    ENOSYS,
                               EDOM,    EOVERFLOW,   EAGAIN, EINTR,  EALREADY,
                               EISCONN, EDESTADDRREQ};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        assert_false(is_outside(ours[i]));
}

static void evidence_leads_to_its_cause(void **state) {
    (void)state;
    static const struct {
        struct disc_facts f;
        enum disc_why why;
    } row[] = {
        {{0}, DISC_NONE},
        {{.close_frame = true}, DISC_PEER_CLOSED},
        {{.eof = true}, DISC_PEER_GONE},
        {{.err = ECONNRESET}, DISC_PEER_RESET},
        {{.err = EBADF}, DISC_INTERNAL_ERROR},
        {{.heartbeats_lost = true}, DISC_HEARTBEAT_LOST},
        {{.stalled = true, .peer_acks = true}, DISC_SLOW_READER},
        {{.stalled = true}, DISC_PEER_RESET},
        {{.peer_acks = true}, DISC_NONE},
        /* A FIN or a reset after the close frame is how it ought to end. */
        {{.close_frame = true, .eof = true}, DISC_PEER_CLOSED},
        {{.close_frame = true, .err = EPIPE}, DISC_PEER_CLOSED},
        {{.close_frame = true, .heartbeats_lost = true}, DISC_PEER_CLOSED},
        /* We wrote to a peer that had left in order. */
        {{.eof = true, .err = ECONNRESET}, DISC_PEER_GONE},
        /* A fault of ours is never hidden. */
        {{.close_frame = true, .eof = true, .err = ENOMEM}, DISC_INTERNAL_ERROR},
        /* TCP gave up, and says why. */
        {{.stalled = true, .err = ETIMEDOUT}, DISC_PEER_RESET},
        {{.heartbeats_lost = true, .err = EHOSTUNREACH}, DISC_PEER_RESET},
        /* Its kernel lives, its program does not read. */
        {{.stalled = true, .peer_acks = true, .heartbeats_lost = true},
         DISC_SLOW_READER},
        {{.peer_acks = true, .heartbeats_lost = true}, DISC_HEARTBEAT_LOST},
        {{.stalled = true, .heartbeats_lost = true}, DISC_HEARTBEAT_LOST},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(disc_classify(&row[i].f), row[i].why);
}

/* All combinations: whatever is seen besides, a stronger fact decides. */
static void stronger_evidence_wins(void **state) {
    (void)state;
    static const int errs[] = {0, EPIPE, EBADF};
    for (unsigned i = 0; i < 32 * 3; i++) {
        struct disc_facts f = {.close_frame = i & 1,
                               .eof = i & 2,
                               .stalled = i & 4,
                               .heartbeats_lost = i & 8,
                               .peer_acks = i & 16,
                               .err = errs[i / 32]};
        enum disc_why why = disc_classify(&f);
        if (f.err == EBADF)
            assert_int_equal(why, DISC_INTERNAL_ERROR);
        else if (f.close_frame)
            assert_int_equal(why, DISC_PEER_CLOSED);
        else if (f.eof)
            assert_int_equal(why, DISC_PEER_GONE);
        else if (f.err)
            assert_int_equal(why, DISC_PEER_RESET);
        else
            assert_int_equal(why != DISC_NONE, f.stalled || f.heartbeats_lost);
        assert_true(why == DISC_INTERNAL_ERROR || disc_info(why)->expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_has_its_meaning),
        cmocka_unit_test(only_our_own_faults_are_errors),
        cmocka_unit_test(every_errno_is_theirs_or_ours),
        cmocka_unit_test(evidence_leads_to_its_cause),
        cmocka_unit_test(stronger_evidence_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
