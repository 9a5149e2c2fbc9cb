#include "app/publish.h"

#include <assert.h>
#include <cJSON.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "proto/influx.h"
#include "proto/json.h"

#define ANSWER_MAX (PUBLISH_REPLY_BYTES - PUBLISH_BODY_MAX)
static_assert(PUBLISH_TOLD_MAX * 160 + 256 <= ANSWER_MAX, "all that is told fits");

static void note(struct publish_result *out, uint32_t line, const char *why) {
    if (!why) {
        out->accepted++;
        return;
    }
    out->refused++;
    if (out->told < PUBLISH_TOLD_MAX)
        out->refusal[out->told++] = (struct publish_refusal){line, why};
}

/* ---- JSON ---- */

typedef const char *(*take_fn)(struct reading *r, const char *p, size_t n);

/* A text that may be missing. */
static const char *take_text(const cJSON *item, const char *key, struct reading *r,
                             take_fn take, const char *wrong) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(item, key);
    if (!v)
        return NULL;
    return cJSON_IsString(v) ? take(r, v->valuestring, strlen(v->valuestring)) : wrong;
}

static const char *take_kind(struct reading *r, const char *p, size_t n) {
    return reading_kind(p, n, &r->kind) ? NULL
                                        : "kind is none of gauge, counter, timing";
}

static const char *take_item(const cJSON *item, struct reading *r) {
    reading_init(r);
    if (!cJSON_IsObject(item))
        return "a metric is an object";
    const char *why = take_text(item, "name", r, reading_name, "name is a string");
    if (!why && !r->name[0])
        why = "the name is missing";
    if (!why)
        why = take_text(item, "unit", r, reading_unit, "unit is a string");
    if (!why)
        why = take_text(item, "label", r, reading_label, "label is a string");
    if (!why)
        why = take_text(item, "kind", r, take_kind, "kind is a string");
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(item, "value");
    if (!why && !(cJSON_IsNumber(v) && isfinite(v->valuedouble)))
        why = "value is a number";
    r->value = why ? 0 : v->valuedouble;
    return why;
}

bool publish_json(struct own *own, const char *text, size_t n, uint64_t now_ms,
                  struct publish_result *out) {
    cJSON *tree = json_parse(text, n);
    const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(tree, "metrics"), *item;
    bool good = cJSON_IsArray(metrics);
    uint32_t line = 0;
    metrics = good ? metrics : NULL;
    cJSON_ArrayForEach(item, metrics) {
        struct reading r;
        const char *why = take_item(item, &r);
        if (why)
            own_count(own, 1, 0);
        else
            why = own_tell(own, &r, now_ms);
        note(out, ++line, why);
    }
    cJSON_Delete(tree);
    return good;
}

/* ---- line protocol ---- */

static void take_line(struct own *own, const char *p, size_t n, uint64_t now_ms,
                      uint32_t line, struct publish_result *out) {
    struct influx l;
    struct reading r;
    const char *why = influx_begin(&l, p, n);
    if (why) {
        own_count(own, 1, 0);
        note(out, line, why);
        return;
    }
    while (influx_next(&l, &r))
        note(out, line, own_tell(own, &r, now_ms));
}

void publish_lines(struct own *own, const char *text, size_t n, uint64_t now_ms,
                   struct publish_result *out) {
    const char *end = text + n;
    for (uint32_t line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop ? stop : end) - text);
        size_t used = len + (stop != NULL);
        len -= len > 0 && text[len - 1] == '\r';
        if (len > 0 && text[0] != '#')
            take_line(own, text, len, now_ms, line, out);
        text += used;
    }
}

/* ---- the request ---- */

/* "application/json; charset=utf-8" is application/json. */
static bool is_type(const struct httpd_rq *rq, const char *type) {
    struct slice v = {NULL, 0};
    if (head_get(rq->head, "Content-Type", &v) != 1)
        return false;
    const char *semi = memchr(v.p, ';', v.n);
    v.n = semi ? (size_t)(semi - v.p) : v.n;
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return slice_is_nocase(v, type);
}

static void answer(struct httpd_rq *rq, char *room,
                   const struct publish_result *result) {
    struct jsonw w;
    jsonw_init(&w, room, ANSWER_MAX);
    jsonw_obj(&w, NULL);
    jsonw_u64(&w, "accepted", result->accepted);
    jsonw_arr(&w, "refused");
    for (uint32_t i = 0; i < result->told; i++) {
        jsonw_obj(&w, NULL);
        jsonw_u64(&w, "line", result->refusal[i].line);
        jsonw_str(&w, "why", result->refusal[i].why);
        jsonw_obj_end(&w);
    }
    jsonw_arr_end(&w);
    if (result->refused > result->told)
        jsonw_u64(&w, "more", result->refused - result->told);
    jsonw_obj_end(&w);
    httpd_reply(rq, &(struct reply){.status = 200,
                                    .type = "application/json",
                                    .body = room,
                                    .n = jsonw_end(&w)});
}

static void tell_refused(const struct publish_result *result) {
    char why[96];
    if (result->refused > 0)
        log_notice("readings_refused", "from=publish count=%u why=%s", result->refused,
                   log_quote(why, sizeof why, result->refusal[0].why));
}

/* The worker's buffer holds the answer, and behind it the body. */
void publish_route(struct own *own, struct httpd_rq *rq) {
    struct publish_result result = {0};
    size_t n = 0, cap;
    char *room = httpd_body(rq, &cap), *body = room + ANSWER_MAX;
    bool json = is_type(rq, "application/json");
    if (!json && !is_type(rq, "text/plain")) {
        httpd_problem(rq, 415, NULL,
                      "Send application/json, or line protocol as text/plain.");
        return;
    }
    if (httpd_read(rq, body, PUBLISH_BODY_MAX, &n) != 0)
        return;
    if (!json)
        publish_lines(own, body, n, clock_ms(), &result);
    else if (!publish_json(own, body, n, clock_ms(), &result)) {
        httpd_problem(rq, 400, NULL, "The body is not {\"metrics\":[...]}.");
        return;
    }
    tell_refused(&result);
    answer(rq, room, &result);
}
