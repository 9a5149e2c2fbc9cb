#include "app/trust.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/sha256.h>

/* The file as it is, with a NUL behind it. */
__asm__(".pushsection .rodata\n"
        ".global trust_html\ntrust_html:\n"
        ".incbin \"" PULSEBOARD_TRUST_HTML "\"\n.byte 0\n"
        ".popsection\n");
extern const char trust_html[];

/* A place is {{WORD}}; what comes in its stead, or NULL for a word that is none. */
static const char *fill(const struct trust_page *p, const char *word, size_t n) {
    const struct {
        const char *word, *text;
    } places[] = {{"NAME", p->name}, {"SHA256", p->sha256}, {"HTTPS", p->https}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strlen(places[i].word) == n && memcmp(places[i].word, word, n) == 0)
            return places[i].text;
    }
    return NULL;
}

/* Appends while it fits; *n counts on when it does not. */
static void put(char *out, size_t cap, size_t *n, const char *text, size_t k) {
    if (*n + k <= cap)
        memcpy(out + *n, text, k);
    *n += k;
}

size_t trust_page(const struct trust_page *p, char *out, size_t cap) {
    const char *at = trust_html, *open;
    size_t n = 0;
    while ((open = strstr(at, "{{")) != NULL) {
        size_t word_n = strcspn(open + 2, "}");
        const char *text = fill(p, open + 2, word_n);
        put(out, cap, &n, at, (size_t)(open - at));
        if (text)
            put(out, cap, &n, text, strlen(text));
        at = open + 2 + word_n + 2;
    }
    put(out, cap, &n, at, strlen(at));
    return n <= cap ? n : 0;
}

const char *trust_csp(char out[TRUST_CSP_MAX]) {
    static const char begin[] = "<style>", end[] = "</style>";
    const char *css = strstr(trust_html, begin) + sizeof begin - 1;
    uint8_t sum[32];
    char text[48];
    size_t n = 0;
    mbedtls_sha256((const uint8_t *)css, (size_t)(strstr(css, end) - css), sum, 0);
    mbedtls_base64_encode((uint8_t *)text, sizeof text, &n, sum, sizeof sum);
    snprintf(out, TRUST_CSP_MAX,
             "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; "
             "form-action 'none'; frame-ancestors 'none'",
             (int)n, text);
    return out;
}
