/* One request: its head, its body, its answer, its end. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/httpd_priv.h"

/* What a worker keeps of its composing buffer after a large answer. */
#define KEEP_BYTES (64u * 1024)
/* In place of a status: there is nobody to answer any more. */
#define STATUS_GONE 499

/* The deadline of an answer begins with the answer. */
static struct deadline reply_due(const struct civet_conn *c) {
    struct deadline due = c->due;
    uint64_t now_ms = clock_ms();
    due.at_ms = now_ms + HTTPD_REPLY_MS;
    due.hurry_ms = now_ms + HTTPD_REPLY_HURRY_MS;
    return due;
}

static void log_request(const struct httpd_rq *rq, size_t n, int rc) {
    char from[64], path[160];
    log_debug("http", "addr=%s method=%s path=%s status=%d bytes=%zu us=%llu rc=%d",
              sess_addr_text(&rq->addr, from, sizeof(from)),
              http_method_name(rq->head->method),
              log_quote(path, sizeof(path), rq->path), rq->status, n,
              (unsigned long long)(clock_ns() - rq->began_ns) / 1000, rc);
}

void httpd_reply(struct httpd_rq *rq, const struct reply *r) {
    char head[REPLY_HEAD_MAX];
    size_t n = reply_head(r, rq->secure, clock_wall_ms(), head, sizeof(head));
    if (rq->status)
        return;
    if (n == 0) {
        log_error("http_reply", "path=%s reason=head_too_long", rq->path);
        httpd_problem(rq, 500, NULL, NULL);
        return;
    }
    rq->status = r->status;
    size_t at = (size_t)((uintptr_t)r->body -
                         (uintptr_t)rq->httpd->workers[rq->conn->worker].body);
    if (at < rq->httpd->o.reply_bytes)
        rq->composed = at + r->n;
    size_t body_n = rq->head->method == HTTP_HEAD ? 0 : r->n;
    struct iovec iov[] = {
        {head, n},
        {(void *)(uintptr_t)r->body, body_n},
    };
    struct deadline due = reply_due(rq->conn);
    int rc = deadline_send(&rq->conn->t, &due, iov, 2);
    log_request(rq, body_n, rc);
}

void httpd_problem(struct httpd_rq *rq, int status, const char *extra,
                   const char *detail) {
    char body[REPLY_PROBLEM_MAX];
    size_t n = reply_problem(status, detail, body, sizeof(body));
    httpd_reply(rq, &(struct reply){.status = status,
                                    .type = "application/problem+json",
                                    .extra = extra,
                                    .body = body,
                                    .n = n});
}

char *httpd_body(struct httpd_rq *rq, size_t *cap) {
    *cap = rq->httpd->o.reply_bytes;
    return rq->httpd->workers[rq->conn->worker].body;
}

static int go_on(struct httpd_rq *rq, const struct deadline *due) {
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec iov = {text, sizeof(text) - 1};
    return deadline_send(&rq->conn->t, due, &iov, 1);
}

int httpd_read(struct httpd_rq *rq, void *buf, size_t cap, size_t *n) {
    struct civet_conn *c = rq->conn;
    uint64_t whole = rq->head->content_length;
    if (whole > cap || whole > rq->httpd->o.body_max) {
        httpd_problem(rq, 413, NULL, "The request body is too large.");
        return -EMSGSIZE;
    }
    size_t have = c->n - rq->head_n;
    have = have < whole ? have : (size_t)whole;
    memcpy(buf, c->buf + rq->head_n, have);
    struct deadline due = reply_due(c);
    int rc = have == 0 && rq->head->expects_continue ? go_on(rq, &due) : 0;
    while (rc == 0 && have < whole) {
        long got = deadline_recv(&c->t, &due, (char *)buf + have, (size_t)whole - have);
        if (got > 0)
            have += (size_t)got;
        else
            rc = got < 0 ? (int)got : -ECONNRESET;
    }
    rq->body_read = have;
    if (rc == -ETIMEDOUT)
        httpd_problem(rq, 408, NULL, "The request body did not arrive in time.");
    else if (rc != 0)
        rq->status = STATUS_GONE;
    else
        *n = have;
    return rc;
}

