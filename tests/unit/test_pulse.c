// link: session
/* The heartbeat on a fake clock: how soon silence is found, that a healthy peer is
 * never charged, and how the interval adapts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/pulse.h"

#define HOUR_MS (3600u * 1000)

static const struct pulse_opts opts = {
    .start_ms = 15000, .min_ms = 5000, .max_ms = 60000, .misses = 3};

static uint64_t rnd_state;

static uint32_t rnd(uint32_t below) {
    rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
    return below ? (uint32_t)(rnd_state >> 33) % below : 0;
}

/* A hub and a peer that answers pings. */
#define IN_FLIGHT 64

struct sim {
    struct pulse p;
    struct pulse_opts o;
    uint64_t now_ms;
    uint32_t tick_ms;           /* the hub wakes at multiples of this */
    uint32_t rtt_ms, jitter_ms; /* of the peer: rtt and up to jitter more */
    bool mute;                  /* it answers nothing */
    uint64_t sent[IN_FLIGHT], comes[IN_FLIGHT]; /* pongs under way, a FIFO as TCP is */
    unsigned n_flight;
    unsigned pings, samples, misses, suspects;
};

static struct sim sim_of(uint32_t start_ms, uint32_t rtt_ms, uint32_t jitter_ms) {
    struct sim s = {.o = opts, .now_ms = 1000000, .tick_ms = 1};
    s.o.start_ms = start_ms;
    s.rtt_ms = rtt_ms;
    s.jitter_ms = jitter_ms;
    pulse_start(&s.p, &s.o, s.now_ms, 1000);
    return s;
}

static void sim_ping(struct sim *s) {
    pulse_sent(&s->p, s->now_ms);
    s->pings++;
    if (s->mute)
        return;
    uint64_t comes = s->now_ms + s->rtt_ms + rnd(s->jitter_ms + 1);
    if (s->n_flight > 0 && comes < s->comes[s->n_flight - 1])
        comes = s->comes[s->n_flight - 1];
    assert_true(s->n_flight < IN_FLIGHT);
    s->sent[s->n_flight] = s->now_ms;
    s->comes[s->n_flight++] = comes;
}

static void sim_receive(struct sim *s) {
    while (s->n_flight > 0 && s->comes[0] <= s->now_ms) {
        pulse_heard(&s->p, s->now_ms);
        s->samples += pulse_pong(&s->p, &s->o, s->now_ms, s->sent[0]);
        s->n_flight--;
        memmove(s->sent, s->sent + 1, s->n_flight * sizeof(s->sent[0]));
        memmove(s->comes, s->comes + 1, s->n_flight * sizeof(s->comes[0]));
    }
}

static enum pulse_act sim_tick(struct sim *s) {
    enum pulse_act act = pulse_tick(&s->p, &s->o, s->now_ms);
    s->misses += act == PULSE_MISSED_PING || act == PULSE_SUSPECT;
    s->suspects += act == PULSE_SUSPECT;
    if (act == PULSE_PING || act == PULSE_MISSED_PING)
        sim_ping(s);
    return act;
}

/* On to the next thing that happens, a pong or a tick; the hub reads before it ticks.
 */
static enum pulse_act sim_step(struct sim *s) {
    uint64_t tick = pulse_due_ms(&s->p, &s->o);
    tick = (tick + s->tick_ms - 1) / s->tick_ms * s->tick_ms;
    uint64_t pong = s->n_flight ? s->comes[0] : UINT64_MAX;
    uint64_t next = tick < pong ? tick : pong;
    if (next > s->now_ms)
        s->now_ms = next;
    sim_receive(s);
    return s->now_ms >= tick ? sim_tick(s) : PULSE_NONE;
}

static void sim_run(struct sim *s, uint64_t for_ms) {
    uint64_t end = s->now_ms + for_ms;
    while (s->now_ms < end && s->suspects == 0)
        sim_step(s);
}

