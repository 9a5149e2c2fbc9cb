#include "app/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/auth_routes.h"
#include "app/confine.h"
#include "app/data.h"
#include "app/identity.h"
#include "app/inherit.h"
#include "app/intake.h"
#include "app/keeper.h"
#include "app/live.h"
#include "app/names.h"
#include "app/process.h"
#include "app/reload.h"
#include "app/routes.h"
#include "app/tend.h"
#include "app/update_routes.h"
#include "app/upkeep.h"
#include "app/watchdog.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "sec/tls_heap.h"
#include "telemetry/sampler.h"

/* Descriptors that belong neither to sessions nor to the lobby: listeners, epoll,
 * timers, probes. */
#define OWN_FILES 96u

/* Everything that runs; stands in zeroed pages, so what is not used costs nothing. */
struct app {
    struct config config;
    struct reload reload;
    struct about about;
    struct events events;
    struct telemetry telemetry;
    struct own own;
    struct intake intake;
    struct keeper keeper;
    struct sampler sampler;
    struct auth auth;
    struct live live;
    struct routes routes;
    struct update_told update_told;
    struct lobby_counts lobby;
    struct hub *hub;
    struct doors doors; /* until the httpd has them */
    struct httpd *httpd;
    struct tend tend;
    struct upkeep upkeep;
    struct identity identity;
    struct watchdog watchdog;
    bool has_identity; /* there is TLS */
    int signals;       /* signalfd */
    int ended_by;      /* the signal */
};

static void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *fmt, ...) {
    char text[CONFIG_PATH_MAX + 512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "pulseboard: %s\n", text);
}

static void complain_line(void *ctx, const char *line) {
    (void)ctx;
    complain("%s", line);
}

/* ---- the process ---- */

static void our_signals(sigset_t *set) {
    static const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sigaddset(set, all[i]);
}

/* All threads block them, since they are blocked before the first one starts. */
static int open_signals(struct app *a) {
    sigset_t set;
    our_signals(&set);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -errno;
    a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return a->signals < 0 ? -errno : 0;
}

/* The system call itself: no tool's exit hooks, which would miss the threads' ends. */
static void end_at_once(int sig) {
    (void)sig;
    syscall(SYS_exit_group, EXIT_SUCCESS);
}

