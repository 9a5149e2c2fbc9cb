/* One request: its head, its body, its answer, its end. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/httpd_priv.h"
#include "proto/handshake.h"

/* What a worker keeps of its composing buffer after a large answer. */
#define KEEP_BYTES (64u * 1024)
/* How soon a worker asks again for room in the lobby. */
#define ROOM_MS 100u
/* In place of a status: there is nobody to answer any more. */
#define STATUS_GONE 499

/* While it moves, it may go on. */
static struct deadline pace(const struct httpd_rq *rq) {
    struct deadline due = {
        .stop_fd = civet_stop_fd(rq->httpd->civet),
        .pace_bytes = HTTPD_PACE_BYTES,
        .pace_ms = HTTPD_PACE_MS,
    };
    deadline_begin(&due);
    return due;
}

struct deadline httpd_rq_due(const struct httpd_rq *rq, uint32_t ms) {
    return (struct deadline){.at_ms = clock_ms() + ms,
                             .stop_fd = civet_stop_fd(rq->httpd->civet)};
}

void httpd_rq_detach(struct httpd_rq *rq, struct transport *out) {
    lobby_detach(rq->httpd->lobby, rq->guest, out);
}

static void log_request(const struct httpd_rq *rq, size_t n, int rc) {
    char from[64], path[160];
    /* 0: the level has changed since it began. */
    uint64_t took_ns = rq->began_ns ? clock_ns() - rq->began_ns : 0;
    log_debug("http", "addr=%s method=%s path=%s status=%d bytes=%zu us=%llu rc=%d",
              sess_addr_text(&rq->addr, from, sizeof(from)),
              http_method_name(rq->head->method),
              log_quote(path, sizeof(path), rq->path), rq->status, n,
              (unsigned long long)took_ns / 1000, rc);
}

/* Has all of the body arrived, so that the next request begins behind it? */
static bool body_is_here(const struct httpd_rq *rq) {
    return rq->head->content_length <= rq->n - rq->head_n ||
           rq->head->content_length == rq->body_read;
}

/* What a slow reader leaves is sent from the lobby, which makes room for it as soon as
 * others have had their time: until then the worker sends on. */
static int say(struct httpd_rq *rq, struct iovec *iov, int n, bool lasting) {
    uint64_t ends_ms = clock_ms() + HTTPD_PACE_MS;
    for (;;) {
        int rc = lobby_say(rq->httpd->lobby, rq->guest, &iov, &n, lasting);
        if (rc != -EMSGSIZE || !rq->worker->body)
            return rc;
        struct deadline due = httpd_rq_due(rq, ROOM_MS);
        rc = deadline_wait(&due, rq->guest->t.fd, 0);
        if (rc != -ETIMEDOUT || clock_ms() >= ends_ms)
            return rc ? rc : -ECONNRESET; /* nothing was asked for but its end */
    }
}

void httpd_reply(struct httpd_rq *rq, const struct reply *r) {
    char head[REPLY_HEAD_MAX];
    if (rq->status)
        return;
    rq->keep = rq->keep && body_is_here(rq);
    size_t n = reply_head(r, rq->secure, rq->keep, clock_wall_ms(), head, sizeof(head));
    if (n == 0) {
        log_error("http_reply", "path=%s reason=head_too_long", rq->path);
        httpd_problem(rq, 500, NULL, NULL);
        return;
    }
    rq->status = r->status;
    size_t at = (size_t)((uintptr_t)r->body - (uintptr_t)rq->worker->body);
    if (r->body && at < rq->httpd->o.reply_bytes)
        rq->composed = at + r->n;
    size_t body_n = rq->head->method == HTTP_HEAD ? 0 : r->n;
    struct iovec iov[] = {
        {head, n},
        {(void *)(uintptr_t)r->body, body_n},
    };
    int rc = say(rq, iov, body_n ? 2 : 1, r->lasting && body_n > 0);
    if (rc != 0)
        rq->status = STATUS_GONE;
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
    assert(rq->worker->body); /* what is answered at once is not composed */
    *cap = rq->httpd->o.reply_bytes;
    return rq->worker->body;
}

static struct iovec go_on(void) {
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    return (struct iovec){(void *)(uintptr_t)text, sizeof(text) - 1};
}

/* RFC 9110 10.1.1: whoever has begun to send is not told to. */
static bool is_to_be_told(const struct httpd_rq *rq) {
    return rq->head->expects_continue && rq->head->content_length > 0 &&
           rq->body_read == 0 && rq->n == rq->head_n;
}

void httpd_rq_invite(struct httpd_rq *rq) {
    struct iovec iov = go_on(), *left = &iov;
    int n = 1, rc = 0;
    if (is_to_be_told(rq))
        rc = lobby_say(rq->httpd->lobby, rq->guest, &left, &n, true);
    rq->guest->next = rc == 0 ? LOBBY_KEEP : LOBBY_CLOSE;
}

/* A worker would wait for the body. Nobody in particular is not waited for: the lobby
 * has all of his body, or it is too large. Of the workers one is always left for those
 * who have said all. 0, else it was answered. */
