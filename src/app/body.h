#pragma once
/* The JSON that a request brings. On the worker, within the deadline of httpd_read().
 */
#include <cJSON.h>

#include "http/httpd.h"

#define BODY_JSON_MAX 4096u

/* An object, which the caller gives to body_done(); or NULL, and the request was
 * answered: 415 for another Content-Type, 400 for what is no JSON object. */
cJSON *body_json(struct httpd_rq *rq);
/* Wipes its texts, which may be secrets. */
void body_done(cJSON *body);

/* A member that is a string, and NULL when it is not there; 422 and *ok false when it
 * is something else, or missing though it must be there. */
const char *body_text(struct httpd_rq *rq, const cJSON *body, const char *key,
                      bool must, bool *ok);
/* The same for true and false, and `initial` when it is not there. */
bool body_bool(struct httpd_rq *rq, const cJSON *body, const char *key, bool initial,
               bool *ok);
