#include "app/resume.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

#include "base/blocks.h"

static bool same(struct resume_token a, struct resume_token b) {
    return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}

static bool none(struct resume_token t) { return (t.half[0] | t.half[1]) == 0; }

int resume_init(struct resume *r, uint32_t cap) {
    *r = (struct resume){.cap = cap};
    r->seats = pages_take(cap * sizeof *r->seats);
    r->gone = pages_take(cap * sizeof *r->gone);
    if (r->seats && r->gone)
        return 0;
    resume_free(r);
    return -ENOMEM;
}

void resume_free(struct resume *r) {
    pages_give(r->seats, r->cap * sizeof *r->seats);
    pages_give(r->gone, r->cap * sizeof *r->gone);
    *r = (struct resume){0};
}

struct resume_token resume_open(struct resume *r, uint32_t slot) {
    assert(slot < r->cap);
    struct resume_token t;
    /* Cannot fail or block once the pool was ready, which about_init() waited for; if
     * it does, there is no token, and the client starts anew. */
    if (getrandom(&t, sizeof t, GRND_NONBLOCK) != (ssize_t)sizeof t)
        t = (struct resume_token){0};
    r->seats[slot] = t;
    return t;
}

void resume_close(struct resume *r, uint32_t slot, uint64_t now_ms) {
    assert(slot < r->cap);
    if (none(r->seats[slot]))
        return;
    r->gone[r->next] = (struct resume_gone){r->seats[slot], now_ms + RESUME_MS};
    r->next = (r->next + 1) % r->cap;
    r->seats[slot] = (struct resume_token){0};
}

bool resume_claim(struct resume *r, struct resume_token token, uint64_t now_ms) {
    if (none(token))
        return false;
    for (uint32_t i = 0; i < r->cap; i++) {
        if (same(r->seats[i], token)) {
            r->seats[i] = (struct resume_token){0};
            return true;
        }
        if (same(r->gone[i].token, token)) {
            r->gone[i].token = (struct resume_token){0};
            return now_ms <= r->gone[i].until_ms;
        }
    }
    return false;
}
