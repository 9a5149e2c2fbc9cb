// link: sec
/* Inside the sandbox, everything that a server has no business with is tried. Each case
 * is a process of its own, since there is no way back. Those of root are skipped for
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sec/sandbox.h"

struct fixture {
    char dir[256], data[300], outside[300];
    struct sandbox_path paths[3];
    struct sandbox_opts o;
};

static const char *const names[] = {"tls", NULL};

static int setup(void **state) {
    static struct fixture f;
    snprintf(f.dir, sizeof f.dir, "/tmp/pulse-box-XXXXXX");
    if (!mkdtemp(f.dir) || chmod(f.dir, 0755) != 0)
        return -1;
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    snprintf(f.outside, sizeof f.outside, "%s/outside", f.dir);
    if (mkdir(f.data, 0700) != 0 || mkdir(f.outside, 0777) != 0 ||
        chmod(f.outside, 0777) != 0)
        return -1;
    char sub[320];
    snprintf(sub, sizeof sub, "%s/tls", f.data);
    if (mkdir(sub, 0700) != 0)
        return -1;
    f.paths[0] = (struct sandbox_path){"/proc", false};
    f.paths[1] = (struct sandbox_path){f.data, true};
    f.paths[2] = (struct sandbox_path){"/no/such/place", false};
    f.o = (struct sandbox_opts){
        .owned = f.data, .owned_names = names, .paths = f.paths, .n_paths = 3};
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    const struct fixture *f = *state;
    char line[320];
    snprintf(line, sizeof line, "rm -r '%s'", f->dir);
    return system(line);
}

/* What a try comes to, in a child within the sandbox: 0, or errno. 255: no sandbox. */
static int within(const struct fixture *f, int (*try)(const struct fixture *f)) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox_state s;
        char why[300];
        int rc = sandbox_enter(&f->o, &s, why, sizeof why);
        _exit(rc != 0 ? 255 : try(f));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 254;
}

static int result(int fd) { return fd < 0 ? errno : 0; }

static int read_shadow(const struct fixture *f) {
    (void)f;
    return result(open("/etc/shadow", O_RDONLY));
}

static int read_passwd(const struct fixture *f) {
    (void)f;
    return result(open("/etc/passwd", O_RDONLY));
}

