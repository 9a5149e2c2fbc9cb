#include "app/live.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/stats_json.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"

#define EVENTS_PER_TICK 16

int live_init(struct live *l, const struct about *about, struct telemetry *telemetry,
              struct events *events, const struct config *c) {
    l->about = about;
    l->telemetry = telemetry;
    l->events = events;
    l->cap = c->max_sessions + HUB_KEPT;
    l->max_asked = c->max_asked;
    l->seats = pages_take(l->cap * sizeof *l->seats);
    int rc = l->seats ? resume_init(&l->resume, l->cap) : -ENOMEM;
    if (rc)
        goto fail_seats;
    rc = rpc_methods_init(&l->methods, about, telemetry, events, c->max_message);
    if (rc)
        goto fail_resume;
    return 0;
fail_resume:
    resume_free(&l->resume);
fail_seats:
    pages_give(l->seats, l->cap * sizeof *l->seats);
    return rc;
}

void live_free(struct live *l) {
    rpc_methods_free(&l->methods);
    resume_free(&l->resume);
    pages_give(l->seats, l->cap * sizeof *l->seats);
}

/* ---- notifications ---- */

static void begin(struct jsonw *w, char *buf, size_t cap, const char *method) {
    jsonw_init(w, buf, cap);
    jsonw_obj(w, NULL);
    jsonw_str(w, "jsonrpc", "2.0");
    jsonw_str(w, "method", method);
    jsonw_obj(w, "params");
}

static size_t end(struct jsonw *w) {
    jsonw_obj_end(w);
    jsonw_obj_end(w);
    return jsonw_end(w);
}

static void tell(struct hub *h, sess_id id, struct jsonw *w) {
    size_t n = end(w);
    assert(n > 0);
    /* One that is gone or owes too much ends by the hub's own rules. */
    (void)hub_send(h, id, WS_TEXT, (const uint8_t *)w->buf, n);
}

static void say_hello(struct live *l, struct hub *h, sess_id id, const char *resumed) {
    const struct about *a = l->about;
    uint32_t slot = sess_slot(id);
    struct resume_token t = resume_open(&l->resume, slot);
    char buf[1024], text[40];
    struct jsonw w;
    begin(&w, buf, sizeof buf, "hello");
    jsonw_str(&w, "session", stats_id_text(text, id));
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, t.half[0], t.half[1]);
    jsonw_str(&w, "resume", text);
    jsonw_str(&w, "epoch", about_hex(text, a->epoch));
    jsonw_u64(&w, "seq", l->told);
    jsonw_str(&w, "resumed", resumed);
    jsonw_u64(&w, "heartbeat_ms", a->heartbeat_ms);
    jsonw_str(&w, "role", role_name(l->seats[slot].who.role));
    jsonw_u64(&w, "sample_ms", a->sample_ms);
    about_server_json(&w, "server", a);
    tell(h, id, &w);
}

/* How long somebody who was closed for this should stay away; its own jitter comes on
 * top. */
static uint32_t retry_ms(enum disc_why why) {
    switch (why) {
    case DISC_EVICTED:
        return 30000;
    case DISC_SLOW_READER:
    case DISC_INTERNAL_ERROR:
    case DISC_PROTOCOL_ERROR:
        return 5000;
    case DISC_SHUTDOWN:
    case DISC_HEARTBEAT_LOST:
    case DISC_LOGGED_OUT:
    case DISC_EXPIRED:
        return 1000;
    case DISC_NONE:
    case DISC_PEER_CLOSED:
    case DISC_PEER_GONE:
    case DISC_PEER_RESET:
    case DISC_N:
        break;
    }
    return 0;
}

/* ---- samples ---- */

/* What this slot has to say since the last frame: nothing when the number is the same
 * as it is written. v: NULL when it is absent. */
static void value_json(struct jsonw *w, struct live_value *told,
                       const struct telemetry_value *v, bool whole) {
    char text[sizeof told->text] = "";
    if (v) {
        struct jsonw num;
        jsonw_init(&num, text, sizeof text - 1);
        jsonw_num(&num, NULL, v->value, SAMPLE_DIGITS);
        memcpy(told->id, v->id, sizeof told->id);
    }
    if (!whole && strcmp(told->text, text) == 0)
        return;
    memcpy(told->text, text, sizeof told->text);
    if (v)
        jsonw_raw(w, told->id, text, strlen(text));
    else if (!whole)
        jsonw_null(w, told->id);
}