void httpd_rq_end(struct httpd_rq *rq, bool linger) {
    struct civet_conn *c = rq->conn;
    if (!c->t.ops)
        return;
    uint64_t arrived = c->n - rq->head_n;
    arrived = arrived > rq->body_read ? arrived : rq->body_read;
    struct deadline due = reply_due(c);
    deadline_close(&c->t, &due, linger || rq->head->content_length > arrived);
    c->t.ops = NULL;
    if (rq->composed > KEEP_BYTES)
        madvise(rq->httpd->workers[c->worker].body + KEEP_BYTES,
                rq->composed - KEEP_BYTES, MADV_DONTNEED);
}

/* Empty lines before a request are to be ignored (RFC 9112 2.2). */
static void skip_empty_lines(struct civet_conn *c, size_t *scanned) {
    while (c->n >= 2 && memcmp(c->buf, "\r\n", 2) == 0) {
        c->n -= 2;
        memmove(c->buf, c->buf + 2, c->n);
        *scanned = 0;
    }
}

/* 0 when the head is whole, the status to refuse it with, or -errno when there is
 * nobody to tell: a client that says nothing at all (a browser's spare connection)
 * hears nothing. */
static int read_head(struct civet_conn *c, size_t *head_n) {
    size_t scanned = 0;
    for (;;) {
        if (c->n == c->cap)
            return 431;
        long got = deadline_recv(&c->t, &c->due, c->buf + c->n, c->cap - c->n);
        if ((got == -ETIMEDOUT || got == 0) && c->n > 0)
            return 408;
        if (got <= 0)
            return got < 0 ? (int)got : -ECONNRESET;
        c->n += (size_t)got;
        skip_empty_lines(c, &scanned);
        ssize_t end = head_end(c->buf, c->n, &scanned);
        if (end < 0)
            return 400;
        if (end > 0) {
            *head_n = (size_t)end;
            return 0;
        }
    }
}

static const char *head_fault(int status) {
    switch (status) {
    case 408:
        return "The request did not arrive in time.";
    case 431:
        return "The request head is too large.";
    default:
        return "This is no HTTP/1.1 request.";
    }
}

/* 0 when a route shall answer, else the head was answered with what is wrong with it.
 */
static int take_head(struct httpd_rq *rq, struct head *head) {
    int rc = read_head(rq->conn, &rq->head_n);
    if (rc > 0)
        httpd_problem(rq, rc, NULL, head_fault(rc));
    if (rc != 0)
        return rc;
    rc = head_parse(head, rq->conn->buf, rq->head_n);
    if (rc != 0)
        httpd_problem(rq, rc, NULL, head->why);
    return rc;
}

size_t httpd_rq_begin(struct httpd *h, struct civet_conn *c) {
    struct worker *w = &h->workers[c->worker];
    struct httpd_rq *rq = &w->rq;
    head_init(&w->head);
    w->path[0] = '\0';
    *rq = (struct httpd_rq){.httpd = h,
                            .head = &w->head,
                            .path = w->path,
                            .tail = "",
                            .secure = c->secure,
                            .role = ROLE_NONE,
                            .conn = c,
                            .began_ns = clock_ns()};
    sess_addr_from(&rq->addr, c->peer);
    int rc = take_head(rq, &w->head);
    if (rc == 0 && !slice_is(w->head.path, "*"))
        return rq->head_n;
    if (rc == 0)
        httpd_reply(rq, &(struct reply){.status = 204,
                                        .extra = "Allow: GET, HEAD, OPTIONS\r\n"});
    httpd_rq_end(rq, rc > 0 && rc != 408);
    return 0;
}
