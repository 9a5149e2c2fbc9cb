// link: http
/* A request head as it comes from the wire, through everything that looks at it before
 * a session is opened: the parts of http/ that are pure, and CivetWeb's own parser,
 * which must accept whatever ours does.
 *
 * Input: the bytes of a connection. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/civet.h"
#include "http/field.h"
#include "http/head.h"
#include "http/hosts.h"
#include "http/upgrade.h"
#include "http/uri.h"
#include "proto/handshake.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the head ends; the same whole and byte by byte. */
static ssize_t find_end(const char *p, size_t n) {
    size_t scanned = 0;
    ssize_t whole = head_end(p, n, &scanned), rc = 0;
    scanned = 0;
    for (size_t i = 1; rc == 0 && i <= n; i++)
        rc = head_end(p, i, &scanned);
    CHECK(rc == whole);
    return whole;
}

static void inside(struct slice s, const char *p, size_t n) {
    CHECK(s.n == 0 || (s.p >= p && s.p + s.n <= p + n));
}

static void check_slices(const struct head *h, const char *p, size_t n) {
    inside(h->path, p, n);
    inside(h->query, p, n);
    inside(h->authority, p, n);
    CHECK(h->n_fields <= HEAD_FIELDS_MAX);
    for (unsigned i = 0; i < h->n_fields; i++) {
        inside(h->fields[i].name, p, n);
        inside(h->fields[i].value, p, n);
        CHECK(h->fields[i].name.n > 0);
    }
}

static void joined(const struct head *h, const char *name, char *out, size_t cap) {
    if (head_join(h, name, out, cap) < 0)
        out[0] = '\0';
    CHECK(strlen(out) < cap);
}

static void look_at(const struct head *h) {
    char path[64], value[64], key[64], upgrade[64], accept[29];
    struct slice host = {"", 0}, origin = {"", 0};
    struct handoff_hello hello = {.role = 0};
    static struct hosts ours;
    if (!ours.self[0])
        hosts_init(&ours, NULL, 0, false);
    if (head_get(h, "Host", &host))
        hosts_check(&ours, host);
    /* What may pass as ours is one name that a browser would have connected to. */
    if (head_get(h, "Origin", &origin) && hosts_same(origin, host))
        CHECK(hosts_check(&ours, host) != -22);
    if (uri_decode(h->path, path, sizeof path) == 0)
        CHECK(strlen(path) <= h->path.n);
    upgrade_resume(h->query, &hello);
    joined(h, "Accept-Encoding", value, sizeof value);
    field_takes_gzip(value);
    joined(h, "If-None-Match", value, sizeof value);
    field_names_etag(value, "\"0123456789abcdef\"");
    joined(h, "Sec-WebSocket-Key", key, sizeof key);
    joined(h, "Upgrade", upgrade, sizeof upgrade);
    joined(h, "Connection", value, sizeof value);
    if (ws_offer_check(&(struct ws_offer){upgrade, value, "13", key}) == WS_OFFER_OK) {
        upgrade_accept(key, accept);
        CHECK(strlen(accept) == 28);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > HEAD_BYTES_MAX)
        return 0;
    char *p = malloc(size + 1);
    memcpy(p, data, size);
    ssize_t end = find_end(p, size);
    if (end > 0) {
        static struct head h;
        size_t n = (size_t)end;
        int rc = head_parse(&h, p, n);
        CHECK(rc == 0 || (rc >= 400 && rc <= 505 && h.why));
        check_slices(&h, p, n);
        if (rc == 0) {
            look_at(&h);
            CHECK(h.authority.n || civet_accepts(p, n));
        }
    }
    free(p);
    return 0;
}
