#include "sec/cert.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

/* RFC 5280 4.1.2.2 allows 20 bytes; 16 are more than anybody guesses. */
#define SERIAL_BYTES 16
/* GeneralName (RFC 5280 4.2.1.6). */
#define TAG_DNS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_DNS_NAME)
#define TAG_IP (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_IP_ADDRESS)
/* permittedSubtrees (RFC 5280 4.2.1.10). */
#define TAG_PERMITTED (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0)
#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)

static int our_rc(int rc) {
    if (rc >= 0)
        return 0;
    return rc == MBEDTLS_ERR_X509_ALLOC_FAILED || rc == MBEDTLS_ERR_PK_ALLOC_FAILED ||
                   rc == MBEDTLS_ERR_ASN1_ALLOC_FAILED
               ? -ENOMEM
               : -EINVAL;
}

/* ---- names ---- */

bool cert_has(const struct cert_names *in, const struct cert_name *name) {
    size_t n = name->ip ? name->ip : strlen(name->text) + 1;
    for (unsigned i = 0; i < in->n; i++) {
        if (in->name[i].ip == name->ip && memcmp(in->name[i].text, name->text, n) == 0)
            return true;
    }
    return false;
}

static bool add(struct cert_names *to, const struct cert_name *name) {
    if (cert_has(to, name))
        return true;
    if (to->n == CERT_NAMES_MAX)
        return false;
    to->name[to->n++] = *name;
    return true;
}

/* One label, up to its dot or the end: where it stops, NULL when it is none. */
static const char *skip_label(const char *p) {
    static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t n = strspn(p, may);
    bool ok = n > 0 && n < 64 && p[0] != '-' && p[n - 1] != '-';
    return ok && (p[n] == '.' || p[n] == '\0') ? p + n : NULL;
}

bool cert_add_dns(struct cert_names *to, const char *name) {
    struct cert_name lower = {0};
    size_t n = strlen(name);
    if (n >= sizeof lower.text)
        return false;
    for (size_t i = 0; i < n; i++)
        lower.text[i] = (char)tolower((unsigned char)name[i]);
    const char *p = skip_label(lower.text);
    while (p && *p == '.')
        p = skip_label(p + 1);
    return p && add(to, &lower);
}

bool cert_add_ip(struct cert_names *to, const void *address, size_t n) {
    struct cert_name ip = {.ip = (uint8_t)n};
    if (n != 4 && n != 16)
        return false;
    memcpy(ip.text, address, n);
    return add(to, &ip);
}

bool cert_permits(const struct cert_names *permit, const struct cert_name *name) {
    if (name->ip)
        return true;
    size_t n = strlen(name->text);
    for (unsigned i = 0; i < permit->n; i++) {
        size_t k = strlen(permit->name[i].text);
        if (!permit->name[i].ip && k <= n &&
            strcmp(name->text + n - k, permit->name[i].text) == 0 &&
            (k == n || name->text[n - k - 1] == '.'))
            return true;
    }
    return false;
}

/* ---- writing ---- */

/* What a certificate is made from. */
struct draft {
    mbedtls_x509write_cert crt;
    mbedtls_pk_context key, ca_key;
};

static int draft_init(struct draft *d) {
    mbedtls_x509write_crt_init(&d->crt);
    mbedtls_pk_init(&d->key);
    mbedtls_pk_init(&d->ca_key);
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -EIO;
}

static void draft_free(struct draft *d) {
    mbedtls_x509write_crt_free(&d->crt);
    mbedtls_pk_free(&d->key);
    mbedtls_pk_free(&d->ca_key);
}

static int new_key(mbedtls_pk_context *key) {
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (rc == 0)
        rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                                 mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    return our_rc(rc);
}

/* "20260131235959", as mbedTLS wants times. */
static int time_text(int64_t at_s, char out[16]) {
    time_t t = (time_t)at_s;
    struct tm tm;
    bool ok = (int64_t)t == at_s && gmtime_r(&t, &tm) && tm.tm_year + 1900 <= 9999;
    return ok && strftime(out, 16, "%Y%m%d%H%M%S", &tm) == 14 ? 0 : -EINVAL;
}

