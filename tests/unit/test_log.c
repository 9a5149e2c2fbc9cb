// link: base
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <poll.h>

/* stderr goes to a pipe while a test runs. */
static int saved, ends[2];
static char out[64 * 1024];

static int set_up(void **state) {
    (void)state;
    if (pipe2(ends, O_NONBLOCK) < 0 || (saved = dup(STDERR_FILENO)) < 0)
        return -1;
    log_set_level(LOG_LVL_INFO);
    log_set_syslog_prefix(true);
    return dup2(ends[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* What was logged since the last call. */
static const char *logged(void) {
    ssize_t n = read(ends[0], out, sizeof out - 1);
    out[n > 0 ? n : 0] = '\0';
    return out;
}

static unsigned lines(const char *text) {
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void a_line_is_logfmt_with_a_prefix(void **state) {
    (void)state;
    log_notice("t_prefix", "id=%d name=%s", 7, "x");
    assert_string_equal(logged(), "<5>level=notice event=t_prefix id=7 name=x\n");
    log_error("t_bare", "%s", "");
    assert_string_equal(logged(), "<3>level=error event=t_bare\n");
}

static void without_a_prefix_there_is_the_time(void **state) {
    (void)state;
    log_set_syslog_prefix(false);
    log_warn("t_time", "a=1");
    unsigned y, mon, d, h, min, s, ms;
    int end = 0;
    assert_int_equal(sscanf(logged(), "time=%4u-%2u-%2uT%2u:%2u:%2u.%3uZ %n", &y, &mon,
                            &d, &h, &min, &s, &ms, &end),
                     7);
    assert_string_equal(out + end, "level=warn event=t_time a=1\n");
}

static void the_level_decides(void **state) {
    (void)state;
    log_debug("t_level", "a=1");
    assert_string_equal(logged(), "");
    log_set_level(LOG_LVL_DEBUG);
    log_debug("t_level", "a=2");
    assert_non_null(strstr(logged(), "level=debug event=t_level a=2"));
    log_set_level(LOG_LVL_ERROR);
    log_warn("t_level", "a=3");
    assert_string_equal(logged(), "");
    assert_int_equal(log_level(), LOG_LVL_ERROR);
}

static void levels_have_names(void **state) {
    (void)state;
    for (int i = LOG_LVL_ERROR; i <= LOG_LVL_DEBUG; i++) {
        enum log_level got = LOG_LVL_ERROR;
        assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &got), 0);
        assert_int_equal(got, i);
    }
    enum log_level kept = LOG_LVL_WARN;
    assert_int_equal(log_level_parse("loud", &kept), -EINVAL);
    assert_int_equal(log_level_parse("", &kept), -EINVAL);
    assert_int_equal(kept, LOG_LVL_WARN);
}

static void a_peer_cannot_forge_a_line(void **state) {
    (void)state;
    log_warn("t_forge", "path=%s", "/a\nlevel=error event=lie\r\x1b[31m");
    assert_string_equal(
        logged(), "<4>level=warn event=t_forge path=/a level=error event=lie  [31m\n");
}

/* Every length around the limit: at the limit whole, beyond it cut. */
static void a_long_line_is_cut_and_says_so(void **state) {
    (void)state;
    const size_t head = strlen("<4>level=warn event=t_long v="), around = LOG_BURST / 2;
    for (size_t whole = LOG_LINE_MAX - around; whole < LOG_LINE_MAX + around; whole++) {
        char v[2 * LOG_LINE_MAX] = "";
        memset(v, 'x', whole - head - 1);
        log_warn("t_long", "v=%s", v);
        size_t len = strlen(logged());
        assert_int_equal(len, whole < LOG_LINE_MAX ? whole : LOG_LINE_MAX);
        assert_string_equal(out + len - 4, whole <= LOG_LINE_MAX ? "xxx\n" : "...\n");
    }
}

static void a_flood_is_limited_and_others_are_not(void **state) {
    (void)state;
    for (int i = 0; i < LOG_BURST + 30; i++)
        log_info("t_flood", "i=%d", i);
    assert_int_equal(lines(logged()), LOG_BURST);
    log_info("t_other", "a=1");
    assert_int_equal(lines(logged()), 1);
}

#define THREADS 4
#define EACH 15

static void *write_lines(void *arg) {
    char filler[300];
    memset(filler, 'a' + *(const char *)arg, sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    static const char *const events[THREADS] = {"t_mix0", "t_mix1", "t_mix2", "t_mix3"};
    for (int i = 0; i < EACH; i++)
        log_info(events[(int)*(const char *)arg], "v=%s.", filler);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    static const char arg[THREADS] = {0, 1, 2, 3};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&arg[i]),
            0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *save = NULL;
    unsigned n = 0;
    logged();
    for (char *l = strtok_r(out, "\n", &save); l;
         l = strtok_r(NULL, "\n", &save), n++) {
        int who = l[strlen("<6>level=info event=t_mix")] - '0';
        assert_in_range(who, 0, THREADS - 1);
        const char *v = strchr(strstr(l, "v="), '=') + 1;
        size_t run = strspn(v, (const char[]){(char)('a' + who), '\0'});
        assert_int_equal(run, 299);
        assert_string_equal(v + run, ".");
    }
    assert_int_equal(n, THREADS * EACH);
}

/* A pipe that nobody reads: whoever logs goes on, and what was lost is counted later.
 */
static void a_full_pipe_stops_nobody(void **state) {
    (void)state;
    static char page[4096];
    while (write(ends[1], page, sizeof page) > 0)
        ;
    assert_int_equal(fcntl(ends[1], F_SETFL, 0),
                     0); /* from now on a write would block */
    alarm(10);
    log_info("t_full", "a=1");
    log_info("t_full", "a=2");
    while (read(ends[0], out, sizeof out) > 0)
        ;
    log_info("t_full", "a=3");
    assert_string_equal(logged(), "<6>level=info event=t_full a=3 lost=2\n");
    log_info("t_full", "a=4");
    assert_string_equal(logged(), "<6>level=info event=t_full a=4\n");
    alarm(0);
}

/* Becomes stderr; returns its other end, which does not wait. */
static int open_terminal(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    assert_true(dup2(slave, STDERR_FILENO) >= 0);
    close(slave);
    return master;
}

/* Adds to `text` what the terminal shows, which arrives when the kernel comes to it:
 * until none has come for wait_ms. */
static void show(int master, char *text, size_t cap, int wait_ms) {
    struct pollfd p = {.fd = master, .events = POLLIN};
    size_t n = strlen(text);
    while (n < cap - 1 && poll(&p, 1, wait_ms) > 0) {
        ssize_t got = read(master, text + n, cap - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
}

/* It takes lines until it is full, of the last one a part, too. That one is lost, and
 * the next does not go on where it ends. Each is there or counted as lost. */
static void a_terminal_that_nobody_reads_stops_nobody(void **state) {
    (void)state;
    static const char *const events[] = {"t_tty0", "t_tty1", "t_tty2", "t_tty3",
                                         "t_tty4", "t_tty5", "t_tty6", "t_tty7"};
    static char text[1 << 18];
    unsigned said = 0, whole = 0, lost = 0;
    char filler[700] = "", *save;
    memset(filler, 'x', sizeof filler - 1);
    int master = open_terminal();
    log_own_stderr();
    alarm(20);
    for (; said < LOG_BURST * sizeof events / sizeof *events; said++)
        log_info(events[said / LOG_BURST], "v=%s.", filler);
    show(master, text, sizeof text, 100);
    for (unsigned i = 0; i < LOG_BURST && !strstr(text, "a=1"); i++, said++) {
        log_info("t_tty", "a=1");
        show(master, text, sizeof text, 100);
    }
    alarm(0);
    close(master);
    for (char *l = strtok_r(text, "\r\n", &save); l;
         l = strtok_r(NULL, "\r\n", &save)) {
        const char *count = strstr(l, " lost=");
        assert_int_equal(strncmp(l, "<6>level=info event=t_tty", 25), 0);
        assert_null(strstr(l + 1, "<6>"));
        whole += strstr(l, "x.") || strstr(l, "a=1");
        lost += count ? (unsigned)atoi(count + 6) : 0;
    }
    assert_true(lost > 0);
    /* One that was torn before its newline looks whole. */
    assert_in_range(whole + lost, said, said + 1);
}

/* Who else writes to the pipe waits as before. */
static void what_is_ours_is_not_that_of_others(void **state) {
    (void)state;
    int shared = dup(STDERR_FILENO);
    assert_int_equal(fcntl(shared, F_SETFL, 0), 0);
    log_own_stderr();
    assert_true(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
    assert_false(fcntl(shared, F_GETFL) & O_NONBLOCK);
    close(shared);
    log_info("t_ours", "a=1");
    assert_string_equal(logged(), "<6>level=info event=t_ours a=1\n");
}

static void values_are_quoted(void **state) {
    (void)state;
    char q[16];
    assert_string_equal(log_quote(q, sizeof q, "a b"), "\"a b\"");
    assert_string_equal(log_quote(q, sizeof q, "\"\\"), "\"\\\"\\\\\"");
    assert_string_equal(log_quote(q, sizeof q, "a\n\x7f"), "\"a??\"");
    assert_string_equal(log_quote(q, sizeof q, ""), "\"\"");
    assert_string_equal(log_quote(q, 4, "abc"), "");
}

/* Whatever the length and the escapes: terminated, inside, quoted at both ends. */
static void cut_values_stay_inside(void **state) {
    (void)state;
    static const char *const texts[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
        "a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"a\"",
    };
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        for (unsigned cap = 8; cap < 40; cap++) {
            char q[48];
            memset(q, '#', sizeof q);
            log_quote(q, cap, texts[t]);
            size_t n = strlen(q);
            assert_in_range(n, 2, cap - 1);
            assert_true(q[0] == '"' && q[n - 1] == '"');
            for (size_t i = cap; i < sizeof q; i++)
                assert_int_equal(q[i], '#');
        }
    }
}

struct heard {
    unsigned n;
    enum log_level level;
    char event[32], text[LOG_LINE_MAX];
};

static void hear(void *ctx, enum log_level lvl, const char *event, const char *text) {
    struct heard *h = ctx;
    h->n++;
    h->level = lvl;
    snprintf(h->event, sizeof h->event, "%s", event);
    snprintf(h->text, sizeof h->text, "%s", text);
}

/* Also what stderr's level leaves out, but no more often, and nothing of debugging. */
static void a_tap_hears_what_is_admitted(void **state) {
    (void)state;
    struct heard h = {0};
    log_set_level(LOG_LVL_ERROR);
    log_set_tap(hear, &h);
    log_info("t_tap", "a=%d b=%s", 1, "x\ny");
    assert_int_equal(h.level, LOG_LVL_INFO);
    assert_string_equal(h.event, "t_tap");
    assert_string_equal(h.text, "a=1 b=x y");
    log_error("t_tap_bare", "%s", "");
    assert_string_equal(h.text, "");
    assert_string_equal(logged(), "<3>level=error event=t_tap_bare\n");
    log_set_level(LOG_LVL_DEBUG);
    log_debug("t_tap", "a=2");
    assert_int_equal(h.n, 2);
    for (int i = 0; i < 3 * LOG_BURST; i++)
        log_info("t_tap", "i=%d", i);
    assert_int_equal(h.n, 1 + LOG_BURST);
    log_set_tap(NULL, NULL);
    log_error("t_tap_off", "a=3");
    assert_int_equal(h.n, 1 + LOG_BURST);
    log_set_level(LOG_LVL_ERROR);
    assert_false(log_on(LOG_LVL_INFO));
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_PIPE(a_line_is_logfmt_with_a_prefix),
        WITH_PIPE(without_a_prefix_there_is_the_time),
        WITH_PIPE(the_level_decides),
        cmocka_unit_test(levels_have_names),
        WITH_PIPE(a_peer_cannot_forge_a_line),
        WITH_PIPE(a_long_line_is_cut_and_says_so),
        WITH_PIPE(a_flood_is_limited_and_others_are_not),
        WITH_PIPE(lines_of_threads_do_not_mix),
        WITH_PIPE(a_full_pipe_stops_nobody),
        WITH_PIPE(a_terminal_that_nobody_reads_stops_nobody),
        WITH_PIPE(what_is_ours_is_not_that_of_others),
        WITH_PIPE(a_tap_hears_what_is_admitted),
        cmocka_unit_test(values_are_quoted),
        cmocka_unit_test(cut_values_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
