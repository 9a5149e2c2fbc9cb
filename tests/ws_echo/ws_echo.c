/* ws_echo: echoes WebSocket messages and broadcasts at a given rate (README.md). */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/option.h"
#include "app/process.h"
#include "app/routes.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "http/upgrade.h"
#include "sec/tls_heap.h"

#define MESSAGE_MAX (16u * 1024 * 1024)
/* An echo may come on top of half of what a session may owe, where the hub stops
 * reading. */
#define OWED_MAX (2 * MESSAGE_MAX + 1024 * 1024)
#define POOL_BYTES (128u * 1024 * 1024)
#define RATE_MAX 10000u
#define SIZE_MIN 48u /* holds two numbers of 20 digits */
#define BURST_MAX 256u
#define SEATS 1024u /* load tools come in crowds, from one address */
#define TICKER_STACK (64u * 1024)

struct echo {
    struct config config;
    struct about about;
    struct routes routes;
    struct hub *hub;
    struct tls_ctx *tls;
    struct httpd *httpd;
    struct doors doors;  /* until the httpd has them */
    uint32_t rate, size; /* of the broadcast; rate 0: none */
    char *frame;         /* size bytes */
    uint64_t sent;       /* hub thread */
    atomic_uint_fast64_t due;
    atomic_bool stop;
    pthread_t ticker;
};

/* ---- what the hub tells us ---- */

static void opened(void *ctx, struct hub *h, sess_id id,
                   const struct handoff_hello *in) {
    (void)ctx;
    (void)h;
    (void)id;
    (void)in;
}

static void message(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                    const uint8_t *p, size_t n) {
    (void)ctx;
    (void)hub_send(h, id, op, p, n);
}

static void closed(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx;
    (void)h;
    log_at(disc_info(why)->level, "session_closed", "id=%" PRIx64 " cause=%s", id,
           disc_info(why)->name);
}

/* Sends what is due by now; what a stall of more than a burst has left is dropped. */
static void kicked(void *ctx, struct hub *h) {
    struct echo *e = ctx;
    uint64_t due = atomic_load(&e->due);
    if (due - e->sent > BURST_MAX)
        e->sent = due - BURST_MAX;
    while (e->sent < due) {
        char head[SIZE_MIN];
        int n = snprintf(head, sizeof head, "%" PRIu64 " %" PRIu64 " ", ++e->sent,
                         clock_ns());
        memcpy(e->frame, head, (size_t)n);
        (void)hub_broadcast(h, 1, e->sent, WS_TEXT, (const uint8_t *)e->frame, e->size);
        memset(e->frame, '.', (size_t)n);
    }
}

static const struct hub_app echo_app = {
    .opened = opened,
    .message = message,
    .closed = closed,
    .kicked = kicked,
};

/* ---- the beat ---- */

static void *tick(void *arg) {
    struct echo *e = arg;
    uint64_t start_ns = clock_ns();
    for (uint64_t i = 1; !atomic_load(&e->stop); i++) {
        uint64_t at =
            start_ns + i / e->rate * 1000000000u + i % e->rate * 1000000000u / e->rate;
        struct timespec ts = {.tv_sec = (time_t)(at / 1000000000u),
                              .tv_nsec = (long)(at % 1000000000u)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
            ;
        atomic_store(&e->due, i);
        hub_kick(e->hub);
    }
    return NULL;
}

/* ---- the command line ---- */

static int usage(const char *what) {
    fprintf(
        stderr,
        "ws_echo: %s\n"
        "usage: ws_echo --listen ADDR:PORT [--tls-listen ADDR:PORT --tls-pem FILE]\n"
        "               [--broadcast HZ --size BYTES] [--max-sessions N]\n"
        "               [--log-level LEVEL] [--heartbeat-...-ms MS]\n",
        what);
    return -EINVAL;
}

static int number(const char *text, uint32_t min, uint32_t max, uint32_t *out) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || v < min || v > max)
        return -EINVAL;
    *out = (uint32_t)v;
    return 0;
}

static int take(struct echo *e, const char *flag, const char *value) {
    char why[OPTION_WHY_MAX];
    const struct option *o = option_by_flag(flag);
    if (o)
        return option_set(o, &e->config, value, why);
    if (strcmp(flag, "broadcast") == 0)
        return number(value, 0, RATE_MAX, &e->rate);
    if (strcmp(flag, "size") == 0)
        return number(value, SIZE_MIN, MESSAGE_MAX, &e->size);
    return -EINVAL;
}

static int parse(struct echo *e, int argc, char **argv) {
    config_default(&e->config);
    option_begin(option_by_flag("listen"), &e->config);
    e->size = 512;
    for (int i = 1; i < argc; i += 2) {
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc ||
            take(e, argv[i] + 2, argv[i + 1]) != 0)
            return usage(argv[i]);
    }
    return e->config.listen.n ? 0 : usage("--listen is needed");
}

/* ---- start and stop ---- */