/* Steps until something other than a plain ping is asked for. */
static enum pulse_act sim_until_miss(struct sim *s) {
    for (;;) {
        enum pulse_act act = sim_step(s);
        if (act == PULSE_MISSED_PING || act == PULSE_SUSPECT)
            return act;
    }
}

static void silence_is_found_within_three_intervals(void **state) {
    (void)state;
    static const struct {
        uint32_t interval_ms, found_ms;
    } row[] = {{5000, 15000}, {7500, 17500}, {15000, 25000}, {60000, 70000}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sim s = sim_of(row[i].interval_ms, 0, 0);
        s.mute = true;
        assert_int_equal(sim_until_miss(&s), PULSE_MISSED_PING);
        assert_int_equal(s.now_ms - s.p.heard_ms, row[i].interval_ms);
        assert_int_equal(sim_until_miss(&s), PULSE_MISSED_PING);
        assert_int_equal(sim_until_miss(&s), PULSE_SUSPECT);
        assert_int_equal(s.now_ms - s.p.heard_ms, row[i].found_ms);
        assert_true(row[i].found_ms <= 3 * row[i].interval_ms);
        assert_int_equal(s.p.missed, 3);
        /* The double check saves it once, for the shortest interval. */
        assert_true(pulse_verdict(&s.p, s.now_ms, true));
        assert_int_equal(sim_until_miss(&s), PULSE_SUSPECT);
        assert_int_equal(s.now_ms - s.p.heard_ms, row[i].found_ms + 5000);
        assert_false(pulse_verdict(&s.p, s.now_ms, true));
    }
}

static void no_evidence_no_reprieve(void **state) {
    (void)state;
    struct sim s = sim_of(15000, 0, 0);
    s.mute = true;
    sim_run(&s, HOUR_MS);
    assert_int_equal(s.suspects, 1);
    assert_false(pulse_verdict(&s.p, s.now_ms, false));
    assert_false(s.p.reprieved);
}

static void a_reprieve_is_a_whole_interval(void **state) {
    (void)state;
    struct pulse p;
    pulse_start(&p, &opts, 1000, 0);
    p.missed = 2;
    uint64_t now = 1000 + 15000 + 700; /* a late tick */
    assert_int_equal(pulse_tick(&p, &opts, now), PULSE_SUSPECT);
    assert_true(pulse_verdict(&p, now, true));
    pulse_sent(&p, now);
    assert_int_equal(pulse_due_ms(&p, &opts), now + 5000);
}

static void a_byte_buys_the_next_reprieve(void **state) {
    (void)state;
    struct sim s = sim_of(15000, 0, 0);
    s.mute = true;
    for (int silence = 0; silence < 3; silence++) {
        while (sim_until_miss(&s) != PULSE_SUSPECT)
            ;
        assert_true(pulse_verdict(&s.p, s.now_ms, true));
        assert_int_equal(sim_until_miss(&s), PULSE_SUSPECT);
        assert_false(pulse_verdict(&s.p, s.now_ms, true));
        pulse_heard(&s.p, s.now_ms);
        assert_int_equal(s.p.missed, 0);
    }
}

/* A silent peer has had pings, each with time to answer, before it is given up. */
static void silence_is_asked_before_it_is_judged(void **state) {
    (void)state;
    struct sim s = sim_of(15000, 0, 0);
    s.mute = true;
    s.p.pinged_ms = s.now_ms; /* no first ping in between */
    assert_int_equal(sim_step(&s), PULSE_PING);
    assert_int_equal(s.now_ms - s.p.heard_ms, 15000 - 3000);
    static const uint32_t at[] = {15000, 20000};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sim_step(&s), PULSE_MISSED_PING);
        assert_int_equal(s.now_ms - s.p.heard_ms, at[i]);
    }
    assert_int_equal(sim_step(&s), PULSE_SUSPECT);
    assert_int_equal(s.pings, 3);
    /* After a reprieve it is asked once more. */
    assert_true(pulse_verdict(&s.p, s.now_ms, true));
    assert_int_equal(sim_step(&s), PULSE_PING);
    assert_int_equal(sim_step(&s), PULSE_SUSPECT);
}

