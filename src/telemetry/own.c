#include "telemetry/own.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "own."
static_assert(sizeof PREFIX - 1 + READING_NAME_MAX - 1 + sizeof ".max" <= METRIC_ID_MAX,
              "a name fits an id");
static_assert(READING_UNIT_MAX + 2 <= METRIC_UNIT_MAX, "as a rate the unit fits too");

int own_init(struct own *o, const struct own_opts *opts) {
    *o = (struct own){.o = *opts};
    if (o->o.limit > LIM_OWN)
        return -EINVAL;
    return -pthread_mutex_init(&o->lock, NULL);
}

void own_free(struct own *o) { pthread_mutex_destroy(&o->lock); }

/* ---- telling ---- */

static uint32_t weight(enum reading_kind kind) {
    return kind == READING_TIMING ? 2 : 1;
}

static struct own_metric *find(struct own *o, const char *name) {
    for (uint32_t i = 0; i < LIM_OWN; i++)
        if (o->m[i].heard_ms && strcmp(o->m[i].as.name, name) == 0)
            return &o->m[i];
    return NULL;
}

/* The maximum of a timing takes a name as well. */
static bool is_maximum_of(const char *name, const char *timing) {
    size_t n = strlen(timing);
    return strncmp(name, timing, n) == 0 && strcmp(name + n, ".max") == 0;
}

static bool collides(const struct own *o, const struct reading *r) {
    for (uint32_t i = 0; i < LIM_OWN; i++) {
        const struct own_metric *m = &o->m[i];
        if (!m->heard_ms)
            continue;
        if (m->as.kind == READING_TIMING && is_maximum_of(r->name, m->as.name))
            return true;
        if (r->kind == READING_TIMING && is_maximum_of(m->as.name, r->name))
            return true;
    }
    return false;
}

static const char *add(struct own *o, const struct reading *r,
                       struct own_metric **out) {
    if (o->stats.metrics + weight(r->kind) > o->o.limit)
        return "there are as many own metrics as there may be";
    if (collides(o, r))
        return "the name is taken by the maximum of a timing";
    struct own_metric *m = o->m;
    while (m->heard_ms) /* the limit leaves one free */
        m++;
    *m = (struct own_metric){.as = *r, .mean = NAN, .shown_max = NAN, .slot = {-1, -1}};
    if (r->kind == READING_GAUGE)
        m->as.value = 0;
    o->stats.metrics += weight(r->kind);
    *out = m;
    return NULL;
}

/* What is not said this time stays. */
static void describe(struct own_metric *m, const struct reading *r) {
    if (r->label[0] && strcmp(r->label, m->as.label) != 0) {
        memcpy(m->as.label, r->label, sizeof r->label);
        m->described = false;
    }
    if (r->unit[0] && strcmp(r->unit, m->as.unit) != 0) {
        memcpy(m->as.unit, r->unit, sizeof r->unit);
        m->described = false;
    }
}

static void take(struct own_metric *m, const struct reading *r) {
    switch (r->kind) {
    case READING_GAUGE:
        m->as.value = r->relative ? m->as.value + r->value : r->value;
        break;
    case READING_TIMING:
        m->max = m->n == 0 || r->value > m->max ? r->value : m->max;
        m->n++;
        m->sum += r->value;
        break;
    case READING_COUNTER:
        m->n++;
        m->sum += r->value;
        break;
    }
}

static const char *tell(struct own *o, const struct reading *r, uint64_t now_ms) {
    struct own_metric *m = find(o, r->name);
    const char *why = NULL;
    if (!m)
        why = add(o, r, &m);
    else if (m->as.kind != r->kind)
        why = "it is known as another kind";
    if (why)
        return why;
    describe(m, r);
    take(m, r);
    m->heard_ms = now_ms ? now_ms : 1;
    return NULL;
}

const char *own_tell(struct own *o, const struct reading *r, uint64_t now_ms) {
    pthread_mutex_lock(&o->lock);
    const char *why = tell(o, r, now_ms);
    o->stats.accepted += why == NULL;
    o->stats.refused += why != NULL;
    pthread_mutex_unlock(&o->lock);
    return why;
}

