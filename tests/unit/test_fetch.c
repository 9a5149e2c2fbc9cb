// link: app
#include "app/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server for one connection: reads the request's head, says its text in two pieces,
 * ends. */
struct server {
    int fd;
    uint16_t port;
    const char *says;
    char heard[1024];
    pthread_t thread;
};

static void *answer(void *arg) {
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    size_t n = 0;
    while (fd >= 0 && !strstr(s->heard, "\r\n\r\n")) {
        ssize_t got = read(fd, s->heard + n, sizeof s->heard - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        s->heard[n] = '\0';
    }
    size_t half = strlen(s->says) / 2;
    if (send(fd, s->says, half, MSG_NOSIGNAL) >= 0)
        (void)!send(fd, s->says + half, strlen(s->says + half), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void start(struct server *s, const char *says) {
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    *s = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                         .says = says};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sa, &len), 0);
    s->port = ntohs(sa.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, answer, s), 0);
}

static char body[256], why[FETCH_WHY_MAX];

static int get(const char *says, const char *host, size_t cap, size_t *n, char *heard) {
    struct server s;
    char url[64];
    start(&s, says);
    snprintf(url, sizeof url, "http://%s:%u/", host, s.port);
    why[0] = '\0';
    int rc = fetch_get(url, "/ws/stats", body, cap, n, why);
    pthread_join(s.thread, NULL);
    close(s.fd);
    if (heard)
        memcpy(heard, s.heard, sizeof s.heard);
    return rc;
}

static void a_body_is_fetched(void **state) {
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: a\r\ncontent-length:  4\r\n\r\nbody",
        "HTTP/1.0 200 OK\r\n\r\nbody",
    };
    for (size_t i = 0; i < 2; i++) {
        char heard[1024];
        size_t n = 0;
        assert_int_equal(get(answers[i], "localhost", sizeof body, &n, heard), 0);
        assert_int_equal(n, 4);
        assert_memory_equal(body, "body", 4);
        assert_int_equal(
            strncmp(heard, "GET /ws/stats HTTP/1.1\r\nHost: localhost:", 40), 0);
    }
}

static void bad_answers_are_told(void **state) {
    (void)state;
    static const struct {
        const char *answer, *why;
    } rows[] = {
        {"", "the answer is not HTTP"},
        {"SSH-2.0-x\r\n\r\n", "the answer is not HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", "the answer is not HTTP"},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "the answer is 503"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", "the answer is not whole"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbody", "the answer is not whole"},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nbody", "the answer is not whole"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "the answer is not whole"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = 0;
        assert_int_equal(get(rows[i].answer, "127.0.0.1", sizeof body, &n, NULL),
                         -EPROTO);
        assert_string_equal(why, rows[i].why);
    }
}

static void more_than_the_buffer_is_refused(void **state) {
    (void)state;
    size_t n = 0;
    assert_int_equal(get("HTTP/1.1 200 OK\r\n\r\n12345", "127.0.0.1", 20, &n, NULL),
                     -EMSGSIZE);
}

static void bad_urls_are_told(void **state) {
    (void)state;
    static const char *const urls[] = {
        "",
        "127.0.0.1:80",
        "https://127.0.0.1:80",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:80/x",
        "http://127.0.0.1:80x",
        "http://[127.0.0.1]:80",
        "http://::1:80",
        "http://[]:80",
        "http://:80",
        "http://board.example:80",
        "http://"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80",
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        size_t n = 0;
        assert_int_equal(fetch_get(urls[i], "/", body, sizeof body, &n, why), -EINVAL);
        assert_string_equal(why, "not of the form http://ADDR:PORT");
    }
}

static void nobody_there_is_told(void **state) {
    (void)state;
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    int fd =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, but does not listen */
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    char url[64];
    size_t n = 0;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(sa.sin_port));
    assert_int_equal(fetch_get(url, "/", body, sizeof body, &n, why), -ECONNREFUSED);
    assert_string_equal(why, "Connection refused");
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_fetched),
        cmocka_unit_test(bad_answers_are_told),
        cmocka_unit_test(more_than_the_buffer_is_refused),
        cmocka_unit_test(bad_urls_are_told),
        cmocka_unit_test(nobody_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