static void healthy_is_never_charged(void **state) {
    (void)state;
    static const uint32_t start[] = {5000, 15000, 60000};
    static const uint32_t rtt[] = {0, 1, 20, 150, 400, 900, 1500, 2000, 2500};
    static const uint32_t percent[] = {0, 10, 25};
    static const uint32_t tick[] = {1, 100};
    for (unsigned i = 0; i < 3 * 9 * 3 * 2; i++) {
        uint32_t rtt_ms = rtt[i / 3 % 9];
        struct sim s = sim_of(start[i % 3], rtt_ms, rtt_ms * percent[i / 27 % 3] / 100);
        s.tick_ms = tick[i / 81];
        rnd_state = i;
        sim_run(&s, 8 * HOUR_MS);
        assert_int_equal(s.misses, 0);
        assert_true(s.samples >= 8 * 60 - 10);
        assert_true(s.pings - s.samples <= 1);
        assert_true(s.p.rtt_known);
        assert_in_range(s.p.srtt_ms, rtt_ms, rtt_ms + s.jitter_ms + 4);
        if (s.jitter_ms == 0)
            assert_int_equal(s.p.interval_ms, 60000);
    }
}

/* Slower than any grace at 5 s: misses, but it is heard in time, and measured. */
static void very_slow_is_not_a_suspect(void **state) {
    (void)state;
    for (uint32_t rtt_ms = 3000; rtt_ms <= 9000; rtt_ms += 500) {
        struct sim s = sim_of(5000, rtt_ms, 300);
        rnd_state = rtt_ms;
        sim_run(&s, 8 * HOUR_MS);
        assert_int_equal(s.suspects, 0);
        assert_true(s.samples > 100);
        assert_in_range(s.p.srtt_ms, rtt_ms, rtt_ms + 310);
    }
}

static void grace_follows_the_rtt(void **state) {
    (void)state;
    static const struct {
        bool known;
        uint32_t interval, srtt, rttvar, grace;
    } row[] = {
        {false, 15000, 0, 0, 3000},         {false, 5000, 0, 0, 3000},
        {false, 3000, 0, 0, 2000},          {true, 15000, 1, 0, 1000},
        {true, 15000, 300, 40, 1010},       {true, 15000, 2500, 1000, 9250},
        {true, 5000, 2500, 1000, 3332},     {true, 60000, 2500, 1000, 9250},
        {true, 5000, 100000, 100000, 3332},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pulse p = {.rtt_known = row[i].known,
                          .interval_ms = row[i].interval,
                          .srtt_ms = row[i].srtt,
                          .rttvar_ms = row[i].rttvar};
        assert_int_equal(pulse_grace_ms(&p), row[i].grace);
    }
}

static void four_steady_answers_stretch_the_interval(void **state) {
    (void)state;
    static const uint32_t interval[] = {15000, 22500, 33750, 50625, 60000, 60000};
    struct sim s = sim_of(15000, 30, 10);
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned answers = 0; answers < 4; answers++) {
            assert_int_equal(s.p.interval_ms, interval[i]);
            unsigned samples = s.samples;
            while (s.samples == samples)
                sim_step(&s);
        }
    }
}

static void answer_after(struct pulse *p, uint64_t *now_ms, uint32_t rtt_ms) {
    uint64_t sent_ms = *now_ms;
    pulse_sent(p, sent_ms);
    *now_ms += rtt_ms;
    pulse_heard(p, *now_ms);
    assert_true(pulse_pong(p, &opts, *now_ms, sent_ms));
}

