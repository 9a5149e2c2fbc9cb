#include "telemetry/tiers.h"

#include "telemetry/quant.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct tier_shape tiers_shape[TIERS_N] = {
    {TIERS_STEP_MS, 360},
    {120000, 720},
    {900000, 672},
};

#define LAST_TIER (TIERS_N - 1)

struct tier_point *tiers_at(struct tiers *t, uint32_t tier, uint32_t column,
                            uint64_t row) {
    size_t i = (size_t)(row % tiers_shape[tier].rows);
    return tier == 0   ? &t->hour[column][i]
           : tier == 1 ? &t->day[column][i]
                       : &t->week[column][i];
}

const struct tier_point *tiers_get(const struct tiers *t, uint32_t tier,
                                   uint32_t column, uint64_t row) {
    return tiers_at((struct tiers *)(uintptr_t)t, tier, column, row);
}

void tiers_begin(struct tiers *t, const uint64_t boot_id[2]) {
    memcpy(t->boot_id, boot_id, sizeof t->boot_id);
    t->joined = false;
}

/* ---- columns ---- */

int tiers_find(const struct tiers *t, const char *id) {
    for (uint32_t i = 0; i < t->n_columns; i++) {
        if (strcmp(t->id[i], id) == 0)
            return (int)i;
    }
    return -ENOENT;
}

/* One never used, else the one whose metric was not seen for longest. There are as many
 * as slots, so one is free. */
static uint32_t free_column(struct tiers *t) {
    if (t->n_columns < LIM_METRICS)
        return t->n_columns++;
    uint32_t best = 0;
    for (uint32_t i = 0; i < LIM_METRICS; i++) {
        if (!t->used[i] && (t->used[best] || t->seen[i] < t->seen[best]))
            best = i;
    }
    assert(!t->used[best]);
    memset(t->hour[best], 0, sizeof t->hour[best]);
    memset(t->day[best], 0, sizeof t->day[best]);
    memset(t->week[best], 0, sizeof t->week[best]);
    return best;
}

uint32_t tiers_claim(struct tiers *t, const char *id) {
    int found = tiers_find(t, id);
    uint32_t column = found < 0 ? free_column(t) : (uint32_t)found;
    if (found < 0) {
        snprintf(t->id[column], sizeof t->id[column], "%s", id);
        t->seen[column] = 0;
        t->sum[column] = (struct tier_sum){0};
    }
    t->used[column] = true;
    return column;
}

void tiers_release(struct tiers *t, uint32_t column) { t->used[column] = false; }

/* ---- time ---- */

static struct tiers_boot *this_boot(struct tiers *t) {
    return &t->boot[t->n_boots - 1];
}

static uint64_t newest_bucket(const struct tiers *t, const struct tiers_boot *b,
                              uint32_t tier) {
    return b->bucket[tier] + (t->last[tier] - b->row[tier]);
}

static bool goes_on(struct tiers *t, uint64_t mono_ms) {
    if (t->n_boots == 0)
        return false;
    const struct tiers_boot *b = this_boot(t);
    if (memcmp(b->id, t->boot_id, sizeof b->id) != 0)
        return false;
    return t->last[0] < b->row[0] || newest_bucket(t, b, 0) <= mono_ms / TIERS_STEP_MS;
}

/* The step under way when the program ended goes on: what is known of it counts as one
 * sample. */
static void inherit(struct tiers *t) {
    for (uint32_t c = 0; c < t->n_columns; c++) {
        const struct tier_point *p = tiers_get(t, 0, c, t->last[0]);
        if (p->avg != QUANT_NONE)
            t->sum[c] = (struct tier_sum){(double)quant_value(p->avg),
                                          quant_value(p->min), quant_value(p->max), 1};
    }
}

