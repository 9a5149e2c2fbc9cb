// link: app
#include "app/cli.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static char why[CLI_WHY_MAX];

/* Words are separated by '|'; the program's name comes before them. */
static int parse(struct cli *cli, const char *words) {
    static char copy[4096];
    static char *argv[CLI_SETTINGS * 2 + 8];
    int argc = 0;
    char *save = NULL;
    why[0] = '\0';
    snprintf(copy, sizeof copy, "pulseboard|%s", words);
    for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    return cli_parse(cli, argc, argv, why);
}

static void commands_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *words;
        enum cli_command command;
        const char *about;
    } rows[] = {
        {"serve", CLI_SERVE, "serve"},
        {"stats", CLI_STATS, "stats"},
        {"publish|a=1", CLI_PUBLISH, "publish"},
        {"check-config|x.json", CLI_CHECK_CONFIG, "check-config"},
        {"--version", CLI_VERSION, NULL},
        {"--help", CLI_HELP, NULL},
        {"serve|--help", CLI_HELP, "serve"},
        {"serve|--max-sessions|3|--help|nonsense", CLI_HELP, "serve"},
        {"stats|--help", CLI_HELP, "stats"},
        {"check-config|--help", CLI_HELP, "check-config"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, rows[i].words), 0);
        assert_int_equal(cli.command, rows[i].command);
        if (rows[i].about)
            assert_string_equal(cli.about, rows[i].about);
        else
            assert_null(cli.about);
    }
}