static void an_unusual_answer_halves_the_interval(void **state) {
    (void)state;
    /* Each later than the ones before it have taught us to expect. */
    static const struct {
        uint32_t rtt_ms, interval_ms;
    } row[] = {{400, 30000}, {800, 15000}, {1500, 7500}, {3000, 5000}, {5200, 5000}};
    struct pulse p;
    uint64_t now = 1000;
    pulse_start(&p, &opts, now, 0);
    for (int i = 0; i < 100; i++)
        answer_after(&p, &now, 20);
    assert_int_equal(p.interval_ms, 60000);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        answer_after(&p, &now, row[i].rtt_ms);
        assert_int_equal(p.interval_ms, row[i].interval_ms);
    }
    /* Once it has settled, the interval grows again. */
    for (int i = 0; i < 100; i++)
        answer_after(&p, &now, 3000);
    assert_int_equal(p.interval_ms, 60000);
}

static void a_row_of_answers_starts_over(void **state) {
    (void)state;
    for (int missed = 0; missed < 2; missed++) {
        struct pulse p;
        uint64_t now = 1000;
        pulse_start(&p, &opts, now, 0);
        for (int i = 0; i < 7; i++) /* one stretch, and three answers */
            answer_after(&p, &now, 20);
        assert_int_equal(p.interval_ms, 22500);
        if (missed) {
            now += 22500;
            assert_int_equal(pulse_tick(&p, &opts, now), PULSE_MISSED_PING);
        } else {
            answer_after(&p, &now, 2000);
        }
        uint32_t shrunk = missed ? 5000 : 11250;
        for (int i = 0; i < 3; i++)
            answer_after(&p, &now, 20);
        assert_int_equal(p.interval_ms, shrunk);
        answer_after(&p, &now, 20);
        assert_int_equal(p.interval_ms, shrunk + shrunk / 2);
    }
}

static void the_limit_of_usual_is_exact(void **state) {
    (void)state;
    static const struct {
        uint32_t rtt_ms, interval_ms;
    } row[] = {{100 + 4 * 50 + 250, 15000}, {100 + 4 * 50 + 251, 7500}};
    for (size_t i = 0; i < 2; i++) {
        struct pulse p;
        pulse_start(&p, &opts, 1000, 0);
        p.rtt_known = true;
        p.srtt_ms = 100;
        p.rttvar_ms = 50;
        pulse_sent(&p, 1000);
        assert_true(pulse_pong(&p, &opts, 1000 + row[i].rtt_ms, 1000));
        assert_int_equal(p.interval_ms, row[i].interval_ms);
    }
}

static void a_miss_shrinks_to_the_minimum_and_recovers(void **state) {
    (void)state;
    struct sim s = sim_of(15000, 20, 0);
    sim_run(&s, HOUR_MS);
    assert_int_equal(s.p.interval_ms, 60000);
    s.mute = true;
    assert_int_equal(sim_until_miss(&s), PULSE_MISSED_PING);
    assert_int_equal(s.p.interval_ms, 5000);
    assert_int_equal(s.p.missed, 1);
    s.mute = false;
    assert_int_equal(sim_until_miss(&s), PULSE_MISSED_PING); /* this one is answered */
    sim_run(&s, 1000);
    assert_int_equal(s.p.missed, 0);
    assert_int_equal(s.p.interval_ms, 5000);
    sim_run(&s, HOUR_MS);
    assert_int_equal(s.p.interval_ms, 60000);
    assert_int_equal(s.misses, 2);
}

/* RFC 6298 2.2 and 2.3, computed by hand. */
static void rtt_is_smoothed(void **state) {
    (void)state;
    static const struct {
        uint32_t rtt, srtt, rttvar;
    } row[] = {
        {100, 100, 50}, {100, 100, 38}, {180, 110, 49}, {20, 99, 59}, {0, 87, 69}};
    struct pulse p;
    uint64_t now = 1000;
    pulse_start(&p, &opts, now, 0);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        pulse_sent(&p, now);
        uint64_t sent = now;
        now += row[i].rtt;
        assert_true(pulse_pong(&p, &opts, now, sent));
        assert_int_equal(p.rtt_ms, row[i].rtt);
        assert_int_equal(p.srtt_ms, row[i].srtt);
        assert_int_equal(p.rttvar_ms, row[i].rttvar);
        now += 10000;
    }
}

