#include "app/body.h"

#include <stdio.h>
#include <string.h>

#include "http/field.h"
#include "proto/json.h"
#include "sec/secret.h"

/* Nothing that a form of another page can send (Fetch 2.2.2: without asking first). */
static bool is_json(const struct httpd_rq *rq) {
    struct slice type = {NULL, 0};
    return head_get(rq->head, "Content-Type", &type) == 1 &&
           field_is_type(type, "application/json");
}

cJSON *body_json(struct httpd_rq *rq) {
    char text[BODY_JSON_MAX];
    size_t n = 0;
    if (!is_json(rq)) {
        httpd_problem(rq, 415, NULL, "Send application/json.");
        return NULL;
    }
    if (httpd_read(rq, text, sizeof text, &n) != 0)
        return NULL;
    cJSON *body = json_parse(text, n);
    secret_wipe(text, n);
    if (cJSON_IsObject(body))
        return body;
    cJSON_Delete(body);
    httpd_problem(rq, 400, NULL, "The body is no JSON object.");
    return NULL;
}

void body_done(cJSON *body) {
    cJSON *item;
    cJSON_ArrayForEach(item, body) {
        if (cJSON_IsString(item))
            secret_wipe(item->valuestring, strlen(item->valuestring));
    }
    cJSON_Delete(body);
}

static void refuse(struct httpd_rq *rq, const char *key, const char *what, bool *ok) {
    char text[128];
    snprintf(text, sizeof text, "\"%s\" %s.", key, what);
    if (*ok)
        httpd_problem(rq, 422, NULL, text);
    *ok = false;
}

const char *body_text(struct httpd_rq *rq, const cJSON *body, const char *key,
                      bool must, bool *ok) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(body, key);
    if (cJSON_IsString(v))
        return v->valuestring;
    if (v && !(cJSON_IsNull(v) && !must))
        refuse(rq, key, "is a string", ok);
    else if (must)
        refuse(rq, key, "is missing", ok);
    return NULL;
}

bool body_bool(struct httpd_rq *rq, const cJSON *body, const char *key, bool initial,
               bool *ok) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(body, key);
    if (v && !cJSON_IsBool(v))
        refuse(rq, key, "is true or false", ok);
    return v ? cJSON_IsTrue(v) : initial;
}
