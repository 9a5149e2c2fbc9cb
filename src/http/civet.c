/* See civet.h. This is the one file that compiles CivetWeb and that may name mg_. */
#include "http/civet.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* How CivetWeb is built: an HTTP parser and a queue, no TLS, no files, no scripts. */
#define NO_SSL
#define USE_X_DOM_SOCKET
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

struct mg_connection;
static int seam_poll(struct pollfd *fds, nfds_t n, int ms);
static int seam_bind(int fd, const struct sockaddr *at, socklen_t n);
static int seam_listen(int fd, int backlog);
static void seam_cry(const struct mg_connection *conn, const char *func,
                     const char *fmt, va_list ap);
static int seam_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define poll(fds, n, ms) seam_poll(fds, n, ms)
#define bind(fd, at, n) seam_bind(fd, at, n)
#define listen(fd, backlog) seam_listen(fd, backlog)
#define fprintf(stream, ...) seam_print(__VA_ARGS__)
#define remove(path)                                                                   \
    0 /* it has no file: what it takes for the path of its door is none */
#include "http/civet/civetweb.inl"
#undef poll
#undef bind
#undef listen
#undef fprintf
#undef remove
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
PIN(((struct mg_connection *)0)->buf, char *);
PIN(((struct mg_connection *)0)->buf_size, int);
PIN(((struct mg_connection *)0)->data_len, int);
PIN(((struct mg_connection *)0)->must_close, int);
PIN(((struct mg_connection *)0)->tls_user_ptr, void *);
PIN(((struct mg_context *)0)->listening_sockets, struct socket *);
PIN(((struct mg_context *)0)->num_listening_sockets, unsigned);
PIN(((struct mg_context *)0)->squeue, struct socket *);
PIN(((struct mg_context *)0)->sq_head, volatile int);
PIN(((struct mg_context *)0)->sq_tail, volatile int);
PIN(((struct mg_context *)0)->sq_size, int);
PIN(((struct mg_context *)0)->sq_full, pthread_cond_t);
PIN(((struct mg_context *)0)->thread_mutex, pthread_mutex_t);
PIN(((struct mg_context *)0)->masterthreadid, pthread_t);
PIN(((struct mg_workerTLS *)0)->user_ptr, void *);
PIN(((struct mg_workerTLS *)0)->is_master, int);
PIN(((struct socket *)0)->lsa.sin, struct sockaddr_in);
PIN(((struct socket *)0)->rsa.sin, struct sockaddr_in);
_Static_assert(MG_MAX_HEADERS >= HEAD_FIELDS_MAX,
               "we accept more fields than CivetWeb");

struct civet {
    struct mg_context *ctx;
    struct civet_opts o;
    int stop_fd;
    _Atomic unsigned next_worker;
    /* While starting, CivetWeb's messages are the reason why it does not start. */
    _Atomic bool starting;
    int start_err;
    char start_why[256];
    struct civet_conn conns[]; /* one per worker */
};

#include "http/civet/system.inl"

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

/* The number of a seat stands where CivetWeb has a socket: it is taken away before
 * CivetWeb does anything to it, and the request lies in its buffer. */
static int on_connection(const struct mg_connection *shown, void **data) {
    struct mg_connection *conn = (struct mg_connection *)(uintptr_t)shown;
    const struct civet *cv = conn->phys_ctx->user_data;
    struct civet_conn *c = conn->tls_user_ptr;
    (void)data;
    c->seat = (uint32_t)conn->client.sock;
    conn->client.sock = INVALID_SOCKET;
    c->buf = conn->buf;
    c->n = 0;
    size_t head_n = cv->o.app->arrived(cv->o.ctx, c);
    make_readable(c->buf, head_n);
    conn->data_len = (int)c->n;
    return 0;
}

static int on_request(struct mg_connection *conn) {
    const struct civet *cv = conn->phys_ctx->user_data;
    cv->o.app->request(cv->o.ctx, conn->tls_user_ptr);
    conn->must_close = 1;
    return 200; /* for CivetWeb's own access log, which is off */
}

