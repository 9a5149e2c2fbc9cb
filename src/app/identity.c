#include "app/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mbedtls/platform_util.h>

#include "base/log.h"
#include "base/savefile.h"

#define DAY_S 86400
/* Apple and Chrome refuse more than 398 days of a server; the bounds count as well. */
#define LEAF_S (397LL * DAY_S - 1)
/* What peers' clocks may be behind ours. */
#define BACKDATE_S (2LL * DAY_S)
/* A CA is trusted by hand, so it lasts as long as a board may. */
#define CA_S (25LL * 365 * DAY_S)
/* Addresses that were ours a while ago stay in a leaf that is made for a new one, up to
 * this many names: a network that alternates costs two certificates, not one a day. */
#define KEPT_NAMES 24u

static const char installed[] = "installed.pem";

const char *identity_kind_name(enum identity_kind kind) {
    switch (kind) {
    case IDENTITY_OWN:
        return "own";
    case IDENTITY_INSTALLED:
        return "installed";
    case IDENTITY_FILE:
        return "file";
    }
    return "";
}

const char *identity_print(char out[IDENTITY_PRINT_MAX], const uint8_t sum[32]) {
    for (int i = 0; i < 32; i++)
        sprintf(out + 3 * i, "%02X%s", sum[i], i < 31 ? ":" : "");
    return out;
}

/* ---- when ---- */

struct cert_span identity_span(int64_t now_s, int64_t built_s) {
    int64_t from_s = now_s - BACKDATE_S > built_s ? now_s - BACKDATE_S : built_s;
    return (struct cert_span){from_s, from_s + LEAF_S};
}

static int64_t renewal_s(const struct cert_facts *leaf) {
    return leaf->span.from_s + (leaf->span.to_s - leaf->span.from_s) / 3 * 2;
}

