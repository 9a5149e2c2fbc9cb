/* A peer for tests/bench/run: CivetWeb's own WebSocket API and its own files, as its
 * documentation shows them. Compiled from the sources that toolchain/setup brings.
 *
 *     civet --sessions N [--broadcast HZ --size BYTES] [--root DIR] [--tls-pem FILE] */
#include <civetweb.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mg_connection *clients[CLIENTS_MAX];
static unsigned n_clients;
static char text[65536];

static void ready(struct mg_connection *c, void *arg) {
    (void)arg;
    pthread_mutex_lock(&lock);
    if (n_clients < CLIENTS_MAX)
        clients[n_clients++] = c;
    pthread_mutex_unlock(&lock);
}

static int data(struct mg_connection *c, int bits, char *p, size_t n, void *arg) {
    (void)arg;
    if ((bits & 15) == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE)
        return 0;
    if ((bits & 15) == MG_WEBSOCKET_OPCODE_TEXT)
        mg_websocket_write(c, MG_WEBSOCKET_OPCODE_TEXT, p, n);
    return 1;
}

static void closed(const struct mg_connection *c, void *arg) {
    (void)arg;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n_clients; i++) {
        if (clients[i] == c)
            clients[i] = clients[--n_clients];
    }
    pthread_mutex_unlock(&lock);
}

static void broadcast(unsigned long long seq, size_t size) {
    struct timespec ts;
    char head[48];
    clock_gettime(CLOCK_MONOTONIC, &ts);
    int n = snprintf(head, sizeof head, "%llu %llu ", seq,
                     (unsigned long long)ts.tv_sec * 1000000000u +
                         (unsigned long long)ts.tv_nsec);
    memset(text, '.', size);
    memcpy(text, head, (size_t)n);
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n_clients; i++)
        mg_websocket_write(clients[i], MG_WEBSOCKET_OPCODE_TEXT, text, size);
    pthread_mutex_unlock(&lock);
}

static void beat(unsigned hz, size_t size) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (unsigned long long seq = 1;; seq++) {
        at.tv_nsec += 1000000000 / (long)hz;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        broadcast(seq, size);
    }
}

int main(int argc, char **argv) {
    const char *sessions = "64", *root = "/nonexistent", *pem = NULL;
    unsigned hz = 0, size = 512;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--sessions") == 0)
            sessions = argv[i + 1];
        else if (strcmp(argv[i], "--root") == 0)
            root = argv[i + 1];
        else if (strcmp(argv[i], "--tls-pem") == 0)
            pem = argv[i + 1];
        else if (strcmp(argv[i], "--broadcast") == 0)
            hz = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--size") == 0)
            size = (unsigned)atoi(argv[i + 1]);
    }
    char threads[16];
    snprintf(threads, sizeof threads, "%d", atoi(sessions) + 8);
    const char *options[] = {"listening_ports",
                             pem ? "127.0.0.1:0,127.0.0.1:0s" : "127.0.0.1:0",
                             "num_threads",
                             threads,
                             "document_root",
                             root,
                             "tcp_nodelay",
                             "1",
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "5000",
                             pem ? "ssl_certificate" : NULL,
                             pem,
                             NULL};
    signal(SIGPIPE, SIG_IGN);
    mg_init_library(pem ? MG_FEATURES_TLS : 0);
    struct mg_callbacks callbacks = {0};
    struct mg_context *ctx = mg_start(&callbacks, NULL, options);
    if (!ctx)
        return 1;
    mg_set_websocket_handler(ctx, "/ws", NULL, ready, data, closed, NULL);
    struct mg_server_port ports[2];
    int n = mg_get_server_ports(ctx, 2, ports);
    printf("ready http=127.0.0.1:%d", ports[0].port);
    if (n > 1)
        printf(" https=127.0.0.1:%d", ports[1].port);
    printf("\n");
    fflush(stdout);
    if (hz)
        beat(hz, size);
    for (;;)
        pause();
}