static void assert_ignored(struct pulse *p, uint64_t now_ms, uint64_t sent_ms) {
    struct pulse before = *p;
    assert_false(pulse_pong(p, &opts, now_ms, sent_ms));
    assert_int_equal(p->ping_ms, before.ping_ms);
    assert_int_equal(p->rtt_known, before.rtt_known);
    assert_int_equal(p->rtt_ms, before.rtt_ms);
    assert_int_equal(p->srtt_ms, before.srtt_ms);
    assert_int_equal(p->steady, before.steady);
    assert_int_equal(pulse_due_ms(p, &opts), pulse_due_ms(&before, &opts));
}

static void pongs_that_answer_nothing_are_ignored(void **state) {
    (void)state;
    struct pulse p;
    pulse_start(&p, &opts, 1000, 500);
    static const uint64_t forged[] = {0, 1, 999, 1000, 1500, UINT64_MAX};
    for (size_t i = 0; i < 6; i++)
        assert_ignored(&p, 2000, forged[i]);
    assert_ignored(&p, 2000, p.pinged_ms);

    pulse_sent(&p, 2000);
    static const uint64_t wrong[] = {0, 1999, 2001, 2100, UINT64_MAX};
    for (size_t i = 0; i < 5; i++)
        assert_ignored(&p, 2100, wrong[i]);
    assert_true(pulse_pong(&p, &opts, 2100, 2000));
    assert_int_equal(p.rtt_ms, 100);
    assert_ignored(&p, 2100, 2000); /* twice */
}

static void which_of_several_pings_is_answered(void **state) {
    (void)state;
    static const struct {
        uint64_t pong[3];
        bool taken[3];
    } row[] = {
        {{100, 200, 300}, {true, false, true}}, /* each, in order */
        {{300, 300, 0}, {true, false, false}},  /* RFC 6455 5.5.3: the newest alone */
        {{200, 300, 100}, {false, true, false}},
        {{100, 100, 300}, {true, false, true}},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pulse p;
        pulse_start(&p, &opts, 50, 0);
        pulse_sent(&p, 100);
        pulse_sent(&p, 200);
        pulse_sent(&p, 300);
        for (size_t k = 0; k < 3; k++) {
            uint64_t pong = row[i].pong[k];
            assert_int_equal(pulse_pong(&p, &opts, 1000, pong), row[i].taken[k]);
            if (row[i].taken[k])
                assert_int_equal(p.rtt_ms, 1000 - pong);
        }
    }
}

/* Data all the time: a ping per longest interval for the RTT, and never a miss, whether
 * it answers or not. */
static void a_talker_is_pinged_for_its_rtt(void **state) {
    (void)state;
    for (int mute = 0; mute < 2; mute++) {
        struct sim s = sim_of(15000, 40, 0);
        s.mute = mute;
        for (uint64_t end = s.now_ms + HOUR_MS; s.now_ms < end; s.now_ms += 20) {
            pulse_heard(&s.p, s.now_ms);
            sim_receive(&s);
            sim_tick(&s);
        }
        assert_int_equal(s.pings, 60);
        assert_int_equal(s.misses, 0);
        assert_int_equal(s.samples, mute ? 0 : 60);
    }
}

