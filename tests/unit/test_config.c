// link: app
#include "app/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/option.h"
#include "base/log.h"

/* What was reported, line by line. */
static char said[4096];

static void say(void *ctx, const char *line) {
    (void)ctx;
    assert_null(strchr(line, '\n'));
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

static struct config_report report(void) {
    said[0] = '\0';
    return (struct config_report){.say = say};
}

/* Reads text over the defaults, out of a buffer of its exact size. */
static int read_text(struct config *c, const char *text) {
    struct config_report r = report();
    size_t n = strlen(text);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    config_default(c);
    int rc = config_text(c, "c.json", exact, n, &r);
    free(exact);
    assert_int_equal(rc == 0, r.problems == 0);
    return rc;
}

static void defaults_are_valid(void **state) {
    (void)state;
    struct config c;
    struct config_report r = report();
    config_default(&c);
    assert_int_equal(config_check(&c, &r), 0);
    assert_int_equal(c.listen.n, 1);
    assert_string_equal(c.listen.item[0], "127.0.0.1:8080");
    assert_int_equal(c.tls_listen.n, 0);
    assert_int_equal(c.max_sessions, 64);
    assert_int_equal(c.log_level, LOG_LVL_INFO);
    assert_string_equal(c.name, "Pulseboard");
    assert_string_equal(c.tls_pem, "");
    assert_int_equal(config_plain(&c), PLAIN_FULL);
    c.tls_listen.n = 1;
    assert_int_equal(config_plain(&c), PLAIN_VIEW);
}

static void every_key_is_read(void **state) {
    (void)state;
    struct config c;
    assert_int_equal(
        read_text(&c, "// the kitchen\n"
                      "{ /* a list */ \"listen\": [\"0.0.0.0:80\", \"[::]:80\"],\n"
                      "  \"tls_listen\": \"[::1]:443\", \"tls_pem\": \"/x//y.pem\",\n"
                      "  \"socket\": \"/run/x.sock\", \"lobby\": 99,\n"
                      "  \"http\": \"redirect\", \"user\": \"daemon\",\n"
                      "  \"watchdog\": \"/dev/x\",\n"
                      "  \"security\": {\"contact\": \"mailto:a@b.c\",\n"
                      "    \"expires\": \"2030-01-01T00:00:00Z\"},\n"
                      "  \"allow_hosts\": [\"board.local\", \"[fe80::1]\"],\n"
                      "  \"name\": \"K\\u00fcche /* 1 */\", \"max_sessions\": 128,\n"
                      "  \"max_message\": 2048, \"max_asked\": 600,\n"
                      "  \"sample_ms\": 5e2,\n"
                      "  \"history\": {\"save_s\": 60},\n"
                      "  \"heartbeat\": {\"start_ms\": 300, \"min_ms\": 200,\n"
                      "                \"max_ms\": 400},\n"
                      "  \"login\": {\"idle_s\": 60, \"max_s\": 120},\n"
                      "  \"statsd\": \"[::1]:0\", \"statsd_socket\": \"/s\",\n"
                      "  \"own_metrics\": 7, \"own_stale_s\": 8, \"own_forget_s\": 9,\n"
                      "  \"log_level\": \"debug\", \"probe_root\": \"/tree\"\n"
                      "} // end"),
        0);
    assert_int_equal(c.listen.n, 2);
    assert_string_equal(c.listen.item[1], "[::]:80");
    assert_string_equal(c.tls_listen.item[0], "[::1]:443");
    assert_string_equal(c.tls_pem, "/x//y.pem");
    assert_string_equal(c.socket, "/run/x.sock");
    assert_int_equal(c.lobby, 99);
    assert_int_equal(config_plain(&c), PLAIN_REDIRECT);
    assert_string_equal(c.user, "daemon");
    assert_string_equal(c.watchdog, "/dev/x");
    assert_string_equal(c.contact, "mailto:a@b.c");
    assert_string_equal(c.contact_expires, "2030-01-01T00:00:00Z");
    assert_int_equal(c.allow_hosts.n, 2);
    assert_string_equal(c.name, "K\xc3\xbc"
                                "che /* 1 */");
    assert_int_equal(c.max_sessions, 128);
    assert_int_equal(c.max_message, 2048);
    assert_int_equal(c.max_asked, 600);
    assert_int_equal(c.sample_ms, 500);
    assert_int_equal(c.history_save_s, 60);
    assert_int_equal(c.heartbeat_start_ms, 300);
    assert_int_equal(c.heartbeat_min_ms, 200);
    assert_int_equal(c.heartbeat_max_ms, 400);
    assert_string_equal(c.statsd, "[::1]:0");
    assert_string_equal(c.statsd_socket, "/s");
    assert_int_equal(c.own_metrics, 7);
    assert_int_equal(c.own_stale_s, 8);
    assert_int_equal(c.own_forget_s, 9);
    assert_int_equal(c.login_idle_s, 60);
    assert_int_equal(c.login_max_s, 120);
    assert_int_equal(c.log_level, LOG_LVL_DEBUG);
    assert_string_equal(c.probe_root, "/tree");
}

static void every_row_of_the_table_has_a_key_in_that_test(void **state) {
    (void)state;
    size_t n = 0;
    while (option_at(n))
        n++;
    assert_int_equal(n, 30);
}

static void every_problem_names_its_line_and_key(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        /* unknown */
        {"{\n\"max_session\": 3}", "c.json:2: max_session: is no such key\n"},
        {"{\"heartbeat\": {\n\"start\": 3}}",
         "c.json:2: heartbeat.start: is no such key\n"},
        {"{\"heartbeat.start_ms\": 3000}",
         "c.json:1: heartbeat.start_ms: is no such key\n"},
        {"{\"Listen\": \"x\"}", "c.json:1: Listen: is no such key\n"},
        {"{\"\": 1}", "c.json:1: : is no such key\n"},
        {"{\"a\\nb\\u001b[2J\": 1}", "c.json:1: a?b?[2J: is no such key\n"},
        /* wrong type */
        {"{\"max_sessions\": \"3\"}", "c.json:1: max_sessions: wants a number\n"},
        {"{\"max_sessions\": null}", "c.json:1: max_sessions: wants a number\n"},
        {"{\"name\": 3}", "c.json:1: name: wants a string\n"},
        {"{\"log_level\": [\"info\"]}", "c.json:1: log_level: wants a string\n"},
        {"{\"listen\": 80}",
         "c.json:1: listen: wants a string or an array of strings\n"},
        {"{\"listen\": [\"127.0.0.1:1\", 80]}",
         "c.json:1: listen: wants a string or an array of strings\n"},
        {"{\"heartbeat\": 5000}", "c.json:1: heartbeat: wants an object\n"},
        {"[1]", "c.json:1: wants an object\n"},
        /* out of range */
        {"{\n\n\"max_sessions\": 0}", "c.json:3: max_sessions: 0 is not in 1..4096\n"},
        {"{\"max_sessions\": 4097}",
         "c.json:1: max_sessions: 4097 is not in 1..4096\n"},
        {"{\"max_sessions\": -1}",
         "c.json:1: max_sessions: -1 is not a whole number in 1..4096\n"},
        {"{\"max_sessions\": 1.5}",
         "c.json:1: max_sessions: 1.5 is not a whole number in 1..4096\n"},
        {"{\"max_sessions\": 1e99}",
         "c.json:1: max_sessions: 1e+99 is not a whole number in 1..4096\n"},
        {"{\"log_level\": \"loud\"}",
         "c.json:1: log_level: \"loud\" is not one of error"},
        {"{\"name\": \"\"}", "c.json:1: name: is empty\n"},
        {"{\"name\": \"a\\tb\"}",
         "c.json:1: name: \"a?b\" holds a control character\n"},
        {"{\"name\": "
         "\"1234567890123456789012345678901234567890123456789012345678901234\"}",
         "c.json:1: name: is too long\n"},
        {"{\"listen\": \"board:80\"}",
         "c.json:1: listen: \"board:80\" is not ADDR:PORT\n"},
        {"{\"listen\": \"127.0.0.1\"}", "is not ADDR:PORT\n"},
        {"{\"listen\": \"127.0.0.1:65536\"}", "is not ADDR:PORT\n"},
        {"{\"allow_hosts\": [\"a.b\",\n \"a.b:80\"]}",
         "c.json:1: allow_hosts: \"a.b:80\" is not a host name or address"},
        {"{\"listen\": "
         "[\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\","
         "\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\"]}",
         "c.json:1: listen: has more than 8 values\n"},
        /* twice */
        {"{\"name\": \"a\",\n\"name\": \"b\"}", "c.json:2: name: is given twice\n"},
        {"{\"heartbeat\": {\"min_ms\": 100},\n\"heartbeat\": {}}",
         "c.json:2: heartbeat: is given twice\n"},
        /* no JSON */
        {"", "c.json:1: this is not JSON\n"},
        {"{\n\"name\": \"a\"\n\"listen\": []}", "c.json:3: this is not JSON\n"},
        {"{\n\"name\": \"a\",\n}", "c.json:3: this is not JSON\n"},
        {"{}\n\n{}", "c.json:3: this is not JSON\n"},
        {"{\"name\": \"a\\u0000b\"}", "c.json:1: this is not JSON\n"},
        {"{\"name\": \"\xff\"}", "c.json:1: this is not JSON\n"},
        {"{ /* \n", "c.json:1: a comment does not end\n"},
        {"{\n /*/ }", "c.json:2: a comment does not end\n"},
        {"{} /", "c.json:1: this is not JSON\n"},
        {"{\"name\": \"//", "c.json:1: this is not JSON\n"},
        {"{\"name\": \"\\", "c.json:1: this is not JSON\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config c;
        assert_int_equal(read_text(&c, rows[i].text), -EINVAL);
        if (!strstr(said, rows[i].says))
            fail_msg("%s\nsaid: %swanted: %s", rows[i].text, said, rows[i].says);
    }
}

/* Keys of values that are skipped, and strings that look like keys, do not shift the
 * count. */
static void lines_stay_right_after_anything(void **state) {
    (void)state;
    struct config c;
    assert_int_equal(read_text(&c, "{\n"
                                   "\"x\": {\"y\": [{\"z\": 1},\n"
                                   "  {\"z\": {\"w\\\"\\\\\": \"v:\"}}]},\n"
                                   "\"name\": \"a:\\\"b\\\":\", /* \"no\": 1 \n"
                                   "*/ \"listen\": [\"q\", {\"name\"\n"
                                   "  : 2}],\n"
                                   "\"heartbeat\": {\n"
                                   "  \"min_ms\" : {\"a\": 1},\n"
                                   "  \"min_ms\"\n"
                                   " : 1},\n"
                                   "// \"max_sessions\": 1\n"
                                   "\"max_sessions\": 0}"),
                     -EINVAL);
    assert_string_equal(said,
                        "c.json:2: x: is no such key\n"
                        "c.json:5: listen: wants a string or an array of strings\n"
                        "c.json:8: heartbeat.min_ms: wants a number\n"
                        "c.json:9: heartbeat.min_ms: is given twice\n"
                        "c.json:12: max_sessions: 0 is not in 1..4096\n");
}

static void the_whole_is_checked_too(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{\"listen\": []}", "c.json:1: listen: nothing to listen on\n"},
        {"{\n\"security\": {\"contact\": \"mailto:a@b.c\"}}",
         "c.json:2: security.contact: and security.expires need each other\n"},
        {"{\n\"http\": \"off\"}", "c.json:2: http: needs tls_listen\n"},
        {"{\"heartbeat\": {\n\"min_ms\": 20000}}",
         "c.json:2: heartbeat.min_ms: is more than heartbeat.start_ms\n"},
        {"{\"heartbeat\": {\"start_ms\": 90000}}",
         "c.json: heartbeat.max_ms: is less than heartbeat.start_ms\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config c;
        struct config_report r = report();
        char text[256];
        snprintf(text, sizeof text, "%s", rows[i].text);
        config_default(&c);
        assert_int_equal(config_text(&c, "c.json", text, strlen(text), &r), 0);
        assert_int_equal(config_check(&c, &r), -EINVAL);
        assert_string_equal(said, rows[i].says);
    }
}

/* Every beginning of a text, in a buffer of its exact size: an error, never a crash. */
static void every_cut_is_an_error(void **state) {
    (void)state;
    static const char text[] =
        "{/**/\"name\": \"a\\\"\", // x\n\"listen\": [\"127.0.0.1:1\"]}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, text, n);
        struct config c;
        struct config_report r = report();
        assert_int_equal(config_text(&c, "c.json", exact, n, &r), -EINVAL);
        free(exact);
    }
}

