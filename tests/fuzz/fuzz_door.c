// link: http
/* The whole front door, alive: what connections send goes through the lobby, the seam
 * to CivetWeb, routes and the hub, while system calls are interrupted, do less than
 * they were asked for, and fail. Whatever comes: every answer is whole and in order, no
 * line of level error is logged, and when all have left nothing is left of them: seats,
 * sessions (opened = sum of causes), and a page is still had.
 *
 * Input: a byte that seeds the faults (0: none), then steps. A step below 0x80 sends
 * the bytes that follow, so many, on the connection that is chosen; STEP_... do what
 * their names say; all others choose one, and open it when it is not. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/assets.h"
#include "http/httpd.h"
#include "http/lobby.h"
#include "http/upgrade.h"

#define CONNS 4u
#define ANSWER_MAX (1u << 20)
#define PATIENCE_MS 20000u
#define FAULTS_MAX 64u

enum {
    STEP_REST = 0xf0, /* all that is left of the input is sent */
    STEP_FIN,
    STEP_RESET,
    STEP_READ,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *why, const void *p, size_t n) {
    fprintf(stderr, "%s\n%.*s\n", why, (int)(n < 4000 ? n : 4000), (const char *)p);
    abort();
}

/* ---- faults ---- */

static _Thread_local bool ours; /* this thread is a client: spared */
static _Atomic uint32_t chance; /* 0: no faults */
static _Atomic uint32_t faults;

/* One in so many. Once chance is 0 it stays 0: what is asked afterwards is spared. */
static bool strikes(uint32_t one_in) {
    uint32_t was = atomic_load(&chance), x;
    do {
        if (ours || was == 0 || atomic_load(&faults) >= FAULTS_MAX)
            return false;
        x = was ^ was << 13;
        x ^= x >> 17;
        x ^= x << 5;
    } while (!atomic_compare_exchange_weak(&chance, &was, x));
    if (x % one_in != 0)
        return false;
    atomic_fetch_add(&faults, 1);
    return true;
}

/* errno of what has befallen this call, or 0. */
static int befalls(void) {
    if (strikes(5))
        return EINTR;
    return strikes(100) ? ECONNRESET : 0;
}

static size_t shorter(size_t n) { return n > 1 && strikes(3) ? 1 + n / 3 : n; }

ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);