static int set_span(struct draft *d, struct cert_span span) {
    char from[16], to[16];
    if (time_text(span.from_s, from) != 0 || time_text(span.to_s, to) != 0)
        return -EINVAL;
    return our_rc(mbedtls_x509write_crt_set_validity(&d->crt, from, to));
}

/* Positive, and as long as it says (X.690 8.3.2). */
static int set_serial(struct draft *d) {
    uint8_t serial[SERIAL_BYTES];
    if (psa_generate_random(serial, sizeof serial) != PSA_SUCCESS)
        return -EIO;
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    return our_rc(mbedtls_x509write_crt_set_serial_raw(&d->crt, serial, sizeof serial));
}

/* GeneralSubtree ::= SEQUENCE { base [2] IA5String }, before *p. */
static int put_subtree(uint8_t **p, uint8_t *start, const char *name) {
    int len = 0, ret;
    size_t n = strlen(name);
    MBEDTLS_ASN1_CHK_ADD(
        len, mbedtls_asn1_write_raw_buffer(p, start, (const uint8_t *)name, n));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_len(p, start, n));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_tag(p, start, TAG_DNS));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_len(p, start, (size_t)len));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_tag(p, start, SEQUENCE));
    return len;
}

static int put_constraints(uint8_t **p, uint8_t *start,
                           const struct cert_names *permit) {
    int len = 0, ret;
    for (unsigned i = permit->n; i-- > 0;) {
        if (!permit->name[i].ip)
            MBEDTLS_ASN1_CHK_ADD(len, put_subtree(p, start, permit->name[i].text));
    }
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_len(p, start, (size_t)len));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_tag(p, start, TAG_PERMITTED));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_len(p, start, (size_t)len));
    MBEDTLS_ASN1_CHK_ADD(len, mbedtls_asn1_write_tag(p, start, SEQUENCE));
    return len;
}

static int set_constraints(struct draft *d, const struct cert_names *permit) {
    uint8_t der[CERT_NAMES_MAX * 16 + 16 * CERT_NAME_MAX], *p = der + sizeof der;
    int n = put_constraints(&p, der, permit);
    if (n < 0)
        return -EINVAL;
    /* Critical, as the RFC has it: who does not know them must not trust us. */
    return our_rc(mbedtls_x509write_crt_set_extension(
        &d->crt, MBEDTLS_OID_NAME_CONSTRAINTS,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_NAME_CONSTRAINTS), 1, p, (size_t)n));
}

static int set_server_names(struct draft *d, const struct cert_names *names) {
    mbedtls_x509_san_list list[CERT_NAMES_MAX] = {0};
    for (unsigned i = 0; i < names->n; i++) {
        const struct cert_name *name = &names->name[i];
        list[i].node.type =
            name->ip ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
        list[i].node.san.unstructured_name.p = (uint8_t *)(uintptr_t)name->text;
        list[i].node.san.unstructured_name.len =
            name->ip ? name->ip : strlen(name->text);
        list[i].next = i > 0 ? &list[i - 1] : NULL; /* mbedTLS writes from the end */
    }
    if (names->n == 0)
        return -EINVAL;
    return our_rc(mbedtls_x509write_crt_set_subject_alternative_name(
        &d->crt, &list[names->n - 1]));
}

/* Uses of the key, and whose it is. */
static int set_uses(struct draft *d, bool ca) {
    mbedtls_asn1_sequence server = {
        .buf = {MBEDTLS_ASN1_OID, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH),
                (uint8_t *)(uintptr_t)MBEDTLS_OID_SERVER_AUTH}};
    unsigned use =
        ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    int rc =
        mbedtls_x509write_crt_set_basic_constraints(&d->crt, ca ? 1 : 0, ca ? 0 : -1);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_key_usage(&d->crt, use);
    if (rc == 0 && !ca)
        rc = mbedtls_x509write_crt_set_ext_key_usage(&d->crt, &server);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_subject_key_identifier(&d->crt);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_authority_key_identifier(&d->crt);
    return our_rc(rc);
}

