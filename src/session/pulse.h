#pragma once
/* The heartbeat of one session: when to ping, what silence means, how the interval
 * adapts. Pure: time comes in as monotonic milliseconds, never 0. RFC 6455 5.5.2
 * and 5.5.3.
 *
 * Let T be the interval and g the grace (from the session's own RTT). A session not
 * heard for T - g is pinged; not heard for T, a heartbeat is missed, T shrinks to the
 * minimum and it is pinged again. Three misses make a suspect, which the caller
 * double-checks (pulse_verdict). So a silent peer is found after 3 intervals at most.
 * One that talks anyway is pinged once per longest interval, for its RTT.
 *
 * T adapts with the answers: four in a row stretch it by half; one that is much later
 * than this session's answers usually are halves it; a miss shrinks it to the minimum.
 */
#include <stdbool.h>
#include <stdint.h>

struct pulse_opts {
    uint32_t start_ms; /* first interval, 15,000; min <= start <= max */
    uint32_t min_ms;   /* 5,000 */
    uint32_t max_ms;   /* 60,000 */
    uint32_t misses;   /* that make a suspect, 3; at most 250 */
};

struct pulse {
    uint64_t heard_ms;  /* last inbound byte */
    uint64_t base_ms;   /* start of the silence now measured: heard, or the last miss */
    uint64_t ping_ms;   /* send time of the oldest ping not answered yet, 0: none */
    uint64_t pinged_ms; /* when any ping was last sent */
    uint32_t interval_ms; /* T */
    uint32_t srtt_ms;     /* smoothed RTT and its mean deviation (RFC 6298 section 2) */
    uint32_t rttvar_ms;
    uint32_t rtt_ms; /* newest sample; valid when rtt_known */
    uint8_t missed;
    uint8_t steady; /* answers in a row that came as expected */
    bool rtt_known;
    bool reprieved; /* a double check has saved it once since it was last heard */
};

enum pulse_act {
    PULSE_NONE,
    PULSE_PING,        /* send a ping that carries now_ms, then call pulse_sent() */
    PULSE_MISSED_PING, /* a heartbeat was missed; ping as above */
    PULSE_SUSPECT, /* one more was missed, too many: look for evidence, pulse_verdict()
                    */
};

/* first_ms: a random delay until the first ping, so that many sessions spread out. One
 * beyond T - g makes no difference. */
void pulse_start(struct pulse *p, const struct pulse_opts *o, uint64_t now_ms,
                 uint32_t first_ms);
/* Any inbound byte is life. */
void pulse_heard(struct pulse *p, uint64_t now_ms);
void pulse_sent(struct pulse *p, uint64_t now_ms);
/* After pulse_heard() for its bytes. sent_ms: what the pong's payload says. True and an
 * RTT sample when it answers the oldest or the newest ping still unanswered (a peer may
 * answer the newest alone, RFC 6455 5.5.3); others, unsolicited or forged, are ignored.
 */
bool pulse_pong(struct pulse *p, const struct pulse_opts *o, uint64_t now_ms,
                uint64_t sent_ms);
enum pulse_act pulse_tick(struct pulse *p, const struct pulse_opts *o, uint64_t now_ms);
/* After PULSE_SUSPECT: evidence gives one more interval if it has not had one in this
 * silence; returns whether the session lives on. */
bool pulse_verdict(struct pulse *p, uint64_t now_ms, bool evidence_of_life);
/* The hub itself was late by late_ms: nobody is charged for that time, and a ping in
 * flight no longer measures the peer alone, so its answer will not be a sample. Call it
 * before pulse_heard() and pulse_tick() of the late tick. */
void pulse_excuse(struct pulse *p, uint64_t now_ms, uint64_t late_ms);
/* When pulse_tick next has something to do (absolute). */
uint64_t pulse_due_ms(const struct pulse *p, const struct pulse_opts *o);
/* How long before the end of the interval a silent peer is pinged. */
uint32_t pulse_grace_ms(const struct pulse *p);
