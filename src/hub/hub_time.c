/* Deadlines: heartbeats, stalled output, unfinished messages, closing. One timerfd is
 * armed to the nearest of them. */
#include <stdint.h>
#include <sys/timerfd.h>

#include "base/bytes.h"
#include "hub/hub_priv.h"

/* Clocks of the kernel's TCP_INFO tick in up to 10 ms. */
#define ACK_SLACK_MS 50u

static void ping(struct hub *h, struct sess *s) {
    uint8_t sent[8];
    bytes_put64(sent, h->now_ms);
    if (io_send(h, s, WS_PING, sent, sizeof(sent)) != 0)
        return;
    pulse_sent(&s->pulse, h->now_ms);
    h->m.pings++;
}

/* Three heartbeats missed. Before it is given up: is there a byte that epoll has not
 * told us of, does its kernel still acknowledge what we sent? */
static void double_check(struct hub *h, struct sess *s, struct conn *c) {
    uint64_t heard_ms = s->pulse.heard_ms;
    io_read(h, s, true);
    if (c->phase != CONN_RUN || s->pulse.heard_ms != heard_ms)
        return;
    uint64_t since_ping_ms = h->now_ms - s->pulse.pinged_ms;
    bool life =
        since_ping_ms > ACK_SLACK_MS && end_peer_acks(c, since_ping_ms + ACK_SLACK_MS);
    if (pulse_verdict(&s->pulse, h->now_ms, life)) {
        h->m.reprieved++;
        ping(h, s);
        return;
    }
    h->m.lost++;
    struct disc_facts f = {.heartbeats_lost = true};
    end_session(h, s, disc_classify(&f), 0, "heartbeat lost");
}

static void beat(struct hub *h, struct sess *s, struct conn *c) {
    /* While we do not read, its silence is our doing; the limits on output watch it. */
    if (io_paused(h, s, c))
        pulse_heard(&s->pulse, h->now_ms);
    switch (pulse_tick(&s->pulse, &h->o.pulse, h->now_ms)) {
    case PULSE_NONE:
        break;
    case PULSE_MISSED_PING:
        h->m.missed++;
        ping(h, s);
        break;
    case PULSE_PING:
        ping(h, s);
        break;
    case PULSE_SUSPECT:
        h->m.missed++;
        double_check(h, s, c);
        break;
    }
}

/* Output that makes no progress: is the peer not reading, or is it not there? */
static void give_up_stalled(struct hub *h, struct sess *s, struct conn *c) {
    struct disc_facts f = {
        .stalled = true,
        .peer_acks = end_peer_acks(c, h->o.stall_ms),
    };
    end_session(h, s, disc_classify(&f), 0, "too slow");
}

static void expire_running(struct hub *h, struct sess *s, struct conn *c) {
    if (c->blocked_ms && h->now_ms >= c->blocked_ms + h->o.stall_ms)
        give_up_stalled(h, s, c);
    else if (c->over_ms && h->now_ms >= c->over_ms + hub_over_limit_ms(h))
        end_session(h, s, DISC_SLOW_READER, 0, "owes too much for too long");
    else if (c->rx_since_ms && h->now_ms >= c->rx_since_ms + h->o.message_ms)
        end_session(h, s, DISC_PROTOCOL_ERROR, 1008, "message not finished in time");
    else
        beat(h, s, c);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_due(const struct hub *h, const struct sess *s,
                         const struct conn *c) {
    if (c->phase == CONN_DEAD)
        return UINT64_MAX;
    if (c->phase != CONN_RUN)
        return c->deadline_ms;
    uint64_t due = pulse_due_ms(&s->pulse, &h->o.pulse);
    if (c->blocked_ms)
        due = earlier(due, c->blocked_ms + h->o.stall_ms);
    if (c->over_ms)
        due = earlier(due, c->over_ms + hub_over_limit_ms(h));
    if (c->rx_since_ms)
        due = earlier(due, c->rx_since_ms + h->o.message_ms);
    return due;
}

void time_expire(struct hub *h) {
    if (h->now_ms < h->due_ms)
        return;
    uint64_t due = UINT64_MAX;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *s = &h->tab.slots[h->tab.live[i]];
        struct conn *c = hub_conn(h, s);
        if (next_due(h, s, c) <= h->now_ms) {
            if (c->phase == CONN_RUN)
                expire_running(h, s, c);
            else
                end_dead(h, s);
        }
        due = earlier(due, next_due(h, s, c));
    }
    h->due_ms = due;
}

void time_arm(struct hub *h) {
    if (h->due_ms == UINT64_MAX)
        return;
    uint64_t at_ms = (h->due_ms + HUB_TICK_MS - 1) / HUB_TICK_MS * HUB_TICK_MS;
    if (at_ms == h->armed_ms)
        return;
    struct itimerspec it = {
        .it_value = {(time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000}};
    timerfd_settime(h->timer, TFD_TIMER_ABSTIME, &it, NULL);
    h->armed_ms = at_ms;
}

void time_woke(struct hub *h, uint64_t now_ms) {
    h->now_ms = now_ms;
    if (!h->armed_ms || now_ms < h->armed_ms)
        return;
    uint64_t late_ms = now_ms - h->armed_ms;
    h->armed_ms = 0; /* the timer has gone off */
    if (late_ms < HUB_LATE_MS)
        return;
    h->m.loop_late++;
    for (uint32_t i = 0; i < h->tab.n_live; i++) {
        struct sess *s = &h->tab.slots[h->tab.live[i]];
        struct conn *c = hub_conn(h, s);
        pulse_excuse(&s->pulse, now_ms, late_ms);
        if (c->blocked_ms)
            c->blocked_ms += late_ms;
        if (c->phase == CONN_RUN && c->over_ms)
            c->over_ms += late_ms;
        if (c->rx_since_ms)
            c->rx_since_ms += late_ms;
    }
}