/* Signs. The key's text goes first when it shares pem with the certificate's. */
static int finish(struct draft *d, char *key, char *crt, size_t cap) {
    int rc = mbedtls_pk_write_key_pem(&d->key, (uint8_t *)key, cap);
    if (rc == 0 && key == crt) {
        size_t n = strlen(key);
        crt += n;
        cap -= n;
    }
    if (rc == 0)
        rc =
            mbedtls_x509write_crt_pem(&d->crt, (uint8_t *)crt, cap,
                                      mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    return our_rc(rc);
}

static int set_subject(struct draft *d, const char *cn, bool issuer) {
    char name[CERT_NAME_MAX + 32];
    snprintf(name, sizeof name, "O=Pulseboard,CN=%.64s", cn); /* RFC 5280 ub */
    int rc = mbedtls_x509write_crt_set_subject_name(&d->crt, name);
    if (rc == 0 && issuer)
        rc = mbedtls_x509write_crt_set_issuer_name(&d->crt, name);
    return our_rc(rc);
}

int cert_ca_new(const struct cert_names *permit, const char *label,
                struct cert_span span, char crt[CERT_PEM_MAX], char key[CERT_PEM_MAX]) {
    struct draft d;
    int rc = draft_init(&d);
    if (rc == 0)
        rc = new_key(&d.key);
    mbedtls_x509write_crt_set_md_alg(&d.crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&d.crt, &d.key);
    mbedtls_x509write_crt_set_issuer_key(&d.crt, &d.key);
    if (rc == 0)
        rc = set_subject(&d, label, true);
    if (rc == 0)
        rc = set_span(&d, span);
    if (rc == 0)
        rc = set_serial(&d);
    if (rc == 0)
        rc = set_uses(&d, true);
    if (rc == 0)
        rc = set_constraints(&d, permit);
    if (rc == 0)
        rc = finish(&d, key, crt, CERT_PEM_MAX);
    draft_free(&d);
    return rc;
}

/* ---- reading ---- */

static int64_t seconds(const mbedtls_x509_time *t) {
    /* Days from civil, in the proleptic Gregorian calendar; March begins the year. */
    int64_t y = t->year - (t->mon <= 2), era = y / 400, in_era = y - era * 400;
    int64_t in_year = (153 * (t->mon + (t->mon > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
    int64_t day = era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year;
    return (day - 719468) * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

/* mbedTLS does not know name constraints and would refuse a CA of ours. */
static int read_extension(void *arg, const mbedtls_x509_crt *crt,
                          const mbedtls_x509_buf *oid, int critical, const uint8_t *p,
                          const uint8_t *end) {
    struct cert_names *permit = arg;
    uint8_t *at = (uint8_t *)(uintptr_t)p;
    size_t n;
    (void)crt;
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_NAME_CONSTRAINTS, oid) != 0)
        return critical ? MBEDTLS_ERR_X509_INVALID_EXTENSIONS : 0;
    if (mbedtls_asn1_get_tag(&at, end, &n, SEQUENCE) != 0 || at + n != end ||
        mbedtls_asn1_get_tag(&at, end, &n, TAG_PERMITTED) != 0 || at + n != end)
        return MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
    while (at < end) {
        char name[CERT_NAME_MAX];
        if (mbedtls_asn1_get_tag(&at, end, &n, SEQUENCE) != 0 ||
            mbedtls_asn1_get_tag(&at, end, &n, TAG_DNS) != 0 || n >= sizeof name)
            return MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
        memcpy(name, at, n);
        name[n] = '\0';
        at += n;
        if (permit && !cert_add_dns(permit, name))
            return MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
    }
    return 0;
}

/* The first certificate of a text; a CA of ours as well as any other. */
static int parse(mbedtls_x509_crt *crt, const char *pem, struct cert_names *permit) {
    mbedtls_pem_context text;
    size_t used;
    mbedtls_x509_crt_init(crt);
    mbedtls_pem_init(&text);
    int rc = mbedtls_pem_read_buffer(&text, "-----BEGIN CERTIFICATE-----",
                                     "-----END CERTIFICATE-----", (const uint8_t *)pem,
                                     NULL, 0, &used);
    if (rc == 0) {
        size_t n;
        const uint8_t *der = mbedtls_pem_get_buffer(&text, &n);
        rc = mbedtls_x509_crt_parse_der_with_ext_cb(crt, der, n, 1, read_extension,
                                                    permit);
    }
    mbedtls_pem_free(&text);
    if (rc != 0)
        mbedtls_x509_crt_free(crt);
    return our_rc(rc);
}

/* What is not a name as we write them is passed over: wildcards, say. */
static void read_names(const mbedtls_x509_crt *crt, struct cert_names *out) {
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s; s = s->next) {
        char name[CERT_NAME_MAX];
        if (s->buf.tag == TAG_IP)
            cert_add_ip(out, s->buf.p, s->buf.len);
        if (s->buf.tag != TAG_DNS || s->buf.len >= sizeof name)
            continue;
        memcpy(name, s->buf.p, s->buf.len);
        name[s->buf.len] = '\0';
        cert_add_dns(out, name);
    }
}

static void read_subject(const mbedtls_x509_crt *crt, char out[65]) {
    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) != 0)
            continue;
        size_t k = n->val.len < 64 ? n->val.len : 64;
        for (size_t i = 0; i < k; i++)
            out[i] =
                n->val.p[i] >= 0x20 && n->val.p[i] < 0x7f ? (char)n->val.p[i] : '?';
        out[k] = '\0';
    }
}