/* The sample as a frame: what has changed since the one before it, or the whole when
 * the client cannot know that one, or the metrics are no longer the same. */
static size_t encode(struct live *l) {
    const struct telemetry_snap *s = &l->snap;
    bool whole = s->seq != l->told + 1 || l->told == 0 || s->layout != l->layout;
    struct jsonw w;
    begin(&w, l->frame, sizeof l->frame, "telemetry");
    jsonw_u64(&w, "seq", s->seq);
    if (!whole)
        jsonw_u64(&w, "base", l->told);
    jsonw_i64(&w, "t", s->wall_ms);
    jsonw_u64(&w, "up", s->mono_ms);
    jsonw_obj(&w, "values");
    uint32_t next = 0;
    for (uint32_t slot = 0; slot < LIM_METRICS; slot++) {
        bool present = next < s->n && s->v[next].slot == slot;
        value_json(&w, &l->values[slot], present ? &s->v[next++] : NULL, whole);
    }
    jsonw_obj_end(&w);
    l->layout = s->layout;
    return end(&w);
}

/* The sample told last, whole, for those who did not follow. At most once for each. */
static void tell_key(struct live *l, struct hub *h) {
    if (l->told == 0)
        return;
    struct jsonw w;
    begin(&w, l->frame, sizeof l->frame, "telemetry");
    sample_json(&w, &l->snap);
    size_t n = end(&w);
    assert(n > 0);
    (void)hub_broadcast_key(h, TOPIC_TELEMETRY, l->told, WS_TEXT,
                            (const uint8_t *)l->frame, n);
}

/* ---- who may stay ---- */

/* Closes a session whose login or token holds no longer. */
static void review(struct live *l, struct hub *h, const struct live_seat *seat) {
    switch (auth_life(l->auth, &seat->who, hub_now_ms(h), clock_wall_ms() / 1000)) {
    case AUTH_HOLDS:
        break;
    case AUTH_EXPIRED:
        hub_close(h, seat->id, DISC_EXPIRED);
        break;
    case AUTH_ENDED:
        hub_close(h, seat->id, DISC_LOGGED_OUT);
        break;
    }
}

static void review_all(struct live *l, struct hub *h) {
    if (!l->auth || !auth_due(l->auth, hub_now_ms(h), &l->auth_turn))
        return;
    for (uint32_t i = 0; i < l->cap; i++) {
        if (l->seats[i].id)
            review(l, h, &l->seats[i]);
    }
    auth_sweep(l->auth, hub_now_ms(h), clock_wall_ms() / 1000);
}

/* ---- what the hub tells us ---- */

static void opened(void *ctx, struct hub *h, sess_id id,
                   const struct handoff_hello *in) {
    struct live *l = ctx;
    l->seats[sess_slot(id)] =
        (struct live_seat){.id = id, .who = {(enum role)in->role, in->credential}};
    struct resume_token token = {{in->resume_token[0], in->resume_token[1]}};
    const char *resumed = "none";
    if (in->resume_epoch == l->about->epoch &&
        resume_claim(&l->resume, token, hub_now_ms(h))) {
        long n = hub_replay(h, id, TOPIC_TELEMETRY, in->resume_seq);
        resumed = n >= 0 ? "replay" : "snapshot";
    }
    if (resumed[0] != 'r' && !hub_snapshot_first(h, id))
        tell_key(l, h);
    say_hello(l, h, id, resumed);
    char text[17], addr[64];
    log_debug("session_opened", "id=%s address=%s resumed=%s", stats_id_text(text, id),
              sess_addr_text(&in->addr, addr, sizeof addr), resumed);
    /* What opened it may have ended on the way here. */
    if (l->auth)
        review(l, h, &l->seats[sess_slot(id)]);
}

/* Twice a minute's worth around the turn of one at most: enough to stop a flood. */
static bool asks_too_much(struct live *l, struct live_seat *seat, uint64_t now_ms) {
    if (now_ms - seat->minute_ms >= 60000) {
        seat->minute_ms = now_ms;
        seat->asked = 0;
    }
    return ++seat->asked > l->max_asked;
}