static int on_error(struct mg_connection *conn, int status, const char *text) {
    const struct civet *cv = conn->phys_ctx->user_data;
    (void)text;
    cv->o.app->refused(cv->o.ctx, conn->tls_user_ptr, status);
    return 0;
}

/* One that CivetWeb ends without having called any of the above asked for another
 * server (absolute-form). */
static void on_close(const struct mg_connection *conn) {
    const struct civet *cv = conn->phys_ctx->user_data;
    cv->o.app->done(cv->o.ctx, conn->tls_user_ptr);
}

static void on_init_context(const struct mg_context *ctx) {
    struct civet *cv = ctx->user_data;
    cv->ctx = (struct mg_context *)(uintptr_t)ctx;
}

/* Numbers of seats in the queue are no sockets that somebody should close. */
static void on_exit_context(const struct mg_context *shown) {
    struct mg_context *ctx = (struct mg_context *)(uintptr_t)shown;
    ctx->sq_tail = ctx->sq_head;
}

static int launch(struct civet *cv) {
    char door[16] = "x", workers[16], queue[16], head[16];
    if (cv->o.door >= 0)
        snprintf(door, sizeof(door), "x%d", cv->o.door);
    snprintf(workers, sizeof(workers), "%u", cv->o.workers);
    snprintf(queue, sizeof(queue), "%u", cv->o.queue);
    snprintf(head, sizeof(head), "%u", HEAD_BYTES_MAX);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", door, "num_threads", workers, "connection_queue", queue,
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
    if (cv->stop_fd >= 0)
        close(cv->stop_fd);
    free(cv);
}

int civet_start(struct civet **out, const struct civet_opts *o, char *why, size_t cap) {
    snprintf(why, cap, "%s", strerror(ENOMEM));
    struct civet *cv = calloc(1, sizeof(*cv) + o->workers * sizeof(cv->conns[0]));
    if (!cv)
        return -ENOMEM;
    cv->o = *o;
    cv->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = cv->stop_fd < 0 ? -errno : 0;
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
    *out = cv;
    return 0;
}

void civet_stop(struct civet *cv) {
    eventfd_write(cv->stop_fd, 1);
    mg_stop(cv->ctx);
    mg_exit_library();
    dismantle(cv);
}

int civet_stop_fd(const struct civet *cv) { return cv->stop_fd; }

/* What CivetWeb's produce_socket() does, but the worker is woken after the lock was
 * given up, not to wait for it at once: a fifth more requests per CPU second. The queue
 * has a place for every seat. */
void civet_pass(struct civet *cv, uint32_t seat, uint16_t server_port) {
    struct mg_context *ctx = cv->ctx;
    struct socket so = {.sock = (int)seat};
    so.lsa.sin = so.rsa.sin =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(server_port)};
    pthread_mutex_lock(&ctx->thread_mutex);
    ctx->squeue[ctx->sq_head++ % ctx->sq_size] = so;
    pthread_mutex_unlock(&ctx->thread_mutex);
    pthread_cond_signal(&ctx->sq_full);
}

const char *civet_version(void) { return CIVETWEB_VERSION; }

#ifdef __SANITIZE_THREAD__
/* CivetWeb's stop flag is set by a compare-and-swap whose expected value is read
 * without one; it is tried again when that was stale. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race:STOP_FLAG_ASSIGN\n"; }

/* A suppression is found by the name of a function, and names are read from the file of
 * the program when first needed: the sandbox would not let us. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t cap);
__attribute__((constructor)) static void read_names(void) {
    char name[64];
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", name, sizeof name);
}
#endif

bool civet_accepts(char *p, size_t n) {
    struct mg_request_info info = {.num_headers = 0};
    int len = (int)n;
    make_readable(p, n);
    return get_http_header_len(p, len) == len &&
           parse_http_request(p, len, &info) == len &&
           get_uri_type(info.request_uri) != 0;
}