int cert_read(const char *pem, struct cert_facts *out) {
    mbedtls_x509_crt crt;
    *out = (struct cert_facts){0};
    int rc = parse(&crt, pem, &out->names);
    if (rc != 0)
        return rc;
    out->span = (struct cert_span){seconds(&crt.valid_from), seconds(&crt.valid_to)};
    out->ca = mbedtls_x509_crt_get_ca_istrue(&crt) == 1;
    if (crt.subject_alt_names.buf.p) {
        out->names.n = 0;
        read_names(&crt, &out->names);
    }
    read_subject(&crt, out->subject);
    rc = mbedtls_sha256(crt.raw.p, crt.raw.len, out->sha256, 0);
    if (crt.raw.len <= sizeof out->der) {
        out->der_n = crt.raw.len;
        memcpy(out->der, crt.raw.p, crt.raw.len);
    }
    mbedtls_x509_crt_free(&crt);
    return our_rc(rc);
}

/* Did the key of `by` sign it? Times are not looked at. */
static bool signed_by(const mbedtls_x509_crt *crt, mbedtls_x509_crt *by) {
    uint8_t sum[32];
    if (crt->issuer_raw.len != by->subject_raw.len ||
        memcmp(crt->issuer_raw.p, by->subject_raw.p, by->subject_raw.len) != 0)
        return false;
    return mbedtls_sha256(crt->tbs.p, crt->tbs.len, sum, 0) == 0 &&
           mbedtls_pk_verify(&by->pk, MBEDTLS_MD_SHA256, sum, sizeof sum,
                             crt->MBEDTLS_PRIVATE(sig).p,
                             crt->MBEDTLS_PRIVATE(sig).len) == 0;
}

bool cert_signed_by(const char *pem, const char *ca_crt) {
    mbedtls_x509_crt crt, ca;
    if (parse(&crt, pem, NULL) != 0)
        return false;
    bool is = false;
    if (parse(&ca, ca_crt, NULL) == 0) {
        is = signed_by(&crt, &ca);
        mbedtls_x509_crt_free(&ca);
    }
    mbedtls_x509_crt_free(&crt);
    return is;
}

static int parse_key(mbedtls_pk_context *key, const char *pem) {
    return our_rc(mbedtls_pk_parse_key(key, (const uint8_t *)pem, strlen(pem) + 1, NULL,
                                       0, mbedtls_psa_get_random,
                                       MBEDTLS_PSA_RANDOM_STATE));
}