/* The first sample of this run: the program was restarted, or the machine was. */
static void join_boot(struct tiers *t, uint64_t mono_ms) {
    t->joined = true;
    memset(t->sum, 0, t->n_columns * sizeof t->sum[0]);
    if (goes_on(t, mono_ms)) {
        const struct tiers_boot *b = this_boot(t);
        if (t->last[0] >= b->row[0] &&
            newest_bucket(t, b, 0) == mono_ms / TIERS_STEP_MS)
            inherit(t);
        return;
    }
    if (t->n_boots == TIERS_BOOTS)
        memmove(&t->boot[0], &t->boot[1], --t->n_boots * sizeof t->boot[0]);
    struct tiers_boot *b = &t->boot[t->n_boots++];
    memcpy(b->id, t->boot_id, sizeof b->id);
    for (uint32_t k = 0; k < TIERS_N; k++)
        b->row[k] = t->last[k] + 1;
}

static void add_row(struct tiers *t, uint32_t tier) {
    uint64_t row = ++t->last[tier];
    for (uint32_t c = 0; c < t->n_columns; c++)
        *tiers_at(t, tier, c, row) = (struct tier_point){0};
}

/* The row of this step, the newest one: those between are absent. */
static uint64_t row_of(struct tiers *t, uint32_t tier, uint64_t bucket) {
    struct tiers_boot *b = this_boot(t);
    if (t->last[tier] < b->row[tier]) {
        add_row(t, tier);
        b->bucket[tier] = bucket;
        return t->last[tier];
    }
    uint64_t newest = newest_bucket(t, b, tier);
    uint64_t more = bucket > newest ? bucket - newest : 0; /* a file may say anything */
    if (more > tiers_shape[tier].rows) { /* they are all gone: no need to write twice */
        t->last[tier] += more - tiers_shape[tier].rows;
        more = tiers_shape[tier].rows;
    }
    for (; more > 0; more--)
        add_row(t, tier);
    return t->last[tier];
}

/* ---- points ---- */

static void write_step(struct tiers *t, uint64_t bucket) {
    uint64_t row = row_of(t, 0, bucket);
    for (uint32_t c = 0; c < t->n_columns; c++) {
        const struct tier_sum *s = &t->sum[c];
        if (s->n == 0)
            continue;
        *tiers_at(t, 0, c, row) = (struct tier_point){
            quant_code((double)s->min),
            quant_code(s->sum / s->n),
            quant_code((double)s->max),
        };
    }
}

/* Rows [from, to] of the first tier as one point. Codes sort as numbers do. */
static struct tier_point combine(const struct tiers *t, uint32_t column, uint64_t from,
                                 uint64_t to) {
    struct tier_point out = {UINT16_MAX, QUANT_NONE, 0};
    double sum = 0;
    uint32_t n = 0;
    for (uint64_t row = from; row <= to; row++) {
        const struct tier_point *p = tiers_get(t, 0, column, row);
        if (p->avg == QUANT_NONE)
            continue;
        sum += (double)quant_value(p->avg);
        n++;
        out.min = p->min < out.min ? p->min : out.min;
        out.max = p->max > out.max ? p->max : out.max;
    }
    if (n == 0)
        return (struct tier_point){0};
    out.avg = quant_code(sum / n);
    return out;
}

/* The point under way of a coarser tier, made anew with each step of the first: so it
 * is always there to be read and saved, and nothing else has to be. */
static void renew(struct tiers *t, uint32_t tier, uint64_t bucket) {
    const struct tiers_boot *b = this_boot(t);
    uint64_t ratio = tiers_shape[tier].step_ms / TIERS_STEP_MS;
    uint64_t row = row_of(t, tier, bucket / ratio);
    uint64_t n = bucket % ratio; /* steps before this one */
    uint64_t held = t->last[0] - b->row[0];
    uint64_t from = t->last[0] - (n < held ? n : held);
    for (uint32_t c = 0; c < t->n_columns; c++) {
        struct tier_point p = combine(t, c, from, t->last[0]);
        *tiers_at(t, tier, c, row) = p;
        if (tier == LAST_TIER && p.avg != QUANT_NONE)
            t->seen[c] = row;
    }
}

