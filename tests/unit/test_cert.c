// link: sec
/* Certificates of our own, judged by OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sec/cert.h"
#include "sec/tls.h"

#define DAY 86400
#define NOW 1790000000 /* 2026-09-21 */

static const struct cert_span years = {NOW - DAY, NOW + 7300LL * DAY};
static const struct cert_span year = {NOW - DAY, NOW + 396LL * DAY};

struct made {
    char dir[256];
    struct cert_names permit, names;
    char ca[CERT_PEM_MAX], ca_key[CERT_PEM_MAX], leaf[CERT_PEM_MAX];
};

static void save(const char *name, const char *text) {
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* What a command prints, errors included. */
static const char *shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *shell(const char *fmt, ...) {
    static char out[16384];
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    FILE *p = popen(line, "r");
    assert_non_null(p);
    out[fread(out, 1, sizeof out - 1, p)] = '\0';
    pclose(p);
    return out;
}

static void says(const char *text, const char *what) {
    if (!strstr(text, what))
        fail_msg("'%s' is not in:\n%s", what, text);
}

static int setup(void **state) {
    static struct made m;
    struct in_addr four = {htonl(0xc0a80117)};
    struct in6_addr six = IN6ADDR_LOOPBACK_INIT;
    const char *tmp = getenv("TMPDIR");
    snprintf(m.dir, sizeof m.dir, "%s/pulse-cert-XXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(m.dir) || chdir(m.dir) != 0)
        return -1;
    cert_add_dns(&m.permit, "local");
    cert_add_dns(&m.permit, "localhost");
    cert_add_dns(&m.permit, "pb");
    cert_add_dns(&m.names, "pb.local");
    cert_add_dns(&m.names, "localhost");
    cert_add_dns(&m.names, "PB");
    cert_add_ip(&m.names, &four, sizeof four);
    cert_add_ip(&m.names, &six, sizeof six);
    if (cert_ca_new(&m.permit, "pb 1a2b3c", years, m.ca, m.ca_key) ||
        cert_leaf_new(m.ca, m.ca_key, &m.names, year, m.leaf))
        return -1;
    save("ca.pem", m.ca);
    save("ca.key", m.ca_key);
    save("leaf.pem", m.leaf);
    *state = &m;
    return 0;
}

static int teardown(void **state) {
    const struct made *m = *state;
    char line[300];
    snprintf(line, sizeof line, "rm -r '%s'", m->dir);
    return system(line);
}

#define VERIFY "openssl verify -x509_strict -attime 1790000000 -purpose sslserver "

static void a_strict_verifier_accepts_the_chain(void **state) {
    (void)state;
    says(shell(VERIFY "-CAfile ca.pem leaf.pem 2>&1"), "leaf.pem: OK");
    static const char *const hosts[] = {
        "-verify_hostname pb.local", "-verify_hostname localhost",
        "-verify_hostname pb", "-verify_ip 192.168.1.23", "-verify_ip ::1"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        says(shell(VERIFY "%s -CAfile ca.pem leaf.pem 2>&1", hosts[i]), "OK");
    says(shell(VERIFY "-verify_hostname other.local -CAfile ca.pem leaf.pem 2>&1"),
         "hostname mismatch");
    says(shell(VERIFY "-verify_ip 192.168.1.24 -CAfile ca.pem leaf.pem 2>&1"),
         "IP address mismatch");
}

static void certificates_say_what_browsers_want(void **state) {
    (void)state;
    const char *ca = shell("openssl x509 -in ca.pem -noout -text 2>&1");
    says(ca, "Public-Key: (256 bit)");
    says(ca, "ecdsa-with-SHA256");
    says(ca, "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0");
    says(ca, "X509v3 Key Usage: critical\n                Certificate Sign\n");
    says(ca, "X509v3 Name Constraints: critical\n                Permitted:\n"
             "                  DNS:local\n                  DNS:localhost\n"
             "                  DNS:pb\n");
    says(ca, "X509v3 Subject Key Identifier");
    says(ca, "Subject: O = Pulseboard, CN = pb 1a2b3c");
    const char *leaf = shell("openssl x509 -in leaf.pem -noout -text 2>&1");
    says(leaf, "CA:FALSE");
    says(leaf, "X509v3 Key Usage: critical\n                Digital Signature\n");
    says(leaf, "TLS Web Server Authentication");
    says(leaf, "DNS:pb.local, DNS:localhost, DNS:pb, IP Address:192.168.1.23, "
               "IP Address:0:0:0:0:0:0:0:1");
    says(leaf, "X509v3 Authority Key Identifier");
    says(leaf, "Issuer: O = Pulseboard, CN = pb 1a2b3c");
    says(leaf, "Subject: O = Pulseboard, CN = pb.local");
}

static void serials_are_random_and_positive(void **state) {
    struct made *m = *state;
    char a[64], b[64];
    snprintf(a, sizeof a, "%s", shell("openssl x509 -in leaf.pem -noout -serial"));
    assert_int_equal(cert_leaf_new(m->ca, m->ca_key, &m->names, year, m->leaf), 0);
    save("again.pem", m->leaf);
    snprintf(b, sizeof b, "%s", shell("openssl x509 -in again.pem -noout -serial"));
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), strlen("serial=") + 32 + 1);
    assert_in_range(a[7], '4', '7');
}

/* The CA of a stolen device speaks for nobody else. */
static void a_foreign_name_is_outside_the_constraints(void **state) {
    struct made *m = *state;
    static const char *const names[] = {"www.example.com", "notpb", "local.example"};
    static char pem[CERT_PEM_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct cert_names one = {0};
        assert_true(cert_add_dns(&one, names[i]));
        assert_false(cert_permits(&m->permit, &one.name[0]));
        assert_int_equal(cert_leaf_new(m->ca, m->ca_key, &one, year, pem), 0);
        save("foreign.pem", pem);
        says(shell(VERIFY "-CAfile ca.pem foreign.pem 2>&1"),
             "permitted subtree violation");
    }
    for (unsigned i = 0; i < m->names.n; i++)
        assert_true(cert_permits(&m->permit, &m->names.name[i]));
}

static void what_was_written_is_read_again(void **state) {
    struct made *m = *state;
    static struct cert_facts f;
    assert_int_equal(cert_read(m->ca, &f), 0);
    assert_true(f.ca);
    assert_int_equal(f.span.from_s, years.from_s);
    assert_int_equal(f.span.to_s, years.to_s);
    assert_memory_equal(&f.names, &m->permit, sizeof f.names);
    char sum[128] = "";
    for (int i = 0; i < 32; i++)
        sprintf(sum + strlen(sum), "%02X%s", f.sha256[i], i < 31 ? ":" : "");
    says(shell("openssl x509 -in ca.pem -noout -fingerprint -sha256"), sum);
    assert_int_equal(cert_read(m->leaf, &f), 0);
    assert_false(f.ca);
    assert_int_equal(f.span.to_s, year.to_s);
    assert_memory_equal(&f.names, &m->names, sizeof f.names);
    assert_int_equal(cert_read("nonsense", &f), -EINVAL);
    assert_int_equal(cert_read("", &f), -EINVAL);
}

static void times_survive_the_year_2050(void **state) {
    struct made *m = *state;
    static struct cert_facts f;
    static const int64_t ends[] = {951782399,  951782400,  1709164800,
                                   2524607999, 2524608000, 4107542399};
    static char crt[CERT_PEM_MAX], key[CERT_PEM_MAX];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct cert_span s = {0, ends[i]};
        assert_int_equal(cert_ca_new(&m->permit, "x", s, crt, key), 0);
        assert_int_equal(cert_read(crt, &f), 0);
        assert_int_equal(f.span.from_s, 0);
        assert_int_equal(f.span.to_s, ends[i]);
    }
}

