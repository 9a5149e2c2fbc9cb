#pragma once
/* The page that explains how to trust this device's CA. Pure, any thread. */
#include <stddef.h>

/* What stands in its places. HTML-safe as it is: names are letters, digits, '-', '.',
 * and blanks. */
struct trust_page {
    const char *name;   /* of the CA */
    const char *sha256; /* "AB:CD:…" */
    const char *https;  /* where this device answers over TLS, a URL */
};

/* Bytes written, 0: it does not fit. */
size_t trust_page(const struct trust_page *p, char *out, size_t cap);

/* The policy that fits it: no script, no style but its own (CSP 3, 2.3.1). */
#define TRUST_CSP_MAX 192u
const char *trust_csp(char out[TRUST_CSP_MAX]);