static void files_that_cannot_be_read_are_named(void **state) {
    (void)state;
    struct config c;
    struct config_report r = report();
    config_default(&c);
    assert_int_equal(config_file(&c, "/nonexistent/p.json", &r), -ENOENT);
    assert_string_equal(said, "/nonexistent/p.json: No such file or directory\n");
    r = report();
    assert_int_equal(config_file(&c, "/", &r), -EISDIR);
    r = report();
    assert_int_equal(config_file(&c, "/dev/zero", &r), -EFBIG);
    assert_string_equal(said, "/dev/zero: File too large\n");
}

static void a_file_is_read(void **state) {
    (void)state;
    char path[] = "/tmp/test_config.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "{\"name\": \"here\"}";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    struct config c;
    struct config_report r = report();
    config_default(&c);
    assert_int_equal(config_file(&c, path, &r), 0);
    assert_string_equal(c.name, "here");
    close(fd);
    unlink(path);
}

static void differences_are_seen(void **state) {
    (void)state;
    struct config a, b;
    read_text(&a, "{}");
    read_text(&b, "{\"listen\": [\"127.0.0.1:8080\", \"127.0.0.1:1\"], \"name\": \"b\","
                  "\"sample_ms\": 999, \"log_level\": \"warn\"}");
    static const char *const differ[] = {"listen", "name", "sample_ms", "log_level"};
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        bool want = false;
        for (size_t k = 0; k < sizeof differ / sizeof differ[0]; k++)
            want |= strcmp(o->key, differ[k]) == 0;
        assert_int_equal(option_same(o, &a, &b), !want);
        assert_true(option_same(o, &a, &a));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(every_row_of_the_table_has_a_key_in_that_test),
        cmocka_unit_test(every_problem_names_its_line_and_key),
        cmocka_unit_test(lines_stay_right_after_anything),
        cmocka_unit_test(the_whole_is_checked_too),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(differences_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