static void the_first_ping_comes_when_told(void **state) {
    (void)state;
    static const struct {
        uint32_t first_ms, at_ms;
    } row[] = {{0, 0}, {1, 1}, {7000, 7000}, {12000, 12000}, {14000, 12000}};
    /* The clock of a machine that has just started is smaller than an interval. */
    static const uint64_t start[] = {1, 500, 59999, 1u << 20, UINT64_C(1) << 40};
    for (size_t i = 0; i < 25; i++) {
        uint64_t now = start[i / 5];
        struct pulse p;
        pulse_start(&p, &opts, now, row[i % 5].first_ms);
        uint64_t at = now + row[i % 5].at_ms;
        assert_int_equal(pulse_due_ms(&p, &opts), at);
        if (at > now)
            assert_int_equal(pulse_tick(&p, &opts, at - 1), PULSE_NONE);
        assert_int_equal(pulse_tick(&p, &opts, at), PULSE_PING);
    }
}

/* pulse_due_ms() is exactly when pulse_tick() begins to ask for something. */
static void due_is_exact(void **state) {
    (void)state;
    struct sim s = sim_of(15000, 800, 3000);
    for (int i = 0; i < 20000; i++) {
        uint64_t due = pulse_due_ms(&s.p, &s.o);
        struct pulse copy = s.p;
        if (due > s.now_ms)
            assert_int_equal(pulse_tick(&copy, &s.o, due - 1), PULSE_NONE);
        assert_int_not_equal(pulse_tick(&copy, &s.o, due), PULSE_NONE);
        s.mute = rnd(4) == 0;
        if (sim_step(&s) == PULSE_SUSPECT && !pulse_verdict(&s.p, s.now_ms, rnd(2)))
            pulse_heard(&s.p, s.now_ms);
    }
    assert_true(s.suspects > 10);
}

/* Ticks on a grid, or each late by up to 250 ms: 3 intervals and one tick at most. */
static void late_ticks_do_not_add_up(void **state) {
    (void)state;
    static const uint32_t start[] = {5000, 15000, 60000};
    for (unsigned run = 0; run < 300; run++) {
        struct sim s = sim_of(start[run % 3], 0, 0);
        s.now_ms += run;
        pulse_start(&s.p, &s.o, s.now_ms, 0);
        uint64_t heard = s.now_ms;
        enum pulse_act act = PULSE_NONE;
        rnd_state = run;
        while (act != PULSE_SUSPECT) {
            s.now_ms = pulse_due_ms(&s.p, &s.o) + rnd(251);
            act = pulse_tick(&s.p, &s.o, s.now_ms);
            if (act == PULSE_PING || act == PULSE_MISSED_PING)
                pulse_sent(&s.p, s.now_ms);
        }
        uint64_t took = s.now_ms - heard;
        assert_in_range(took, start[run % 3] + 10000, start[run % 3] + 10000 + 250);
    }
}

/* However late a tick, it charges one miss, and then there is time to answer. */
static void a_very_late_tick_charges_one_miss(void **state) {
    (void)state;
    for (uint64_t late = 0; late < HOUR_MS; late += 977) {
        struct pulse p;
        pulse_start(&p, &opts, 1000, 60000);
        pulse_sent(&p, 1000);
        uint64_t now = 1000 + 15000 + late;
        assert_int_equal(pulse_tick(&p, &opts, now), PULSE_MISSED_PING);
        pulse_sent(&p, now);
        assert_int_equal(p.missed, 1);
        assert_true(pulse_due_ms(&p, &opts) > now + 2500);
        assert_int_equal(pulse_tick(&p, &opts, now), PULSE_NONE);
    }
}

