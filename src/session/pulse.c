#include "session/pulse.h"

/* Before the first sample (RFC 2988 2.1), and the least at any time (RFC 6298 2.4). */
#define GRACE_FIRST_MS 3000u
#define GRACE_MIN_MS 1000u
#define STEADY_ENOUGH 4u
/* Keeps sums of a few RTTs within 32 bits; a day and a half. */
#define RTT_MAX_MS (UINT32_MAX / 32)

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint32_t clamp(uint32_t v, uint32_t lo, uint32_t hi) {
    return v < lo ? lo : v > hi ? hi : v;
}

static uint32_t apart(uint32_t a, uint32_t b) { return a < b ? b - a : a - b; }

/* An answer later than this is not what this session is used to. */
static uint32_t usual_ms(const struct pulse *p) {
    return p->srtt_ms + 4 * p->rttvar_ms + 250;
}

uint32_t pulse_grace_ms(const struct pulse *p) {
    uint32_t want = p->rtt_known ? p->srtt_ms + usual_ms(p) : GRACE_FIRST_MS;
    if (want < GRACE_MIN_MS)
        want = GRACE_MIN_MS;
    /* The last third of T may do for a fast peer; a slow one gets two of them, which at
     * T = 5 s is an RTT of 3.3 s. */
    return (uint32_t)min_u64(want, p->interval_ms / 3 * 2);
}

void pulse_start(struct pulse *p, const struct pulse_opts *o, uint64_t now_ms,
                 uint32_t first_ms) {
    *p = (struct pulse){
        .heard_ms = now_ms,
        .base_ms = now_ms,
        /* As if pinged so long ago that the next is due then; wraps back there. */
        .pinged_ms = now_ms + first_ms - o->max_ms,
        .interval_ms = o->start_ms,
    };
}

void pulse_heard(struct pulse *p, uint64_t now_ms) {
    p->heard_ms = now_ms;
    p->base_ms = now_ms;
    p->missed = 0;
    p->reprieved = false;
}

void pulse_sent(struct pulse *p, uint64_t now_ms) {
    if (p->ping_ms == 0)
        p->ping_ms = now_ms;
    p->pinged_ms = now_ms;
}

/* RFC 6298 2.2 and 2.3, in whole milliseconds, rounded. */
static void sample(struct pulse *p, uint32_t rtt_ms) {
    if (p->rtt_known) {
        p->rttvar_ms = (3 * p->rttvar_ms + apart(p->srtt_ms, rtt_ms) + 2) / 4;
        p->srtt_ms = (7 * p->srtt_ms + rtt_ms + 4) / 8;
    } else {
        p->rttvar_ms = rtt_ms / 2;
        p->srtt_ms = rtt_ms;
    }
    p->rtt_ms = rtt_ms;
    p->rtt_known = true;
}

static void adapt(struct pulse *p, const struct pulse_opts *o, bool as_usual) {
    if (!as_usual) {
        p->interval_ms = clamp(p->interval_ms / 2, o->min_ms, o->max_ms);
        p->steady = 0;
    } else if (++p->steady == STEADY_ENOUGH) {
        p->interval_ms =
            clamp(p->interval_ms + p->interval_ms / 2, o->min_ms, o->max_ms);
        p->steady = 0;
    }
}

bool pulse_pong(struct pulse *p, const struct pulse_opts *o, uint64_t now_ms,
                uint64_t sent_ms) {
    if (p->ping_ms == 0 || (sent_ms != p->ping_ms && sent_ms != p->pinged_ms))
        return false;
    p->ping_ms = sent_ms == p->pinged_ms ? 0 : p->pinged_ms;
    uint32_t rtt_ms = (uint32_t)min_u64(now_ms - sent_ms, RTT_MAX_MS);
    bool as_usual = !p->rtt_known || rtt_ms <= usual_ms(p);
    sample(p, rtt_ms);
    adapt(p, o, as_usual);
    return true;
}

static bool pinged_in_this_silence(const struct pulse *p) {
    return p->ping_ms != 0 && p->pinged_ms >= p->base_ms;
}

static uint64_t miss_due(const struct pulse *p) { return p->base_ms + p->interval_ms; }

static uint64_t ping_due(const struct pulse *p, const struct pulse_opts *o) {
    uint64_t at = p->pinged_ms + o->max_ms;
    if (pinged_in_this_silence(p))
        return at;
    return min_u64(at, miss_due(p) - pulse_grace_ms(p));
}

uint64_t pulse_due_ms(const struct pulse *p, const struct pulse_opts *o) {
    return min_u64(miss_due(p), ping_due(p, o));
}

static enum pulse_act miss(struct pulse *p, const struct pulse_opts *o,
                           uint64_t now_ms) {
    uint64_t ended = miss_due(p);
    p->interval_ms = o->min_ms;
    p->steady = 0;
    /* The next interval begins where this one ended, so that late ticks do not add up;
     * but however late we are, the peer has half of it to answer. */
    p->base_ms = now_ms - ended < o->min_ms / 2 ? ended : now_ms;
    return ++p->missed >= o->misses ? PULSE_SUSPECT : PULSE_MISSED_PING;
}

enum pulse_act pulse_tick(struct pulse *p, const struct pulse_opts *o,
                          uint64_t now_ms) {
    if (now_ms >= miss_due(p))
        return miss(p, o, now_ms);
    return now_ms >= ping_due(p, o) ? PULSE_PING : PULSE_NONE;
}

bool pulse_verdict(struct pulse *p, uint64_t now_ms, bool evidence_of_life) {
    if (!evidence_of_life || p->reprieved)
        return false;
    p->reprieved = true;
    p->base_ms = now_ms;
    return true;
}

void pulse_excuse(struct pulse *p, uint64_t now_ms, uint64_t late_ms) {
    p->base_ms = min_u64(p->base_ms + late_ms, now_ms);
    p->ping_ms = 0;
}
