/* announce NAME: answers for NAME.local on the local network, and tells browsers of
 * services that there is a page (RFC 6762, 6763). Avahi's core does it; no D-Bus, no
 * files.
 *
 * A name that somebody else has gives way to NAME-2 and so on: the one that holds is
 * printed, a line each time. Started as root, it is nobody in an empty folder before it
 * reads the first packet. SIGTERM: the name is taken back, then it ends. */
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/publish.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define NOBODY 65534
#define EMPTY_FOLDER "/usr/share/empty"
/* What it may take, whatever the network sends; it lives in a tenth of it. */
#define MEMORY_MAX (8u * 1024 * 1024)

struct announce {
    AvahiSimplePoll *poll;
    AvahiSEntryGroup *services;
    char *title; /* of the services; the host's name until another one has it too */
    int failed;
};

static void fail(struct announce *a, const char *what, const char *why) {
    fprintf(stderr, "announce: %s: %s\n", what, why);
    a->failed = 1;
    avahi_simple_poll_quit(a->poll);
}

static int add(AvahiServer *s, struct announce *a, const char *type, uint16_t port) {
    return avahi_server_add_service(s, a->services, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                    0, a->title, type, NULL, NULL, port, "path=/",
                                    NULL);
}

static void add_services(AvahiServer *s, struct announce *a) {
    int rc = add(s, a, "_http._tcp", 80);
    if (rc >= 0)
        rc = add(s, a, "_https._tcp", 443);
    if (rc >= 0)
        rc = avahi_s_entry_group_commit(a->services);
    if (rc < 0)
        fail(a, "services", avahi_strerror(rc));
}

static void on_services(AvahiServer *s, AvahiSEntryGroup *group,
                        AvahiEntryGroupState state, void *data) {
    struct announce *a = data;
    if (state == AVAHI_ENTRY_GROUP_FAILURE)
        fail(a, "services", avahi_strerror(avahi_server_errno(s)));
    if (state != AVAHI_ENTRY_GROUP_COLLISION)
        return;
    char *other = avahi_alternative_service_name(a->title);
    avahi_free(a->title);
    a->title = other;
    avahi_s_entry_group_reset(group);
    add_services(s, a);
}

/* The host's name is ours. */
static void name_holds(AvahiServer *s, struct announce *a) {
    printf("%s\n", avahi_server_get_host_name(s));
    fflush(stdout);
    if (!a->services)
        a->services = avahi_s_entry_group_new(s, on_services, a);
    if (!a->services) {
        fail(a, "services", avahi_strerror(avahi_server_errno(s)));
        return;
    }
    avahi_free(a->title);
    a->title = avahi_strdup(avahi_server_get_host_name(s));
    avahi_s_entry_group_reset(a->services);
    add_services(s, a);
}

/* For the name that is being asked for. */
static void services_wait(struct announce *a) {
    if (a->services)
        avahi_s_entry_group_reset(a->services);
}

static void name_is_taken(AvahiServer *s, struct announce *a) {
    char *other = avahi_alternative_host_name(avahi_server_get_host_name(s));
    int rc = avahi_server_set_host_name(s, other);
    avahi_free(other);
    if (rc < 0)
        fail(a, "another name", avahi_strerror(rc));
}

static void on_server(AvahiServer *s, AvahiServerState state, void *data) {
    struct announce *a = data;
    switch (state) {
    case AVAHI_SERVER_RUNNING:
        name_holds(s, a);
        break;
    case AVAHI_SERVER_COLLISION:
        services_wait(a);
        name_is_taken(s, a);
        break;
    case AVAHI_SERVER_REGISTERING:
        services_wait(a);
        break;
    case AVAHI_SERVER_FAILURE:
        fail(a, "the network", avahi_strerror(avahi_server_errno(s)));
        break;
    case AVAHI_SERVER_INVALID:
        break;
    }
}

static void on_signal(AvahiWatch *w, int fd, AvahiWatchEvent event, void *data) {
    struct announce *a = data;
    (void)w, (void)fd, (void)event;
    avahi_simple_poll_quit(a->poll);
}

/* SIGTERM as an event of the loop; 0 or -1 with errno. */
static int watch_signals(struct announce *a) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    const AvahiPoll *poll = avahi_simple_poll_get(a->poll);
    return fd >= 0 && poll->watch_new(poll, fd, AVAHI_WATCH_IN, on_signal, a) ? 0 : -1;
}

/* Avahi draws its delays from rand(). */
static void seed(void) {
    unsigned seed = 0;
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
        srand(seed);
}

/* From here on it can do nothing but talk; 0 or -1 with errno. */
static int become_nobody(void) {
    struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, none = {0, 0};
    if (chroot(EMPTY_FOLDER) != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 ||
        setgid(NOBODY) != 0 || setuid(NOBODY) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return setrlimit(RLIMIT_AS, &memory) || setrlimit(RLIMIT_NPROC, &none) ||
                   setrlimit(RLIMIT_FSIZE, &none)
               ? -1
               : 0;
}

static AvahiServer *begin(struct announce *a, const char *name) {
    AvahiServerConfig config;
    int error = 0;
    avahi_server_config_init(&config);
    config.host_name = avahi_strdup(name);
    config.publish_workstation = 0;
    config.publish_hinfo = 0;
    config.enable_wide_area = 0;
    AvahiServer *s =
        avahi_server_new(avahi_simple_poll_get(a->poll), &config, on_server, a, &error);
    avahi_server_config_free(&config);
    if (!s)
        fail(a, "start", avahi_strerror(error));
    return s;
}

static void quiet(AvahiLogLevel level, const char *text) {
    if (level <= AVAHI_LOG_WARN)
        fprintf(stderr, "announce: %s\n", text);
}

int main(int argc, char **argv) {
    struct announce a = {0};
    if (argc != 2 || !*argv[1]) {
        fputs("announce NAME\n", stderr);
        return 2;
    }
    seed();
    avahi_set_log_function(quiet);
    a.poll = avahi_simple_poll_new();
    if (!a.poll)
        return 1;
    AvahiServer *s = begin(&a, argv[1]);
    if (s && (watch_signals(&a) != 0 || become_nobody() != 0))
        fail(&a, "start", strerror(errno));
    if (!a.failed)
        avahi_simple_poll_loop(a.poll);
    if (s)
        avahi_server_free(s);
    avahi_free(a.title);
    avahi_simple_poll_free(a.poll);
    return a.failed;
}