/* Never short: to an edge-triggered reader that means that there is no more. */
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags) {
    errno = befalls();
    return errno ? -1 : __real_recv(fd, p, n, flags);
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags) {
    errno = befalls();
    return errno ? -1 : __real_send(fd, p, shorter(n), flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags) {
    errno = befalls();
    if (errno)
        return -1;
    if (m->msg_iovlen == 0 || !strikes(3))
        return __real_sendmsg(fd, m, flags);
    const struct iovec *first = &m->msg_iov[0];
    return __real_send(fd, first->iov_base, shorter(first->iov_len), flags);
}

/* ---- the server ---- */

static struct httpd *httpd;
static struct hub *hub;
static struct lobby_counts counts;
static struct sockaddr_in at;

static void on_opened(void *ctx, struct hub *h, sess_id id,
                      const struct handoff_hello *o) {
    (void)ctx;
    (void)o;
    hub_send(h, id, WS_TEXT, (const uint8_t *)"hello", 5);
}

static void on_message(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                       const uint8_t *p, size_t n) {
    (void)ctx;
    hub_send(h, id, op, p, n);
}

static void on_end(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx, (void)h, (void)id, (void)why;
}

static void on_kick(void *ctx, struct hub *h) { (void)ctx, (void)h; }

static const struct hub_app app = {on_opened, on_message, on_end, on_end, on_kick};

static void hello(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    httpd_reply(rq, &(struct reply){.status = 200, .body = "hello", .n = 5});
}

/* Longer than a seat of the lobby holds. */
static void large(void *ctx, struct httpd_rq *rq) {
    size_t cap;
    char *body = httpd_body(rq, &cap);
    (void)ctx;
    memset(body, 'x', 20000);
    httpd_reply(rq, &(struct reply){.status = 200, .body = body, .n = 20000});
}

static void take(void *ctx, struct httpd_rq *rq) {
    size_t cap, n;
    char *body = httpd_body(rq, &cap);
    (void)ctx;
    if (httpd_read(rq, body, cap, &n) == 0)
        httpd_reply(rq, &(struct reply){.status = 200, .body = "taken", .n = 5});
}

static const struct httpd_route routes[] = {
    {"/", HTTP_GET | HTTPD_AT_ONCE, ROLE_NONE, assets_page},
    {"/hello", HTTP_GET, ROLE_NONE, hello},
    {"/large", HTTP_GET, ROLE_NONE, large},
    {"/take", HTTP_POST | HTTP_PUT, ROLE_NONE, take},
    {"/ws", HTTP_GET, ROLE_NONE, upgrade_ws},
    {"/owner/*", HTTP_GET | HTTP_DELETE, ROLE_ADMIN, hello},
};

static void on_line(void *ctx, enum log_level level, const char *event,
                    const char *text) {
    (void)ctx;
    if (level == LOG_LVL_ERROR)
        fail(event, text, strlen(text));
}

static void start(void) {
    static struct doors doors;
    struct hub_opts ho;
    struct httpd_opts o;
    char why[160] = "the hub", bound[64];
    log_set_level(LOG_LVL_ERROR);
    log_set_tap(on_line, NULL);
    hub_opts_default(&ho);
    ho.max_sessions = 3;
    ho.app = &app;
    httpd_opts_default(&o);
    o.doors = &doors;
    o.seats = 3; /* fewer than connections: they give way */
    o.workers = 2;
    o.counts = &counts;
    o.routes = routes;
    o.n_routes = sizeof(routes) / sizeof(*routes);
    if (hub_start(&hub, &ho) != 0)
        fail("start", why, strlen(why));
    o.hub = hub;
    if (doors_add(&doors, "127.0.0.1:0", false, why, sizeof(why)) != 0 ||
        httpd_start(&httpd, &o, why, sizeof(why)) != 0)
        fail("start", why, strlen(why));
    doors_where(httpd_doors(httpd), LOBBY_PLAIN, 0, bound, sizeof(bound));
    at =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(strchr(bound, ':') + 1))};
}

/* ---- what it answers ---- */

struct conn {
    int fd; /* -1: none */
    size_t n;
    char *answer; /* ANSWER_MAX */
};

/* Bytes of one answer at p, 0 when it is not whole. A HEAD has a length and no body:
 * bodies of ours never begin like an answer. */
static size_t one_answer(const char *p, size_t n, bool *upgraded) {
    static const char first[] = "HTTP/1.1 ", last[] = "\r\n\r\n",
                      length[] = "Content-Length: ";
    const char *end = memmem(p, n, last, 4);
    size_t had = n < sizeof(first) - 1 ? n : sizeof(first) - 1;
    if (memcmp(p, first, had) != 0)
        fail("this is no answer", p, n);
    if (!end)
        return 0;
    *upgraded = memcmp(p + 9, "101", 3) == 0;
    size_t head_n = (size_t)(end - p) + 4;
    const char *field = memmem(p, head_n, length, sizeof(length) - 1);
    size_t body = field ? strtoul(field + sizeof(length) - 1, NULL, 10) : 0;
    bool none = n - head_n >= 9 && memcmp(p + head_n, first, 9) == 0;
    if (body == 0 || none || n == head_n)
        return head_n;
    return n - head_n >= body ? head_n + body : 0;
}

/* Up to the end of the stream. whole: nothing was broken off. */
static void check_answers(const struct conn *c, bool whole) {
    bool upgraded = false;
    for (size_t done = 0; done < c->n && !upgraded;) {
        size_t k = one_answer(c->answer + done, c->n - done, &upgraded);
        if (k == 0 && whole)
            fail("an answer ends early", c->answer + done, c->n - done);
        if (k == 0)
            return;
        done += k;
    }
}

/* ---- the clients ---- */

