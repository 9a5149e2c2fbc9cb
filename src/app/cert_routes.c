#include "app/cert_routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/platform_util.h>

#include "app/identity.h"
#include "app/routes.h"
#include "app/trust.h"
#include "base/clock.h"
#include "base/jsonw.h"

struct room {
    struct identity_view view;
    char text[16 * 1024];
};
_Static_assert(sizeof(struct room) <= CERT_ROUTES_BYTES, "composing takes more");

/* NULL: this program serves no TLS, and said so. */
static struct identity *identity_of(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    if (!r->identity)
        httpd_problem(rq, 404, NULL, "This device serves no HTTPS.");
    return r->identity;
}

static struct room *look(void *ctx, struct httpd_rq *rq) {
    size_t cap;
    struct identity *id = identity_of(ctx, rq);
    if (!id)
        return NULL;
    struct room *room = (void *)httpd_body(rq, &cap);
    identity_look(id, &room->view);
    return room;
}

/* ---- the CA ---- */

static size_t as_pem(const struct cert_facts *ca, char *out, size_t cap) {
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    static const char end[] = "-----END CERTIFICATE-----\n";
    char line[72];
    size_t n = sizeof begin - 1;
    memcpy(out, begin, n);
    for (size_t at = 0; at < ca->der_n; at += 48) {
        size_t k = ca->der_n - at < 48 ? ca->der_n - at : 48, len = 0;
        mbedtls_base64_encode((uint8_t *)line, sizeof line, &len, ca->der + at, k);
        if (n + len + 1 + sizeof end > cap)
            return 0;
        memcpy(out + n, line, len);
        n += len;
        out[n++] = '\n';
    }
    memcpy(out + n, end, sizeof end - 1);
    return n + sizeof end - 1;
}

/* DER, which every system takes; with ?format=pem the same as text. */
void cert_routes_ca(void *ctx, struct httpd_rq *rq) {
    struct room *room = look(ctx, rq);
    if (!room)
        return;
    const struct cert_facts *ca = &room->view.ca;
    if (!room->view.has_ca) {
        httpd_problem(rq, 404, NULL,
                      "This device uses a certificate of its owner, and has no CA.");
        return;
    }
    bool pem = slice_is(rq->head->query, "format=pem");
    size_t n = pem ? as_pem(ca, room->text, sizeof room->text) : ca->der_n;
    httpd_reply(
        rq, &(struct reply){
                .status = 200,
                .type = pem ? "application/x-pem-file" : "application/x-x509-ca-cert",
                .extra = pem ? "Content-Disposition: attachment; "
                               "filename=\"pulseboard-ca.pem\"\r\n"
                             : "Content-Disposition: attachment; "
                               "filename=\"pulseboard-ca.crt\"\r\n",
                .body = pem ? (const void *)room->text : ca->der,
                .n = n,
            });
}

/* The page; it names the host by which it was asked for. */
void cert_routes_trust(void *ctx, struct httpd_rq *rq) {
    struct room *room = look(ctx, rq);
    char print[IDENTITY_PRINT_MAX], https[320], csp[TRUST_CSP_MAX];
    if (!room)
        return;
    if (!room->view.has_ca) {
        httpd_problem(rq, 404, NULL,
                      "This device uses a certificate of its owner, and has no CA.");
        return;
    }
    const struct trust_page page = {
        .name = room->view.ca.subject,
        .sha256 = identity_print(print, room->view.ca.sha256),
        .https = httpd_over_tls(rq, https, sizeof https) ? https : "/",
    };
    size_t n = trust_page(&page, room->text, sizeof room->text);
    if (n == 0)
        httpd_problem(rq, 500, NULL, "The answer does not fit its buffer.");
    else
        httpd_reply(rq, &(struct reply){.status = 200,
                                        .type = "text/html; charset=utf-8",
                                        .csp = trust_csp(csp),
                                        .body = room->text,
                                        .n = n});
}

/* ---- what is in use ---- */

