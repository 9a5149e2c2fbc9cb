/* See civet.h. This is the one file that compiles CivetWeb and that may name mg_. */
#include "http/civet.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/room.h"

/* How CivetWeb is built: an HTTP parser and a queue, no files, no scripts. */
#define NO_SSL /* that is: no OpenSSL */
#define USE_MBEDTLS
#define USE_IPV6
#define NO_CGI
#define NO_CACHING
#define NO_FILES
#define NO_FILESYSTEMS
#define MG_EXTERNAL_FUNCTION_mg_cry_internal_impl
#define MG_EXTERNAL_FUNCTION_log_access
#define STOP_FLAG_NEEDS_LOCK /* else a data race */
#define NUM_WEBDAV_LOCKS 1   /* 16 kB each, for nothing */
#define USE_STACK_SIZE (256 * 1024)
#define CIVETWEB_API static

struct mg_context;
struct mg_connection;
static int seam_poll(struct pollfd *fds, nfds_t n, int ms);
static int seam_accept(int door);
static int seam_listen(int fd, int backlog);
static int seam_accept_tls(struct mg_context *ctx, int fd, struct tls **out);
static void seam_cry(const struct mg_connection *conn, const char *func,
                     const char *fmt, va_list ap);
static int seam_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define poll(fds, n, ms) seam_poll(fds, n, ms)
#define accept(door, addr, len) ((void)(addr), (void)(len), seam_accept(door))
#define listen(fd, backlog) seam_listen(fd, backlog)
#define fprintf(stream, ...) seam_print(__VA_ARGS__)
#include "http/civet/civetweb.inl"
#undef poll
#undef accept
#undef listen
#undef fprintf
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef snprintf
#undef vsnprintf