bool cert_fits(const char *crt, const char *key) {
    mbedtls_x509_crt c;
    mbedtls_pk_context k;
    if (psa_crypto_init() != PSA_SUCCESS || parse(&c, crt, NULL) != 0)
        return false;
    mbedtls_pk_init(&k);
    bool is = parse_key(&k, key) == 0 &&
              mbedtls_pk_check_pair(&c.pk, &k, mbedtls_psa_get_random,
                                    MBEDTLS_PSA_RANDOM_STATE) == 0;
    mbedtls_pk_free(&k);
    mbedtls_x509_crt_free(&c);
    return is;
}

/* ---- the leaf ---- */

static const char *subject_of(const struct cert_names *names) {
    for (unsigned i = 0; i < names->n; i++) {
        if (!names->name[i].ip && strlen(names->name[i].text) <= 64)
            return names->name[i].text;
    }
    return "Pulseboard";
}

/* The issuer's name, in the very bytes of the CA. */
static int set_issuer(struct draft *d, const char *ca_crt) {
    char name[256];
    mbedtls_x509_crt ca;
    int rc = parse(&ca, ca_crt, NULL);
    if (rc != 0)
        return rc;
    rc = mbedtls_x509_dn_gets(name, sizeof name, &ca.subject);
    if (rc >= 0)
        rc = mbedtls_x509write_crt_set_issuer_name(&d->crt, name);
    mbedtls_x509_crt_free(&ca);
    return our_rc(rc);
}

int cert_leaf_new(const char *ca_crt, const char *ca_key,
                  const struct cert_names *names, struct cert_span span,
                  char pem[CERT_PEM_MAX]) {
    struct draft d;
    int rc = draft_init(&d);
    if (rc == 0)
        rc = parse_key(&d.ca_key, ca_key);
    if (rc == 0)
        rc = new_key(&d.key);
    mbedtls_x509write_crt_set_md_alg(&d.crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&d.crt, &d.key);
    mbedtls_x509write_crt_set_issuer_key(&d.crt, &d.ca_key);
    if (rc == 0)
        rc = set_subject(&d, subject_of(names), false);
    if (rc == 0)
        rc = set_issuer(&d, ca_crt);
    if (rc == 0)
        rc = set_span(&d, span);
    if (rc == 0)
        rc = set_serial(&d);
    if (rc == 0)
        rc = set_uses(&d, false);
    if (rc == 0)
        rc = set_server_names(&d, names);
    if (rc == 0)
        rc = finish(&d, pem, pem, CERT_PEM_MAX);
    draft_free(&d);
    return rc;
}

/* ---- somebody else's ---- */

static int against(char *why, size_t cap, const char *what) {
    snprintf(why, cap, "%s", what);
    return -EINVAL;
}

int cert_judge(const char *pem, int64_t now_s, char *why, size_t cap) {
    mbedtls_x509_crt chain;
    mbedtls_x509_crt_init(&chain);
    int rc = mbedtls_x509_crt_parse(&chain, (const uint8_t *)pem, strlen(pem) + 1);
    if (rc != 0)
        rc = against(why, cap, "There is no usable certificate in it.");
    else if (seconds(&chain.valid_to) <= now_s)
        rc = against(why, cap, "The certificate has expired.");
    else if (chain.next && mbedtls_x509_crt_get_ca_istrue(&chain) == 1)
        rc = against(why, cap, "The server's own certificate must come first.");
    for (mbedtls_x509_crt *c = &chain; rc == 0 && c->next; c = c->next) {
        if (c->issuer_raw.len != c->next->subject_raw.len ||
            memcmp(c->issuer_raw.p, c->next->subject_raw.p, c->issuer_raw.len) != 0)
            rc = against(why, cap,
                         "The chain is not in order: each certificate must be "
                         "followed by the one that signed it.");
    }
    mbedtls_x509_crt_free(&chain);
    return rc;
}
