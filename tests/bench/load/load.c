/* load: many clients in one thread, for tests/bench/run.
 *
 *     load MODE --to 127.0.0.1:PORT --sessions N [--tls] ...
 *
 * Says "up" on stdout once all sessions are open, begins to measure at a line on stdin,
 * prints one JSON object and ends; in mode hold it ends when stdin does. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conn.h"
#include "frames.h"

#define SAMPLES_MAX (1u << 21)
#define BUF_BYTES (256u * 1024)
#define SIZE_MAX_BYTES 65535u
/* A turn of the loop takes from one session at most. */
#define TURN_READS 8

enum mode { HOLD, FANOUT, ECHO, CONNECT, PAGE, MODES };
static const char *const mode_name[MODES] = {"hold", "fanout", "echo", "connect",
                                             "page"};

struct peer {
    struct conn c;
    struct frames f;
    uint64_t sent_ns; /* the request that is under way */
    uint64_t last_ns; /* the newest message, 0: none yet */
    uint32_t events;  /* as registered */
    bool quiet;       /* stalled or vanished: does not read */
    bool ready;
};

struct load {
    enum mode mode;
    unsigned sessions, at_once, stalled, vanished, size, seconds;
    bool once; /* page: a connection for each; connect: TLS sessions are not resumed */
    const char *path;
    struct conn_opts o;
    struct peer *peers;
    int ep;
    unsigned begun, open, in_flight;
    bool measuring, over;
    uint64_t began_ns, end_ns;
    double began_cpu_s;
    uint8_t *out;
    size_t out_n;
    SSL_SESSION *ticket;
    /* results */
    uint64_t done, bytes, failed, resumed, gap_ns;
    uint32_t *us;
    size_t n_us;
};

static uint64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void sample(struct load *l, uint64_t ns) {
    if (l->measuring && l->n_us < SAMPLES_MAX)
        l->us[l->n_us++] = (uint32_t)(ns / 1000);
}

/* ---- one session ---- */

static void watch(struct load *l, struct peer *p, uint32_t events) {
    if (p->events == events)
        return;
    struct epoll_event ev = {.events = events, .data.ptr = p};
    epoll_ctl(l->ep, p->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->c.fd, &ev);
    p->events = events;
}

static void begin(struct load *l, struct peer *p) {
    memset(&p->f, 0, sizeof p->f);
    p->events = 0;
    p->ready = false;
    p->sent_ns = now_ns();
    struct conn_opts o = l->o;
    if (p->quiet)
        o.rcvbuf = 4096;
    l->in_flight++;
    int rc = conn_begin(&p->c, &o, l->once ? NULL : l->ticket);
    if (rc != 0) {
        fprintf(stderr, "load: cannot connect: %s\n", strerror(-rc));
        exit(1);
    }
    watch(l, p, EPOLLOUT);
}

static void begin_more(struct load *l) {
    while (l->begun < l->sessions && l->in_flight < l->at_once)
        begin(l, &l->peers[l->begun++]);
}

/* It ended before its time: told, and opened anew where that is the work. */
static void lost(struct load *l, struct peer *p, const char *when) {
    if (!p->ready)
        l->in_flight--;
    if (l->failed++ == 0)
        fprintf(stderr, "load: a session was lost %s (status %d)\n", when, p->c.status);
    conn_drop(&p->c);
    p->ready = false;
    if (l->mode == CONNECT || l->mode == PAGE)
        begin(l, p);
}

static int put_all(struct peer *p, const void *buf, size_t n) {
    long put = conn_send(&p->c, buf, n);
    return put == (long)n ? 0 : -1;
}