static int sit_down(struct httpd_rq *rq) {
    struct httpd *h = rq->httpd;
    unsigned most = h->o.workers > 1 ? h->o.workers - 1 : 1;
    if (rq->sits)
        return 0;
    if (rq->role <= ROLE_NONE) {
        httpd_problem(rq, 413, NULL, "The request is too large.");
        return -EMSGSIZE;
    }
    if (atomic_fetch_add(&h->sitting, 1) >= most) {
        atomic_fetch_sub(&h->sitting, 1);
        httpd_problem(rq, 503, "Retry-After: 2\r\n",
                      "Others are sending. Try again in a moment.");
        return -EBUSY;
    }
    rq->sits = true;
    return 0;
}

static int tell_to_go_on(struct httpd_rq *rq, struct deadline *due) {
    struct iovec iov = go_on();
    int rc = sit_down(rq);
    return rc ? rc : deadline_send(&rq->guest->t, due, &iov, 1);
}

/* As deadline_recv(). */
static long receive(struct httpd_rq *rq, struct deadline *due, char *buf, size_t n) {
    struct transport *t = &rq->guest->t;
    long got = t->ops->recv(t, (uint8_t *)buf, n);
    if (got != -EAGAIN)
        return got;
    int rc = sit_down(rq);
    return rc ? rc : deadline_recv(t, due, buf, n);
}

/* What of the body came with the head, and was not read yet: at most cap bytes. */
static size_t take_arrived(struct httpd_rq *rq, char *buf, size_t cap) {
    size_t arrived = rq->n - rq->head_n;
    if (rq->body_read >= arrived)
        return 0;
    size_t n = arrived - (size_t)rq->body_read;
    n = n < cap ? n : cap;
    memcpy(buf, rq->bytes + rq->head_n + rq->body_read, n);
    rq->body_read += n;
    return n;
}

int httpd_read_part(struct httpd_rq *rq, void *buf, size_t cap, size_t *n) {
    uint64_t left = rq->head->content_length - rq->body_read;
    size_t want = left < cap ? (size_t)left : cap;
    struct deadline due = pace(rq);
    int rc = is_to_be_told(rq) ? tell_to_go_on(rq, &due) : 0;
    size_t have = take_arrived(rq, buf, want);
    while (rc == 0 && have < want) {
        long got = receive(rq, &due, (char *)buf + have, want - have);
        if (got > 0) {
            have += (size_t)got;
            rq->body_read += (size_t)got;
        } else
            rc = got < 0 ? (int)got : -ECONNRESET;
    }
    if (rc == -ETIMEDOUT)
        httpd_problem(rq, 408, NULL, "The request body did not arrive in time.");
    else if (rc == 0)
        *n = have;
    else if (!rq->status)
        rq->status = STATUS_GONE;
    return rc;
}

int httpd_read(struct httpd_rq *rq, void *buf, size_t cap, size_t *n) {
    uint64_t whole = rq->head->content_length;
    if (whole > cap || whole > rq->httpd->o.body_max) {
        httpd_problem(rq, 413, NULL, "The request body is too large.");
        return -EMSGSIZE;
    }
    return httpd_read_part(rq, buf, cap, n);
}

size_t httpd_rq_end(struct httpd_rq *rq) {
    struct lobby_guest *g = rq->guest;
    if (rq->sits)
        atomic_fetch_sub(&rq->httpd->sitting, 1);
    if (rq->composed > KEEP_BYTES)
        madvise(rq->worker->body + KEEP_BYTES, rq->composed - KEEP_BYTES,
                MADV_DONTNEED);
    if (rq->status == STATUS_GONE)
        g->next = LOBBY_CLOSE;
    else if (rq->lost || !body_is_here(rq))
        g->next = LOBBY_LINGER;
    else
        g->next = rq->keep ? LOBBY_KEEP : LOBBY_CLOSE;
    uint64_t used = rq->head_n + rq->head->content_length;
    return used < rq->n ? (size_t)used : rq->n;
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

void httpd_rq_fault(struct httpd_rq *rq, int status) {
    rq->keep = false;
    rq->lost = true;
    httpd_problem(rq, status, NULL, head_fault(status));
}

static bool wants_more(const struct head *h) {
    char options[128];
    return h->minor == 1 && head_join(h, "Connection", options, sizeof(options)) >= 0 &&
           !ws_list_has(options, "close");
}

int httpd_rq_parse(struct httpd_rq *rq) {
    struct head *head = &rq->worker->head;
    int rc = head_parse(head, rq->bytes, rq->head_n);
    rq->lost = rc != 0;
    rq->keep = rc == 0 && wants_more(head);
    if (rc != 0)
        httpd_problem(rq, rc, NULL, head->why);
    return rc;
}

void httpd_rq_begin(struct httpd *h, struct httpd_worker *w, struct lobby_guest *g,
                    const char *bytes, size_t n, size_t head_n) {
    head_init(&w->head);
    w->path[0] = '\0';
    w->rq = (struct httpd_rq){.httpd = h,
                              .head = &w->head,
                              .path = w->path,
                              .tail = "",
                              .addr = g->addr,
                              .secure = g->secure,
                              .local = g->local,
                              .role = ROLE_NONE,
                              .guest = g,
                              .worker = w,
                              .bytes = bytes,
                              .n = n,
                              .head_n = head_n,
                              .began_ns = log_on(LOG_LVL_DEBUG) ? clock_ns() : 0};
}