/* What we rely on in it. A release that changes one of these must be read again. */
#define PIN(expr, type)                                                                \
    _Static_assert(__builtin_types_compatible_p(__typeof__(expr), type),               \
                   "CivetWeb has changed: " #expr)
PIN(((struct mg_connection *)0)->client.sock, int);
PIN(((struct mg_connection *)0)->client.is_ssl, unsigned char);
PIN(((struct mg_connection *)0)->client.rsa.sa, struct sockaddr);
PIN(((struct mg_connection *)0)->ssl, struct tls *);
PIN(((struct mg_connection *)0)->buf, char *);
PIN(((struct mg_connection *)0)->buf_size, int);
PIN(((struct mg_connection *)0)->data_len, int);
PIN(((struct mg_connection *)0)->must_close, int);
PIN(((struct mg_context *)0)->listening_sockets, struct socket *);
PIN(((struct mg_context *)0)->num_listening_sockets, unsigned);
PIN(((struct mg_context *)0)->squeue, struct socket *);
PIN(((struct mg_context *)0)->sq_head, volatile int);
PIN(((struct mg_context *)0)->sq_size, int);
PIN(((struct mg_context *)0)->sq_full, pthread_cond_t);
PIN(((struct mg_context *)0)->sq_empty, pthread_cond_t);
PIN(((struct mg_context *)0)->thread_mutex, pthread_mutex_t);
PIN(((struct mg_workerTLS *)0)->user_ptr, void *);
_Static_assert(MG_MAX_HEADERS >= HEAD_FIELDS_MAX,
               "we accept more fields than CivetWeb");
_Static_assert(ROOM_DOORS >= CIVET_DOORS_MAX, "the waiting room has too few doors");

struct civet {
    struct mg_context *ctx;
    struct civet_opts o;
    struct room room;
    int stop_fd;
    _Atomic unsigned next_worker;
    struct sockaddr_storage bound[CIVET_DOORS_MAX];
    /* While starting, CivetWeb's messages are the reason why it does not start. */
    _Atomic bool starting;
    int start_err;
    char start_why[256];
    struct civet_conn conns[]; /* one per worker */
};

#include "http/civet/system.inl"

/* Do accepted connections wait for a worker? */
static bool queue_waits(void *arg) {
    struct mg_context *ctx = arg;
    pthread_mutex_lock(&ctx->thread_mutex);
    bool waits = ctx->sq_head != ctx->sq_tail;
    pthread_mutex_unlock(&ctx->thread_mutex);
    return waits;
}

static void pick_up(struct civet_conn *c, struct mg_context *ctx) {
    const struct civet *cv = ctx->user_data;
    uint64_t now_ms = clock_ms();
    c->due = (struct deadline){
        .at_ms = now_ms + CIVET_HEAD_MS,
        .hurry_ms = now_ms + CIVET_HURRY_MS,
        .stop_fd = cv->stop_fd,
        .pressed = queue_waits,
        .arg = ctx,
    };
}

static int tls_wait(void *arg, int fd, short events) {
    const struct civet_conn *c = arg;
    return deadline_wait(&c->due, fd, events);
}

static int seam_accept_tls(struct mg_context *ctx, int fd, struct tls **out) {
    const struct civet *cv = ctx->user_data;
    struct civet_conn *c = self()->user_ptr;
    int detail;
    pick_up(c, ctx);
    int rc = tls_accept(cv->o.tls, fd, tls_wait, c, out, &detail);
    if (rc != 0)
        log_at(rc == -ENOMEM ? LOG_LVL_WARN : LOG_LVL_DEBUG, "tls_handshake_failed",
               "errno=%d mbedtls=-0x%04x", -rc, (unsigned)-detail);
    return rc == 0 ? 0 : -1;
}

/* CivetWeb refuses a tab, which a field's value may hold (RFC 9110 5.5) where a space
 * may. */
static void make_readable(char *head, size_t n) {
    for (char *tab = head; (tab = memchr(tab, '\t', n - (size_t)(tab - head))) != NULL;)
        *tab = ' ';
}

/* Callbacks of CivetWeb. */

static void *on_thread(const struct mg_context *ctx, int type) {
    struct civet *cv = ctx->user_data;
    if (type != 1)
        return cv;
    struct civet_conn *c = &cv->conns[atomic_fetch_add(&cv->next_worker, 1)];
    c->worker = (unsigned)(c - cv->conns);
    return c;
}

/* Takes socket and TLS away before CivetWeb has read a byte. */
static int on_connection(const struct mg_connection *shown, void **data) {
    struct mg_connection *conn = (struct mg_connection *)(uintptr_t)shown;
    const struct civet *cv = conn->phys_ctx->user_data;
    struct civet_conn *c = conn->tls_user_ptr;
    (void)data;
    if (conn->ssl) {
        tls_transport(&c->t, conn->ssl);
    } else {
        transport_plain(&c->t, conn->client.sock);
        pick_up(c, conn->phys_ctx);
    }
    conn->ssl = NULL;
    conn->client.sock = INVALID_SOCKET;
    c->peer = &conn->client.rsa.sa;
    c->secure = conn->client.is_ssl != 0;
    c->buf = conn->buf;
    c->cap = (size_t)conn->buf_size;
    c->n = 0;
    size_t head_n = cv->o.app->arrived(cv->o.ctx, c);
    if (head_n > 0) {
        make_readable(c->buf, head_n);
        conn->data_len = (int)c->n;
    }
    return 0;
}

static void let_go(struct civet_conn *c) {
    if (c->t.ops)
        c->t.ops->close(&c->t);
    c->t.ops = NULL;
}

static int on_request(struct mg_connection *conn) {
    const struct civet *cv = conn->phys_ctx->user_data;
    struct civet_conn *c = conn->tls_user_ptr;
    cv->o.app->request(cv->o.ctx, c);
    let_go(c);
    conn->must_close = 1;
    return 200; /* for CivetWeb's own access log, which is off */
}

static int on_error(struct mg_connection *conn, int status, const char *text) {
    const struct civet *cv = conn->phys_ctx->user_data;
    struct civet_conn *c = conn->tls_user_ptr;
    (void)text;
    if (c->t.ops)
        cv->o.app->refused(cv->o.ctx, c, status);
    let_go(c);
    return 0;
}

/* A connection that CivetWeb ends without having called any of the above asked for
 * another server (absolute-form) or, answered already, is nothing but a name. */
static void on_close(const struct mg_connection *conn) {
    on_error((struct mg_connection *)(uintptr_t)conn, 421, "");
}

static void on_init_context(const struct mg_context *ctx) {
    struct civet *cv = ctx->user_data;
    cv->ctx = (struct mg_context *)(uintptr_t)ctx;
}

static void on_exit_context(const struct mg_context *shown) {
    struct mg_context *ctx = (struct mg_context *)(uintptr_t)shown;
    for (; ctx->sq_tail != ctx->sq_head; ctx->sq_tail++)
        close(ctx->squeue[ctx->sq_tail % ctx->sq_size].sock);
}

/* "127.0.0.1:8080,[::1]:8443s": 0 or -EINVAL. */
static int list_doors(const struct civet_opts *o, char *out, size_t cap) {
    size_t n = 0;
    for (unsigned i = 0; i < o->n_doors && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s%s", i ? "," : "",
                              o->doors[i].spec, o->doors[i].tls ? "s" : "");
    return n < cap ? 0 : -EINVAL;
}

static int launch(struct civet *cv) {
    char doors[CIVET_DOORS_MAX * 64], workers[16], queue[16], head[16];
    if (list_doors(&cv->o, doors, sizeof(doors)) != 0)
        return -EINVAL;
    snprintf(workers, sizeof(workers), "%u", cv->o.workers);
    snprintf(queue, sizeof(queue), "%d", CIVET_QUEUE);
    snprintf(head, sizeof(head), "%u", HEAD_BYTES_MAX);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", doors, "num_threads", workers, "connection_queue", queue,
        "max_request_size", head, "decode_url", "no", "enable_auth_domain_check", "no", NULL,
    };
    /* clang-format on */
    struct mg_callbacks calls = {
        .init_context = on_init_context,
        .init_thread = on_thread,
        .init_connection = on_connection,
        .begin_request = on_request,
        .http_error = on_error,
        .connection_close = on_close,
        .exit_context = on_exit_context,
    };
    struct mg_init_data init = {
        .callbacks = &calls, .user_data = cv, .configuration_options = options};
    struct mg_error_data error = {.text = NULL};
    cv->starting = true;
    bool ok = mg_start2(&init, &error) != NULL && cv->ctx->masterthreadid != 0;
    cv->starting = false;
    if (ok && cv->start_err) /* it runs with fewer workers, say */
        log_warn("civetweb", "message=%s", cv->start_why);
    return ok ? 0 : cv->start_err ? -cv->start_err : -ENOMEM;
}