/* From now on whatever is sent to it meets silence: not even its kernel answers. */
static void vanish(struct peer *p) {
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog prog = {.len = 1, .filter = &nothing};
    setsockopt(p->c.fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}

static void say_echo(struct load *l, struct peer *p) {
    p->sent_ns = now_ns();
    if (put_all(p, l->out, l->out_n) != 0)
        lost(l, p, "while it sent");
}

static void keep_ticket(struct load *l, struct peer *p) {
    if (!p->c.ssl)
        return;
    l->resumed += SSL_session_reused(p->c.ssl) != 0;
}

static int new_ticket(SSL *ssl, SSL_SESSION *session) {
    struct load *l = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(l->ticket);
    l->ticket = session;
    return 1;
}

static void page_done(struct load *l, struct peer *p) {
    uint64_t now = now_ns();
    if (p->c.status == 200)
        l->done++;
    else
        l->failed++;
    sample(l, now - p->sent_ns);
    p->sent_ns = now;
    if (l->once) {
        conn_drop(&p->c);
        begin(l, p);
        return;
    }
    p->ready = false;
    l->in_flight++;
    if (conn_ask_again(&p->c, &l->o) < 0)
        lost(l, p, "asking again");
    else
        watch(l, p, p->c.wants);
}

static void opened(struct load *l, struct peer *p) {
    static const uint8_t goodbye[] = {0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe8 ^ 2};
    l->in_flight--;
    l->open++;
    p->ready = true;
    if (l->mode != PAGE && p->c.status != 101) {
        lost(l, p, "at its handshake");
        return;
    }
    if (p->quiet && (unsigned)(p - l->peers) < l->vanished)
        vanish(p);
    watch(l, p, p->quiet ? EPOLLRDHUP : EPOLLIN);
    if (l->mode == CONNECT && put_all(p, goodbye, sizeof goodbye) != 0)
        lost(l, p, "saying goodbye");
    if (l->mode == PAGE && p->c.body_left <= 0)
        page_done(l, p);
    if (l->mode == ECHO && l->measuring)
        say_echo(l, p);
}

static void on_message(struct load *l, struct peer *p) {
    uint64_t now = now_ns();
    unsigned op = p->f.head[0] & 15;
    if (op == 9) {
        uint8_t pong[FRAMES_TEXT + FRAMES_OVERHEAD];
        put_all(p, pong, frames_make(pong, 10, p->f.text, p->f.text_n));
    }
    if (op > 2 || !l->measuring)
        return;
    l->done++;
    if (l->mode == ECHO) {
        sample(l, now - p->sent_ns);
        say_echo(l, p);
        return;
    }
    if (now - p->last_ns > l->gap_ns)
        l->gap_ns = now - p->last_ns;
    p->last_ns = now;
    unsigned long long seq, at;
    char text[FRAMES_TEXT + 1];
    memcpy(text, p->f.text, p->f.text_n);
    text[p->f.text_n] = '\0';
    if (sscanf(text, "%llu %llu ", &seq, &at) == 2 && at < now)
        sample(l, now - at);
}

static void on_bytes(struct load *l, struct peer *p, const uint8_t *buf, size_t n) {
    if (l->mode == PAGE) {
        p->c.body_left -= (long)n;
        return;
    }
    while (n > 0 && p->c.fd >= 0) {
        size_t used;
        if (frames_take(&p->f, buf, n, &used))
            on_message(l, p);
        buf += used;
        n -= used;
    }
}

static void connect_done(struct load *l, struct peer *p) {
    l->done++;
    sample(l, now_ns() - p->sent_ns);
    keep_ticket(l, p);
    conn_drop(&p->c);
    p->ready = false;
    begin(l, p);
}

static void readable(struct load *l, struct peer *p) {
    static uint8_t buf[BUF_BYTES];
    if (p->c.head_n) {
        size_t n = p->c.head_n;
        p->c.head_n = 0;
        if (l->mode != PAGE)
            on_bytes(l, p, (const uint8_t *)p->c.head, n);
    }
    for (int i = 0; i < TURN_READS && p->c.fd >= 0; i++) {
        long got = conn_recv(&p->c, buf, sizeof buf);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            if (l->mode == CONNECT)
                connect_done(l, p);
            else if (!p->quiet)
                lost(l, p, "while it read");
            return;
        }
        l->bytes += l->measuring ? (uint64_t)got : 0;
        on_bytes(l, p, buf, (size_t)got);
        if (l->mode == PAGE && p->c.body_left <= 0) {
            page_done(l, p);
            return;
        }
        if (!p->c.ssl && (size_t)got < sizeof buf)
            return; /* that was all */
    }
}

