#include "app/updater_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "update/probe.h"

#define TEXT_MAX 4096u /* of release.txt and the kernel's command line */
#define SECONDS_MAX 3600u
#define PROBE_EVERY_MS 5000u
#define COMPLAINT_MAX 256

#define AT(member) offsetof(struct updater_args, member)

/* In the order of the help. */
static const struct {
    const char *flag, *arg, *help, *usual;
    size_t at;
} table[] = {
    {"socket", "PATH", "listen here; mode 0600", NULL, AT(socket)},
    {"user", "NAME", "whose socket that is: the user of `pulseboard serve`", "root",
     AT(user)},
    {"boot", "DIR", "where the boot partition is mounted", "/boot", AT(boot)},
    {"slot-a", "DEV", "slot a", NULL, AT(slot_a)},
    {"slot-b", "DEV", "slot b", NULL, AT(slot_b)},
    {"running", "a|b", "the slot that runs [what pulseboard.slot= of the kernel says]",
     NULL, AT(running)},
    {"image", "FILE", "what runs: lines board=, version=, built=", "/slot/release.txt",
     AT(image)},
    {"key", "FILE", "public key (PEM, ECDSA P-256) that may sign (repeatable)", NULL,
     0},
    {"state", "FILE", "remember here what became of the last update", "", AT(state)},
    {"reboot", "PROGRAM", "restarts the board", "/sbin/reboot", AT(reboot)},
    {"probe", "WHERE", "the dashboard on trial: http://IPV4:PORT or unix:PATH",
     "http://127.0.0.1:80", AT(probe)},
    {"healthy", "S", "so long a new system must serve without a pause", "60",
     AT(healthy)},
    {"limit", "S", "and by then it must have", "240", AT(limit)},
};
#define ROWS (sizeof table / sizeof table[0])

static const char **field(struct updater_args *a, size_t at) {
    return (const char **)(void *)((char *)a + at);
}

static int add_key(struct updater_args *a, const char *value) {
    if (value && a->n_keys == UPDATER_KEYS_MAX)
        return -ENOSPC;
    if (value)
        a->key[a->n_keys++] = value;
    return 0;
}

int updater_cmd_set(struct updater_args *a, const char *flag, const char *value) {
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].flag, flag) != 0)
            continue;
        if (strcmp(flag, "key") == 0)
            return add_key(a, value);
        if (value)
            *field(a, table[i].at) = value;
        return 0;
    }
    return -ENOENT;
}

void updater_cmd_help(FILE *out) {
    for (size_t i = 0; i < ROWS; i++) {
        fprintf(out, "  --%s %s\n        %s", table[i].flag, table[i].arg,
                table[i].help);
        if (table[i].usual && table[i].usual[0])
            fprintf(out, " [%s]", table[i].usual);
        fputc('\n', out);
    }
    fputs(
        "\nRuns as root beside `pulseboard serve`, which has no rights, and writes an\n"
        "update to the slot that does not run. SIGTERM ends it.\n",
        out);
}

/* ---- from words to options ---- */

/* False and complained. */
static bool right(bool ok, const char *flag, const char *value, const char *what) {
    if (!ok)
        fprintf(stderr, "pulseboard: --%s: %s%s%s\n", flag, value ? value : "",
                value ? " " : "", what);
    return ok;
}

/* The first TEXT_MAX - 1 bytes of a file, as a string; its length or -errno. */
static ssize_t read_text(const char *path, char text[TEXT_MAX]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, TEXT_MAX - 1);
    ssize_t rc = n < 0 ? -errno : n;
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return rc;
}

static bool take_running(struct updater_opts *o, const char *word) {
    static const char key[] = "pulseboard.slot=";
    char text[TEXT_MAX];
    if (!word && read_text("/proc/cmdline", text) > 0) {
        const char *at = strstr(text, key);
        word = at ? at + sizeof key - 1 : NULL;
        if (at)
            text[(size_t)(word - text) + strcspn(word, " \n")] = '\0';
    }
    bool ok = word && (strcmp(word, "a") == 0 || strcmp(word, "b") == 0);
    o->running = ok && word[0] == 'b' ? AB_B : AB_A;
    return right(ok, "running", word, "is not a or b");
}

static bool take_image(struct updater_opts *o, const char *path) {
    char text[TEXT_MAX];
    const char *why = "";
    ssize_t n = read_text(path, text);
    int rc = n < 0 ? (int)n : manifest_lines(&o->image, text, (size_t)n, &why);
    return right(rc == 0, "image", path, n < 0 ? strerror((int)-n) : why);
}

static bool take_user(struct updater_opts *o, const char *name) {
    const struct passwd *p = getpwnam(name);
    if (p)
        o->user = p->pw_uid;
    return right(p != NULL, "user", name, "is nobody here");
}

static bool take_seconds(uint32_t *ms, const char *flag, const char *word) {
    uint32_t v = 0;
    size_t n = strspn(word, "0123456789");
    for (size_t i = 0; i < n && v <= SECONDS_MAX; i++)
        v = v * 10 + (uint32_t)(word[i] - '0');
    *ms = v * 1000;
    return right(n > 0 && !word[n] && v > 0 && v <= SECONDS_MAX, flag, word,
                 "is not 1 to 3600 seconds");
}

static bool take_rest(struct updater_opts *o, const struct updater_args *a) {
    o->socket = a->socket;
    o->boot_dir = a->boot;
    o->slot[AB_A] = a->slot_a;
    o->slot[AB_B] = a->slot_b;
    memcpy(o->key, a->key, sizeof o->key);
    o->n_keys = a->n_keys;
    o->state = a->state;
    o->reboot = a->reboot;
    o->probe = a->probe;
    o->probe_ms =
        o->healthy_ms / 4 < PROBE_EVERY_MS ? o->healthy_ms / 4 : PROBE_EVERY_MS;
    return right(o->socket != NULL, "socket", NULL, "is needed") &&
           right(o->slot[AB_A] != NULL, "slot-a", NULL, "is needed") &&
           right(o->slot[AB_B] != NULL, "slot-b", NULL, "is needed") &&
           right(o->n_keys > 0, "key", NULL, "is needed") &&
           right(probe_check(o->probe) == 0, "probe", o->probe,
                 "is not http://IPV4:PORT or unix:PATH");
}

int updater_cmd(const struct updater_args *given) {
    struct updater_args a = *given;
    struct updater_opts o = {.user = 0};
    char why[COMPLAINT_MAX];
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].usual && !*field(&a, table[i].at))
            *field(&a, table[i].at) = table[i].usual;
    }
    if (!take_running(&o, a.running) || !take_image(&o, a.image) ||
        !take_user(&o, a.user) || !take_seconds(&o.healthy_ms, "healthy", a.healthy) ||
        !take_seconds(&o.limit_ms, "limit", a.limit) || !take_rest(&o, &a))
        return 2;
    log_own_stderr();
    if (updater_run(&o, why, sizeof why) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "pulseboard: %s\n", why);
    return EXIT_FAILURE;
}
