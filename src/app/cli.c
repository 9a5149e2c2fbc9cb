#include "app/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/role.h"
#include "http/uri.h"

/* The words of one command line, read from left to right. */
struct words {
    struct cli *cli;
    struct config tried; /* to find wrong values at once */
    int argc, i;
    char *const *argv;
    char *why;
};

/* What one command takes besides the options of the table. */
struct command {
    const char *name;
    enum cli_command command;
    const char *usage;
    const char *help;
    /* 1: understood the option, 0: it is none of its own, or -EINVAL. value: behind
     * '=', or NULL. */
    int (*option)(struct words *w, const char *flag, const char *value);
    int (*operand)(struct words *w, const char *word);
};

static int wrong(struct words *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(struct words *w, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->why, CLI_WHY_MAX, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

/* The value of an option: behind '=' or the next word. */
static int take_value(struct words *w, const char *flag, const char *value,
                      const char **out) {
    if (!value && w->i < w->argc)
        value = w->argv[w->i++];
    if (!value || !value[0])
        return wrong(w, "--%s needs a value", flag);
    *out = value;
    return 1;
}

static int take_setting(struct words *w, const struct option *o, const char *value) {
    struct cli *cli = w->cli;
    int rc = take_value(w, o->flag, value, &value);
    if (rc < 0)
        return rc;
    char reason[OPTION_WHY_MAX];
    if (cli->n_set == CLI_SETTINGS)
        return wrong(w, "more than %d options", CLI_SETTINGS);
    if (option_set(o, &w->tried, value, reason) != 0)
        return wrong(w, "--%s: %s", o->flag, reason);
    cli->set[cli->n_set++] = (struct cli_setting){o, value};
    return 1;
}

static int serve_option(struct words *w, const char *flag, const char *value) {
    const struct option *o = option_by_flag(flag);
    if (o)
        return take_setting(w, o, value);
    if (strcmp(flag, "config") == 0)
        return take_value(w, flag, value, &w->cli->config_path);
    if (strcmp(flag, "data") == 0)
        return take_value(w, flag, value, &w->cli->data);
    return 0;
}

static int stats_option(struct words *w, const char *flag, const char *value) {
    if (strcmp(flag, "url") == 0)
        return take_value(w, flag, value, &w->cli->url);
    if (strcmp(flag, "json") != 0 || value)
        return 0;
    w->cli->json = true;
    return 1;
}

/* A flag that takes no value. */
static int take_flag(const char *value, bool *out) {
    *out = true;
    return value ? 0 : 1;
}

static int update_option(struct words *w, const char *flag, const char *value) {
    struct update_args *a = &w->cli->update;
    bool status; /* is what it tells anyway */
    if (strcmp(flag, "socket") == 0)
        return take_value(w, flag, value, &a->socket);
    if (strcmp(flag, "force") == 0)
        return take_flag(value, &a->force);
    if (strcmp(flag, "rollback") == 0)
        return take_flag(value, &a->rollback);
    if (strcmp(flag, "reboot") == 0)
        return take_flag(value, &a->reboot);
    return strcmp(flag, "status") == 0 ? take_flag(value, &status) : 0;
}

static int update_operand(struct words *w, const char *word) {
    if (w->cli->update.file)
        return wrong(w, "update takes one FILE");
    w->cli->update.file = word;
    return 1;
}

static int updater_option(struct words *w, const char *flag, const char *value) {
    struct updater_args *a = &w->cli->updater;
    if (updater_cmd_set(a, flag, NULL) != 0)
        return 0;
    int rc = take_value(w, flag, value, &value);
    if (rc > 0 && updater_cmd_set(a, flag, value) != 0)
        return wrong(w, "more than %u of --%s", UPDATER_KEYS_MAX, flag);
    return rc;
}

static int publish_option(struct words *w, const char *flag, const char *value) {
    struct cli *cli = w->cli;
    const struct {
        const char *flag, **to;
    } all[] = {
        {"url", &cli->url},   {"socket", &cli->socket}, {"token", &cli->token},
        {"unit", &cli->unit}, {"label", &cli->label},   {"kind", &cli->kind},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(flag, all[i].flag) == 0)
            return take_value(w, flag, value, all[i].to);
    return 0;
}

static int publish_operand(struct words *w, const char *word) {
    if (w->cli->n_pairs == CLI_PAIRS)
        return wrong(w, "publish takes %d readings at once", CLI_PAIRS);
    w->cli->pairs[w->cli->n_pairs++] = word;
    return 1;
}

static int owner_option(struct words *w, const char *flag, const char *value) {
    if (strcmp(flag, "data") == 0)
        return take_value(w, flag, value, &w->cli->data);
    if (strcmp(flag, "socket") == 0)
        return take_value(w, flag, value, &w->cli->socket);
    return 0;
}

static int passwd_option(struct words *w, const char *flag, const char *value) {
    if (strcmp(flag, "viewer") != 0 || value)
        return owner_option(w, flag, value);
    w->cli->viewer = true;
    return 1;
}

static int token_option(struct words *w, const char *flag, const char *value) {
    const char *text = "";
    bool role = strcmp(flag, "role") == 0;
    enum role given = ROLE_VIEWER;
    uint64_t days;
    if (!role && strcmp(flag, "expires") != 0)
        return owner_option(w, flag, value);
    int rc = take_value(w, flag, value, &text);
    if (rc < 0)
        return rc;
    if (role && !role_parse(text, &given))
        return wrong(w, "--role is viewer or admin");
    if (!role && (uri_u64(text, &days) != 0 || days > 36500))
        return wrong(w, "--expires is a number of DAYS up to 36500");
    if (role)
        w->cli->admin = given == ROLE_ADMIN;
    else
        w->cli->days = (uint32_t)days;
    return 1;
}

static int token_operand(struct words *w, const char *word) {
    struct cli *cli = w->cli;
    bool known = strcmp(word, "add") == 0 || strcmp(word, "list") == 0 ||
                 strcmp(word, "revoke") == 0;
    if (!cli->verb && known)
        cli->verb = word;
    else if (cli->verb && !cli->name && strcmp(cli->verb, "list") != 0)
        cli->name = word;
    else
        return 0;
    return 1;
}

static int check_operand(struct words *w, const char *word) {
    if (w->cli->config_path)
        return wrong(w, "%s takes one FILE", w->cli->about);
    w->cli->config_path = word;
    return 1;
}

static const struct command commands[] = {
    {"serve", CLI_SERVE, "[OPTION...]", "serve the dashboard", serve_option, NULL},
    {"stats", CLI_STATS, "[--url URL] [--json]", "show the sessions of a running one",
     stats_option, NULL},
    {"publish", CLI_PUBLISH, "NAME=VALUE... [OPTION...]",
     "tell a running one readings of your own", publish_option, publish_operand},
    {"passwd", CLI_PASSWD, "[--viewer] --data DIR",
     "set a password, on the board itself", passwd_option, NULL},
    {"token", CLI_TOKEN, "add NAME | list | revoke ID [OPTION...] --data DIR",
     "keep the tokens of programs, on the board itself", token_option, token_operand},
    {"check-config", CLI_CHECK_CONFIG, "FILE",
     "tell what is wrong with a configuration", NULL, check_operand},
    {"update", CLI_UPDATE, "[FILE] [--force] [--status] [--socket PATH]",
     "give this board a new system, or tell where that stands", update_option,
     update_operand},
    {"updater", CLI_UPDATER, "OPTION...", "write updates to this board, as root",
     updater_option, NULL},
    {"first-boot", CLI_FIRST_BOOT, "FILE",
     "read a board's boot settings, for the script that starts it", NULL,
     check_operand},
    {"routes", CLI_ROUTES, "", "list what it answers, and to whom", NULL, NULL},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *command_of(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* "--flag" or "--flag=value": the flag, and *value behind '=' or NULL. */
static const char *split(const char *word, char *flag, size_t cap, const char **value) {
    const char *eq = strchr(word, '=');
    size_t n = eq ? (size_t)(eq - word) : strlen(word);
    if (n >= cap)
        n = cap - 1;
    memcpy(flag, word, n);
    flag[n] = '\0';
    *value = eq ? eq + 1 : NULL;
    return flag;
}

static int take_word(struct words *w, const struct command *cmd, const char *word) {
    char flag[64];
    const char *value;
    int rc = 0;
    if (strncmp(word, "--", 2) == 0 && word[2]) {
        split(word + 2, flag, sizeof flag, &value);
        if (strcmp(flag, "help") == 0 && !value) {
            w->cli->command = CLI_HELP;
            return 1;
        }
        rc = cmd->option ? cmd->option(w, flag, value) : 0;
        return rc ? rc : wrong(w, "%s has no option --%s", cmd->name, flag);
    }
    if (word[0] != '-')
        rc = cmd->operand ? cmd->operand(w, word) : 0;
    return rc ? rc : wrong(w, "%s does not know what '%.64s' is", cmd->name, word);
}

static int check_owner(struct words *w, const struct command *cmd) {
    const struct cli *cli = w->cli;
    if (cmd->command == CLI_TOKEN && !cli->verb)
        return wrong(w, "token needs add NAME, list or revoke ID");
    if (cmd->command == CLI_TOKEN && !cli->name && strcmp(cli->verb, "list") != 0)
        return wrong(w, "token %s needs %s", cli->verb,
                     strcmp(cli->verb, "add") == 0 ? "a NAME" : "an ID");
    if (!cli->data && !cli->socket)
        return wrong(w, "%s needs --data DIR or --socket PATH", cmd->name);
    return 0;
}

static int take_words(struct words *w, const struct command *cmd) {
    w->cli->command = cmd->command;
    if (cmd->command == CLI_PUBLISH)
        w->cli->url = NULL; /* without one they go to statsd */
    w->cli->about = cmd->name;
    while (w->i < w->argc) {
        int rc = take_word(w, cmd, w->argv[w->i++]);
        if (rc < 0 || w->cli->command == CLI_HELP)
            return rc < 0 ? rc : 0;
    }
    if (cmd->command == CLI_PUBLISH && w->cli->n_pairs == 0)
        return wrong(w, "publish needs NAME=VALUE");
    if (cmd->command == CLI_PASSWD || cmd->command == CLI_TOKEN)
        return check_owner(w, cmd);
    if (cmd->operand == check_operand && !w->cli->config_path)
        return wrong(w, "%s needs a FILE", cmd->name);
    return 0;
}

int cli_parse(struct cli *cli, int argc, char *const *argv, char why[CLI_WHY_MAX]) {
    *cli = (struct cli){.url = "http://127.0.0.1:8080",
                        .update.socket = UPDATE_CMD_SOCKET};
    struct words w = {.cli = cli, .argc = argc, .i = 2, .argv = argv, .why = why};
    if (argc < 2)
        return wrong(&w, "what shall it do?");
    const char *first = argv[1];
    const struct command *cmd = command_of(first);
    if (cmd)
        return take_words(&w, cmd);
    if (strcmp(first, "--help") == 0)
        cli->command = CLI_HELP;
    else if (strcmp(first, "--version") == 0)
        cli->command = CLI_VERSION;
    else if (first[0] == '-')
        return wrong(&w, "no such option: %.64s", first);
    else
        return wrong(&w, "no such command: %.64s", first);
    return argc == 2 ? 0 : wrong(&w, "%s stands alone", first);
}

void cli_apply(const struct cli *cli, struct config *c) {
    char why[OPTION_WHY_MAX];
    /* Lists of the command line replace those of the file. */
    for (size_t i = 0; i < cli->n_set; i++)
        option_begin(cli->set[i].o, c);
    for (size_t i = 0; i < cli->n_set; i++)
        option_set(cli->set[i].o, c, cli->set[i].value, why);
}

/* What --help says besides the options of `serve` and `updater`. */
static const char *const details[] = {
    [CLI_STATS] = "  --url URL\n"
                  "        http://ADDR:PORT [http://127.0.0.1:8080]\n"
                  "  --json\n"
                  "        as it came, instead of a table\n",
    [CLI_PUBLISH] = "  --unit UNIT, --label TEXT\n"
                    "        how the page shows them\n"
                    "  --kind gauge|counter|timing\n"
                    "        how much it is, how many more, how long it took [gauge]\n"
                    "  --socket PATH\n"
                    "        over the local socket of the running one\n"
                    "  --url URL, --token TOKEN\n"
                    "        over http://ADDR:PORT, with an access token\n"
                    "\nWithout URL and PATH they go to statsd at 127.0.0.1:8125, where "
                    "nothing\nanswers. The exit code is 0 when all were taken.\n",
    [CLI_CHECK_CONFIG] =
        "One line per problem, with file and line; the exit code is then 1.\n",
    [CLI_UPDATE] =
        "  --force\n"
        "        an older version, too\n"
        "  --status\n"
        "        where it stands, and what became of the last one; the default\n"
        "  --rollback\n"
        "        end the trial of a new system: the one before returns\n"
        "  --reboot\n"
        "        restart the board\n"
        "  --socket PATH\n"
        "        of `pulseboard updater` [" UPDATE_CMD_SOCKET "]\n"
        "\nFILE was made by firmware/sign. It is written to the slot that does "
        "not\n"
        "run, and tried for one boot: unless the dashboard then serves for a "
        "minute,\n"
        "the slot before returns by itself.\n",
    [CLI_FIRST_BOOT] =
        "Prints what is sound as NAME='value' lines for a shell, and a line per\n"
        "problem on stderr; the exit code is then 1.\n",
    [CLI_PASSWD] =
        "  --viewer\n"
        "        the one for viewers, instead of the owner's\n"
        "  --data DIR, or --socket PATH\n"
        "        the folder of this board, or the socket of the running one\n"
        "Asks on a terminal, else reads the first line of stdin.\n",
    [CLI_TOKEN] = "  --role viewer|admin\n"
                  "        what it may [viewer]\n"
                  "  --expires DAYS\n"
                  "        when it ends [never]\n"
                  "  --data DIR, or --socket PATH\n"
                  "        the folder of this board, or the socket of the running one\n"
                  "A new token is printed, once: nobody can show it again.\n",
    [CLI_ROUTES] =
        "JSON: paths of HTTP with their methods, methods of JSON-RPC, and the\n"
        "least role for each.\n",
};

static void serve_help(FILE *out) {
    fputs("  --config FILE\n"
          "        the same settings in JSON with comments; the command line wins\n"
          "  --data DIR\n"
          "        folder in which this board keeps what outlives a restart, made "
          "if\n"
          "        it is missing; DIR/pulseboard.json is the FILE, if there is\n",
          out);
    option_help(out);
    fputs("\nSIGHUP reads FILE again, SIGUSR1 and SIGUSR2 make the log say more and\n"
          "less, SIGTERM ends it.\n",
          out);
}

static void help_of(FILE *out, const struct command *cmd) {
    fprintf(out, "pulseboard %s %s: %s\n\n", cmd->name, cmd->usage, cmd->help);
    if (cmd->command == CLI_SERVE)
        serve_help(out);
    else if (cmd->command == CLI_UPDATER)
        updater_cmd_help(out);
    else
        fputs(details[cmd->command], out);
}

void cli_help(FILE *out, const char *about) {
    if (about) {
        help_of(out, command_of(about));
        return;
    }
    fputs("pulseboard: a live dashboard of this machine\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  pulseboard %s %s\n        %s\n", commands[i].name,
                commands[i].usage, commands[i].help);
    fputs("  pulseboard --version\n  pulseboard COMMAND --help\n", out);
}
