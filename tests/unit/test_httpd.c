// link: http
/* The whole front door on loopback, down to CivetWeb: what raw bytes get for an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/assets.h"
#include "http/httpd.h"
#include "http/upgrade.h"

#define SESSIONS 4

static void on_opened(void *ctx, struct hub *h, sess_id id,
                      const struct handoff_hello *o) {
    char text[64];
    int n = snprintf(text, sizeof text, "seq %llu", (unsigned long long)o->resume_seq);
    (void)ctx;
    hub_send(h, id, WS_TEXT, (const uint8_t *)text, (size_t)n);
}

static void on_message(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                       const uint8_t *p, size_t n) {
    (void)ctx;
    hub_send(h, id, op, p, n);
}

static void on_end(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx;
    (void)h;
    (void)id;
    (void)why;
}

static void on_kick(void *ctx, struct hub *h) {
    (void)ctx;
    (void)h;
}

static const struct hub_app app = {on_opened, on_message, on_end, on_end, on_kick};

static void hello(void *ctx, struct httpd_rq *rq) {
    httpd_reply(
        rq, &(struct reply){.status = 200, .type = "text/plain", .body = ctx, .n = 5});
}

static void large(void *ctx, struct httpd_rq *rq) {
    size_t cap;
    char *body = httpd_body(rq, &cap);
    (void)ctx;
    memset(body, 'x', cap);
    httpd_reply(rq, &(struct reply){
                        .status = 200, .type = "text/plain", .body = body, .n = cap});
}

static void echo(void *ctx, struct httpd_rq *rq) {
    size_t cap, n;
    char *body = httpd_body(rq, &cap);
    (void)ctx;
    if (httpd_read(rq, body, cap, &n) == 0)
        httpd_reply(rq, &(struct reply){
                            .status = 200, .type = "text/plain", .body = body, .n = n});
}

static void mute(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    (void)rq;
}

static void tail(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    httpd_reply(rq, &(struct reply){.status = 200,
                                    .type = "text/plain",
                                    .body = rq->tail,
                                    .n = strlen(rq->tail)});
}

static const struct httpd_route routes[] = {
    {"/", HTTP_GET, ROLE_NONE, assets_page},
    {"/hello", HTTP_GET, ROLE_NONE, hello},
    {"/large", HTTP_GET, ROLE_NONE, large},
    {"/echo", HTTP_POST, ROLE_NONE, echo},
    {"/mute", HTTP_GET, ROLE_NONE, mute},
    {"/ws", HTTP_GET, ROLE_NONE, upgrade_ws},
    {"/viewer", HTTP_GET, ROLE_VIEWER, hello},
    {"/viewer", HTTP_POST, ROLE_ADMIN, hello},
    {"/viewer/ws", HTTP_GET, ROLE_VIEWER, upgrade_ws},
    {"/things/*", HTTP_GET, ROLE_NONE, tail},
    {"/things/one", HTTP_DELETE, ROLE_NONE, hello},
};

/* A server that takes everybody at their word. */
static void identify(void *ctx, struct httpd_rq *rq) {
    struct slice who = {NULL, 0};
    (void)ctx;
    if (head_get(rq->head, "X-Role", &who) == 0)
        return;
    rq->role = slice_is(who, "admin") ? ROLE_ADMIN : ROLE_VIEWER;
}

static struct httpd *httpd;
static struct hub *hub;
static char bound[64];
static struct sockaddr_in at;

static struct httpd_opts options(struct doors *doors) {
    static char word[] = "hello";
    struct httpd_opts o;
    httpd_opts_default(&o);
    o.doors = doors;
    o.routes = routes;
    o.n_routes = sizeof routes / sizeof *routes;
    o.identify = identify;
    o.ctx = word;
    o.hub = hub;
    return o;
}

static unsigned base_fds; /* open when only the server runs */

