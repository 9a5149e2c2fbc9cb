#pragma once
/* Values of header fields that a response depends on. Pure, any thread. */
#include <stdbool.h>

#include "http/head.h"

/* Accept-Encoding (RFC 9110 12.5.3): is gzip at least as welcome as no encoding at all?
 * "" is no. */
bool field_takes_gzip(const char *accept_encoding);

/* If-None-Match (RFC 9110 13.1.2): does it name this entity tag, compared weakly? etag
 * with its quotes. "" does not. */
bool field_names_etag(const char *if_none_match, const char *etag);

/* Cookie (RFC 6265 5.4): how many of this name there are, and *value of the last one.
 */
unsigned field_cookie(struct slice cookie, const char *name, struct slice *value);

/* Authorization (RFC 6750 2.1): is it "Bearer" and one token? */
bool field_bearer(struct slice authorization, struct slice *token);

/* Content-Type (RFC 9110 8.3): is it this type, whatever its parameters? */
bool field_is_type(struct slice content_type, const char *type);
