#pragma once
/* What plain HTTP is good for beside HTTPS. Pure. */
#include <stdbool.h>

#include "http/head.h"

enum plain_mode {
    PLAIN_FULL,     /* everything */
    PLAIN_VIEW,     /* looking, as a viewer: no password and no change passes */
    PLAIN_REDIRECT, /* the way to HTTPS, and what it takes to trust it */
    PLAIN_OFF,      /* nothing listens */
};

/* "full", "view", "redirect", "off": 0 or -EINVAL. */
int plain_parse(const char *word, enum plain_mode *out);

enum plain_verdict {
    PLAIN_ANSWER,
    PLAIN_REFUSE, /* 403: what it carries is not for everybody's eyes */
    PLAIN_MOVE,   /* to the same path over HTTPS */
};
/* path: decoded. PLAIN_MOVE only when something that is safe to repeat is asked. */
enum plain_verdict plain_judge(enum plain_mode mode, enum http_method method,
                               const char *path);

/* "https://HOST:PORT" for who came to authority (Host), with the port of HTTPS. Bytes,
 * or 0: it does not fit. */
size_t plain_origin(struct slice authority, unsigned port, char *out, size_t cap);
