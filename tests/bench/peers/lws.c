/* A peer for tests/bench/run: libwebsockets, one event loop, in the manner of its own
 * examples: a ring of messages, a position in it for each client, written when the
 * client is writable.
 *
 *     lws [--broadcast HZ --size BYTES] [--tls-pem FILE] */
#include <libwebsockets.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING 256u
#define SIZE_MAX_BYTES 65536u

struct client {
    unsigned long long next; /* message of the ring */
    unsigned char *echo;     /* LWS_PRE bytes, then what is owed; NULL: nothing is */
    size_t echo_n;
};

static unsigned char *ring[RING];
static unsigned long long made; /* messages made so far */
static size_t size = 512;
static atomic_ullong due;
static struct lws_context *ctx[2];
static unsigned hz;
static int n_ctx;

static void make(void) {
    struct timespec ts;
    unsigned char *at = ring[made % RING] + LWS_PRE;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    memset(at, '.', size);
    int n = snprintf((char *)at, 48, "%llu %llu", made + 1,
                     (unsigned long long)ts.tv_sec * 1000000000u +
                         (unsigned long long)ts.tv_nsec);
    at[n] = ' ';
    made++;
}

static int write_one(struct lws *wsi, struct client *c) {
    if (c->echo) {
        int rc = lws_write(wsi, c->echo + LWS_PRE, c->echo_n, LWS_WRITE_TEXT);
        free(c->echo);
        c->echo = NULL;
        return rc < 0 ? -1 : 0;
    }
    if (made - c->next > RING)
        c->next = made - RING;
    if (c->next == made)
        return 0;
    if (lws_write(wsi, ring[c->next % RING] + LWS_PRE, size, LWS_WRITE_TEXT) < 0)
        return -1;
    if (++c->next != made)
        lws_callback_on_writable(wsi);
    return 0;
}

/* A message comes in pieces; it is echoed once it is whole. */
static int take(struct lws *wsi, struct client *c, const void *p, size_t n) {
    if (!c->echo) {
        c->echo = malloc(LWS_PRE + SIZE_MAX_BYTES);
        c->echo_n = 0;
    }
    if (!c->echo || n > SIZE_MAX_BYTES - c->echo_n)
        return -1;
    memcpy(c->echo + LWS_PRE + c->echo_n, p, n);
    c->echo_n += n;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0)
        lws_callback_on_writable(wsi);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t n) {
    struct client *c = user;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        c->next = made;
        c->echo = NULL;
        break;
    case LWS_CALLBACK_CLOSED:
        free(c->echo);
        break;
    case LWS_CALLBACK_RECEIVE:
        return take(wsi, c, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_one(wsi, c);
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (made == atomic_load(&due))
            break;
        while (made < atomic_load(&due))
            make();
        lws_callback_on_writable_all_protocol(lws_get_context(wsi),
                                              lws_get_protocol(wsi));
        break;
    default:
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {"bench", on_event, sizeof(struct client), SIZE_MAX_BYTES, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0}};

static void *beat(void *arg) {
    struct timespec at;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (;;) {
        at.tv_nsec += 1000000000 / (long)hz;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        atomic_fetch_add(&due, 1);
        lws_cancel_service(ctx[0]);
    }
    return NULL;
}

static int listen_on(const char *pem, struct lws_context **out) {
    struct lws_context_creation_info info = {0};
    info.iface = "127.0.0.1";
    info.port = 0;
    info.protocols = protocols;
    info.fd_limit_per_thread = 8192;
    info.pt_serv_buf_size = 16 * 1024;
    if (pem) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = info.ssl_private_key_filepath = pem;
    }
    *out = lws_create_context(&info);
    struct lws_vhost *host = *out ? lws_get_vhost_by_name(*out, "default") : NULL;
    n_ctx++;
    return host ? lws_get_vhost_listen_port(host) : -1;
}

static void *serve(void *arg) {
    while (lws_service(arg, 0) >= 0)
        ;
    return NULL;
}

int main(int argc, char **argv) {
    const char *pem = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--tls-pem") == 0)
            pem = argv[i + 1];
        else if (strcmp(argv[i], "--broadcast") == 0)
            hz = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--size") == 0)
            size = (size_t)atoi(argv[i + 1]);
    }
    if (size > SIZE_MAX_BYTES)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    lws_set_log_level(LLL_ERR, NULL);
    for (unsigned i = 0; i < RING; i++) {
        ring[i] = malloc(LWS_PRE + size + 48);
        if (!ring[i])
            return 1;
    }
    int port = listen_on(NULL, &ctx[0]);
    if (port < 0)
        return 1;
    printf("ready http=127.0.0.1:%d", port);
    pthread_t other;
    if (pem) {
        port = listen_on(pem, &ctx[1]);
        if (port < 0 || pthread_create(&other, NULL, serve, ctx[1]) != 0)
            return 1;
        printf(" https=127.0.0.1:%d", port);
    }
    printf("\n");
    fflush(stdout);
    if (hz && pthread_create(&other, NULL, beat, NULL) != 0)
        return 1;
    serve(ctx[0]);
    return 0;
}