static unsigned descriptors(void) {
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* The server may still be closing what an earlier test left. */
static void nothing_is_left_open(void) {
    uint64_t until_ms = clock_ms() + 10000;
    while (descriptors() != base_fds)
        assert_true(clock_ms() < until_ms);
}

static int setup(void **state) {
    struct doors doors = {.n = 0};
    struct hub_opts ho;
    char why[160];
    (void)state;
    log_set_level(LOG_LVL_WARN);
    hub_opts_default(&ho);
    ho.max_sessions = SESSIONS;
    ho.app = &app;
    if (hub_start(&hub, &ho) != 0)
        return -1;
    struct httpd_opts o = options(&doors);
    if (doors_add(&doors, "127.0.0.1:0", false, why, sizeof why) != 0 ||
        httpd_start(&httpd, &o, why, sizeof why) != 0)
        return -1;
    base_fds = descriptors();
    doors_where(httpd_doors(httpd), LOBBY_PLAIN, 0, bound, sizeof bound);
    at =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(strchr(bound, ':') + 1))};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    httpd_stop(httpd);
    hub_stop(hub);
    hub_free(hub);
    return 0;
}

static int dial(const char *words, size_t n) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(fd, words, n, MSG_NOSIGNAL), n);
    return fd;
}

/* Everything until the server closes; a reset is a failure. */
static size_t hear(int fd, char *out, size_t cap) {
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, 10000) == 1) {
        ssize_t got = recv(fd, out + n, cap - 1 - n, 0);
        assert_true(got >= 0);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    out[n] = '\0';
    close(fd);
    return n;
}

static char answer[700000];

static const char *ask(const char *words) {
    hear(dial(words, strlen(words)), answer, sizeof answer);
    return answer;
}

static int status_of(const char *a) {
    return strncmp(a, "HTTP/1.1 ", 9) == 0 ? atoi(a + 9) : 0;
}

#define HOST "Host: localhost\r\nConnection: close\r\n"

static void what_bytes_get_for_an_answer(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        int status;
        const char *has;
    } cases[] = {
        {"GET /hello HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nhello"},
        {"GET /hello?x=1 HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nhello"},
        {"GET /hell%6f HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nhello"},
        {"\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nhello"},
        {"GET /hello HTTP/1.1\r\n" HOST "X:\ta\tb\r\n\r\n", 200, "hello"},
        {"GET /hello HTTP/1.0\r\n\r\n", 200, "\r\n\r\nhello"},
        {"HEAD /hello HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 5\r\n"},
        {"OPTIONS /hello HTTP/1.1\r\n" HOST "\r\n", 204,
         "Allow: GET, HEAD, OPTIONS\r\n"},
        {"OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: OPTIONS, POST\r\n"},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: "},
        {"OPTIONS * HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "Host"},
        {"OPTIONS * HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n", 403,
         ""},
        {"GET /%hello HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n", 403,
         ""},
        {"POST /hello HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, HEAD, OPTIONS\r\n"},
        {"GET /echo HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: OPTIONS, POST\r\n"},
        {"TRACE /hello HTTP/1.1\r\n" HOST "\r\n", 501, ""},
        {"PROPFIND /hello HTTP/1.1\r\n" HOST "\r\n", 501, ""},
        {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /hello/ HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /../hello HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /./hello HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET //hello HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /%00hello HTTP/1.1\r\n" HOST "\r\n", 400, ""},
        {"GET /%hello HTTP/1.1\r\n" HOST "\r\n", 400, ""},
        {"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "Host"},
        {"GET /hello HTTP/1.1\r\n" HOST HOST "\r\n", 400, "Host"},
        {"GET /hello HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n", 403,
         ""},
        {"GET /nothing HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n",
         403, ""},
        {"GET /hello HTTP/3.0\r\n" HOST "\r\n", 505, ""},
        {"GET /hello HTTP/1.1\n" HOST "\r\n", 400, ""},
        {"\x16\x03\x01\x02\x01 tls to the plain door", 400, ""},
        {"GET /mute HTTP/1.1\r\n" HOST "\r\n", 500, ""},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcdef", 200,
         "\r\n\r\nabc"},
        {"POST /echo HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 0\r\n"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413, ""},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 8192\r\n\r\n", 413, ""},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 411, ""},
    };
    log_set_level(LOG_LVL_ERROR);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = ask(cases[i].bytes);
        if (status_of(a) != cases[i].status || !strstr(a, cases[i].has) ||
            !strstr(a, "X-Content-Type-Options: nosniff\r\n") ||
            !strstr(a, "Content-Security-Policy: ") ||
            !strstr(a, "Connection: close\r\n"))
            fail_msg("%s\n%s", cases[i].bytes, a);
        if (cases[i].status >= 400 && !strstr(a, "application/problem+json"))
            fail_msg("%s\n%s", cases[i].bytes, a);
    }
}

