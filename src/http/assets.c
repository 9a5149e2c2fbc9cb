#include "http/assets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/sha256.h>

#include "base/blocks.h"
#include "http/field.h"
#include "http/httpd.h"
#include "http/inflate.h"

/* NAME[0 .. NAME_end) are the bytes of a file. */
#define EMBED(name, file)                                                              \
    __asm__(".pushsection .rodata\n"                                                   \
            ".global " #name "\n.balign 16\n" #name ":\n"                              \
            ".incbin \"" PULSEBOARD_PAGE_DIR "/" file "\"\n"                           \
            ".global " #name "_end\n" #name "_end:\n"                                  \
            ".popsection\n");                                                          \
    extern const uint8_t name[], name##_end[]

EMBED(assets_gzip, "index.html.gz");
EMBED(assets_csp, "csp.txt");
#define GZIP_BYTES ((size_t)(assets_gzip_end - assets_gzip))

EMBED(assets_de, "de.json");
EMBED(assets_fr, "fr.json");

/* Words in other languages than the page's own; a browser asks for the one it speaks.
 */
static const struct {
    const char *name;
    const uint8_t *from, *to;
} languages[] = {
    {"de.json", assets_de, assets_de_end},
    {"fr.json", assets_fr, assets_fr_end},
};

/* Each representation has a tag of its own (RFC 9110 8.8.1); both come from the same
 * bytes. */
static void tag(char out[24], const uint8_t *from, const uint8_t *to, const char *end) {
    uint8_t sum[32];
    mbedtls_sha256(from, (size_t)(to - from), sum, 0);
    char *p = out;
    *p++ = '"';
    for (int i = 0; i < 8; i++)
        p += sprintf(p, "%02x", sum[i]);
    sprintf(p, "%s\"", end);
}

int assets_init(struct assets *a) {
    tag(a->etag[0], assets_gzip, assets_gzip_end, "p");
    tag(a->etag[1], assets_gzip, assets_gzip_end, "");
    /* One line; what follows it is not ours to send in a header. */
    snprintf(a->csp, sizeof(a->csp), "%.*s", (int)(assets_csp_end - assets_csp),
             (const char *)assets_csp);
    a->csp[strcspn(a->csp, "\r\n")] = '\0';
    pthread_mutex_init(&a->lock, NULL);
    a->unpacked = false;
    a->plain_n = inflate_size(assets_gzip, GZIP_BYTES);
    a->plain = pages_take(a->plain_n);
    return a->plain ? 0 : -ENOMEM;
}

void assets_free(struct assets *a) {
    pages_give(a->plain, a->plain_n);
    pthread_mutex_destroy(&a->lock);
}

/* It is the same for good from then on. */
static const uint8_t *unpack(struct assets *a) {
    pthread_mutex_lock(&a->lock);
    if (!a->unpacked)
        a->unpacked = inflate_gzip(assets_gzip, GZIP_BYTES, a->plain, a->plain_n) == 0;
    const uint8_t *plain = a->unpacked ? a->plain : NULL;
    pthread_mutex_unlock(&a->lock);
    return plain;
}

void assets_page(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    struct assets *a = httpd_assets(rq->httpd);
    char accept[256], known[512], extra[128];
    /* Too long to be read is the same as not there: the plain page is always right. */
    if (head_join(rq->head, "Accept-Encoding", accept, sizeof(accept)) < 0)
        accept[0] = '\0';
    if (head_join(rq->head, "If-None-Match", known, sizeof(known)) < 0)
        known[0] = '\0';
    bool gzip = field_takes_gzip(accept);
    bool same = field_names_etag(known, a->etag[gzip]);
    snprintf(extra, sizeof(extra), "%sETag: %s\r\nVary: Accept-Encoding\r\n",
             gzip && !same ? "Content-Encoding: gzip\r\n" : "", a->etag[gzip]);
    const uint8_t *page = gzip || same ? assets_gzip : unpack(a);
    if (!page) {
        httpd_problem(rq, 500, NULL, NULL);
        return;
    }
    httpd_reply(rq, &(struct reply){
                        .status = same ? 304 : 200,
                        .type = same ? NULL : "text/html; charset=utf-8",
                        .cache = "no-cache",
                        .csp = a->csp,
                        .extra = extra,
                        .body = page,
                        .n = same   ? 0
                             : gzip ? GZIP_BYTES
                                    : a->plain_n,
                        .lasting = true,
                    });
}

void assets_messages(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (strcmp(rq->tail, languages[i].name) == 0) {
            httpd_reply(rq, &(struct reply){
                                .status = 200,
                                .type = "application/json",
                                .cache = "no-cache",
                                .body = languages[i].from,
                                .n = (size_t)(languages[i].to - languages[i].from),
                                .lasting = true,
                            });
            return;
        }
    httpd_problem(rq, 404, NULL, "There is no such language.");
}