static int open_raw(const struct fixture *f) {
    (void)f;
    return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int open_packets(const struct fixture *f) {
    (void)f;
    return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int run_shell(const struct fixture *f) {
    (void)f;
    execl("/bin/sh", "sh", "-c", "true", (char *)NULL);
    return errno;
}

static int write_outside(const struct fixture *f) {
    char path[320];
    snprintf(path, sizeof path, "%s/x", f->outside);
    return result(open(path, O_WRONLY | O_CREAT, 0600));
}

static int write_proc(const struct fixture *f) {
    (void)f;
    return result(open("/proc/self/oom_score_adj", O_WRONLY));
}

static int write_data(const struct fixture *f) {
    char path[320], to[330];
    snprintf(path, sizeof path, "%s/tls/x", f->data);
    snprintf(to, sizeof to, "%s.new", path);
    if (open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) < 0)
        return errno;
    return rename(path, to) == 0 && unlink(to) == 0 ? 0 : errno;
}

static int make_device(const struct fixture *f) {
    char path[320];
    snprintf(path, sizeof path, "%s/dev", f->data);
    return mknod(path, S_IFCHR | 0600, 0x103) == 0 ? 0 : errno;
}

static int read_proc(const struct fixture *f) {
    (void)f;
    return result(open("/proc/self/mountinfo", O_RDONLY)) +
           result(open("/proc/net/dev", O_RDONLY)) +
           result(open("/proc/stat", O_RDONLY));
}

static int become_root(const struct fixture *f) {
    (void)f;
    return setuid(0) == 0 && setgroups(0, NULL) == 0 ? 0 : errno;
}

static int bind_tcp(const struct fixture *f) {
    (void)f;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
}

static int connect_tcp(const struct fixture *f) {
    (void)f;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(9),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
}

static int signal_parent(const struct fixture *f) {
    (void)f;
    return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int gains_nothing(const struct fixture *f) {
    (void)f;
    for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) {
        if (geteuid() == 0 && prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 0)
            return 1;
    }
    char line[256];
    FILE *in = fopen("/proc/self/status", "r");
    while (in && fgets(line, sizeof line, in)) {
        if ((strncmp(line, "CapEff", 6) == 0 || strncmp(line, "CapPrm", 6) == 0 ||
             strncmp(line, "CapBnd", 6) == 0 || strncmp(line, "CapAmb", 6) == 0) &&
            !strstr(line, "0000000000000000"))
            return 2;
        if (strncmp(line, "NoNewPrivs", 10) == 0 && !strchr(line, '1'))
            return 3;
        if (strncmp(line, "Groups", 6) == 0 &&
            strspn(line + 7, " \t\n") < strlen(line + 7))
            return 4;
    }
    return in ? 0 : 5;
}

static int landlock_abi(const struct fixture *f) {
    static int abi = -1;
    int fds[2];
    if (abi >= 0)
        return abi;
    assert_int_equal(pipe(fds), 0);
    if (fork() == 0) {
        struct sandbox_state s = {.landlock = 99};
        char why[300];
        if (sandbox_enter(&f->o, &s, why, sizeof why) != 0)
            fprintf(stderr, "%s\n", why);
        _exit(write(fds[1], &s.landlock, sizeof s.landlock) < 0);
    }
    wait(NULL);
    assert_int_equal(read(fds[0], &abi, sizeof abi), sizeof abi);
    print_message("landlock ABI %d\n", abi);
    assert_in_range(abi, 0, 98);
    return abi;
}

static void what_a_server_needs_works(void **state) {
    const struct fixture *f = *state;
    assert_int_equal(within(f, read_proc), 0);
    assert_int_equal(within(f, write_data), 0);
}

static void what_it_does_not_need_is_refused(void **state) {
    const struct fixture *f = *state;
    static const struct {
        const char *what;
        int (*try)(const struct fixture *f);
        int abi; /* that it takes */
    } rows[] = {
        {"read /etc/shadow", read_shadow, 1},
        {"read /etc/passwd", read_passwd, 1},
        {"open a raw socket", open_raw, 0},
        {"open a packet socket", open_packets, 0},
        {"execute a shell", run_shell, 1},
        {"write outside the data folder", write_outside, 1},
        {"write to /proc", write_proc, 1},
        {"make a device", make_device, 0},
        {"bind a TCP port", bind_tcp, 4},
        {"connect to a TCP port", connect_tcp, 4},
        {"signal another process", signal_parent, 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (landlock_abi(f) < rows[i].abi) {
            print_message("left out: %s takes Landlock ABI %d\n", rows[i].what,
                          rows[i].abi);
            continue;
        }
        int err = within(f, rows[i].try);
        print_message("%s: %s\n", rows[i].what, strerror(err));
        if (err != EACCES && err != EPERM)
            fail_msg("%s: %d", rows[i].what, err);
    }
}

static void root_becomes_somebody_without_powers(void **state) {
    const struct fixture *f = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(within(f, become_root), EPERM);
    assert_int_equal(within(f, gains_nothing), 0);
}

static int stays(const struct fixture *f) {
    (void)f;
    return geteuid() == 0 ? 0 : 1;
}

/* A default must not keep a board from starting; a wish must be fulfilled. */
static void a_user_that_cannot_reach_the_data_is_not_taken(void **state) {
    struct fixture f = *(struct fixture *)*state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(f.dir, 0700), 0);
    f.o.user = "nobody";
    assert_int_equal(within(&f, stays), 255);
    f.o.user = NULL;
    assert_int_equal(within(&f, stays), 0);
    assert_int_equal(within(&f, gains_nothing), 0);
    assert_int_equal(within(&f, read_shadow), EACCES);
    assert_int_equal(chmod(f.dir, 0755), 0);
    /* Reached, but somebody else's things are in it: a home directory, say. */
    char mine[320];
    snprintf(mine, sizeof mine, "%s/.profile", f.data);
    assert_int_equal(close(open(mine, O_WRONLY | O_CREAT, 0600)), 0);
    struct stat before, after;
    /* Those of the tests before have given it away. */
    assert_int_equal(chown(f.data, 0, 0), 0);
    assert_int_equal(stat(f.data, &before), 0);
    assert_int_equal(within(&f, stays), 0);
    assert_int_equal(stat(f.data, &after), 0);
    assert_int_equal(before.st_uid, after.st_uid);
    f.o.user = "nobody";
    assert_int_equal(within(&f, stays), 255);
    assert_int_equal(unlink(mine), 0);
    assert_int_equal(within(&f, stays), 1);
    f.o.user = "no-such-user";
    assert_int_equal(within(&f, stays), 255);
}

/* Of the names that are ours, a file is given away, and nobody else's file with it that
 * somebody linked there. */
static void what_has_another_name_is_not_given_away(void **state) {
    struct fixture f = *(struct fixture *)*state;
    static const char *const both[] = {"mine", "theirs", NULL};
    char mine[320], theirs[320], elsewhere[320];
    struct stat st;
    if (geteuid() != 0)
        skip();
    snprintf(mine, sizeof mine, "%s/mine", f.data);
    snprintf(theirs, sizeof theirs, "%s/theirs", f.data);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", f.dir);
    assert_int_equal(close(open(mine, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(close(open(elsewhere, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(link(elsewhere, theirs), 0);
    f.o.owned_names = both;
    f.o.user = "nobody";
    assert_int_equal(within(&f, stays), 1);
    assert_int_equal(stat(mine, &st), 0);
    assert_int_not_equal(st.st_uid, 0);
    assert_int_equal(stat(elsewhere, &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(unlink(mine) | unlink(theirs) | unlink(elsewhere), 0);
}

static int connect_allowed(const struct fixture *f) {
    return connect_tcp(f) == ECONNREFUSED ? 0 : 1;
}

static void ports_that_were_given_can_be_connected_to(void **state) {
    struct fixture f = *(struct fixture *)*state;
    static const uint16_t ports[] = {9};
    f.o.connect = ports;
    f.o.n_connect = 1;
    assert_int_equal(within(&f, connect_allowed), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_needs_works),
        cmocka_unit_test(what_it_does_not_need_is_refused),
        cmocka_unit_test(root_becomes_somebody_without_powers),
        cmocka_unit_test(a_user_that_cannot_reach_the_data_is_not_taken),
        cmocka_unit_test(what_has_another_name_is_not_given_away),
        cmocka_unit_test(ports_that_were_given_can_be_connected_to),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
