#pragma once
/* What happened lately: the newest EVENTS_N lines of the log, numbered from 1 (a run's
 * own numbers: see the epoch). A tap of base/log.h fills it on whatever thread logs;
 * readers take copies. The memory becomes resident as it is used. */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/jsonw.h"
#include "base/log.h"

#define EVENTS_N 256u
#define EVENT_WORD_MAX 31
#define EVENT_TEXT_MAX 208

struct event {
    uint64_t seq;
    int64_t wall_ms;
    uint8_t level;             /* enum log_level */
    char word[EVENT_WORD_MAX]; /* "session_closed" */
    char text[EVENT_TEXT_MAX]; /* key=value pairs, cut to fit */
};
static_assert(sizeof(struct event) == 256, "the ring costs 64 kB when it is full");

struct events {
    pthread_mutex_t lock;
    uint64_t last; /* the newest; 0: none */
    void (*news)(void *ctx);
    void *ctx;
    struct event ring[EVENTS_N];
};

/* e stands in zeroed memory. 0 or -errno. */
int events_init(struct events *e);
void events_free(struct events *e);

/* A log_tap: one more line. */
void events_tap(void *events, enum log_level lvl, const char *word, const char *text);

/* news is called after each line, on the thread that logged it: it must neither wait
 * nor log. NULL ends that, and no call is under way when this returns. */
void events_listen(struct events *e, void (*news)(void *ctx), void *ctx);

/* The number of the newest event. */
uint64_t events_last(struct events *e);
/* The first event held from seq on; false: there is none. */
bool events_from(struct events *e, uint64_t seq, struct event *out);

struct events_query {
    bool has_since;
    uint64_t since;       /* the first that is wanted; else the newest `limit` */
    enum log_level level; /* and those more severe */
    uint32_t limit;
    bool addresses; /* shown: who logs in from where is for the owner to know */
};
#define EVENTS_QUERY_ALL                                                               \
    { .level = LOG_LVL_INFO, .limit = EVENTS_N }

/* Bytes of JSON: of one event (each byte may take three), and around all of them. */
#define EVENT_JSON_MAX (3 * (EVENT_WORD_MAX + EVENT_TEXT_MAX) + 128)
#define EVENTS_JSON_BASE 160
#define EVENTS_JSON_MAX (EVENTS_JSON_BASE + EVENTS_N * EVENT_JSON_MAX)

/* {seq, t, level, event, text}; without `addresses` the values of address= in text are
 * "hidden". Pure. */
void event_json(struct jsonw *w, const char *key, const struct event *ev,
                bool addresses);
/* {epoch, first, next, events}: first is the oldest held, next is what to ask for next.
 */
void events_json(struct jsonw *w, struct events *e, uint64_t epoch,
                 const struct events_query *q);