static int start_hub(struct echo *e) {
    struct hub_opts o;
    hub_opts_default(&o);
    o.max_sessions = e->config.max_sessions;
    o.max_message = MESSAGE_MAX;
    o.pool_bytes = POOL_BYTES;
    o.reply_bytes = OWED_MAX;
    /* A second of the fastest beat of small frames, and some frames of any size. */
    o.ring_frames = 4096;
    o.ring_bytes = 4 * 1024 * 1024 + 8 * e->size;
    o.pulse.start_ms = e->config.heartbeat_start_ms;
    o.pulse.min_ms = e->config.heartbeat_min_ms;
    o.pulse.max_ms = e->config.heartbeat_max_ms;
    o.app = &echo_app;
    o.ctx = e;
    return hub_start(&e->hub, &o);
}

static const struct httpd_route routes[] = {
    {"/", HTTP_GET, ROLE_NONE, upgrade_ws},
    {"/ws", HTTP_GET, ROLE_NONE, upgrade_ws},
    {"/ws/stats", HTTP_GET, ROLE_NONE, routes_stats},
};

static int open_doors(struct echo *e, char *why, size_t cap) {
    const struct config_list *plain = &e->config.listen, *tls = &e->config.tls_listen;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < plain->n; i++)
        rc = doors_add(&e->doors, plain->item[i], false, why, cap);
    for (uint32_t i = 0; rc == 0 && i < tls->n; i++)
        rc = doors_add(&e->doors, tls->item[i], true, why, cap);
    return rc;
}

static int start_httpd(struct echo *e, char *why, size_t cap) {
    struct httpd_opts o;
    httpd_opts_default(&o);
    o.doors = &e->doors;
    o.tls = e->tls;
    o.any_host = o.any_origin = true;
    o.seats = SEATS;
    o.reply_bytes = routes_reply_bytes(e->config.max_sessions);
    o.routes = routes;
    o.n_routes = sizeof routes / sizeof routes[0];
    o.ctx = &e->routes;
    o.hub = e->hub;
    e->routes.about = &e->about;
    e->routes.hub = e->hub;
    e->routes.max_sessions = e->config.max_sessions;
    return httpd_start(&e->httpd, &o, why, cap);
}

static void say_ready(const struct echo *e) {
    char at[80];
    const struct doors *d = httpd_doors(e->httpd);
    printf("ready http=%s", doors_where(d, LOBBY_PLAIN, 0, at, sizeof at));
    if (doors_have(d, LOBBY_TLS))
        printf(" https=%s", doors_where(d, LOBBY_TLS, 0, at, sizeof at));
    putchar('\n');
    fflush(stdout);
}

static int run(struct echo *e, const sigset_t *ends, char *why, size_t cap) {
    int rc = e->rate > 0 ? thread_start(&e->ticker, TICKER_STACK, tick, e) : 0;
    if (rc) {
        snprintf(why, cap, "cannot start the beat: %s", strerror(-rc));
        return rc;
    }
    say_ready(e);
    int sig;
    sigwait(ends, &sig);
    atomic_store(&e->stop, true);
    if (e->rate > 0)
        pthread_join(e->ticker, NULL);
    return 0;
}

static int open_tls(struct echo *e, char *why, size_t cap) {
    char reason[192] = "there is not enough memory";
    if (!doors_have(&e->doors, LOBBY_TLS))
        return 0;
    size_t places = (size_t)e->config.max_sessions + SEATS;
    int rc = tls_heap_init(places * TLS_HEAP_EACH);
    if (!rc)
        rc = tls_ctx_open(&e->tls, e->config.tls_pem, reason, sizeof reason);
    if (rc)
        snprintf(why, cap, "%.200s: %s", e->config.tls_pem, reason);
    return rc;
}

static int serve(struct echo *e, const sigset_t *ends) {
    char why[512] = "cannot start the hub";
    int rc = open_doors(e, why, sizeof why);
    if (!rc)
        rc = open_tls(e, why, sizeof why);
    if (!rc)
        rc = start_hub(e);
    if (rc)
        goto fail_tls;
    rc = start_httpd(e, why, sizeof why);
    if (!rc)
        rc = run(e, ends, why, sizeof why);
    hub_stop(e->hub);
    if (e->httpd)
        httpd_stop(e->httpd);
    hub_free(e->hub);
fail_tls:
    tls_ctx_free(e->tls);
    doors_close(&e->doors);
    if (rc)
        fprintf(stderr, "ws_echo: %s\n", why);
    return rc;
}

int main(int argc, char **argv) {
    static struct echo e;
    sigset_t ends;
    if (parse(&e, argc, argv) != 0)
        return 2;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_set_level((enum log_level)e.config.log_level);
    process_raise_files(e.config.max_sessions + 192u);
    e.about.started_ms = clock_ms();
    e.frame = pages_take(e.size);
    if (!e.frame)
        return EXIT_FAILURE;
    memset(e.frame, '.', e.size);
    int rc = serve(&e, &ends);
    pages_give(e.frame, e.size);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
