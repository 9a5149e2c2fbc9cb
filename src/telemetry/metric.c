#include "telemetry/metric.h"

#include "telemetry/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SLUG_TRIES 100

void metric_init(struct metric_set *set) {
    set->high = 0;
    set->layout = 0;
}

struct metric metric_make(const char *id, const char *label, const char *unit,
                          const char *group, enum metric_kind kind) {
    struct metric m = {
        .group = group,
        .kind = kind,
        .min = NAN,
        .max = NAN,
        .warn = NAN,
        .crit = NAN,
    };
    snprintf(m.id, sizeof m.id, "%s", id);
    text_label(m.unit, sizeof m.unit, unit);
    text_label(m.label, sizeof m.label, label);
    return m;
}

/* The slot that had this id last, else one never used, else any that is free. */
static int find_room(const struct metric_set *set, const char *id) {
    int room = -ENOSPC;
    for (uint32_t i = 0; i < set->high; i++) {
        if (strcmp(set->m[i].id, id) == 0)
            return set->live[i] ? -EEXIST : (int)i;
        if (!set->live[i] && room < 0)
            room = (int)i;
    }
    return set->high < LIM_METRICS ? (int)set->high : room;
}

int metric_claim(struct metric_set *set, const struct metric *m) {
    int slot = find_room(set, m->id);
    if (slot < 0)
        return slot;
    if ((uint32_t)slot == set->high) {
        set->high++;
        set->tenant[slot] = 1;
    } else if (strcmp(set->m[slot].id, m->id) != 0) {
        set->tenant[slot]++;
    }
    set->m[slot] = *m;
    set->value[slot] = NAN;
    set->live[slot] = true;
    set->layout++;
    return slot;
}

void metric_drop(struct metric_set *set, int slot) {
    if (slot < 0)
        return;
    set->live[slot] = false;
    set->value[slot] = NAN;
    set->layout++;
}

void metric_put(struct metric_set *set, int slot, double value) {
    if (slot >= 0 && isfinite(value))
        set->value[slot] = value;
}

void metric_blank(struct metric_set *set) {
    for (uint32_t i = 0; i < set->high; i++)
        set->value[i] = NAN;
}

int metric_find(const struct metric_set *set, const char *id) {
    for (uint32_t i = 0; i < set->high; i++)
        if (set->live[i] && strcmp(set->m[i].id, id) == 0)
            return (int)i;
    return -ENOENT;
}

void metric_slug(const struct metric_set *set, const char *prefix, const char *raw,
                 const char *end, char out[METRIC_SLUG_MAX]) {
    char id[METRIC_ID_MAX], slug[METRIC_SLUG_MAX - 4]; /* room for "-NN" */
    text_slug(slug, sizeof slug, raw);
    for (uint8_t i = 1; i < SLUG_TRIES; i++) {
        if (i == 1)
            snprintf(out, METRIC_SLUG_MAX, "%s", slug);
        else
            snprintf(out, METRIC_SLUG_MAX, "%s-%d", slug, i);
        snprintf(id, sizeof id, "%s.%s%s%s", prefix, out, end ? "." : "",
                 end ? end : "");
        if (metric_find(set, id) < 0)
            return;
    }
}
