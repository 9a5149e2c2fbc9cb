// link: app
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "app/first_boot.h"

/* What comes of a text: settings and problems, to be freed by free_result(). */
struct result {
    char *out, *say;
    unsigned problems;
};

static struct result read_text(const char *json) {
    struct result r;
    size_t n_out, n_say, n = strlen(json);
    FILE *out = open_memstream(&r.out, &n_out), *say = open_memstream(&r.say, &n_say);
    char *text = malloc(n + 1);
    assert_non_null(out);
    assert_non_null(say);
    assert_non_null(text);
    memcpy(text, json, n);
    r.problems = first_boot_text("f", text, n, out, say);
    free(text);
    fclose(out);
    fclose(say);
    return r;
}

static void free_result(struct result *r) {
    free(r->out);
    free(r->say);
}

static void check(const char *json, const char *out, const char *say) {
    struct result r = read_text(json);
    assert_string_equal(r.out, out);
    assert_string_equal(r.say, say);
    unsigned lines = 0;
    for (const char *p = r.say; *p; p++)
        lines += *p == '\n';
    assert_int_equal(r.problems, lines);
    free_result(&r);
}

static void sound_settings_are_printed_for_a_shell(void **state) {
    (void)state;
    check("{}", "", "");
    check("{\"hostname\": \"boiler-room\"}", "PB_HOSTNAME='boiler-room'\n", "");
    check("{\"claim_code\": \"ABCD-2345 WXYZ\"}", "PB_CLAIM_CODE='ABCD-2345 WXYZ'\n",
          "");
    check("{\"wifi\": {\"ssid\": \"a'\\\"\\u00e4\", \"password\": \"it's \\\"me\\\"\", "
          "\"country\": \"DE\"}}",
          "PB_WIFI_SSID='6127"
          "22c3a4'\nPB_WIFI_PSK='\"it'\\''s \"me\"\"'\n"
          "PB_WIFI_COUNTRY='DE'\n",
          "");
    check("{\"wifi\": {\"ssid\": \"a\", \"password\": \"\"}}",
          "PB_WIFI_SSID='61'\nPB_WIFI_PSK=''\n", "");
    check("{\"network\": {\"address\": \"10.1.2.3/8\", \"gateway\": \"10.0.0.1\", "
          "\"dns\": \"9.9.9.9\"}}",
          "PB_ADDRESS='10.1.2.3/8'\nPB_GATEWAY='10.0.0.1'\nPB_DNS='9.9.9.9'\n", "");
    check("{\"ssh_key\": \"ssh-ed25519 AAAA me@home\"}",
          "PB_SSH_KEY='ssh-ed25519 AAAA me@home'\n", "");
}

static void what_people_type_is_forgiven(void **state) {
    (void)state;
    check("\xef\xbb\xbf{ // mine\r\n \"hostname\": \"a,}\", /* x */ }\r\n", "",
          "f: hostname: wants 1 to 63 letters, digits and inner hyphens\n");
    check("{ \"hostname\": \"a\", // comment, }\n}", "PB_HOSTNAME='a'\n", "");
    check("{ \"wifi\": { \"ssid\": \"\\\\\", }, }", "PB_WIFI_SSID='5c'\n", "");
}

static void a_wrong_key_does_not_spoil_the_others(void **state) {
    (void)state;
    check("{\"hostnam\": \"a\", \"hostname\": \"b\"}", "PB_HOSTNAME='b'\n",
          "f: hostnam: is no setting; it may be misspelt\n");
    check("{\"hostname\": 7, \"wifi\": \"x\", \"network\": {\"adress\": \"1\"}}", "",
          "f: hostname: wants a text in quotes\n"
          "f: wifi: wants an object, { ... }\n"
          "f: network.adress: is no setting; it may be misspelt\n");
    check("{\"hostname\": \"a\", \"hostname\": \"b\"}", "PB_HOSTNAME='a'\n",
          "f: hostname: stands there twice; the first holds\n");
    check("{\"ssid\": \"top\"}", "", "f: ssid: is no setting; it may be misspelt\n");
    check("{\"a\\nb\": 1}", "", "f: a?b: is no setting; it may be misspelt\n");
}

static void what_is_no_json_is_said_with_its_line(void **state) {
    (void)state;
    static const char after[] =
        ": this is not JSON from here on; nothing in the file was used\n";
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {{"", 1}, {"{\n\"hostname\" \"a\"}", 2}, {"{}\n\nx", 3}, {"{\n/* ", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char say[128];
        snprintf(say, sizeof say, "f:%u%s", cases[i].line, after);
        check(cases[i].text, "", say);
    }
    check("[]", "", "f: the file: wants an object, { ... }\n");
}

static void impossible_values_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{\"hostname\": \"\"}",
        "{\"hostname\": \"-a\"}",
        "{\"hostname\": \"a.b\"}",
        "{\"hostname\": \"$(reboot)\"}",
        "{\"claim_code\": \"short\"}",
        "{\"claim_code\": \"ABCD-2345-WXYU\"}",
        "{\"ssh_key\": \"rm -rf\"}",
        "{\"ssh_key\": \"ssh-a\\nb\"}",
        "{\"wifi\": {\"ssid\": \"\"}}",
        "{\"wifi\": {\"ssid\": \"123456789012345678901234567890123\"}}",
        "{\"wifi\": {\"password\": \"1234567\"}}",
        "{\"wifi\": {\"password\": \"1234567\\u00e4\"}}",
        "{\"wifi\": {\"password\": \"12\\\"45 #7\"}}",
        "{\"wifi\": {\"country\": \"de\"}}",
        "{\"network\": {\"address\": \"192.168.1.20\"}}",
        "{\"network\": {\"address\": \"192.168.1.300/24\"}}",
        "{\"network\": {\"address\": \"192.168.1.0/24\"}}",
        "{\"network\": {\"address\": \"192.168.1.255/24\"}}",
        "{\"network\": {\"address\": \"192.168.1.2/31\"}}",
        "{\"network\": {\"address\": \"192.168.1.2/99999999999\"}}",
        "{\"network\": {\"address\": \"127.0.0.1/8\"}}",
        "{\"network\": {\"address\": \"224.0.0.1/8\"}}",
        "{\"network\": {\"address\": \"/24\"}}",
        "{\"network\": {\"gateway\": \"me\"}}",
        "{\"network\": {\"dns\": \"0.0.0.0\"}}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct result r = read_text(wrong[i]);
        if (r.problems != 1 || r.out[0])
            fail_msg("%s: %u problems, printed %s", wrong[i], r.problems, r.out);
        free_result(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_settings_are_printed_for_a_shell),
        cmocka_unit_test(what_people_type_is_forgiven),
        cmocka_unit_test(a_wrong_key_does_not_spoil_the_others),
        cmocka_unit_test(what_is_no_json_is_said_with_its_line),
        cmocka_unit_test(impossible_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