void tiers_settle(struct tiers *t) {
    if (!t->joined)
        return;
    uint64_t bucket = t->mono_ms / TIERS_STEP_MS;
    write_step(t, bucket);
    for (uint32_t k = 1; k < TIERS_N; k++)
        renew(t, k, bucket);
}

static void add_sample(struct tier_sum *s, double v) {
    if (isnan(v))
        return;
    s->sum += v;
    s->min = s->n == 0 || (float)v < s->min ? (float)v : s->min;
    s->max = s->n == 0 || (float)v > s->max ? (float)v : s->max;
    s->n++;
}

void tiers_push(struct tiers *t, int64_t wall_ms, uint64_t mono_ms,
                const uint32_t *column, const double *values, uint32_t n) {
    if (!t->joined) {
        join_boot(t, mono_ms);
    } else if (mono_ms / TIERS_STEP_MS != t->mono_ms / TIERS_STEP_MS) {
        tiers_settle(t);
        memset(t->sum, 0, t->n_columns * sizeof t->sum[0]);
    }
    t->mono_ms = mono_ms;
    this_boot(t)->wall_ms = wall_ms - (int64_t)mono_ms;
    for (uint32_t i = 0; i < n; i++)
        add_sample(&t->sum[column[i]], values[i]);
}

/* ---- reading ---- */

/* The step that is shown last: the one under way if something of it is known, else the
 * one before. */
static uint64_t end_bucket(const struct tiers *t, const struct tiers_boot *b,
                           uint32_t tier) {
    uint64_t now = t->mono_ms / tiers_shape[tier].step_ms;
    bool known = t->last[tier] >= b->row[tier] && newest_bucket(t, b, tier) == now;
    return now - (!known && now > 0);
}

static void place_boot(const struct tiers *t, uint32_t i, int64_t end_ms,
                       struct tiers_plan *out) {
    const struct tiers_boot *b = &t->boot[i];
    uint32_t tier = out->tier;
    int64_t step = tiers_shape[tier].step_ms;
    uint64_t to = i + 1 < t->n_boots ? b[1].row[tier] - 1 : t->last[tier];
    uint64_t oldest = tiers_oldest(t, tier);
    for (uint64_t r = b->row[tier] > oldest ? b->row[tier] : oldest; r <= to; r++) {
        int64_t bucket = (int64_t)(b->bucket[tier] + (r - b->row[tier]));
        int64_t ago = end_ms - (bucket * step + b->wall_ms);
        int64_t back = (ago + (ago < 0 ? -step / 2 : step / 2)) / step;
        if (back >= 0 && back < (int64_t)out->n)
            out->row[out->n - 1 - (uint64_t)back] = r;
    }
}

void tiers_plan(const struct tiers *t, uint32_t tier, uint32_t n,
                struct tiers_plan *out) {
    int64_t step = tiers_shape[tier].step_ms;
    out->tier = tier;
    out->n = 0;
    out->t0_ms = 0;
    if (!t->joined)
        return;
    const struct tiers_boot *b = &t->boot[t->n_boots - 1];
    int64_t end_ms = (int64_t)end_bucket(t, b, tier) * step + b->wall_ms;
    out->n = n < tiers_shape[tier].rows ? n : tiers_shape[tier].rows;
    out->t0_ms = end_ms - (int64_t)(out->n - 1) * step;
    memset(out->row, 0, out->n * sizeof out->row[0]);
    for (uint32_t i = 0; i < t->n_boots; i++)
        place_boot(t, i, end_ms, out);
}

void tiers_read(const struct tiers *t, uint32_t column, const struct tiers_plan *plan,
                struct tier_point *out) {
    uint64_t oldest = tiers_oldest(t, plan->tier);
    for (uint32_t i = 0; i < plan->n; i++) {
        uint64_t row = plan->row[i];
        bool held = row >= oldest && row <= t->last[plan->tier];
        out[i] = held ? *tiers_get(t, plan->tier, column, row) : (struct tier_point){0};
    }
}