/* RFC 9112 3.2.2: the target's host counts, not the field. */
static void a_target_may_name_the_host(void **state) {
    (void)state;
    static const struct {
        const char *host;
        int status;
    } cases[] = {{"localhost", 200}, {"evil.example", 403}};
    char words[200];
    for (int i = 0; i < 2; i++) {
        snprintf(words, sizeof words,
                 "GET http://%s:%d/hello HTTP/1.1\r\nHost: whatever\r\n\r\n",
                 cases[i].host, ntohs(at.sin_port));
        assert_int_equal(status_of(ask(words)), cases[i].status);
    }
    assert_int_equal(status_of(ask("GET http://localhost:1/ HTTP/1.1\r\n" HOST "\r\n")),
                     421);
}

static void a_head_has_no_body(void **state) {
    (void)state;
    const char *a = ask("HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(strstr(a, "\r\n\r\n"), "\r\n\r\n");
}

static void a_head_too_large_is_answered_whatever_follows(void **state) {
    (void)state;
    static char big[100000];
    memset(big, 'a', sizeof big);
    memcpy(big, "GET /hello HTTP/1.1\r\n" HOST "X: ", 41);
    hear(dial(big, sizeof big), answer, sizeof answer);
    assert_int_equal(status_of(answer), 431);
    memcpy(big, "GET /", 5);
    memset(big + 5, 'a', 60);
    hear(dial(big, sizeof big), answer, sizeof answer);
    assert_int_equal(status_of(answer), 431);
}

static void a_body_nobody_wants_does_not_cost_the_answer(void **state) {
    (void)state;
    static char big[200000];
    memset(big, 'a', sizeof big);
    int n = snprintf(big, sizeof big,
                     "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 199900\r\n\r\n");
    big[n] = 'a';
    hear(dial(big, sizeof big), answer, sizeof answer);
    assert_int_equal(status_of(answer), 405);
}

static void a_client_that_waits_for_100_gets_it(void **state) {
    (void)state;
    static const char words[] = "POST /echo HTTP/1.1\r\n" HOST
                                "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    char first[64] = "";
    int fd = dial(words, sizeof words - 1);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_true(recv(fd, first, sizeof first - 1, 0) > 0);
    assert_string_equal(first, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(send(fd, "abc", 3, 0), 3);
    hear(fd, answer, sizeof answer);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nabc"));
}

static void a_large_answer_is_whole(void **state) {
    (void)state;
    const char *a = ask("GET /large HTTP/1.1\r\n" HOST "\r\n");
    const char *body = strstr(a, "\r\n\r\n") + 4;
    assert_int_equal(strspn(body, "x"), 512 * 1024);
}

static const char *line(const char *a, const char *name, char out[128]) {
    const char *p = strstr(a, name);
    assert_non_null(p);
    snprintf(out, 128, "%.*s", (int)strcspn(p, "\r"), p);
    return out;
}

static void the_page_is_cached_by_its_tag(void **state) {
    (void)state;
    char plain[128], gzip[128], again[512];
    ask("GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_null(strstr(answer, "Content-Encoding"));
    assert_non_null(strstr(answer, "<!"));
    line(answer, "ETag: ", plain);
    ask("GET / HTTP/1.1\r\n" HOST "Accept-Encoding: br, gzip\r\n\r\n");
    assert_non_null(strstr(answer, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(answer, "Vary: Accept-Encoding\r\n"));
    assert_non_null(strstr(answer, "Cache-Control: no-cache\r\n"));
    assert_memory_equal(strstr(answer, "\r\n\r\n") + 4, "\x1f\x8b", 2);
    line(answer, "ETag: ", gzip);
    assert_string_not_equal(plain, gzip);
    snprintf(again, sizeof again,
             "GET / HTTP/1.1\r\n" HOST
             "Accept-Encoding: gzip\r\nIf-None-Match: \"x\", W/%s\r\n\r\n",
             gzip + 6);
    ask(again);
    assert_int_equal(status_of(answer), 304);
    assert_non_null(strstr(answer, gzip));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    snprintf(again, sizeof again, "GET / HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n",
             gzip + 6);
    assert_int_equal(status_of(ask(again)), 200);
}

#define UPGRADE                                                                        \
    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"                        \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define TOKEN "0123456789abcdef0123456789abcdef"

static void read_rejects(struct hub *h, void *arg) { hub_stats(h, arg, NULL, 0); }

static struct hub_stats stats(void) {
    struct hub_stats s;
    assert_int_equal(hub_call(hub, read_rejects, &s, 5000), 0);
    return s;
}

static void what_is_no_upgrade(void **state) {
    (void)state;
    static const struct {
        const char *head;
        int status;
        const char *has;
        int counted; /* as enum hub_reject, or -1 */
    } cases[] = {
        {"GET /ws HTTP/1.1\r\n" HOST "\r\n", 426, "Upgrade: websocket\r\n",
         HUB_REJECT_HANDSHAKE},
        {"GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: "
         "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426, "Sec-WebSocket-Version: 13\r\n", HUB_REJECT_HANDSHAKE},
        {"GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n",
         400, "", HUB_REJECT_HANDSHAKE},
        {"GET /ws HTTP/1.1\r\n" HOST UPGRADE
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400, "", HUB_REJECT_HANDSHAKE},
        {"GET /ws HTTP/1.0\r\n" HOST UPGRADE "\r\n", 400, "", HUB_REJECT_HANDSHAKE},
        {"POST /ws HTTP/1.1\r\n" HOST UPGRADE "\r\n", 405, "", -1},
        {"GET /ws HTTP/1.1\r\n" HOST UPGRADE "Origin: http://evil.example\r\n\r\n", 403,
         "", HUB_REJECT_ORIGIN},
        {"GET /ws HTTP/1.1\r\n" HOST UPGRADE "Origin: null\r\n\r\n", 403, "",
         HUB_REJECT_ORIGIN},
        {"GET /ws HTTP/1.1\r\nHost: evil.example\r\n" UPGRADE
         "Origin: http://evil.example\r\n\r\n",
         403, "", HUB_REJECT_HOST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hub_stats before = stats();
        const char *a = ask(cases[i].head);
        if (status_of(a) != cases[i].status || !strstr(a, cases[i].has))
            fail_msg("%s\n%s", cases[i].head, a);
        struct hub_stats after = stats();
        for (int r = 0; r < HUB_REJECT_N; r++)
            assert_int_equal(after.rejected[r] - before.rejected[r],
                             r == cases[i].counted);
        assert_int_equal(after.reserved, 0);
    }
}

/* Reads until the text is there. */
static void expect_text(int fd, const char *text) {
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!memmem(answer, n, text, strlen(text))) {
        if (poll(&p, 1, 10000) != 1)
            fail_msg("%s is missing in %.*s", text, (int)n, answer);
        ssize_t got = recv(fd, answer + n, sizeof answer - n, 0);
        assert_true(got > 0);
        n += (size_t)got;
    }
}

static void a_place_is_free_again(void) {
    uint64_t until_ms = clock_ms() + 10000;
    while (stats().active + stats().closing > 0)
        assert_true(clock_ms() < until_ms);
}

static void a_session_is_handed_over_with_all_it_has_said(void **state) {
    (void)state;
    static const char words[] =
        "GET /ws?resume=" TOKEN "&seq=42&epoch=1 HTTP/1.1\r\n" HOST UPGRADE
        "Origin: https://localhost\r\nSec-WebSocket-Protocol: chat, "
        "pulseboard.v1\r\n\r\n"
        "\x81\x82\0\0\0\0hi";
    int fd = dial(words, sizeof words - 1);
    expect_text(fd, "\x81\x02hi");
    assert_int_equal(status_of(answer), 101);
    assert_non_null(
        strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(answer, "Sec-WebSocket-Protocol: pulseboard.v1\r\n"));
    assert_non_null(memmem(answer, 400, "seq 42", 6));
    close(fd);
    a_place_is_free_again();
}

static void no_subprotocol_unless_offered(void **state) {
    (void)state;
    static const char words[] = "GET /ws HTTP/1.1\r\n" HOST UPGRADE
                                "Sec-WebSocket-Protocol: PULSEBOARD.V1\r\n\r\n";
    int fd = dial(words, sizeof words - 1);
    expect_text(fd, "seq 0");
    assert_null(strstr(answer, "Sec-WebSocket-Protocol"));
    close(fd);
    a_place_is_free_again();
}

static void a_full_table_is_a_plain_503(void **state) {
    (void)state;
    static const char words[] = "GET /ws HTTP/1.1\r\n" HOST UPGRADE "\r\n";
    int fds[SESSIONS];
    for (int i = 0; i < SESSIONS; i++) {
        fds[i] = dial(words, sizeof words - 1);
        expect_text(fds[i], "seq 0");
    }
    const char *a = ask(words);
    assert_int_equal(status_of(a), 503);
    assert_non_null(strstr(a, "Retry-After: 5\r\n"));
    assert_int_equal(stats().rejected[HUB_REJECT_FULL], 1);
    /* The workers are free: sessions do not hold them. */
    assert_int_equal(status_of(ask("GET /hello HTTP/1.1\r\n" HOST "\r\n")), 200);
    for (int i = 0; i < SESSIONS; i++)
        close(fds[i]);
    a_place_is_free_again();
}

#define AS(role) "X-Role: " role "\r\n"

static void a_route_answers_to_its_role_or_more(void **state) {
    (void)state;
    static const char unauthorized[] = "WWW-Authenticate: Bearer\r\n";
    static const struct {
        const char *bytes;
        int status;
        const char *has;
    } cases[] = {
        {"GET /viewer HTTP/1.1\r\n" HOST "\r\n", 401, unauthorized},
        {"HEAD /viewer HTTP/1.1\r\n" HOST "\r\n", 401, unauthorized},
        {"GET /viewer HTTP/1.1\r\n" HOST AS("viewer") "\r\n", 200, "hello"},
        {"HEAD /viewer HTTP/1.1\r\n" HOST AS("viewer") "\r\n", 200, ""},
        {"GET /viewer HTTP/1.1\r\n" HOST AS("admin") "\r\n", 200, "hello"},
        /* The same path, another method, another role. */
        {"POST /viewer HTTP/1.1\r\n" HOST "\r\n", 401, unauthorized},
        {"POST /viewer HTTP/1.1\r\n" HOST AS("viewer") "\r\n", 403, "another role"},
        {"POST /viewer HTTP/1.1\r\n" HOST AS("admin") "\r\n", 200, "hello"},
        {"PUT /viewer HTTP/1.1\r\n" HOST "\r\n", 405,
         "Allow: GET, HEAD, OPTIONS, POST\r\n"},
        {"OPTIONS /viewer HTTP/1.1\r\n" HOST "\r\n", 204,
         "Allow: GET, HEAD, OPTIONS, POST\r\n"},
        /* Not even who may is heard at a name that is not ours. */
        {"GET /viewer HTTP/1.1\r\nHost: evil.example\r\n" AS("admin") "\r\n", 403,
         "name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = ask(cases[i].bytes);
        if (status_of(a) != cases[i].status || !strstr(a, cases[i].has))
            fail_msg("%s\n%s", cases[i].bytes, a);
    }
}

static void an_upgrade_without_its_role_is_counted(void **state) {
    (void)state;
    static const char as_viewer[] =
        "GET /viewer/ws HTTP/1.1\r\n" HOST UPGRADE AS("viewer") "\r\n";
    uint64_t before = stats().rejected[HUB_REJECT_AUTH];
    assert_int_equal(status_of(ask("GET /viewer/ws HTTP/1.1\r\n" HOST UPGRADE "\r\n")),
                     401);
    assert_int_equal(stats().rejected[HUB_REJECT_AUTH], before + 1);
    int fd = dial(as_viewer, sizeof as_viewer - 1);
    expect_text(fd, "seq 0");
    close(fd);
    a_place_is_free_again();
    assert_int_equal(stats().rejected[HUB_REJECT_AUTH], before + 1);
}

static void a_star_stands_for_one_segment(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        int status;
        const char *has;
    } cases[] = {
        {"GET /things/x7 HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nx7"},
        {"GET /things/%2e%2e HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\n.."},
        {"GET /things/one HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\none"},
        {"DELETE /things/one HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\nhello"},
        {"DELETE /things/two HTTP/1.1\r\n" HOST "\r\n", 405, "GET, HEAD, OPTIONS\r\n"},
        {"PUT /things/one HTTP/1.1\r\n" HOST "\r\n", 405, "HEAD, OPTIONS, DELETE\r\n"},
        {"GET /things/ HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /things HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /things/a/b HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /things/a%2fb HTTP/1.1\r\n" HOST "\r\n", 404, ""},
        {"GET /things/* HTTP/1.1\r\n" HOST "\r\n", 200, "\r\n\r\n*"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = ask(cases[i].bytes);
        if (status_of(a) != cases[i].status || !strstr(a, cases[i].has))
            fail_msg("%s\n%s", cases[i].bytes, a);
    }
}

static void a_table_with_a_row_for_nobody_in_particular_does_not_start(void **state) {
    (void)state;
    static const struct httpd_route forgot[] = {
        {"/", HTTP_GET, ROLE_NONE, hello},
        {.path = "/forgot", .methods = HTTP_GET, .handle = hello},
    };
    struct doors doors = {.n = 0};
    struct httpd_opts o = options(&doors);
    struct httpd *second = NULL;
    char why[160];
    o.routes = forgot;
    o.n_routes = 2;
    assert_int_equal(httpd_start(&second, &o, why, sizeof why), -EINVAL);
    assert_string_equal(why, "the route /forgot does not say for whom it is");
    assert_null(second);
}

static void silent_clients_hold_no_worker(void **state) {
    (void)state;
    int fds[32];
    for (int i = 0; i < 32; i++)
        fds[i] = dial("GET /hello HTTP/1.1\r\nHost: ", i % 2 ? 0 : 27);
    uint64_t began_ms = clock_ms();
    assert_int_equal(status_of(ask("GET /hello HTTP/1.1\r\n" HOST "\r\n")), 200);
    assert_in_range(clock_ms() - began_ms, 0, 900);
    for (int i = 0; i < 32; i++)
        close(fds[i]);
}

static void stopping_leaves_nothing_behind(void **state) {
    (void)state;
    nothing_is_left_open();
    for (int i = 0; i < 3; i++) {
        struct doors doors = {.n = 0};
        struct httpd_opts o = options(&doors);
        struct httpd *second;
        char why[160];
        int rc =
            doors_add(&doors, i ? "[::1]:0" : "127.0.0.1:0", false, why, sizeof why);
        if (i && rc == -EAFNOSUPPORT)
            break; /* no IPv6 here */
        assert_int_equal(rc, 0);
        assert_int_equal(httpd_start(&second, &o, why, sizeof why), 0);
        assert_int_equal(doors.n, 0);
        httpd_stop(second);
    }
    nothing_is_left_open();
}

static void what_cannot_be_listened_on_is_named(void **state) {
    (void)state;
    nothing_is_left_open();
    const char *const cases[][3] = {
        {bound, "cannot listen on 127.0.0.1:", "Address already in use"},
        {"192.0.2.1:0", "cannot listen on 192.0.2.1:0: ", "Cannot assign"},
        {"nonsense", "cannot listen on nonsense: ", "Invalid argument"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct doors doors = {.n = 0};
        char why[160];
        assert_true(doors_add(&doors, cases[i][0], false, why, sizeof why) < 0);
        if (!strstr(why, cases[i][1]) || !strstr(why, cases[i][2]))
            fail_msg("%s", why);
        assert_int_equal(doors.n, 0);
    }
    nothing_is_left_open();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bytes_get_for_an_answer),
        cmocka_unit_test(a_target_may_name_the_host),
        cmocka_unit_test(a_head_has_no_body),
        cmocka_unit_test(a_head_too_large_is_answered_whatever_follows),
        cmocka_unit_test(a_body_nobody_wants_does_not_cost_the_answer),
        cmocka_unit_test(a_client_that_waits_for_100_gets_it),
        cmocka_unit_test(a_large_answer_is_whole),
        cmocka_unit_test(the_page_is_cached_by_its_tag),
        cmocka_unit_test(what_is_no_upgrade),
        cmocka_unit_test(a_session_is_handed_over_with_all_it_has_said),
        cmocka_unit_test(no_subprotocol_unless_offered),
        cmocka_unit_test(a_full_table_is_a_plain_503),
        cmocka_unit_test(a_route_answers_to_its_role_or_more),
        cmocka_unit_test(an_upgrade_without_its_role_is_counted),
        cmocka_unit_test(a_star_stands_for_one_segment),
        cmocka_unit_test(a_table_with_a_row_for_nobody_in_particular_does_not_start),
        cmocka_unit_test(silent_clients_hold_no_worker),
        cmocka_unit_test(stopping_leaves_nothing_behind),
        cmocka_unit_test(what_cannot_be_listened_on_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