static void keys_and_signatures_are_told_apart(void **state) {
    struct made *m = *state;
    static char other[CERT_PEM_MAX], other_key[CERT_PEM_MAX], pem[CERT_PEM_MAX];
    /* The very name of our CA, another key. */
    assert_int_equal(cert_ca_new(&m->permit, "pb 1a2b3c", years, other, other_key), 0);
    assert_int_equal(cert_leaf_new(other, other_key, &m->names, year, pem), 0);
    assert_true(cert_signed_by(m->leaf, m->ca));
    assert_true(cert_signed_by(pem, other));
    assert_false(cert_signed_by(pem, m->ca));
    assert_false(cert_signed_by("", m->ca));
    assert_false(cert_signed_by(pem, ""));
    assert_true(cert_fits(m->ca, m->ca_key));
    assert_false(cert_fits(m->ca, other_key));
    assert_false(cert_fits(m->ca, ""));
}

static void names_that_are_none_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",    ".",   "a..b", "-a",     "a-",  "a.",
                                      "a_b", "*.a", "a b",  "a,CN=b", "\xff"};
    struct cert_names n = {0};
    char label[80];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cert_add_dns(&n, bad[i]));
    memset(label, 'a', sizeof label);
    label[64] = '\0';
    assert_false(cert_add_dns(&n, label));
    label[63] = '\0';
    assert_true(cert_add_dns(&n, label));
    assert_true(cert_add_dns(&n, label));
    assert_int_equal(n.n, 1);
    for (unsigned i = 0; i < CERT_NAMES_MAX + 2; i++) {
        uint32_t ip = i;
        assert_int_equal(cert_add_ip(&n, &ip, 4), i < CERT_NAMES_MAX - 1);
    }
    assert_false(cert_add_ip(&n, "12345", 5));
}

