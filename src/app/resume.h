#pragma once
/* Who was here before: a random token per session, and for a while the tokens of those
 * that are gone, so that somebody who comes back is known. Hub thread. Fixed memory:
 * one seat per session there can be, and as many places for those that left. */
#include <stdbool.h>
#include <stdint.h>

#define RESUME_MS 120000u

struct resume_token {
    uint64_t half[2]; /* both zero: none */
};

struct resume {
    struct resume_token *seats; /* by slot of the session table */
    struct resume_gone {
        struct resume_token token;
        uint64_t until_ms;
    } * gone; /* a ring */
    uint32_t cap, next;
};

/* 0 or -ENOMEM. */
int resume_init(struct resume *r, uint32_t cap);
void resume_free(struct resume *r);

/* A session sits down: its new token. */
struct resume_token resume_open(struct resume *r, uint32_t slot);
/* It leaves. */
void resume_close(struct resume *r, uint32_t slot, uint64_t now_ms);

/* Does the token belong to somebody who left within RESUME_MS, or whose old connection
 * we still take for alive? It serves once. */
bool resume_claim(struct resume *r, struct resume_token token, uint64_t now_ms);