static void dial(struct conn *c) {
    c->n = 0;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        fail("connect", strerror(errno), strlen(strerror(errno)));
}

/* What is there, or (to the end) all that comes. False: the stream is over. */
static bool hear(struct conn *c, bool to_the_end) {
    for (;;) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        if (poll(&p, 1, to_the_end ? (int)PATIENCE_MS : 0) == 0) {
            if (to_the_end)
                fail("the connection hangs", c->answer, c->n);
            return true;
        }
        if (c->n == ANSWER_MAX)
            fail("this is too much", c->answer, c->n);
        ssize_t got = recv(c->fd, c->answer + c->n, ANSWER_MAX - c->n, 0);
        if (got <= 0)
            return false;
        c->n += (size_t)got;
    }
}

static void drop(struct conn *c) {
    struct linger now = {1, 0}; /* leaves no port behind */
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(c->fd);
    c->fd = -1;
}

static void put(struct conn *c, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        } else if (k < 0 && errno == EAGAIN) {
            hear(c, false);
            sched_yield();
        } else {
            return;
        }
    }
}

/* ---- afterwards ---- */

static void look(struct hub *h, void *arg) { hub_stats(h, arg, NULL, 0); }

static void check_books(void) {
    struct hub_stats s;
    struct lobby_stats l;
    uint64_t until_ms = clock_ms() + PATIENCE_MS;
    do {
        lobby_stats(&counts, &l);
        if (hub_call(hub, look, &s, PATIENCE_MS) != 0 || clock_ms() > until_ms)
            fail("somebody stays", "", 0);
    } while (l.taken > 0 || s.active + s.closing + s.reserved > 0);
    if (s.m.opened != metrics_closed_sum(&s.m) || s.m.closed[DISC_INTERNAL_ERROR] > 0)
        fail("the books do not balance", "", 0);
}

static void check_page(struct conn *c) {
    static const char ask[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n";
    dial(c);
    put(c, (const uint8_t *)ask, sizeof(ask) - 1);
    hear(c, true);
    drop(c);
    if (c->n < 5 || memcmp(c->answer + c->n - 5, "hello", 5) != 0)
        fail("no page any more", c->answer, c->n);
}

/* One step at p; returns the bytes it took. */
static size_t step(struct conn *all, struct conn **now, const uint8_t *p, size_t n) {
    struct conn *c = *now;
    size_t k = p[0] == STEP_REST ? n - 1 : p[0] < 0x80 ? p[0] : 0;
    k = k < n - 1 ? k : n - 1;
    if (p[0] >= 0x80 && p[0] < STEP_REST)
        *now = c = &all[p[0] % CONNS];
    if (c->fd < 0)
        dial(c);
    if (k > 0)
        put(c, p + 1, k);
    if (p[0] == STEP_FIN)
        shutdown(c->fd, SHUT_WR);
    if (p[0] == STEP_RESET)
        drop(c);
    if (p[0] == STEP_READ)
        hear(c, false);
    return 1 + k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char answers[CONNS][ANSWER_MAX];
    struct conn all[CONNS], *now = all;
    struct lobby_stats before, after;
    ours = true;
    if (!httpd)
        start();
    for (unsigned i = 0; i < CONNS; i++)
        all[i] = (struct conn){.fd = -1, .answer = answers[i]};
    lobby_stats(&counts, &before);
    atomic_store(&faults, 0);
    atomic_store(&chance, size > 0 ? data[0] * 0x9e3779b9u : 0);
    for (size_t i = 1; i < size;)
        i += step(all, &now, data + i, size - i);
    for (unsigned i = 0; i < CONNS; i++) {
        if (all[i].fd < 0)
            continue;
        shutdown(all[i].fd, SHUT_WR);
        hear(&all[i], true);
        drop(&all[i]);
        lobby_stats(&counts, &after);
        check_answers(&all[i],
                      atomic_load(&faults) == 0 && after.gave_way == before.gave_way);
    }
    atomic_store(&chance, 0);
    check_books();
    check_page(all);
    check_books();
    return 0;
}