static void usage_errors_name_the_word(void **state) {
    (void)state;
    static const struct {
        const char *words, *says;
    } rows[] = {
        {"", "what shall it do?"},
        {"dance", "no such command: dance"},
        {"--dance", "no such option: --dance"},
        {"-v", "no such option: -v"},
        {"--version|x", "--version stands alone"},
        {"serve|--listne|127.0.0.1:1", "serve has no option --listne"},
        {"serve|--listne=127.0.0.1:1", "serve has no option --listne"},
        {"serve|8080", "serve does not know what '8080' is"},
        {"serve|-l", "serve does not know what '-l' is"},
        {"serve|--", "serve does not know what '--' is"},
        {"serve|--listen", "--listen needs a value"},
        {"serve|--listen=", "--listen needs a value"},
        {"serve|--config", "--config needs a value"},
        {"serve|--listen|8080", "--listen: \"8080\" is not ADDR:PORT"},
        {"serve|--max-sessions|0", "--max-sessions: 0 is not in 1..4096"},
        {"serve|--max-sessions|99999999999999999999",
         "--max-sessions: 99999999999999999999 is not in 1..4096"},
        {"serve|--max-sessions|-1", "--max-sessions: \"-1\" is not a whole number"},
        {"serve|--max-sessions| 1", "--max-sessions: \" 1\" is not a whole number"},
        {"serve|--max-sessions|1x", "--max-sessions: \"1x\" is not a whole number"},
        {"serve|--log-level|loud", "--log-level: \"loud\" is not one of"},
        {"serve|--json", "serve has no option --json"},
        {"stats|--json=1", "stats has no option --json"},
        {"stats|--listen|127.0.0.1:1", "stats has no option --listen"},
        {"publish", "publish needs NAME=VALUE"},
        {"publish|a=1|--json", "publish has no option --json"},
        {"publish|a=1|--unit", "--unit needs a value"},
        {"stats|x", "stats does not know what 'x' is"},
        {"check-config", "check-config needs a FILE"},
        {"check-config|a|b", "check-config takes one FILE"},
        {"check-config|--config|a", "check-config has no option --config"},
        {"passwd", "passwd needs --data DIR or --socket PATH"},
        {"passwd|--data|d|secret", "passwd does not know what 'secret' is"},
        {"passwd|--data|d|--role|admin", "passwd has no option --role"},
        {"token|--data|d", "token needs add NAME, list or revoke ID"},
        {"token|add|--data|d", "token add needs a NAME"},
        {"token|revoke|--data|d", "token revoke needs an ID"},
        {"token|forge|--data|d", "token does not know what 'forge' is"},
        {"token|list|x|--data|d", "token does not know what 'x' is"},
        {"token|list", "token needs --data DIR or --socket PATH"},
        {"token|add|x|--role|root|--data|d", "--role is viewer or admin"},
        {"token|add|x|--expires|-1|--data|d", "--expires is a number of DAYS"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cli cli;
        assert_int_equal(parse(&cli, rows[i].words), -EINVAL);
        if (strncmp(why, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s\nsaid: %s\nwanted: %s", rows[i].words, why, rows[i].says);
    }
}

static void the_command_line_wins(void **state) {
    (void)state;
    struct cli cli;
    struct config c;
    assert_int_equal(parse(&cli, "serve|--listen|127.0.0.1:1|--listen=[::1]:2|"
                                 "--max-sessions|3|--max-sessions=4|--log-level|warn|"
                                 "--config|c.json|--data=/var/lib/x|--allow-host|a"),
                     0);
    assert_string_equal(cli.config_path, "c.json");
    assert_string_equal(cli.data, "/var/lib/x");
    config_default(&c);
    c.allow_hosts.n = 2; /* as a file has set them */
    c.sample_ms = 250;
    cli_apply(&cli, &c);
    assert_int_equal(c.listen.n, 2);
    assert_string_equal(c.listen.item[0], "127.0.0.1:1");
    assert_string_equal(c.listen.item[1], "[::1]:2");
    assert_int_equal(c.max_sessions, 4);
    assert_int_equal(c.log_level, LOG_LVL_WARN);
    assert_int_equal(c.allow_hosts.n, 1);
    assert_string_equal(c.allow_hosts.item[0], "a");
    assert_int_equal(c.sample_ms, 250);
    struct config again = c;
    cli_apply(&cli, &again);
    assert_int_equal(again.listen.n, 2);
}

static void publish_takes_readings_and_says_how(void **state) {
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "publish|a=1|--unit|V|b=-2|--label=L|--kind|gauge"),
                     0);
    assert_int_equal(cli.n_pairs, 2);
    assert_string_equal(cli.pairs[1], "b=-2");
    assert_string_equal(cli.unit, "V");
    assert_string_equal(cli.label, "L");
    assert_string_equal(cli.kind, "gauge");
    assert_null(cli.url); /* to statsd */
    assert_int_equal(parse(&cli, "publish|a=1|--socket|/s|--url=http://[::1]:1"), 0);
    assert_string_equal(cli.socket, "/s");
    assert_string_equal(cli.url, "http://[::1]:1");
    char many[CLI_PAIRS * 8 + 32] = "publish";
    for (int i = 0; i <= CLI_PAIRS; i++)
        strcat(many, "|a=1");
    assert_int_equal(parse(&cli, many), -EINVAL);
    assert_string_equal(why, "publish takes 32 readings at once");
}

static void stats_has_its_options(void **state) {
    (void)state;
    struct cli cli;
    assert_int_equal(parse(&cli, "stats"), 0);
    assert_string_equal(cli.url, "http://127.0.0.1:8080");
    assert_false(cli.json);
    assert_int_equal(parse(&cli, "stats|--json|--url=http://[::1]:1"), 0);
    assert_string_equal(cli.url, "http://[::1]:1");
    assert_true(cli.json);
}

static void too_many_options_are_refused(void **state) {
    (void)state;
    struct cli cli;
    char words[4096] = "serve";
    for (int i = 0; i < CLI_SETTINGS; i++)
        strcat(words, "|--sample-ms=100");
    assert_int_equal(parse(&cli, words), 0);
    strcat(words, "|--sample-ms=100");
    assert_int_equal(parse(&cli, words), -EINVAL);
}

/* The help is written from the same table: every option and its default is in it. */
static void help_tells_everything(void **state) {
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    cli_help(out, "serve");
    cli_help(out, "stats");
    cli_help(out, "check-config");
    cli_help(out, NULL);
    fclose(out);
    const struct option *o;
    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        char want[128];
        snprintf(want, sizeof want, "  --%s %s\n", o->flag, o->arg);
        assert_non_null(strstr(text, want));
        if (o->initial) {
            snprintf(want, sizeof want, "[%s]\n", o->initial);
            assert_non_null(strstr(text, want));
        }
    }
    assert_non_null(strstr(text, "--config FILE"));
    assert_non_null(strstr(text, "--data DIR"));
    assert_non_null(strstr(text, "--url URL"));
    for (const char *line = text; line; line = strchr(line + 1, '\n'))
        assert_true(strcspn(line + 1, "\n") <= 80);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_told_apart),
        cmocka_unit_test(usage_errors_name_the_word),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(publish_takes_readings_and_says_how),
        cmocka_unit_test(stats_has_its_options),
        cmocka_unit_test(too_many_options_are_refused),
        cmocka_unit_test(help_tells_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