static void put_sha256(struct jsonw *w, const char *key, const uint8_t sum[32]) {
    char hex[65];
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    jsonw_str(w, key, hex);
}

static void put_facts(struct jsonw *w, const struct cert_facts *f) {
    put_sha256(w, "sha256", f->sha256);
    jsonw_i64(w, "not_before", f->span.from_s);
    jsonw_i64(w, "not_after", f->span.to_s);
}

static void put_names(struct jsonw *w, const struct cert_names *names) {
    char text[INET6_ADDRSTRLEN];
    jsonw_arr(w, "names");
    for (unsigned i = 0; i < names->n; i++) {
        const struct cert_name *name = &names->name[i];
        int family = name->ip == 4 ? AF_INET : AF_INET6;
        jsonw_str(w, NULL,
                  name->ip ? inet_ntop(family, name->text, text, sizeof text)
                           : name->text);
    }
    jsonw_arr_end(w);
}

static void answer_view(struct httpd_rq *rq, struct room *room) {
    const struct identity_view *v = &room->view;
    struct jsonw w;
    jsonw_init(&w, room->text, sizeof room->text);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "kind", identity_kind_name(v->kind));
    put_facts(&w, &v->served);
    put_names(&w, &v->served.names);
    if (v->has_ca) {
        jsonw_obj(&w, "ca");
        put_facts(&w, &v->ca);
        jsonw_obj_end(&w);
    }
    jsonw_obj_end(&w);
    size_t n = jsonw_end(&w);
    if (n == 0)
        httpd_problem(rq, 500, NULL, "The answer does not fit its buffer.");
    else
        httpd_reply(rq, &(struct reply){.status = 200,
                                        .type = "application/json",
                                        .body = room->text,
                                        .n = n});
}

void cert_routes_show(void *ctx, struct httpd_rq *rq) {
    struct room *room = look(ctx, rq);
    if (room)
        answer_view(rq, room);
}

/* ---- the owner's ---- */

static void refuse(struct httpd_rq *rq, int rc, const char *why) {
    switch (rc) {
    case -EINVAL:
        httpd_problem(rq, 422, NULL, why);
        break;
    case -EBUSY:
        httpd_problem(rq, 409, NULL, "The configuration names a file (tls_pem).");
        break;
    case -ENOENT:
        httpd_problem(rq, 404, NULL, "No certificate was installed.");
        break;
    default:
        httpd_problem(rq, 500, NULL, why[0] ? why : strerror(-rc));
    }
}

static void answer_now(struct identity *id, struct httpd_rq *rq) {
    size_t cap;
    struct room *room = (void *)httpd_body(rq, &cap);
    identity_look(id, &room->view);
    answer_view(rq, room);
}

/* Chain and key in one text, leaf first, as in tls_pem. */
void cert_routes_install(void *ctx, struct httpd_rq *rq) {
    struct identity *id = identity_of(ctx, rq);
    char why[200];
    size_t cap, n;
    if (!id)
        return;
    char *pem = httpd_body(rq, &cap);
    cap = cap < TLS_PEM_MAX ? cap : TLS_PEM_MAX;
    if (httpd_read(rq, pem, cap - 1, &n) != 0)
        return;
    pem[n] = '\0';
    int rc = memchr(pem, '\0', n)
                 ? -EINVAL
                 : identity_install(id, pem, clock_wall_ms() / 1000, why, sizeof why);
    if (memchr(pem, '\0', n))
        snprintf(why, sizeof why, "This is not a text.");
    mbedtls_platform_zeroize(pem, n);
    if (rc == 0)
        answer_now(id, rq);
    else
        refuse(rq, rc, why);
}

void cert_routes_remove(void *ctx, struct httpd_rq *rq) {
    struct identity *id = identity_of(ctx, rq);
    char why[200];
    if (!id)
        return;
    int rc = identity_remove(id, why, sizeof why);
    if (rc == 0)
        answer_now(id, rq);
    else
        refuse(rq, rc, why);
}
