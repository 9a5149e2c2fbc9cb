// link: app
#include "app/events.h"

#include <cJSON.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct events events;
static unsigned news;

static int set_up(void **state) {
    (void)state;
    memset(&events, 0, sizeof events);
    return events_init(&events);
}

static int tear_down(void **state) {
    (void)state;
    events_free(&events);
    return 0;
}

static void say(enum log_level lvl, unsigned n) {
    char text[16];
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof text, "i=%u", i);
        events_tap(&events, lvl, "word", text);
    }
}

/* The numbers of the events of an answer, as "1 2 3", and its `next` behind "->". */
static const char *told(const struct events_query *q) {
    static char buf[EVENTS_JSON_MAX], out[8 * EVENTS_N];
    struct jsonw w;
    jsonw_init(&w, buf, sizeof buf);
    events_json(&w, &events, 0xabc, q);
    cJSON *v = cJSON_ParseWithLength(buf, jsonw_end(&w)), *ev;
    assert_non_null(v);
    int n = 0;
    cJSON_ArrayForEach(ev, cJSON_GetObjectItem(v, "events")) n +=
        sprintf(out + n, "%.0f ", cJSON_GetObjectItem(ev, "seq")->valuedouble);
    sprintf(out + n, "-> %.0f", cJSON_GetObjectItem(v, "next")->valuedouble);
    cJSON_Delete(v);
    return out;
}

static void without_events_there_is_what_to_ask_next(void **state) {
    (void)state;
    struct events_query q = EVENTS_QUERY_ALL;
    assert_string_equal(told(&q), "-> 1");
    q.has_since = true;
    q.since = 999; /* another run's */
    assert_string_equal(told(&q), "-> 1");
}

static void the_newest_come_unless_told_where_to_begin(void **state) {
    (void)state;
    say(LOG_LVL_INFO, 5);
    struct events_query q = {.level = LOG_LVL_INFO, .limit = 2};
    assert_string_equal(told(&q), "4 5 -> 6");
    q.has_since = true;
    assert_string_equal(told(&q), "1 2 -> 3");
    q.since = 3;
    assert_string_equal(told(&q), "3 4 -> 5");
    q.since = 6;
    assert_string_equal(told(&q), "-> 6");
}

static void the_level_chooses_and_the_rest_is_passed(void **state) {
    (void)state;
    say(LOG_LVL_WARN, 1);
    say(LOG_LVL_INFO, 3);
    say(LOG_LVL_ERROR, 1);
    say(LOG_LVL_NOTICE, 1);
    struct events_query q = {.level = LOG_LVL_WARN, .limit = 9};
    assert_string_equal(told(&q), "1 5 -> 7");
    q.limit = 1;
    assert_string_equal(told(&q), "5 -> 6");
    q.has_since = true;
    q.since = 2;
    q.level = LOG_LVL_NOTICE;
    q.limit = 2;
    assert_string_equal(told(&q), "5 6 -> 7");
}

static void the_oldest_give_way(void **state) {
    (void)state;
    say(LOG_LVL_INFO, EVENTS_N + 10);
    struct event ev;
    assert_true(events_from(&events, 0, &ev));
    assert_int_equal(ev.seq, 11);
    assert_false(events_from(&events, EVENTS_N + 11, &ev));
    struct events_query q = {
        .has_since = true, .since = 5, .level = LOG_LVL_INFO, .limit = 2};
    assert_string_equal(told(&q), "11 12 -> 13");
}

static void a_long_text_is_cut_between_characters(void **state) {
    (void)state;
    char text[2 * EVENT_TEXT_MAX + 1];
    struct event ev;
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'x', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4); /* U+20AC */
        events_tap(&events, LOG_LVL_INFO, "word", text);
        assert_true(events_from(&events, lead + 1, &ev));
        size_t n = strlen(ev.text);
        assert_in_range(n, EVENT_TEXT_MAX - 4, EVENT_TEXT_MAX - 1);
        assert_string_equal(ev.text + n - 3, "...");
        assert_int_equal((n - 3 - lead) % 3, 0);
    }
}

static void count_news(void *ctx) { ++*(unsigned *)ctx; }

static void who_listens_is_told_of_each(void **state) {
    (void)state;
    news = 0;
    events_listen(&events, count_news, &news);
    say(LOG_LVL_INFO, 3);
    events_listen(&events, NULL, NULL);
    say(LOG_LVL_INFO, 3);
    assert_int_equal(news, 3);
    assert_int_equal(events_last(&events), 6);
}

static void *chatter(void *arg) {
    (void)arg;
    say(LOG_LVL_INFO, 2000);
    return NULL;
}

/* What a reader gets is whole and in order while others write. */
static void readers_get_whole_copies(void **state) {
    (void)state;
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, chatter, NULL), 0);
    struct event ev;
    for (uint64_t seq = 1; seq <= 4000; seq = ev.seq + 1) {
        while (!events_from(&events, seq, &ev))
            continue;
        assert_true(ev.seq >= seq);
        assert_string_equal(ev.word, "word");
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* The text of this line, as somebody is shown it who is no admin. */
static const char *hidden(const char *text) {
    static char out[EVENT_TEXT_MAX];
    char buf[EVENT_JSON_MAX];
    struct event ev;
    struct jsonw w;
    events_tap(&events, LOG_LVL_NOTICE, "word", text);
    assert_true(events_from(&events, events_last(&events), &ev));
    jsonw_init(&w, buf, sizeof buf);
    event_json(&w, NULL, &ev, false);
    cJSON *v = cJSON_ParseWithLength(buf, jsonw_end(&w));
    snprintf(out, sizeof out, "%s", cJSON_GetObjectItem(v, "text")->valuestring);
    cJSON_Delete(v);
    return out;
}

static void addresses_are_for_admins(void **state) {
    char longest[EVENT_TEXT_MAX];
    (void)state;
    assert_string_equal(hidden("address=10.0.0.1 result=refused"),
                        "address=hidden result=refused");
    assert_string_equal(hidden("id=1 address=[fe80::1]:80 cause=x address=1"),
                        "id=1 address=hidden cause=x address=hidden");
    assert_string_equal(hidden("address="), "address=hidden");
    assert_string_equal(hidden("http=127.0.0.1:80"), "http=127.0.0.1:80");
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = "address= "[i % 9];
    longest[sizeof longest - 1] = '\0';
    assert_null(strstr(hidden(longest), "address= "));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(without_events_there_is_what_to_ask_next),
        WITH(the_newest_come_unless_told_where_to_begin),
        WITH(the_level_chooses_and_the_rest_is_passed),
        WITH(the_oldest_give_way),
        WITH(a_long_text_is_cut_between_characters),
        WITH(who_listens_is_told_of_each),
        WITH(readers_get_whole_copies),
        WITH(addresses_are_for_admins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