static void on_event(struct load *l, struct peer *p) {
    if (p->ready) {
        if (!p->quiet)
            readable(l, p);
        return;
    }
    int rc = conn_go_on(&p->c, &l->o);
    if (rc < 0)
        lost(l, p, "before it was open");
    else if (rc == 0)
        watch(l, p, p->c.wants);
    else
        opened(l, p);
    if (p->ready && p->c.ssl && l->mode != HOLD && !p->quiet)
        readable(l, p); /* decrypted bytes do not wake epoll */
}

/* ---- the whole ---- */

/* Its connections are the work itself, so none is opened before. */
static bool is_churn(const struct load *l) {
    return l->mode == CONNECT || l->mode == PAGE;
}

static void measure(struct load *l) {
    l->measuring = true;
    l->began_cpu_s = cpu_s();
    l->began_ns = now_ns();
    l->end_ns = l->began_ns + l->seconds * UINT64_C(1000000000);
    for (unsigned i = 0; i < l->begun; i++) {
        struct peer *p = &l->peers[i];
        p->last_ns = l->began_ns;
        if (l->mode == ECHO && p->ready)
            say_echo(l, p);
    }
    if (is_churn(l))
        begin_more(l);
}

static void on_stdin(struct load *l) {
    char line[16];
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n > 0 && l->mode != HOLD)
        measure(l);
    else if (n <= 0)
        l->over = true;
}

static bool all_open(const struct load *l) {
    return is_churn(l) || (l->open >= l->sessions && l->in_flight == 0);
}

static void run(struct load *l) {
    struct epoll_event ev[256];
    bool told = false;
    while (!l->over) {
        if (!told && all_open(l)) {
            told = true;
            printf("up\n");
            fflush(stdout);
        }
        int n = epoll_wait(l->ep, ev, 256, told ? 20 : 0);
        for (int i = 0; i < n && !l->over; i++) {
            if (!ev[i].data.ptr)
                on_stdin(l);
            else
                on_event(l, ev[i].data.ptr);
        }
        if (!l->measuring && !is_churn(l))
            begin_more(l);
        if (l->measuring && now_ns() >= l->end_ns)
            l->over = true;
    }
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double part(const struct load *l, double share) {
    return l->n_us ? l->us[(size_t)(share * (double)(l->n_us - 1))] / 1e3 : 0;
}

static void report(struct load *l, double cpu) {
    uint64_t now = now_ns();
    double took = (double)(now - l->began_ns) / 1e9;
    for (unsigned i = 0; l->mode == FANOUT && i < l->sessions; i++) {
        const struct peer *p = &l->peers[i];
        if (!p->quiet && now - p->last_ns > l->gap_ns)
            l->gap_ns = now - p->last_ns;
    }
    qsort(l->us, l->n_us, sizeof *l->us, by_value);
    printf("{\"done\":%llu,\"bytes\":%llu,\"failed\":%llu,\"resumed\":%llu,"
           "\"seconds\":%.4f,\"busy\":%.3f,\"gap_ms\":%.3f,"
           "\"ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}}\n",
           (unsigned long long)l->done, (unsigned long long)l->bytes,
           (unsigned long long)l->failed, (unsigned long long)l->resumed, took,
           cpu / took, (double)l->gap_ns / 1e6, part(l, 0.5), part(l, 0.99),
           part(l, 1));
}

/* ---- the command line ---- */

static void usage(const char *what) {
    fprintf(stderr,
            "load: %s\n"
            "usage: load hold|fanout|echo|connect|page --to ADDR:PORT --sessions N\n"
            "            [--tls] [--seconds S] [--size BYTES] [--path PATH] [--once]\n"
            "            [--at-once N] [--stalled N] [--vanished N]\n",
            what);
    exit(2);
}

static unsigned number(const char *text) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || v > 1u << 24)
        usage(text);
    return (unsigned)v;
}