static void message(void *ctx, struct hub *h, sess_id id, enum ws_op op,
                    const uint8_t *p, size_t n) {
    struct live *l = ctx;
    if (op != WS_TEXT) {
        hub_close_with(h, id, DISC_PROTOCOL_ERROR, 1003, "text only");
        return;
    }
    if (asks_too_much(l, &l->seats[sess_slot(id)], hub_now_ms(h))) {
        hub_close_with(h, id, DISC_PROTOCOL_ERROR, 1008, "too many messages");
        return;
    }
    const char *answer;
    size_t len = rpc_methods_handle(&l->methods, h, id,
                                    (uint8_t)l->seats[sess_slot(id)].who.role,
                                    (const char *)p, n, &answer);
    if (len > 0)
        (void)hub_send(h, id, WS_TEXT, (const uint8_t *)answer, len);
}

static void closing(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    (void)ctx;
    char buf[256];
    struct jsonw w;
    begin(&w, buf, sizeof buf, "bye");
    jsonw_str(&w, "cause", disc_info(why)->name);
    jsonw_u64(&w, "retry_ms", retry_ms(why));
    tell(h, id, &w);
}

static void closed(void *ctx, struct hub *h, sess_id id, enum disc_why why) {
    struct live *l = ctx;
    resume_close(&l->resume, sess_slot(id), hub_now_ms(h));
    char text[17], addr[64];
    struct sess_addr at = hub_address(h, id);
    log_at(disc_info(why)->level, "session_closed", "id=%s address=%s cause=%s",
           stats_id_text(text, id), sess_addr_text(&at, addr, sizeof addr),
           disc_info(why)->name);
    l->seats[sess_slot(id)].id = 0;
}

/* A new sample, perhaps: one frame for everybody. */
static void tell_sample(struct live *l, struct hub *h) {
    telemetry_snapshot(l->telemetry, &l->snap);
    if (l->snap.seq == l->told)
        return;
    size_t n = encode(l);
    assert(n > 0);
    int rc = hub_broadcast(h, TOPIC_TELEMETRY, l->snap.seq, WS_TEXT,
                           (const uint8_t *)l->frame, n);
    assert(rc == 0); /* the ring holds many of the largest frame */
    (void)rc;
    l->told = l->snap.seq;
    if (hub_wants_key(h, TOPIC_TELEMETRY))
        tell_key(l, h);
}

static void tell_event(struct hub *h, const struct event *ev, uint8_t topic) {
    if (!hub_has_audience(h, topic))
        return;
    char buf[EVENT_JSON_MAX + 64];
    struct jsonw w;
    jsonw_init(&w, buf, sizeof buf);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "jsonrpc", "2.0");
    jsonw_str(&w, "method", "event");
    event_json(&w, "params", ev, topic == TOPIC_EVENTS_ADMIN);
    jsonw_obj_end(&w);
    size_t n = jsonw_end(&w);
    assert(n > 0);
    (void)hub_broadcast(h, topic, ev->seq, WS_TEXT, (const uint8_t *)buf, n);
}

/* New lines of the log, perhaps; a burst of them takes turns with the rest. */
static void tell_events(struct live *l, struct hub *h) {
    if (!hub_has_audience(h, TOPIC_EVENTS | TOPIC_EVENTS_ADMIN)) {
        l->event_told = events_last(l->events);
        return;
    }
    struct event ev;
    for (int i = 0; events_from(l->events, l->event_told + 1, &ev); i++) {
        if (i == EVENTS_PER_TICK) {
            hub_kick(h);
            return;
        }
        tell_event(h, &ev, TOPIC_EVENTS);
        tell_event(h, &ev, TOPIC_EVENTS_ADMIN);
        l->event_told = ev.seq;
    }
}

static void kicked(void *ctx, struct hub *h) {
    struct live *l = ctx;
    review_all(l, h);
    tell_sample(l, h);
    tell_events(l, h);
}

const struct hub_app live_app = {
    .opened = opened,
    .message = message,
    .closing = closing,
    .closed = closed,
    .kicked = kicked,
};
