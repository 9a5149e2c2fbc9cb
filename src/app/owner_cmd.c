#include "app/owner_cmd.h"

#include <cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "app/auth.h"
#include "app/fetch.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "http/uri.h"
#include "proto/json.h"

#define ANSWER_MAX (32u * 1024)

static int complain(const char *what, const char *why) {
    fprintf(stderr, "pulseboard %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* ---- whom to ask ---- */

static const char *socket_of(const struct cli *cli, char buf[CONFIG_PATH_MAX]) {
    if (cli->socket)
        return cli->socket;
    int n = snprintf(buf, CONFIG_PATH_MAX, "%s/pulseboard.sock", cli->data);
    return n < CONFIG_PATH_MAX ? buf : NULL;
}

/* A socket that nobody listens on is what a board without power leaves. */
static bool nobody_there(int rc, const struct cli *cli) {
    return cli->data && (rc == -ENOENT || rc == -ECONNREFUSED);
}

/* One request over the local socket. The answer is a string in buf. */
static int ask(const struct cli *cli, const char *method, const char *path,
               const struct jsonw *body, char *buf, char why[FETCH_WHY_MAX]) {
    char at[CONFIG_PATH_MAX];
    size_t n = 0;
    struct fetch_ask a = {.socket = socket_of(cli, at), .method = method, .path = path};
    if (body) {
        a.type = "application/json";
        a.body = body->buf;
        a.n = jsonw_end(body);
    }
    int rc = fetch_ask(&a, buf, ANSWER_MAX - 1, &n, why);
    buf[rc == 0 ? n : 0] = '\0';
    return rc;
}

/* The store itself, where no other has it. */
static int open_alone(struct auth *a, const struct cli *cli) {
    int rc = auth_open(a, cli->data, 1, 1);
    if (rc == 0 && auth_alone(a) != 0) {
        auth_close(a);
        return complain(cli->about, "it runs, but does not answer at its socket");
    }
    return rc ? complain(cli->about, strerror(-rc)) : 0;
}

static int verdict(const struct cli *cli, struct auth_verdict v) {
    switch (v.rc) {
    case AUTH_OK:
        return EXIT_SUCCESS;
    case AUTH_WEAK:
        return complain(cli->about, password_why(v.weak));
    case AUTH_SAME:
        return complain(cli->about, "it is the other role's password");
    case AUTH_STATE:
        return complain(cli->about, "nobody owns this board yet: pulseboard passwd");
    case AUTH_FULL:
        return complain(cli->about, "there is no room for another token");
    case AUTH_NONE:
        return complain(cli->about, "there is no such token");
    case AUTH_WRONG:
    case AUTH_BUSY:
    case AUTH_WAIT:
    case AUTH_FAILED:
        break;
    }
    return complain(cli->about, v.err ? strerror(-v.err) : "try again");
}

/* ---- passwd ---- */

static int read_line(char *out, size_t cap) {
    if (!fgets(out, (int)cap, stdin))
        return -ENODATA;
    size_t n = strcspn(out, "\r\n");
    if (!out[n])
        return -E2BIG;
    out[n] = '\0';
    return 0;
}

/* Not shown while it is typed. */
static int ask_person(const char *prompt, char *out, size_t cap) {
    struct termios was, quiet;
    if (tcgetattr(STDIN_FILENO, &was) != 0)
        return read_line(out, cap);
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    int rc = read_line(out, cap);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fputc('\n', stderr);
    return rc;
}

static int read_password(const struct cli *cli, char out[PASSWORD_MAX + 2]) {
    char again[PASSWORD_MAX + 2];
    if (ask_person("New password: ", out, PASSWORD_MAX + 2) != 0)
        return complain(cli->about, "there is no password on stdin, or one too long");
    if (!isatty(STDIN_FILENO))
        return 0;
    int rc = ask_person("The same again: ", again, sizeof again);
    bool same = rc == 0 && strcmp(out, again) == 0;
    secret_wipe(again, sizeof again);
    return same ? 0 : complain(cli->about, "these are not the same");
}

static int reset_alone(const struct cli *cli, const char *password) {
    static struct auth a;
    int rc = open_alone(&a, cli);
    if (rc)
        return rc;
    rc = verdict(cli, auth_reset(&a, cli->viewer ? ROLE_VIEWER : ROLE_ADMIN, password));
    auth_close(&a);
    return rc;
}

static int reset(const struct cli *cli, const char *password) {
    char body[1024], why[FETCH_WHY_MAX];
    struct jsonw w;
    jsonw_init(&w, body, sizeof body);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "new", password);
    jsonw_str(&w, "role", role_name(cli->viewer ? ROLE_VIEWER : ROLE_ADMIN));
    jsonw_obj_end(&w);
    char *answer = malloc(ANSWER_MAX);
    int rc = answer ? ask(cli, "POST", "/api/v1/password", &w, answer, why) : -ENOMEM;
    free(answer);
    secret_wipe(body, sizeof body);
    if (nobody_there(rc, cli))
        return reset_alone(cli, password);
    return rc ? complain(cli->about, why) : EXIT_SUCCESS;
}

int owner_passwd(const struct cli *cli) {
    char password[PASSWORD_MAX + 2];
    int rc = read_password(cli, password);
    if (rc == 0)
        rc = reset(cli, password);
    secret_wipe(password, sizeof password);
    if (rc == 0)
        fprintf(stderr, "The %s's password is set; their logins have ended.\n",
                cli->viewer ? "viewer" : "owner");
    return rc;
}

/* ---- token ---- */

static void print_token(const char *id, const char *name, const char *role,
                        long long ends_s) {
    printf("%-6s %-32s %-8s ", id, name, role);
    if (ends_s)
        printf("ends %lld\n", ends_s);
    else
        puts("never ends");
}

static void print_store(const struct auth_store *s) {
    for (uint32_t i = 0; i < s->n_tokens; i++) {
        const struct auth_token *t = &s->tokens[i];
        char id[16];
        snprintf(id, sizeof id, "%u", t->id);
        print_token(id, t->name, role_name(t->role), t->ends_s);
    }
}

static int token_alone(const struct cli *cli, uint32_t id) {
    static struct auth a;
    static struct auth_store s;
    char text[AUTH_TOKEN_TEXT];
    int rc = open_alone(&a, cli);
    if (rc)
        return rc;
    if (strcmp(cli->verb, "list") == 0) {
        auth_view(&a, &s);
        print_store(&s);
    } else if (strcmp(cli->verb, "revoke") == 0) {
        rc = verdict(cli, auth_token_revoke(&a, id));
    } else {
        enum role role = cli->admin ? ROLE_ADMIN : ROLE_VIEWER;
        rc = verdict(cli, auth_token_add(&a, cli->name, role, cli->days,
                                         clock_wall_ms() / 1000, text, &id));
        if (rc == 0)
            puts(text);
    }
    auth_close(&a);
    return rc;
}

static const char *word(const cJSON *v, const char *key) {
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(v, key);
    return cJSON_IsString(x) ? x->valuestring : "-";
}

static void print_answer(const struct cli *cli, const char *answer) {
    cJSON *tree = json_parse(answer, strlen(answer));
    const cJSON *one;
    if (strcmp(cli->verb, "add") == 0)
        puts(word(tree, "token"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(tree, "tokens")) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(one, "id");
        const cJSON *ends = cJSON_GetObjectItemCaseSensitive(one, "ends");
        char text[16] = "-";
        if (cJSON_IsNumber(id))
            snprintf(text, sizeof text, "%.0f", id->valuedouble);
        print_token(text, word(one, "name"), word(one, "role"),
                    cJSON_IsNumber(ends) ? (long long)ends->valuedouble : 0);
    }
    cJSON_Delete(tree);
}

static int token_ask(const struct cli *cli, uint32_t id, char *answer,
                     char why[FETCH_WHY_MAX]) {
    char body[256], path[48];
    struct jsonw w;
    if (strcmp(cli->verb, "list") == 0)
        return ask(cli, "GET", "/api/v1/tokens", NULL, answer, why);
    if (strcmp(cli->verb, "revoke") == 0) {
        snprintf(path, sizeof path, "/api/v1/tokens/%u", id);
        return ask(cli, "DELETE", path, NULL, answer, why);
    }
    jsonw_init(&w, body, sizeof body);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "name", cli->name);
    jsonw_str(&w, "role", role_name(cli->admin ? ROLE_ADMIN : ROLE_VIEWER));
    jsonw_u64(&w, "days", cli->days);
    jsonw_obj_end(&w);
    return ask(cli, "POST", "/api/v1/tokens", &w, answer, why);
}

int owner_token(const struct cli *cli) {
    char why[FETCH_WHY_MAX];
    uint64_t id = 0;
    bool revoke = strcmp(cli->verb, "revoke") == 0;
    if (revoke && (uri_u64(cli->name, &id) != 0 || id > UINT32_MAX))
        return complain(cli->about, "an ID is a number: pulseboard token list");
    if (strcmp(cli->verb, "add") == 0 && !auth_name_ok(cli->name))
        return complain(cli->about, "a NAME is 1 to 32 letters, digits, dashes, dots");
    char *answer = malloc(ANSWER_MAX);
    int rc = answer ? token_ask(cli, (uint32_t)id, answer, why) : -ENOMEM;
    if (rc == 0)
        print_answer(cli, answer);
    free(answer);
    if (nobody_there(rc, cli))
        return token_alone(cli, (uint32_t)id);
    return rc ? complain(cli->about, why) : EXIT_SUCCESS;
}
