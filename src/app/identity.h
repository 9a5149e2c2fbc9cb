#pragma once
/* Who this device is over TLS: a certificate from the file that the configuration
 * names, else one that the owner has installed, else one of its own CA, which is made
 * at the first start. Keeps DATA/tls: ca.pem, ca.key, leaf.pem (key and certificate)
 * and installed.pem; folder 0700, keys 0600.
 *
 * Own leaves are for 397 days at most, since that is what browsers accept, and are made
 * anew after two thirds of that, when a name or an address is new, and when the clock
 * says that they are not valid. Until the clock is set the time is that at which the
 * program was built: a board without a battery is older than it says. Connections that
 * live stay as they are.
 *
 * Any thread after identity_open(); one lock. Allocates while a certificate is made. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sec/cert.h"
#include "sec/tls.h"

enum identity_kind {
    IDENTITY_OWN,       /* by this device's CA */
    IDENTITY_INSTALLED, /* by the owner, over HTTP */
    IDENTITY_FILE,      /* by the owner, in the configuration */
};
const char *identity_kind_name(enum identity_kind kind);

struct identity_opts {
    const char *data; /* NULL: nothing can be kept, only a file will do */
    const char *file; /* tls_pem; "" for none */
    int64_t built_s;  /* the time is never before */
};

#define IDENTITY_DIR_MAX 1100

struct identity {
    pthread_mutex_t lock;       /* of all that follows, but for tls */
    char dir[IDENTITY_DIR_MAX]; /* DATA/tls; "": none */
    int64_t built_s;
    enum identity_kind kind;
    bool has_ca;
    struct cert_facts ca;     /* permits: its names */
    struct cert_facts leaf;   /* own, even when it is not what we show */
    struct cert_facts served; /* what we show */
    struct tls_ctx *tls;      /* its own lock */
};

/* names: what the leaf shall be for; now_s: as the clock says. 0, or -errno and one
 * line in why. */
int identity_open(struct identity *id, const struct identity_opts *o,
                  const struct cert_names *names, int64_t now_s, char *why, size_t cap);
void identity_close(struct identity *id);

/* The names may have changed, or the time has: makes a leaf if one is due. */
void identity_refresh(struct identity *id, const struct cert_names *names,
                      int64_t now_s);
/* Wall clock: when to refresh at the latest; 0: never. */
int64_t identity_due_s(struct identity *id);

/* The configuration names a file, "": no longer. On failure nothing changes. */
int identity_use_file(struct identity *id, const char *file, char *why, size_t cap);
/* The owner's certificate and key, to be used from now on and kept. -EINVAL: it is not
 * usable; -EBUSY: the configuration names a file; -ENOTSUP: nothing can be kept;
 * otherwise -errno of keeping it. Nothing changes then. */
int identity_install(struct identity *id, const char *pem, int64_t now_s, char *why,
                     size_t cap);
/* Back to our own. -ENOENT: none was installed. */
int identity_remove(struct identity *id, char *why, size_t cap);

/* "AB:CD:…" of a SHA-256, as systems show it. */
#define IDENTITY_PRINT_MAX 96
const char *identity_print(char out[IDENTITY_PRINT_MAX], const uint8_t sum[32]);

/* Copies of what is in use. */
struct identity_view {
    enum identity_kind kind;
    bool has_ca;
    struct cert_facts ca, served;
};
void identity_look(struct identity *id, struct identity_view *out);

/* Why a leaf that we made is not to be used any longer: one word, or NULL. Pure. */
const char *identity_fault(const struct cert_facts *leaf,
                           const struct cert_names *names, int64_t now_s);
/* How long one made now is valid. Pure. */
struct cert_span identity_span(int64_t now_s, int64_t built_s);
