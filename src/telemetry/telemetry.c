#include "telemetry/telemetry.h"

#include <math.h>
#include <string.h>

int telemetry_init(struct telemetry *t) {
    metric_init(&t->set);
    history_init(&t->history);
    t->left_out = 0;
    return -pthread_mutex_init(&t->lock, NULL);
}

void telemetry_free(struct telemetry *t) { pthread_mutex_destroy(&t->lock); }

static bool is_new(const struct telemetry *t, const struct metric_set *set,
                   uint32_t i) {
    return i >= t->set.high || set->tenant[i] != t->set.tenant[i];
}

/* Slots that have another tenant than at the last sample start a new history of the
 * last minutes; the longer one goes by the id. All columns are released first, since
 * metrics may have changed places. */
static void adopt_layout(struct telemetry *t, const struct metric_set *set) {
    for (uint32_t i = 0; i < t->set.high; i++) {
        if (is_new(t, set, i))
            tiers_release(&t->tiers, t->column[i]);
    }
    for (uint32_t i = 0; i < set->high; i++) {
        if (is_new(t, set, i)) {
            history_clear(&t->history, i);
            t->column[i] = tiers_claim(&t->tiers, set->m[i].id);
        }
        t->set.m[i] = set->m[i];
        t->set.tenant[i] = set->tenant[i];
        t->set.live[i] = set->live[i];
    }
    t->set.high = set->high;
    t->set.layout = set->layout;
}

void telemetry_publish(struct telemetry *t, const struct metric_set *set,
                       uint32_t left_out, int64_t wall_ms, uint64_t mono_ms) {
    pthread_mutex_lock(&t->lock);
    if (set->layout != t->set.layout)
        adopt_layout(t, set);
    t->left_out = left_out;
    memcpy(t->set.value, set->value, set->high * sizeof set->value[0]);
    for (uint32_t i = 0; i < set->high; i++)
        t->set.m[i].heard_ms = set->m[i].heard_ms;
    history_push(&t->history, wall_ms, mono_ms, set->value, set->high);
    tiers_push(&t->tiers, wall_ms, mono_ms, t->column, set->value, set->high);
    pthread_mutex_unlock(&t->lock);
}

void telemetry_set_device(struct telemetry *t, const struct device_now *device) {
    pthread_mutex_lock(&t->lock);
    t->device = *device;
    pthread_mutex_unlock(&t->lock);
}

void telemetry_snapshot(struct telemetry *t, struct telemetry_snap *out) {
    pthread_mutex_lock(&t->lock);
    const struct metric_set *set = &t->set;
    uint64_t row = t->history.seq % LIM_HISTORY_N;
    out->seq = t->history.seq;
    out->wall_ms = t->history.wall_ms[row];
    out->mono_ms = t->history.mono_ms[row];
    out->layout = set->layout;
    out->n = 0;
    for (uint32_t i = 0; i < set->high; i++) {
        if (isnan(set->value[i]))
            continue;
        struct telemetry_value *v = &out->v[out->n++];
        memcpy(v->id, set->m[i].id, sizeof v->id);
        v->slot = i;
        v->value = set->value[i];
    }
    pthread_mutex_unlock(&t->lock);
}

void telemetry_describe(struct telemetry *t, struct telemetry_list *out) {
    pthread_mutex_lock(&t->lock);
    out->layout = t->set.layout;
    out->left_out = t->left_out;
    out->device = t->device;
    out->n = 0;
    for (uint32_t i = 0; i < t->set.high; i++)
        if (t->set.live[i])
            out->m[out->n++] = t->set.m[i];
    pthread_mutex_unlock(&t->lock);
}

void telemetry_times(struct telemetry *t, uint64_t since, uint32_t max,
                     struct history_times *out) {
    pthread_mutex_lock(&t->lock);
    history_times(&t->history, since, max, out);
    pthread_mutex_unlock(&t->lock);
}

int telemetry_history(struct telemetry *t, const char *id, uint64_t seq0, uint32_t n,
                      float *out) {
    pthread_mutex_lock(&t->lock);
    int slot = metric_find(&t->set, id);
    if (slot >= 0)
        history_column(&t->history, (uint32_t)slot, seq0, n, out);
    pthread_mutex_unlock(&t->lock);
    return slot < 0 ? slot : 0;
}

void telemetry_plan(struct telemetry *t, uint32_t tier, uint32_t n,
                    struct tiers_plan *out) {
    pthread_mutex_lock(&t->lock);
    tiers_plan(&t->tiers, tier, n, out);
    pthread_mutex_unlock(&t->lock);
}

int telemetry_points(struct telemetry *t, const char *id, const struct tiers_plan *plan,
                     struct tier_point *out) {
    pthread_mutex_lock(&t->lock);
    int column = tiers_find(&t->tiers, id);
    if (column >= 0)
        tiers_read(&t->tiers, (uint32_t)column, plan, out);
    pthread_mutex_unlock(&t->lock);
    return column < 0 ? column : 0;
}

void telemetry_restore(struct telemetry *t, const uint8_t *file,
                       const uint64_t boot_id[2]) {
    pthread_mutex_lock(&t->lock);
    if (file)
        tiers_unpack(&t->tiers, file);
    tiers_begin(&t->tiers, boot_id);
    pthread_mutex_unlock(&t->lock);
}

size_t telemetry_pack(struct telemetry *t, uint64_t generation, uint8_t *buf) {
    pthread_mutex_lock(&t->lock);
    tiers_settle(&t->tiers);
    size_t n = tiers_pack(&t->tiers, generation, buf);
    pthread_mutex_unlock(&t->lock);
    tiers_seal(buf, n);
    return n;
}