static void dismantle(struct civet *cv) {
    room_free(&cv->room);
    close(cv->stop_fd);
    free(cv);
}

int civet_start(struct civet **out, const struct civet_opts *o, char *why, size_t cap) {
    snprintf(why, cap, "bad options");
    if (o->n_doors == 0 || o->n_doors > CIVET_DOORS_MAX || o->workers == 0 ||
        o->workers > CIVET_WORKERS_MAX)
        return -EINVAL;
    struct civet *cv = calloc(1, sizeof(*cv) + o->workers * sizeof(cv->conns[0]));
    snprintf(why, cap, "%s", strerror(ENOMEM));
    if (!cv)
        return -ENOMEM;
    cv->o = *o;
    cv->room.spare_fd = -1;
    cv->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = cv->stop_fd < 0 ? -errno : room_init(&cv->room, cv->stop_fd);
    if (rc == 0) {
        mg_init_library(MG_FEATURES_DEFAULT);
        rc = launch(cv);
        if (rc != 0)
            mg_exit_library();
    }
    if (rc != 0) {
        snprintf(why, cap, "%s", cv->start_why[0] ? cv->start_why : strerror(-rc));
        dismantle(cv);
        return rc;
    }
    for (unsigned i = 0; i < o->n_doors; i++)
        memcpy(&cv->bound[i], &cv->ctx->listening_sockets[i].lsa, sizeof(union usa));
    *out = cv;
    return 0;
}

void civet_stop(struct civet *cv) {
    eventfd_write(cv->stop_fd, 1);
    mg_stop(cv->ctx);
    mg_exit_library();
    dismantle(cv);
}

const struct sockaddr *civet_bound(const struct civet *cv, unsigned i) {
    return (const struct sockaddr *)&cv->bound[i];
}

void civet_detach(struct civet_conn *c, struct transport *out) {
    *out = c->t;
    c->t.ops = NULL;
}

const char *civet_version(void) { return CIVETWEB_VERSION; }

#ifdef __SANITIZE_THREAD__
/* CivetWeb's stop flag is set by a compare-and-swap whose expected value is read
 * without one; it is tried again when that was stale. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race:STOP_FLAG_ASSIGN\n"; }
#endif

bool civet_accepts(char *p, size_t n) {
    struct mg_request_info info = {.num_headers = 0};
    int len = (int)n;
    make_readable(p, n);
    return get_http_header_len(p, len) == len &&
           parse_http_request(p, len, &info) == len &&
           get_uri_type(info.request_uri) != 0;
}