static struct sockaddr_in address(const char *text) {
    struct sockaddr_in sa = {.sin_family = AF_INET};
    char host[16];
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        usage(text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    sa.sin_port = htons((uint16_t)number(colon + 1));
    if (inet_pton(AF_INET, host, &sa.sin_addr) != 1)
        usage(text);
    return sa;
}

static void use_tls(struct load *l) {
    l->o.tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(l->o.tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(l->o.tls, SSL_SESS_CACHE_CLIENT |
                                                 SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_set_app_data(l->o.tls, l);
    SSL_CTX_sess_set_new_cb(l->o.tls, new_ticket);
    SSL_CTX_set_mode(l->o.tls, SSL_MODE_RELEASE_BUFFERS);
}

/* A number that a flag sets; NULL: there is no such flag. */
static unsigned *number_of(struct load *l, const char *flag) {
    const struct {
        const char *flag;
        unsigned *at;
    } table[] = {
        {"--sessions", &l->sessions}, {"--at-once", &l->at_once},
        {"--stalled", &l->stalled},   {"--vanished", &l->vanished},
        {"--size", &l->size},         {"--seconds", &l->seconds},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].flag, flag) == 0)
            return table[i].at;
    }
    return NULL;
}

static void take_value(struct load *l, const char *flag, const char *value) {
    unsigned *at = number_of(l, flag);
    if (at)
        *at = number(value);
    else if (strcmp(flag, "--to") == 0)
        l->o.to = address(value);
    else if (strcmp(flag, "--path") == 0)
        l->path = value;
    else
        usage(flag);
}

static void parse(struct load *l, int argc, char **argv) {
    if (argc < 2)
        usage("a mode is needed");
    for (l->mode = HOLD; l->mode < MODES && strcmp(argv[1], mode_name[l->mode]) != 0;)
        l->mode++;
    if (l->mode == MODES)
        usage(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--tls") == 0)
            use_tls(l);
        else if (strcmp(argv[i], "--once") == 0)
            l->once = true;
        else if (i + 1 == argc)
            usage(argv[i]);
        else {
            take_value(l, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!l->o.to.sin_port || !l->sessions || l->size > SIZE_MAX_BYTES ||
        l->stalled + l->vanished > l->sessions)
        usage("--to and --sessions are needed, --size is 65535 at most");
}

static void prepare(struct load *l) {
    static char request[1024];
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", l->path,
                     l->mode != PAGE ? "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                       "Sec-WebSocket-Version: 13\r\n"
                                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     : l->once       ? "Accept-Encoding: gzip\r\nConnection: close\r\n"
                                     : "Accept-Encoding: gzip\r\n");
    l->o.request = request;
    l->o.request_n = (size_t)n;
    static uint8_t text[SIZE_MAX_BYTES], out[SIZE_MAX_BYTES + FRAMES_OVERHEAD];
    memset(text, '.', l->size);
    l->out = out;
    l->out_n = frames_make(out, 1, text, l->size);
    l->us = malloc(SAMPLES_MAX * sizeof *l->us);
    l->peers = calloc(l->sessions, sizeof *l->peers);
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (!l->us || !l->peers || l->ep < 0)
        exit(1);
    for (unsigned i = 0; i < l->stalled + l->vanished; i++)
        l->peers[i].quiet = true;
    struct epoll_event ev = {.events = EPOLLIN};
    epoll_ctl(l->ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev);
    struct rlimit files = {l->sessions + 64, l->sessions + 64};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        perror("load: open files");
}

int main(int argc, char **argv) {
    static struct load l = {.at_once = 16, .seconds = 5, .size = 64, .path = "/ws"};
    parse(&l, argc, argv);
    prepare(&l);
    run(&l);
    if (l.measuring)
        report(&l, cpu_s() - l.began_cpu_s);
    return 0;
}