/* As many names as there can be fit our own limits and TLS's. */
static void the_longest_leaf_can_be_served(void **state) {
    struct made *m = *state;
    static char pem[CERT_PEM_MAX];
    static struct cert_names all;
    struct tls_ctx *ctx;
    char name[CERT_NAME_MAX], why[160];
    for (unsigned i = 0; i < 8; i++) {
        memset(name, 'a', sizeof name);
        name[60] = '.';
        snprintf(name + 110, sizeof name - 110, "%u.local", i);
        assert_true(cert_add_dns(&all, name));
    }
    for (unsigned i = 0; all.n < CERT_NAMES_MAX; i++) {
        uint32_t ip[4] = {i};
        assert_true(cert_add_ip(&all, ip, 16));
    }
    assert_int_equal(cert_leaf_new(m->ca, m->ca_key, &all, year, pem), 0);
    assert_int_equal(tls_ctx_new(&ctx, pem, why, sizeof why), 0);
    tls_ctx_free(ctx);
}

static void a_chain_is_judged(void **state) {
    struct made *m = *state;
    static char text[3 * CERT_PEM_MAX], mid[CERT_PEM_MAX];
    char why[200];
    assert_int_equal(cert_judge(m->leaf, NOW, why, sizeof why), 0);
    assert_int_equal(cert_judge(m->leaf, year.to_s, why, sizeof why), -EINVAL);
    says(why, "expired");
    assert_int_equal(cert_judge("", NOW, why, sizeof why), -EINVAL);
    says(why, "no usable");
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
          "-keyout r.key -out r.crt -subj /CN=root -days 4000 2>&1;"
          "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
          "l.key -out l.csr -subj /CN=leaf 2>&1;"
          "openssl x509 -req -in l.csr -CA r.crt -CAkey r.key -days 4000 -out l.crt "
          "2>&1; cat l.key l.crt r.crt > good.pem; cat l.key r.crt l.crt > bad.pem");
    snprintf(text, sizeof text, "%s", shell("cat good.pem"));
    assert_int_equal(cert_judge(text, NOW, why, sizeof why), 0);
    snprintf(text, sizeof text, "%s", shell("cat bad.pem"));
    assert_int_equal(cert_judge(text, NOW, why, sizeof why), -EINVAL);
    says(why, "first");
    snprintf(mid, sizeof mid, "%s", shell("cat l.crt"));
    strcat(text, mid);
    snprintf(text, sizeof text, "%s%s", mid, mid);
    assert_int_equal(cert_judge(text, NOW, why, sizeof why), -EINVAL);
    says(why, "order");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strict_verifier_accepts_the_chain),
        cmocka_unit_test(certificates_say_what_browsers_want),
        cmocka_unit_test(serials_are_random_and_positive),
        cmocka_unit_test(a_foreign_name_is_outside_the_constraints),
        cmocka_unit_test(what_was_written_is_read_again),
        cmocka_unit_test(times_survive_the_year_2050),
        cmocka_unit_test(keys_and_signatures_are_told_apart),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(the_longest_leaf_can_be_served),
        cmocka_unit_test(a_chain_is_judged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
