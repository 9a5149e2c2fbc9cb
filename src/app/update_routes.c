#include "app/update_routes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/about.h"
#include "app/routes.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "http/uri.h"
#include "update/updclient.h"
#include "update/updfile.h"

#define STATUS_MAX 512u
#define STATUS_S 1
/* More than a slot of ours holds. */
#define HEAR_OUT_MAX (256ull << 20)

static_assert(UPDMSG_DATA_MAX >= HTTPD_PACE_BYTES, "each part shows that it moves");
static_assert(UPDMSG_DATA_MAX >= UPDFILE_HEAD_MAX, "the head is in the first part");

static void answer_json(struct httpd_rq *rq, int status, const char *text, size_t n) {
    httpd_reply(
        rq, &(struct reply){
                .status = status, .type = "application/json", .body = text, .n = n});
}

/* As if there were one, on a system that others keep up to date. */
static void answer_unsupported(const struct routes *r, struct httpd_rq *rq,
                               const char *why) {
    char text[STATUS_MAX];
    struct jsonw w;
    jsonw_init(&w, text, sizeof text);
    jsonw_obj(&w, NULL);
    jsonw_bool(&w, "supported", false);
    jsonw_str(&w, "state", "idle");
    jsonw_str(&w, "slot", NULL);
    jsonw_str(&w, "version", r->about->version);
    jsonw_num(&w, "progress", 0, 1);
    jsonw_str(&w, "why", why);
    jsonw_obj_end(&w);
    answer_json(rq, 200, text, jsonw_end(&w));
}

void update_told_init(struct update_told *t) {
    pthread_mutex_init(&t->asking, NULL);
    pthread_mutex_init(&t->lock, NULL);
    t->n = 0;
}

void update_told_free(struct update_told *t) {
    pthread_mutex_destroy(&t->asking);
    pthread_mutex_destroy(&t->lock);
}

/* One that is busy with a slow card has not changed its mind; one that is gone has. */
static void ask_anew(struct update_told *t, const char *path) {
    struct updclient c;
    int rc = updclient_open(&c, path, STATUS_S);
    if (rc == 0)
        rc = updclient_status(&c, STATUS_S);
    pthread_mutex_lock(&t->lock);
    if (rc == 0) {
        memcpy(t->text, c.text, c.n);
        t->n = c.n;
    } else if (rc != -ETIMEDOUT) {
        t->n = 0;
    }
    pthread_mutex_unlock(&t->lock);
    updclient_close(&c);
}

void update_routes_status(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct update_told *t = r->update_told;
    char text[sizeof t->text];
    if (!r->updater[0]) {
        answer_unsupported(r, rq, "this system is not updated from here");
        return;
    }
    if (pthread_mutex_trylock(&t->asking) == 0) {
        ask_anew(t, r->updater);
        pthread_mutex_unlock(&t->asking);
    }
    pthread_mutex_lock(&t->lock);
    size_t n = t->n;
    memcpy(text, t->text, n);
    pthread_mutex_unlock(&t->lock);
    if (n > 0)
        answer_json(rq, 200, text, n);
    else
        answer_unsupported(r, rq, "the updater does not answer");
}

/* Reads on to the end of the body: a browser that is still sending when the answer
 * comes shows its user a broken connection, and not the answer. False: nobody is there
 * to be answered any more. */
static bool hear_out(struct httpd_rq *rq) {
    size_t cap, n = 1;
    char *sink = httpd_body(rq, &cap);
    int rc = 0;
    if (rq->head->content_length > HEAR_OUT_MAX)
        return true;
    while (rc == 0 && n > 0)
        rc = httpd_read_part(rq, sink, cap, &n);
    return rc == 0;
}

static void problem(struct httpd_rq *rq, int status, const char *extra,
                    const char *detail) {
    if (hear_out(rq))
        httpd_problem(rq, status, extra, detail);
}

