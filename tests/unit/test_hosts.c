// link: http
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "http/hosts.h"

static struct slice slice(const char *text) {
    return (struct slice){text, strlen(text)};
}

static void who_we_may_be_called(void **state) {
    (void)state;
    static const struct {
        const char *host;
        int rc;
    } cases[] = {
        {"127.0.0.1", 0},
        {"192.168.1.7:8080", 0},
        {"[::1]", 0},
        {"[fe80::1]:8443", 0},
        {"localhost", 0},
        {"LOCALHOST:80", 0},
        {"localhost.", 0},
        {"board.localhost", 0},
        {"board.local", 0},
        {"Board.Local.:80", 0},
        {"box", 0},
        {"BOX.lan.example", 0},
        {"dash.example:80", 0},
        {"localhost:", 0}, /* RFC 3986 3.2.3: the port may be empty */
        {"evil.example", -EACCES},
        {"local", -EACCES},
        {".local", -EACCES},
        {"evillocalhost", -EACCES},
        {"127.0.0.1.evil.example", -EACCES},
        {"box.evil.example", -EACCES},
        {"boxx", -EACCES},
        {"bo", -EACCES},
        {"dash.example.evil.example", -EACCES},
        {"0x7f.1", -EACCES}, /* no address as inet_pton(3) has it */
        {"2130706433", -EACCES},
        {"", -EINVAL},
        {":80", -EINVAL},
        {"a:b", -EINVAL},
        {"a:0", -EINVAL},
        {"a:65536", -EINVAL},
        {"a:000080", -EINVAL},
        {"a:80:80", -EINVAL},
        {"::1", -EINVAL},
        {"[::1", -EINVAL},
        {"[::1]x", -EINVAL},
        {"[]", -EINVAL},
        {"[localhost]", -EINVAL},
        {"[127.0.0.1]", -EINVAL},
        {"user@localhost", -EINVAL},
        {"localhost/", -EINVAL},
        {"local host", -EINVAL},
        {"localhost, localhost", -EINVAL},
        {"caf\xc3\xa9.local", -EINVAL},
    };
    static const char *const names[] = {"dash.example"};
    struct hosts h;
    hosts_init(&h, names, 1, false);
    strcpy(h.self, "box.lan.example");
    h.self_short = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (hosts_check(&h, slice(cases[i].host)) != cases[i].rc)
            fail_msg("%s", cases[i].host);
    h.any = true;
    assert_int_equal(hosts_check(&h, slice("evil.example")), 0);
    assert_int_equal(hosts_check(&h, slice("a b")), -EINVAL);
}

static void a_machine_without_a_name(void **state) {
    (void)state;
    struct hosts h;
    hosts_init(&h, NULL, 0, false);
    h.self[0] = '\0';
    h.self_short = 0;
    assert_int_equal(hosts_check(&h, slice("x")), -EACCES);
    assert_int_equal(hosts_check(&h, slice("localhost")), 0);
}

static void same_origin(void **state) {
    (void)state;
    static const struct {
        const char *origin, *host;
        bool same;
    } cases[] = {
        {"http://localhost:8080", "localhost:8080", true},
        {"http://LocalHost:8080", "localhost:8080", true},
        {"http://localhost", "localhost", true},
        {"http://localhost", "localhost:80", true},
        {"http://localhost:80", "localhost", true},
        {"https://localhost", "localhost:443", true},
        {"https://box.local", "box.local", true}, /* a proxy ends TLS */
        {"http://[::1]:8080", "[::1]:8080", true},
        {"http://localhost.", "localhost", true},
        {"http://localhost", "localhost:8080", false},
        {"http://localhost:8081", "localhost:8080", false},
        {"https://localhost", "localhost:80", false},
        {"http://evil.example", "localhost", false},
        {"http://evil.example:8080", "localhost:8080", false},
        {"http://localhost.evil.example", "localhost", false},
        {"http://xlocalhost", "localhost", false},
        {"null", "null", false},
        {"", "", false},
        {"localhost:8080", "localhost:8080", false},
        {"file://", "localhost", false},
        {"ftp://localhost", "localhost", false},
        {"http://localhost/x", "localhost", false},
        {"http://user@localhost", "localhost", false},
        {"http://localhost http://evil.example", "localhost", false},
        {"http://1::1", "[1::1]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (hosts_same(slice(cases[i].origin), slice(cases[i].host)) != cases[i].same)
            fail_msg("%s %s", cases[i].origin, cases[i].host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_we_may_be_called),
        cmocka_unit_test(a_machine_without_a_name),
        cmocka_unit_test(same_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
