#pragma once
/* X.509 certificates (RFC 5280): a CA that a device makes for itself, the leaf that it
 * serves TLS with, and what stands in one that exists. P-256 and SHA-256 throughout.
 * No files, no clock, no state: any thread. Memory comes from the heap while a call
 * lasts. Errors are 0 or -errno: -EINVAL, the text makes no sense; -ENOMEM; -EIO, no
 * randomness. Random numbers are those of PSA, which tls_ctx_new() starts too. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key and a certificate with as many names as fit, as PEM. */
#define CERT_PEM_MAX 6144u
#define CERT_DER_MAX 3072u
#define CERT_NAMES_MAX 40u
#define CERT_NAME_MAX 128u /* bytes of a DNS name, with its NUL */

struct cert_name {
    uint8_t ip; /* bytes of an address, 4 or 16; 0: it is a DNS name */
    char text[CERT_NAME_MAX];
};

struct cert_names {
    unsigned n;
    struct cert_name name[CERT_NAMES_MAX];
};

/* Appends, once each. False: it is no DNS name (RFC 1123 2.1, in any case; kept in
 * small letters), or there is no room. */
bool cert_add_dns(struct cert_names *to, const char *name);
bool cert_add_ip(struct cert_names *to, const void *address, size_t n);
bool cert_has(const struct cert_names *in, const struct cert_name *name);

/* Seconds since 1970. */
struct cert_span {
    int64_t from_s, to_s;
};

/* A CA that may sign servers only (path length 0), and those only for DNS names at or
 * below the permitted ones; addresses are free. Name constraints (RFC 5280 4.2.1.10)
 * are the reason why somebody who trusts this device need not fear that its key,
 * stolen, speaks for a bank. label: for people; the common name. */
int cert_ca_new(const struct cert_names *permit, const char *label,
                struct cert_span span, char crt[CERT_PEM_MAX], char key[CERT_PEM_MAX]);
/* May a CA with these constraints sign for it? Then so says the leaf's verifier. */
bool cert_permits(const struct cert_names *permit, const struct cert_name *name);

/* A server's certificate with a key of its own, both into pem. names: at least one; the
 * first DNS name becomes the subject, too. */
int cert_leaf_new(const char *ca_crt, const char *ca_key,
                  const struct cert_names *names, struct cert_span span,
                  char pem[CERT_PEM_MAX]);

/* What the first certificate of a PEM text says. */
struct cert_facts {
    struct cert_span span;
    struct cert_names names; /* alternative ones; without, what a CA permits */
    bool ca;
    char subject[65]; /* its common name; what is not ASCII is '?' */
    uint8_t sha256[32];
    size_t der_n; /* 0: it is longer than CERT_DER_MAX */
    uint8_t der[CERT_DER_MAX];
};
int cert_read(const char *pem, struct cert_facts *out);

/* Is the first certificate of pem this CA's work? */
bool cert_signed_by(const char *pem, const char *ca_crt);
/* Does the key belong to the first certificate of crt? */
bool cert_fits(const char *crt, const char *key);

/* What speaks against serving this chain now, besides what tls_ctx_reload() finds
 * wrong: 0, or -EINVAL and a sentence. */
int cert_judge(const char *pem, int64_t now_s, char *why, size_t cap);