const char *identity_fault(const struct cert_facts *leaf,
                           const struct cert_names *names, int64_t now_s) {
    if (now_s < leaf->span.from_s)
        return "clock";
    if (now_s >= renewal_s(leaf))
        return "age";
    for (unsigned i = 0; i < names->n; i++) {
        if (!cert_has(&leaf->names, &names->name[i]))
            return "names";
    }
    return NULL;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- files ---- */

/* A text of less than CERT_PEM_MAX bytes, "" when there is none. */
static int read_text(const struct identity *id, const char *name,
                     char out[CERT_PEM_MAX]) {
    char path[IDENTITY_DIR_MAX + SAVEFILE_NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", id->dir, name);
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, out, CERT_PEM_MAX - 1);
    int rc = n < 0 ? -errno : 0;
    out[n > 0 ? n : 0] = '\0';
    close(fd);
    return rc;
}

static int save(const struct identity *id, const char *name, mode_t mode,
                const char *text) {
    int rc = savefile(id->dir, name, mode, text, strlen(text));
    if (rc != 0)
        log_warn("certificate_not_kept", "file=%s reason=\"%s\"", name, strerror(-rc));
    return rc;
}

static int open_dir(struct identity *id, const char *data) {
    int n = snprintf(id->dir, sizeof id->dir, "%s/tls", data);
    if (n < 0 || (size_t)n >= sizeof id->dir)
        return -ENAMETOOLONG;
    return mkdir(id->dir, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* ---- the CA ---- */

/* Once known, names do not change: the CA is trusted as it is. Those that a home or an
 * office gives are in from the start. */
static void permit(struct cert_names *out, const struct cert_names *names) {
    static const char *const always[] = {"local", "localhost", "home.arpa", "internal",
                                         "lan"};
    out->n = 0;
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        cert_add_dns(out, always[i]);
    for (unsigned i = 0; i < names->n; i++) {
        if (!names->name[i].ip && !cert_permits(out, &names->name[i]))
            cert_add_dns(out, names->name[i].text);
    }
}

/* "pb 1a2b3c": people tell one board's CA from another's. */
static void label(char out[CERT_NAME_MAX], const struct cert_names *names) {
    uint8_t tag[3] = {0};
    if (getrandom(tag, sizeof tag, 0) < 0)
        tag[0] = 0; /* only a help to the eye */
    int n = names->n && !names->name[0].ip ? (int)strcspn(names->name[0].text, ".") : 0;
    snprintf(out, CERT_NAME_MAX, "%.*s CA %02x%02x%02x", n < 40 ? n : 40,
             names->name[0].text, tag[0], tag[1], tag[2]);
}

static int make_ca(struct identity *id, const struct cert_names *names, int64_t now_s,
                   char crt[CERT_PEM_MAX], char key[CERT_PEM_MAX]) {
    char called[CERT_NAME_MAX];
    struct cert_names may;
    /* From the build on, so that it holds whatever the clock does later. */
    struct cert_span span = {id->built_s, later(now_s, id->built_s) + CA_S};
    permit(&may, names);
    label(called, names);
    int rc = cert_ca_new(&may, called, span, crt, key);
    if (rc == 0)
        rc = save(id, "ca.key", 0600, key);
    if (rc == 0)
        rc = save(id, "ca.pem", 0644, crt);
    return rc;
}

/* What makes the files useless; NULL: nothing. */
static const char *ca_fault(const struct identity *id, const char *crt, const char *key,
                            int64_t now_s) {
    if (!id->ca.ca)
        return "not_a_ca";
    if (!cert_fits(crt, key))
        return "key";
    return now_s >= id->ca.span.to_s ? "age" : NULL;
}

/* Reads the CA, or makes one. */
static int open_ca(struct identity *id, const struct cert_names *names, int64_t now_s,
                   char crt[CERT_PEM_MAX], char key[CERT_PEM_MAX]) {
    int rc = read_text(id, "ca.pem", crt);
    if (rc == 0)
        rc = read_text(id, "ca.key", key);
    if (rc != 0 && rc != -ENOENT)
        return rc; /* no reason to make another */
    const char *fault = "none";
    if (rc == 0 && cert_read(crt, &id->ca) == 0)
        fault = ca_fault(id, crt, key, now_s);
    if (fault) {
        log_info("ca_made", "before=%s", rc == 0 && fault ? fault : "none");
        rc = make_ca(id, names, now_s, crt, key);
        if (rc == 0)
            rc = cert_read(crt, &id->ca);
    }
    id->has_ca = rc == 0;
    return rc;
}

/* ---- the leaf ---- */

/* What the CA may sign for, of what we are called. */
static void choose(const struct identity *id, const struct cert_names *names,
                   struct cert_names *out) {
    out->n = 0;
    for (unsigned i = 0; i < names->n; i++) {
        if (cert_permits(&id->ca.names, &names->name[i]))
            out->name[out->n++] = names->name[i];
        else
            log_debug("name_outside_ca", "name=%s", names->name[i].text);
    }
}

static void keep_addresses(struct cert_names *to, const struct cert_names *from) {
    for (unsigned i = 0; i < from->n && to->n < KEPT_NAMES; i++) {
        if (from->name[i].ip)
            cert_add_ip(to, from->name[i].text, from->name[i].ip);
    }
}

/* Makes a leaf for these names. It is of use even when it cannot be kept. */
static int make_leaf(struct identity *id, struct cert_names *names, const char *reason,
                     int64_t now_s, char pem[CERT_PEM_MAX]) {
    char *crt = malloc(CERT_PEM_MAX), *key = malloc(CERT_PEM_MAX);
    int rc = crt && key ? read_text(id, "ca.pem", crt) : -ENOMEM;
    if (rc == 0)
        rc = read_text(id, "ca.key", key);
    if (strcmp(reason, "names") == 0)
        keep_addresses(names, &id->leaf.names);
    if (rc == 0)
        rc = cert_leaf_new(crt, key, names, identity_span(now_s, id->built_s), pem);
    if (rc == 0)
        rc = cert_read(pem, &id->leaf);
    if (key)
        mbedtls_platform_zeroize(key, CERT_PEM_MAX);
    free(key);
    free(crt);
    if (rc != 0)
        return rc;
    log_info("certificate_made", "reason=%s names=%u", reason, names->n);
    save(id, "leaf.pem", 0600, pem);
    return 0;
}

/* The leaf on the disk: why it is of no use, or NULL. */
static const char *read_leaf(struct identity *id, const char *ca_crt,
                             const struct cert_names *names, int64_t now_s,
                             char pem[CERT_PEM_MAX]) {
    if (read_text(id, "leaf.pem", pem) != 0 || cert_read(pem, &id->leaf) != 0)
        return "first";
    if (!cert_signed_by(pem, ca_crt) || !cert_fits(pem, pem))
        return "foreign";
    return identity_fault(&id->leaf, names, now_s);
}

/* CA and leaf; the leaf with its key in pem. */
static int open_own(struct identity *id, const struct cert_names *names, int64_t now_s,
                    char pem[CERT_PEM_MAX]) {
    struct cert_names own;
    char *crt = malloc(CERT_PEM_MAX), *key = malloc(CERT_PEM_MAX);
    int rc = crt && key ? open_ca(id, names, now_s, crt, key) : -ENOMEM;
    if (rc == 0) {
        choose(id, names, &own);
        const char *fault = read_leaf(id, crt, &own, now_s, pem);
        if (fault)
            rc = make_leaf(id, &own, fault, now_s, pem);
    }
    if (key)
        mbedtls_platform_zeroize(key, CERT_PEM_MAX);
    free(key);
    free(crt);
    return rc;
}

/* ---- which ---- */

/* pem is what new connections get from now on. */
static int show(struct identity *id, enum identity_kind kind, const char *pem,
                char *why, size_t cap) {
    int rc = id->tls ? tls_ctx_reload(id->tls, pem, why, cap)
                     : tls_ctx_new(&id->tls, pem, why, cap);
    if (rc != 0)
        return rc;
    id->kind = kind;
    cert_read(pem, &id->served);
    return 0;
}

static int show_file(struct identity *id, const char *file, char *why, size_t cap) {
    char *pem = NULL;
    int rc = tls_pem_read(file, &pem, why, cap);
    if (rc == 0)
        rc = show(id, IDENTITY_FILE, pem, why, cap);
    tls_pem_wipe(pem);
    return rc;
}

/* The installed one. -ENOENT: there is none. */
static int show_installed(struct identity *id, char *why, size_t cap) {
    char path[IDENTITY_DIR_MAX + sizeof installed];
    char *pem = NULL;
    snprintf(path, sizeof path, "%s/%s", id->dir, installed);
    int rc = tls_pem_read(path, &pem, why, cap);
    if (rc == 0)
        rc = show(id, IDENTITY_INSTALLED, pem, why, cap);
    tls_pem_wipe(pem);
    return rc;
}

static int show_leaf(struct identity *id, char *why, size_t cap) {
    char pem[CERT_PEM_MAX];
    int rc = read_text(id, "leaf.pem", pem);
    if (rc != 0)
        snprintf(why, cap, "leaf.pem: %s", strerror(-rc));
    else
        rc = show(id, IDENTITY_OWN, pem, why, cap);
    mbedtls_platform_zeroize(pem, sizeof pem);
    return rc;
}

static int open_and_show(struct identity *id, const struct cert_names *names,
                         int64_t now_s, char *why, size_t cap) {
    char pem[CERT_PEM_MAX];
    int rc = open_own(id, names, now_s, pem);
    if (rc != 0) {
        snprintf(why, cap, "no certificate of our own: %s", strerror(-rc));
        return rc;
    }
    rc = show_installed(id, why, cap);
    if (rc != 0 && rc != -ENOENT)
        log_warn("certificate_refused", "file=%s reason=\"%s\"", installed, why);
    if (rc != 0)
        rc = show(id, IDENTITY_OWN, pem, why, cap);
    mbedtls_platform_zeroize(pem, sizeof pem);
    return rc;
}

/* The fingerprint is for people to compare: see /trust. */
static void tell(const struct identity *id) {
    char print[IDENTITY_PRINT_MAX];
    log_info("certificate", "kind=%s ca_sha256=%s", identity_kind_name(id->kind),
             id->has_ca ? identity_print(print, id->ca.sha256) : "none");
}

int identity_open(struct identity *id, const struct identity_opts *o,
                  const struct cert_names *names, int64_t now_s, char *why,
                  size_t cap) {
    *id = (struct identity){.built_s = o->built_s};
    pthread_mutex_init(&id->lock, NULL);
    int rc = o->data ? open_dir(id, o->data) : 0;
    now_s = later(now_s, id->built_s);
    if (rc != 0)
        snprintf(why, cap, "%s/tls: %s", o->data, strerror(-rc));
    else if (o->file[0])
        rc = show_file(id, o->file, why, cap);
    else if (o->data)
        rc = open_and_show(id, names, now_s, why, cap);
    else {
        snprintf(why, cap, "neither a file is named nor a data folder to make one in");
        rc = -EINVAL;
    }
    if (rc != 0)
        identity_close(id);
    else
        tell(id);
    return rc;
}

void identity_close(struct identity *id) {
    tls_ctx_free(id->tls);
    pthread_mutex_destroy(&id->lock);
}

/* ---- while it runs ---- */

static void refresh(struct identity *id, const struct cert_names *names,
                    int64_t now_s) {
    struct cert_names own;
    char pem[CERT_PEM_MAX], why[160] = "";
    choose(id, names, &own);
    const char *fault = identity_fault(&id->leaf, &own, now_s);
    if (!fault)
        return;
    int rc = make_leaf(id, &own, fault, now_s, pem);
    if (rc == 0 && id->kind == IDENTITY_OWN)
        rc = show(id, IDENTITY_OWN, pem, why, sizeof why);
    if (rc != 0)
        log_warn("certificate_not_made", "reason=\"%s\"", why[0] ? why : strerror(-rc));
    mbedtls_platform_zeroize(pem, sizeof pem);
}

void identity_refresh(struct identity *id, const struct cert_names *names,
                      int64_t now_s) {
    pthread_mutex_lock(&id->lock);
    now_s = later(now_s, id->built_s);
    if (id->has_ca)
        refresh(id, names, now_s);
    if (id->kind != IDENTITY_OWN && now_s >= id->served.span.to_s)
        log_warn("certificate_expired", "kind=%s", identity_kind_name(id->kind));
    pthread_mutex_unlock(&id->lock);
}

int64_t identity_due_s(struct identity *id) {
    pthread_mutex_lock(&id->lock);
    int64_t due_s = id->has_ca ? renewal_s(&id->leaf) : 0;
    pthread_mutex_unlock(&id->lock);
    return due_s;
}

int identity_use_file(struct identity *id, const char *file, char *why, size_t cap) {
    pthread_mutex_lock(&id->lock);
    int rc = 0;
    if (file[0])
        rc = show_file(id, file, why, cap);
    else if (id->kind == IDENTITY_FILE && id->has_ca)
        rc = show_installed(id, why, cap) == 0 ? 0 : show_leaf(id, why, cap);
    pthread_mutex_unlock(&id->lock);
    return rc;
}

static int install(struct identity *id, const char *pem, int64_t now_s, char *why,
                   size_t cap) {
    struct tls_ctx *trial = NULL;
    snprintf(why, cap, "%s", "");
    if (!id->dir[0])
        return -ENOTSUP;
    if (id->kind == IDENTITY_FILE)
        return -EBUSY;
    int rc = cert_judge(pem, later(now_s, id->built_s), why, cap);
    if (rc == 0)
        rc = tls_ctx_new(&trial, pem, why, cap);
    tls_ctx_free(trial);
    if (rc == 0)
        rc = save(id, installed, 0600, pem);
    return rc == 0 ? show(id, IDENTITY_INSTALLED, pem, why, cap) : rc;
}

int identity_install(struct identity *id, const char *pem, int64_t now_s, char *why,
                     size_t cap) {
    pthread_mutex_lock(&id->lock);
    int rc = install(id, pem, now_s, why, cap);
    if (rc == 0)
        log_notice("certificate_installed", "names=%u", id->served.names.n);
    pthread_mutex_unlock(&id->lock);
    return rc;
}

static int take_away(struct identity *id, char *why, size_t cap) {
    if (id->kind != IDENTITY_INSTALLED)
        return -ENOENT;
    int rc = show_leaf(id, why, cap);
    return rc ? rc : savefile_remove(id->dir, installed);
}

int identity_remove(struct identity *id, char *why, size_t cap) {
    pthread_mutex_lock(&id->lock);
    snprintf(why, cap, "%s", "");
    int rc = take_away(id, why, cap);
    if (rc == 0)
        log_notice("certificate_removed", "%s", "");
    pthread_mutex_unlock(&id->lock);
    return rc;
}

void identity_look(struct identity *id, struct identity_view *out) {
    pthread_mutex_lock(&id->lock);
    *out = (struct identity_view){id->kind, id->has_ca, id->ca, id->served};
    pthread_mutex_unlock(&id->lock);
}
