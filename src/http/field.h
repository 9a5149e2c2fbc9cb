#pragma once
/* Values of header fields that a response depends on. Pure, any thread. */
#include <stdbool.h>

/* Accept-Encoding (RFC 9110 12.5.3): is gzip at least as welcome as no encoding at all?
 * "" is no. */
bool field_takes_gzip(const char *accept_encoding);

/* If-None-Match (RFC 9110 13.1.2): does it name this entity tag, compared weakly? etag
 * with its quotes. "" does not. */
bool field_names_etag(const char *if_none_match, const char *etag);
