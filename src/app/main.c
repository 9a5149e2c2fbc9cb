/* pulseboard: a live dashboard of this machine, in one program. */
#include <cJSON.h>
#include <malloc.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "app/first_boot.h"
#include "app/owner_cmd.h"
#include "app/routes_list.h"
#include "app/serve.h"
#include "app/stats_table.h"
#include "app/tell.h"
#include "http/civet.h"

/* One arena for all threads: after the start nobody allocates much, and each further
 * arena of glibc costs memory and 64 MB of addresses. */
static void one_arena(void) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}

static void print_line(void *ctx, const char *line) {
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static int check_config(const char *path) {
    struct config c;
    struct config_report r = {.say = print_line};
    config_default(&c);
    if (config_file(&c, path, &r) != 0 || config_check(&c, &r) != 0)
        return EXIT_FAILURE;
    printf("%s: ok\n", path);
    return EXIT_SUCCESS;
}

static int version(void) {
    printf("pulseboard %s\ncivetweb %s\nmbedtls %s\ncjson %s\n", PULSEBOARD_VERSION,
           civet_version(), MBEDTLS_VERSION_STRING, cJSON_Version());
    return EXIT_SUCCESS;
}

static int run(const struct cli *cli) {
    switch (cli->command) {
    case CLI_SERVE:
        return serve(cli);
    case CLI_STATS:
        return stats_table_run(cli->url, cli->json);
    case CLI_PUBLISH:
        return tell_run(cli);
    case CLI_CHECK_CONFIG:
        return check_config(cli->config_path);
    case CLI_UPDATE:
        return update_cmd(&cli->update);
    case CLI_UPDATER:
        return updater_cmd(&cli->updater);
    case CLI_FIRST_BOOT:
        return first_boot_run(cli->config_path);
    case CLI_PASSWD:
        return owner_passwd(cli);
    case CLI_TOKEN:
        return owner_token(cli);
    case CLI_ROUTES:
        return routes_list(stdout);
    case CLI_HELP:
        cli_help(stdout, cli->about);
        return EXIT_SUCCESS;
    case CLI_VERSION:
        return version();
    }
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct cli cli;
    char why[CLI_WHY_MAX];
    one_arena();
    if (cli_parse(&cli, argc, argv, why) != 0) {
        fprintf(stderr, "pulseboard: %s (see pulseboard %s%s--help)\n", why,
                cli.about ? cli.about : "", cli.about ? " " : "");
        return 2;
    }
    int code = run(&cli);
    return fflush(stdout) == 0 ? code : EXIT_FAILURE;
}
