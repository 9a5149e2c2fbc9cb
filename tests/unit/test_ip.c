// link: session
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ip.h"
#include "session/sess.h"

static uint64_t from(const char *text) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sess_addr a;
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        sess_addr_from(&a, (struct sockaddr *)&four);
    else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        sess_addr_from(&a, (struct sockaddr *)&six);
    else
        fail_msg("%s", text);
    return ip_host(a.ip);
}

static void an_ipv6_network_is_one_host(void **state) {
    (void)state;
    assert_int_equal(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"));
    assert_int_not_equal(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
    assert_int_not_equal(from("192.0.2.1"), from("192.0.2.2"));
    assert_int_equal(from("::ffff:192.0.2.1"), from("192.0.2.1"));
}

static void four_bytes_are_told_from_sixteen(void **state) {
    (void)state;
    static const uint8_t four[4] = {192, 0, 2, 1};
    uint8_t ip[16] = {0xfd};
    assert_false(ip_is_four(ip));
    ip_from_four(ip, four);
    assert_true(ip_is_four(ip));
    assert_memory_equal(ip + 12, four, 4);
    ip[9] = 1;
    assert_false(ip_is_four(ip));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv6_network_is_one_host),
        cmocka_unit_test(four_bytes_are_told_from_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