/* The updater's refusal, in its own words. */
static void refuse(struct httpd_rq *rq, int rc, const struct updclient *c) {
    const char *text = c->text[0] ? c->text : "The updater does not answer.";
    switch (rc) {
    case -EBUSY:
        problem(rq, 409, "Retry-After: 10\r\n", text);
        break;
    case -EPERM:
        problem(rq, 422, NULL, text);
        break;
    case -EIO:
    case -EINVAL:
        problem(rq, 500, NULL, text);
        break;
    default:
        problem(rq, 503, NULL, "The updater does not answer.");
    }
}

/* True: connected. Else it was answered why not. */
static bool reach(const struct routes *r, struct httpd_rq *rq, struct updclient *c) {
    if (!r->updater[0]) {
        problem(rq, 501, NULL, "This system is not updated from here.");
        return false;
    }
    int rc = updclient_open(c, r->updater, UPDCLIENT_PATIENT_S);
    if (rc != 0)
        refuse(rq, rc, c);
    return rc == 0;
}

/* A file, and said to be one: a form of another page cannot send this type. */
static bool is_file(struct httpd_rq *rq) {
    char type[64];
    ssize_t n = head_join(rq->head, "Content-Type", type, sizeof type);
    if (n < 0 || strcmp(type, "application/octet-stream") != 0) {
        problem(rq, 415, NULL, "The body shall be application/octet-stream.");
        return false;
    }
    if (rq->head->content_length == 0)
        problem(rq, 400, NULL, "The body shall be an update file.");
    return rq->head->content_length > 0;
}

static bool forced(const struct httpd_rq *rq) {
    char value[8];
    return uri_param(rq->head->query, "force", value, sizeof value) == 0 &&
           strcmp(value, "1") == 0;
}

/* The first part: its head begins the update, the rest is data already. */
static int send_first(struct updclient *c, bool force, const uint8_t *p, size_t n) {
    struct updfile f;
    ssize_t head = updfile_head(p, n, &f);
    /* What cannot be one is for the updater to refuse, and to remember. */
    size_t head_n = head > 0 ? (size_t)head : n < UPDFILE_FIXED ? n : UPDFILE_FIXED;
    int rc = updclient_begin(c, force, p, head_n);
    if (rc == 0 && n > head_n)
        rc = updclient_data(c, p + head_n, n - head_n);
    return rc;
}

/* The whole body to the updater. False: it was answered. */
static bool hand_over(struct httpd_rq *rq, struct updclient *c, uint8_t *buf) {
    size_t n = 0;
    bool force = forced(rq), first = true;
    for (;;) {
        if (httpd_read_part(rq, buf, UPDMSG_DATA_MAX, &n) != 0)
            return false;
        if (n == 0)
            break;
        int rc = first ? send_first(c, force, buf, n) : updclient_data(c, buf, n);
        if (rc != 0) {
            refuse(rq, rc, c);
            return false;
        }
        first = false;
    }
    int rc = updclient_end(c);
    if (rc != 0)
        refuse(rq, rc, c);
    return rc == 0;
}

void update_routes_take(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    struct updclient c;
    size_t cap;
    uint8_t *buf = (uint8_t *)httpd_body(rq, &cap);
    if (!is_file(rq) || !reach(r, rq, &c))
        return;
    if (cap < UPDMSG_DATA_MAX)
        problem(rq, 500, NULL, NULL);
    else if (hand_over(rq, &c, buf)) {
        int rc = updclient_status(&c, UPDCLIENT_PATIENT_S);
        if (rc == 0)
            answer_json(rq, 202, c.text, c.n);
        else
            refuse(rq, rc, &c);
    }
    updclient_close(&c);
}

void update_routes_reboot(void *ctx, struct httpd_rq *rq) {
    static const char done[] = "{\"status\":\"rebooting\"}";
    const struct routes *r = ctx;
    struct updclient c;
    if (!reach(r, rq, &c))
        return;
    int rc = updclient_reboot(&c);
    if (rc == 0)
        answer_json(rq, 202, done, sizeof done - 1);
    else
        refuse(rq, rc, &c);
    updclient_close(&c);
}