void own_count(struct own *o, uint64_t refused, uint64_t dropped) {
    pthread_mutex_lock(&o->lock);
    o->stats.refused += refused;
    o->stats.dropped += dropped;
    pthread_mutex_unlock(&o->lock);
}

void own_stats(struct own *o, struct own_stats *out) {
    pthread_mutex_lock(&o->lock);
    *out = o->stats;
    pthread_mutex_unlock(&o->lock);
}

/* ---- sampling ---- */

static void drop(struct own_metric *m, struct metric_set *set) {
    for (int i = 0; i < 2; i++) {
        metric_drop(set, m->slot[i]);
        m->slot[i] = -1;
    }
}

static void unit_of(const struct own_metric *m, char out[METRIC_UNIT_MAX]) {
    const char *unit = m->as.unit;
    switch (m->as.kind) {
    case READING_GAUGE:
        snprintf(out, METRIC_UNIT_MAX, "%s", unit[0] ? unit : "1");
        break;
    case READING_COUNTER:
        snprintf(out, METRIC_UNIT_MAX, "%s/s", unit[0] ? unit : "1");
        break;
    case READING_TIMING:
        snprintf(out, METRIC_UNIT_MAX, "%s", unit[0] ? unit : "ms");
        break;
    }
}

static int claim(struct metric_set *set, const struct own_metric *m, const char *end,
                 const char *word) {
    static const enum metric_kind kinds[] = {
        [READING_GAUGE] = METRIC_GAUGE,
        [READING_COUNTER] = METRIC_RATE,
        [READING_TIMING] = METRIC_TIMING,
    };
    char id[METRIC_ID_MAX], label[READING_LABEL_MAX + 16], unit[METRIC_UNIT_MAX];
    snprintf(id, sizeof id, PREFIX "%s%s", m->as.name, end);
    snprintf(label, sizeof label, "%s%s", m->as.label[0] ? m->as.label : m->as.name,
             word);
    unit_of(m, unit);
    struct metric as = metric_make(id, label, unit, "own", kinds[m->as.kind]);
    as.heard_ms = m->heard_ms;
    return metric_claim(set, &as);
}

/* Under its old id a metric keeps its slot and its past. */
static void show(struct own_metric *m, struct metric_set *set) {
    if (m->described)
        return;
    drop(m, set);
    m->slot[0] = claim(set, m, "", "");
    if (m->as.kind == READING_TIMING)
        m->slot[1] = claim(set, m, ".max", ", maximum");
    m->described = true;
}

static void put(struct own_metric *m, struct metric_set *set, double passed_s) {
    switch (m->as.kind) {
    case READING_GAUGE:
        metric_put(set, m->slot[0], m->as.value);
        break;
    case READING_COUNTER:
        if (passed_s > 0)
            metric_put(set, m->slot[0], m->sum / passed_s);
        break;
    case READING_TIMING:
        m->mean = m->n > 0 ? m->sum / m->n : m->mean;
        m->shown_max = m->n > 0 ? m->max : m->shown_max;
        metric_put(set, m->slot[0], m->mean);
        metric_put(set, m->slot[1], m->shown_max);
        break;
    }
    m->sum = 0;
    m->n = 0;
}

static void sample_one(struct own *o, struct own_metric *m, struct metric_set *set,
                       uint64_t now_ms) {
    uint64_t age_ms = now_ms > m->heard_ms ? now_ms - m->heard_ms : 0;
    double passed_s = o->sampled_ms ? (double)(now_ms - o->sampled_ms) / 1000 : 0;
    if (age_ms > o->o.forget_ms) {
        drop(m, set);
        o->stats.metrics -= weight(m->as.kind);
        m->heard_ms = 0;
        return;
    }
    show(m, set);
    for (int i = 0; i < 2; i++)
        if (m->slot[i] >= 0)
            set->m[m->slot[i]].heard_ms = m->heard_ms;
    if (age_ms <= o->o.stale_ms)
        put(m, set, passed_s);
}

void own_sample(struct own *o, struct metric_set *set, uint64_t now_ms) {
    pthread_mutex_lock(&o->lock);
    for (uint32_t i = 0; i < LIM_OWN; i++)
        if (o->m[i].heard_ms)
            sample_one(o, &o->m[i], set, now_ms);
    o->sampled_ms = now_ms;
    pthread_mutex_unlock(&o->lock);
}
