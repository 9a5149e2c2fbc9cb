#include "app/confine.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sec/sandbox.h"

/* What we make in the data folder. */
static const char *const kept[] = {
    "pulseboard.json", "auth.json", "claim-code",      "tls",
    "history.a",       "history.b", "pulseboard.sock", NULL};

/* The folder of a file that is read again at SIGHUP: under the same name there may be
 * another file by then. The file alone, when that would be everything. */
static const char *folder_of(char out[CONFIG_PATH_MAX], const char *path) {
    char copy[CONFIG_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    snprintf(out, CONFIG_PATH_MAX, "%s", strcmp(folder, "/") == 0 ? path : folder);
    return out;
}

static void tell(const struct sandbox_state *s) {
    char abi[16] = "none", quoted[64];
    if (s->landlock)
        snprintf(abi, sizeof abi, "abi%d", s->landlock);
    log_info("sandbox",
             "user=%s capabilities=none no_new_privs=yes landlock=%s seccomp=no",
             log_quote(quoted, sizeof quoted, s->root ? "root" : s->user), abi);
}

int confine(const struct cli *cli, const struct config *c, const struct doors *doors,
            char *why, size_t cap) {
    char config[CONFIG_PATH_MAX], pem[CONFIG_PATH_MAX], local[CONFIG_PATH_MAX];
    /* The source of randomness: sec/mbedtls_user_config.h. */
    struct sandbox_path paths[16] = {
        {"/dev/urandom", false},    {"/proc", false}, {"/sys", false},
        {"/dev/null", true},        {"/slot", false}, {"/etc/os-release", false},
        {"/etc/pulseboard", false},
    };
    unsigned n = 7;
    if (cli->data)
        paths[n++] = (struct sandbox_path){cli->data, true};
    if (cli->config_path)
        paths[n++] = (struct sandbox_path){folder_of(config, cli->config_path), false};
    if (c->tls_pem[0])
        paths[n++] = (struct sandbox_path){folder_of(pem, c->tls_pem), false};
    if (c->socket[0])
        paths[n++] = (struct sandbox_path){folder_of(local, c->socket), true};
    if (c->probe_root[0])
        paths[n++] = (struct sandbox_path){c->probe_root, false};
    /* Our own front door, for the watchdog. */
    uint16_t ports[LOBBY_DOORS_MAX];
    unsigned n_ports = 0;
    for (unsigned i = 0; i < doors->n; i++) {
        if (doors->door[i].kind != LOBBY_LOCAL)
            ports[n_ports++] = doors->door[i].port;
    }
    const struct sandbox_opts o = {.user = c->user[0] ? c->user : NULL,
                                   .owned = cli->data,
                                   .owned_names = kept,
                                   .paths = paths,
                                   .n_paths = n,
                                   .connect = ports,
                                   .n_connect = n_ports};
    struct sandbox_state s;
    int rc = sandbox_enter(&o, &s, why, cap);
    if (rc == 0)
        tell(&s);
    return rc;
}