static void a_late_hub_charges_nobody(void **state) {
    (void)state;
    static const uint64_t late[] = {250, 1000, 5000, 15000, 60000, HOUR_MS};
    for (size_t i = 0; i < 6; i++) {
        for (uint64_t silent = 0; silent < 25000; silent += 500) {
            struct sim s = sim_of(15000, 0, 0);
            s.mute = true;
            uint64_t stops = s.now_ms + silent;
            while (pulse_due_ms(&s.p, &s.o) <= stops)
                sim_step(&s);
            uint8_t missed = s.p.missed;
            s.now_ms = stops + late[i];
            pulse_excuse(&s.p, s.now_ms, late[i]);
            assert_true(s.p.base_ms <= s.now_ms);
            sim_tick(&s);
            assert_int_equal(s.p.missed, missed);
            /* What was left of the silence when we stopped is left now. */
            while (sim_until_miss(&s) != PULSE_SUSPECT)
                ;
            assert_int_equal(s.now_ms - s.p.heard_ms, 25000 + late[i]);
        }
    }
}

static void an_excuse_never_reaches_into_the_future(void **state) {
    (void)state;
    struct pulse p;
    pulse_start(&p, &opts, 1000, 0);
    pulse_heard(&p, 5000);
    pulse_excuse(&p, 5100, 4000);
    assert_int_equal(p.base_ms, 5100);
    assert_int_equal(p.heard_ms, 5000);
}

static void an_excused_ping_is_no_sample(void **state) {
    (void)state;
    struct pulse p;
    pulse_start(&p, &opts, 1000, 0);
    pulse_sent(&p, 1000);
    pulse_excuse(&p, 9000, 7900);
    pulse_heard(&p, 9000);
    assert_false(pulse_pong(&p, &opts, 9000, 1000));
    assert_false(p.rtt_known);
    pulse_sent(&p, 9500);
    assert_false(pulse_pong(&p, &opts, 9600, 1000));
    assert_true(pulse_pong(&p, &opts, 9600, 9500));
    assert_int_equal(p.rtt_ms, 100);
}

static void an_absurd_rtt_does_not_overflow(void **state) {
    (void)state;
    struct pulse p;
    pulse_start(&p, &opts, 1, 0);
    for (int i = 1; i < 100; i++) {
        uint64_t sent = (uint64_t)i << 40;
        pulse_sent(&p, sent);
        assert_true(pulse_pong(&p, &opts, sent + (UINT64_C(1) << 39), sent));
        assert_true(p.srtt_ms <= UINT32_MAX / 32 && p.rttvar_ms <= UINT32_MAX / 32);
        assert_in_range(pulse_grace_ms(&p), 1000, 60000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_found_within_three_intervals),
        cmocka_unit_test(no_evidence_no_reprieve),
        cmocka_unit_test(a_reprieve_is_a_whole_interval),
        cmocka_unit_test(a_byte_buys_the_next_reprieve),
        cmocka_unit_test(silence_is_asked_before_it_is_judged),
        cmocka_unit_test(healthy_is_never_charged),
        cmocka_unit_test(very_slow_is_not_a_suspect),
        cmocka_unit_test(grace_follows_the_rtt),
        cmocka_unit_test(four_steady_answers_stretch_the_interval),
        cmocka_unit_test(an_unusual_answer_halves_the_interval),
        cmocka_unit_test(a_row_of_answers_starts_over),
        cmocka_unit_test(the_limit_of_usual_is_exact),
        cmocka_unit_test(a_miss_shrinks_to_the_minimum_and_recovers),
        cmocka_unit_test(rtt_is_smoothed),
        cmocka_unit_test(pongs_that_answer_nothing_are_ignored),
        cmocka_unit_test(which_of_several_pings_is_answered),
        cmocka_unit_test(a_talker_is_pinged_for_its_rtt),
        cmocka_unit_test(the_first_ping_comes_when_told),
        cmocka_unit_test(due_is_exact),
        cmocka_unit_test(late_ticks_do_not_add_up),
        cmocka_unit_test(a_very_late_tick_charges_one_miss),
        cmocka_unit_test(a_late_hub_charges_nobody),
        cmocka_unit_test(an_excuse_never_reaches_into_the_future),
        cmocka_unit_test(an_excused_ping_is_no_sample),
        cmocka_unit_test(an_absurd_rtt_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