/* While we stop, a second SIGTERM or SIGINT ends us at once. */
static void heed_impatience(void) {
    struct sigaction sa = {.sa_handler = end_at_once};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- starting ---- */

static int failed(const char *what, int rc) {
    if (rc)
        complain("cannot start %s: %s", what, strerror(-rc));
    return rc;
}

static int start_hub(struct app *a) {
    const struct config *c = &a->config;
    struct hub_opts o;
    hub_opts_default(&o);
    o.max_sessions = c->max_sessions;
    o.first_role = ROLE_ADMIN;
    o.max_message = c->max_message;
    if (o.pool_bytes < 4 * c->max_message)
        o.pool_bytes = 4 * c->max_message;
    o.topics = TOPIC_TELEMETRY;
    o.keyed = TOPIC_TELEMETRY;
    o.pulse.start_ms = c->heartbeat_start_ms;
    o.pulse.min_ms = c->heartbeat_min_ms;
    o.pulse.max_ms = c->heartbeat_max_ms;
    o.app = &live_app;
    o.ctx = &a->live;
    return hub_start(&a->hub, &o);
}

/* Whoever stands at the device sees the code; a log, which others may read, has but the
 * place of it. */
static void tell_code(const struct app *a, const char *dir) {
    static const char how[] = "nobody owns this board yet; to claim it, open its page "
                              "and enter";
    if (isatty(STDERR_FILENO))
        complain("%s %s", how, auth_code(&a->auth));
    else
        complain("%s the code in %s/" AUTH_CODE_FILE, how, dir);
}

static int open_auth(struct app *a) {
    const char *dir = a->reload.cli->data;
    const struct config *c = &a->config;
    int rc = auth_open(&a->auth, dir, c->login_idle_s, c->login_max_s);
    if (rc)
        complain("%s: %s", dir, strerror(-rc));
    else if (auth_code(&a->auth))
        tell_code(a, dir);
    a->live.auth = &a->auth;
    return rc;
}

static void on_sample(void *ctx) {
    struct app *a = ctx;
    hub_kick(a->hub);
}

static void on_event(void *ctx) {
    struct app *a = ctx;
    hub_kick(a->hub);
}

static const char *probe_root(const struct app *a) {
    return a->config.probe_root[0] ? a->config.probe_root : "/";
}

static int start_sampler(struct app *a) {
    struct sampler_opts o = {
        .probes = {.root = probe_root(a)},
        .sample_ms = a->config.sample_ms,
        .out = &a->telemetry,
        .own = &a->own,
        .on_sample = on_sample,
        .ctx = a,
    };
    return sampler_start(&a->sampler, &o);
}

/* The usual port may be another statsd's: that is no reason not to start. */
static int open_intake(struct app *a) {
    const struct config *c = &a->config;
    char why[256], quoted[256];
    bool none = c->own_metrics == 0;
    bool udp = !none && strcmp(c->statsd, "off") != 0;
    bool local = !none && c->statsd_socket[0];
    bool usual = strcmp(c->statsd, option_by_flag("statsd")->initial) == 0;
    int rc = intake_open(&a->intake, &a->own, udp ? c->statsd : NULL,
                         local ? c->statsd_socket : NULL, why, sizeof why);
    if (rc && usual && a->intake.stop >= 0 && (a->intake.local >= 0 || !local)) {
        log_info("statsd_off", "reason=%s", log_quote(quoted, sizeof quoted, why));
        rc = 0;
    }
    if (rc)
        complain("%s", why);
    return rc;
}

/* Whatever programs tell us, and the sockets for it. */
static int open_own(struct app *a) {
    const struct config *c = &a->config;
    struct own_opts o = {
        .limit = c->own_metrics,
        .stale_ms = c->own_stale_s * 1000,
        .forget_ms = c->own_forget_s * 1000,
    };
    int rc = failed("own metrics", own_init(&a->own, &o));
    if (rc)
        return rc;
    rc = open_intake(a);
    if (rc) {
        intake_stop(&a->intake);
        own_free(&a->own);
    }
    return rc;
}

static void close_own(struct app *a) {
    intake_stop(&a->intake);
    own_free(&a->own);
}

static int start_keeper(struct app *a) {
    return keeper_start(&a->keeper, &(struct keeper_opts){
                                        .telemetry = &a->telemetry,
                                        .dir = a->reload.cli->data,
                                        .root = probe_root(a),
                                        .save_s = a->config.history_save_s,
                                    });
}

static int open_identity(struct app *a) {
    char why[256] = "there is not enough memory";
    struct cert_names names;
    const struct config *c = &a->config;
    const struct identity_opts o = {
        .data = a->reload.cli->data, .file = c->tls_pem, .built_s = PULSEBOARD_BUILT};
    if (!doors_have(&a->doors, LOBBY_TLS))
        return 0;
    names_read(&names, &c->allow_hosts);
    size_t places = (size_t)c->max_sessions + c->lobby;
    int rc = tls_heap_init(places * TLS_HEAP_EACH);
    if (!rc)
        rc = identity_open(&a->identity, &o, &names, clock_wall_ms() / 1000, why,
                           sizeof why);
    if (rc)
        complain("%s: %s", c->tls_pem[0] ? c->tls_pem : "tls_listen", why);
    a->has_identity = rc == 0;
    return rc;
}

/* What the service manager listens on stands in the place of both lists. */
static int open_doors(struct app *a) {
    const struct config *c = &a->config;
    char why[256];
    int rc = inherit_doors(&a->doors, why, sizeof why);
    bool ours = a->doors.n == 0;
    for (uint32_t i = 0; ours && rc == 0 && i < c->listen.n; i++)
        rc = doors_add(&a->doors, c->listen.item[i], false, why, sizeof why);
    for (uint32_t i = 0; ours && rc == 0 && i < c->tls_listen.n; i++)
        rc = doors_add(&a->doors, c->tls_listen.item[i], true, why, sizeof why);
    if (rc == 0 && c->socket[0] && !doors_have(&a->doors, LOBBY_LOCAL))
        rc = doors_add_local(&a->doors, c->socket, why, sizeof why);
    if (rc)
        complain("%s", why);
    return rc;
}

static void close_identity(struct app *a) {
    if (a->has_identity)
        identity_close(&a->identity);
}

/* allow_hosts is the reload's, and it knows this machine's new name by itself. */
static void on_renamed(void *ctx) {
    struct app *a = ctx;
    reload_hosts_again(&a->reload);
}

static void open_upkeep(struct app *a) {
    a->upkeep = (struct upkeep){
        .id = &a->identity, .config = &a->config, .renamed = on_renamed, .ctx = a};
    upkeep_open(&a->upkeep);
    a->reload.upkeep = &a->upkeep;
    a->reload.identity = &a->identity;
    a->routes.identity = &a->identity;
}

/* Everything that takes privileges is open, and there are no threads yet. */
static int give_up_privileges(struct app *a) {
    char why[CONFIG_PATH_MAX + 128];
    int rc = watchdog_open(&a->watchdog, &a->config, &a->doors, why, sizeof why);
    if (!rc)
        rc = confine(a->reload.cli, &a->config, &a->doors, why, sizeof why);
    if (rc)
        complain("%s", why);
    return rc;
}

static int start_httpd(struct app *a) {
    char why[256];
    const struct reload_hosts *hosts = reload_fill_hosts(&a->reload);
    struct httpd_opts o;
    httpd_opts_default(&o);
    o.doors = &a->doors;
    o.plain = config_plain(&a->config);
    o.tls = a->has_identity ? a->identity.tls : NULL;
    o.seats = a->config.lobby;
    o.counts = &a->lobby;
    o.hosts = hosts->names;
    o.n_hosts = hosts->list.n;
    o.reply_bytes = routes_reply_bytes(a->config.max_sessions + HUB_KEPT);
    o.routes = routes_table;
    o.n_routes = routes_n;
    o.identify = auth_identify;
    o.ctx = &a->routes;
    o.hub = a->hub;
    int rc = httpd_start(&a->httpd, &o, why, sizeof why);
    if (rc)
        complain("%s", why);
    return rc;
}

/* ---- running ---- */

/* The one line on stdout: where the first listener of each kind answers. */
static void say_ready(const struct app *a) {
    const struct doors *d = httpd_doors(a->httpd);
    char at[80];
    fputs("ready", stdout);
    if (doors_have(d, LOBBY_PLAIN))
        printf(" http=%s", doors_where(d, LOBBY_PLAIN, 0, at, sizeof at));
    if (doors_have(d, LOBBY_TLS))
        printf(" https=%s", doors_where(d, LOBBY_TLS, 0, at, sizeof at));
    putchar('\n');
    fflush(stdout);
}

static void log_listeners(const struct app *a) {
    const struct doors *d = httpd_doors(a->httpd);
    char at[80];
    for (unsigned i = 0; doors_where(d, LOBBY_PLAIN, i, at, sizeof at)[0]; i++)
        log_info("listening", "http=%s", at);
    for (unsigned i = 0; doors_where(d, LOBBY_TLS, i, at, sizeof at)[0]; i++)
        log_info("listening", "https=%s", at);
    if (intake_bound(&a->intake, at, sizeof at))
        log_info("listening", "statsd=%s", at);
    log_info("started", "version=%s max_sessions=%u sample_ms=%u", a->about.version,
             a->config.max_sessions, a->config.sample_ms);
}

static void step_level(int by) {
    int level = (int)log_level() + by;
    if (level < LOG_LVL_ERROR || level > LOG_LVL_DEBUG)
        return;
    log_set_level((enum log_level)level);
    log_notice("log_level", "level=%s", log_level_name((enum log_level)level));
}

static void on_signal(void *ctx, struct chore *c, short revents) {
    struct app *a = ctx;
    struct signalfd_siginfo si;
    (void)revents;
    if (read(c->fd, &si, sizeof si) != sizeof si)
        return;
    switch (si.ssi_signo) {
    case SIGHUP:
        reload_now(&a->reload);
        break;
    case SIGUSR1:
        step_level(1);
        break;
    case SIGUSR2:
        step_level(-1);
        break;
    default:
        a->ended_by = (int)si.ssi_signo;
        a->tend.done = true;
    }
}

static void run(struct app *a) {
    log_listeners(a);
    say_ready(a);
    tend_add(&a->tend, a->signals, POLLIN, TEND_NEVER, on_signal, a);
    if (a->has_identity)
        upkeep_begin(&a->upkeep, &a->tend);
    watchdog_begin(&a->watchdog, &a->tend);
    tend_run(&a->tend);
    watchdog_end(&a->watchdog);
    log_info("stopping", "signal=%s", a->ended_by == SIGINT ? "INT" : "TERM");
    atomic_store(&a->routes.stopping, true);
    heed_impatience();
}

/* ---- in order, and back ---- */

static void fill_routes(struct app *a) {
    a->routes.auth = &a->auth;
    a->routes.about = &a->about;
    a->routes.contact = a->config.contact;
    a->routes.contact_expires = a->config.contact_expires;
    a->routes.telemetry = &a->telemetry;
    a->routes.events = &a->events;
    a->routes.own = &a->own;
    a->routes.hub = a->hub;
    a->routes.lobby = &a->lobby;
    a->routes.max_sessions = a->config.max_sessions + HUB_KEPT;
    a->routes.updater = a->config.updater_socket;
    a->routes.update_told = &a->update_told;
}

/* With a hub that runs; it does not when this returns. */
static int run_with_hub(struct app *a) {
    int rc = failed("history", start_keeper(a));
    if (rc)
        goto stop_hub;
    rc = failed("the sampler", start_sampler(a));
    if (rc)
        goto stop_keeper;
    rc = failed("the intake of readings", intake_start(&a->intake));
    if (rc)
        goto stop_sampler;
    update_told_init(&a->update_told);
    fill_routes(a);
    rc = start_httpd(a);
    if (rc == 0) {
        a->reload.httpd = a->httpd;
        run(a);
    }
    /* First, so that sessions hear of it while /readyz still tells others. */
    hub_stop(a->hub);
    if (rc == 0)
        httpd_stop(a->httpd);
    update_told_free(&a->update_told);
    sampler_stop(&a->sampler);
    keeper_stop(&a->keeper);
    return rc;
stop_sampler:
    sampler_stop(&a->sampler);
stop_keeper:
    keeper_stop(&a->keeper);
stop_hub:
    hub_stop(a->hub);
    return rc;
}

static int run_app(struct app *a) {
    int rc = failed("signals", open_signals(a));
    if (rc)
        return rc;
    uint32_t files = a->config.max_sessions + a->config.lobby + OWN_FILES;
    if (process_raise_files(files) != 0)
        log_warn("few_files", "wanted=%u", files);
    rc = failed("random numbers", about_init(&a->about, &a->config));
    if (rc)
        goto close_signals;
    rc = device_read(&a->about.device, probe_root(a));
    if (rc) {
        complain("%s: %s", probe_root(a), strerror(-rc));
        goto close_signals;
    }
    rc = open_doors(a);
    if (rc == 0)
        rc = open_identity(a);
    if (rc)
        goto close_doors;
    if (a->has_identity)
        open_upkeep(a);
    rc = open_own(a);
    if (rc)
        goto close_tls;
    rc = failed("telemetry", telemetry_init(&a->telemetry));
    if (rc)
        goto close_own;
    rc = failed("sessions",
                live_init(&a->live, &a->about, &a->telemetry, &a->events, &a->config));
    if (rc)
        goto free_telemetry;
    a->live.methods.lobby = &a->lobby;
    rc = open_auth(a);
    if (rc)
        goto free_live;
    rc = give_up_privileges(a);
    if (rc)
        goto close_auth;
    rc = failed("the hub", start_hub(a));
    if (rc)
        goto close_auth;
    events_listen(&a->events, on_event, a);
    rc = run_with_hub(a);
    events_listen(&a->events, NULL, NULL);
    hub_free(a->hub);
close_auth:
    auth_close(&a->auth);
free_live:
    live_free(&a->live);
free_telemetry:
    telemetry_free(&a->telemetry);
close_own:
    close_own(a);
close_tls:
    if (a->has_identity)
        upkeep_close(&a->upkeep);
    close_identity(a);
close_doors:
    doors_close(&a->doors);
close_signals:
    close(a->signals);
    return rc;
}

static int open_data(const char *dir) {
    int rc = dir ? data_prepare(dir) : 0;
    if (rc)
        complain("%s: %s", dir, strerror(-rc));
    return rc;
}

/* What is logged from here on, our end included, is an event. */
static int run_heard(struct app *a) {
    int rc = failed("events", events_init(&a->events));
    if (rc)
        return rc;
    log_set_tap(events_tap, &a->events);
    rc = run_app(a);
    log_set_tap(NULL, NULL);
    events_free(&a->events);
    return rc;
}

int serve(const struct cli *cli) {
    struct app *a = pages_take(sizeof *a);
    if (!a) {
        complain("not enough memory");
        return EXIT_FAILURE;
    }
    a->reload.cli = cli;
    a->reload.now = &a->config;
    umask(027);
    log_own_stderr();
    struct config_report r = {.say = complain_line};
    errno = 0;
    int rc = open_data(cli->data);
    if (!rc)
        rc = reload_settings(cli, &a->config, &r);
    if (!rc) {
        log_set_level((enum log_level)a->config.log_level);
        rc = run_heard(a);
    }
    if (!rc)
        log_info("stopped", "%s", "");
    pages_give(a, sizeof *a);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
