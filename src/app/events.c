#include "app/events.h"

#include <stdio.h>
#include <string.h>

#include "app/about.h"
#include "base/clock.h"

int events_init(struct events *e) {
    e->last = 0;
    return -pthread_mutex_init(&e->lock, NULL);
}

void events_free(struct events *e) { pthread_mutex_destroy(&e->lock); }

static struct event *place(struct events *e, uint64_t seq) {
    return &e->ring[seq % EVENTS_N];
}

/* Cut between characters, and said to be cut. */
static void copy_text(char out[EVENT_TEXT_MAX], const char *text) {
    static const char more[] = "...";
    size_t n = strlen(text);
    if (n < EVENT_TEXT_MAX) {
        memcpy(out, text, n + 1);
        return;
    }
    n = EVENT_TEXT_MAX - sizeof more;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, text, n);
    memcpy(out + n, more, sizeof more);
}

void events_tap(void *events, enum log_level lvl, const char *word, const char *text) {
    struct events *e = events;
    pthread_mutex_lock(&e->lock);
    struct event *ev = place(e, ++e->last);
    ev->seq = e->last;
    ev->wall_ms = clock_wall_ms();
    ev->level = (uint8_t)lvl;
    snprintf(ev->word, sizeof ev->word, "%s", word);
    copy_text(ev->text, text);
    if (e->news)
        e->news(e->ctx);
    pthread_mutex_unlock(&e->lock);
}

void events_listen(struct events *e, void (*news)(void *ctx), void *ctx) {
    pthread_mutex_lock(&e->lock);
    e->news = news;
    e->ctx = ctx;
    pthread_mutex_unlock(&e->lock);
}

uint64_t events_last(struct events *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t last = e->last;
    pthread_mutex_unlock(&e->lock);
    return last;
}

static uint64_t first_of(uint64_t last) {
    return last > EVENTS_N ? last - EVENTS_N + 1 : 1;
}

bool events_from(struct events *e, uint64_t seq, struct event *out) {
    pthread_mutex_lock(&e->lock);
    uint64_t first = first_of(e->last);
    seq = seq > first ? seq : first;
    bool held = seq <= e->last;
    if (held)
        *out = *place(e, seq);
    pthread_mutex_unlock(&e->lock);
    return held;
}

/* ---- as JSON ---- */

/* The text with each value of address= replaced. It may get longer: cut as ever. */
static void hide_addresses(char out[EVENT_TEXT_MAX], const char *text) {
    static const char key[] = "address=";
    char long_text[2 * EVENT_TEXT_MAX];
    size_t n = 0;
    for (const char *at; (at = strstr(text, key)); text = at + strcspn(at, " ")) {
        size_t before = (size_t)(at - text) + sizeof key - 1;
        memcpy(long_text + n, text, before);
        memcpy(long_text + n + before, "hidden", 6);
        n += before + 6;
    }
    snprintf(long_text + n, sizeof long_text - n, "%s", text);
    copy_text(out, long_text);
}

void event_json(struct jsonw *w, const char *key, const struct event *ev,
                bool addresses) {
    char hidden[EVENT_TEXT_MAX];
    if (!addresses)
        hide_addresses(hidden, ev->text);
    jsonw_obj(w, key);
    jsonw_u64(w, "seq", ev->seq);
    jsonw_i64(w, "t", ev->wall_ms);
    jsonw_str(w, "level", log_level_name((enum log_level)ev->level));
    jsonw_str(w, "event", ev->word);
    jsonw_str(w, "text", addresses ? ev->text : hidden);
    jsonw_obj_end(w);
}

/* Where the newest `limit` of those wanted begin. */
static uint64_t begin_of_newest(struct events *e, const struct events_query *q) {
    uint64_t last = events_last(e), begin = last + 1;
    uint32_t n = 0;
    struct event ev;
    for (uint64_t seq = last; seq >= first_of(last) && n < q->limit; seq--) {
        if (!events_from(e, seq, &ev) || ev.seq != seq)
            break; /* pushed out meanwhile */
        if (ev.level > q->level)
            continue;
        n++;
        begin = seq;
    }
    return begin;
}

void events_json(struct jsonw *w, struct events *e, uint64_t epoch,
                 const struct events_query *q) {
    char hex[17];
    struct event ev;
    uint64_t next = q->has_since ? q->since : begin_of_newest(e, q);
    jsonw_obj(w, NULL);
    jsonw_str(w, "epoch", about_hex(hex, epoch));
    jsonw_u64(w, "first", first_of(events_last(e)));
    jsonw_arr(w, "events");
    uint32_t n = 0;
    while (n < q->limit && events_from(e, next, &ev)) {
        next = ev.seq + 1;
        if (ev.level > q->level)
            continue;
        event_json(w, NULL, &ev, q->addresses);
        n++;
    }
    jsonw_arr_end(w);
    /* A number of another run may lie far ahead. */
    uint64_t last = events_last(e);
    jsonw_u64(w, "next", next <= last ? next : last + 1);
    jsonw_obj_end(w);
}
