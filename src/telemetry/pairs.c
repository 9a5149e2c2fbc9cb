#include "telemetry/pairs.h"

#include <stdio.h>
#include <string.h>

void picks_add(struct picks *picks, const char *name, int rank, uint64_t key) {
    bool fits = strlen(name) < PAIRS_NAME_MAX;
    if (!fits || picks->n == picks->max)
        picks->left_out++;
    if (!fits || (picks->n == picks->max && picks->p[picks->n - 1].rank <= rank))
        return;
    if (picks->n < picks->max)
        picks->n++;
    uint32_t at = picks->n - 1;
    for (; at > 0 && picks->p[at - 1].rank > rank; at--)
        picks->p[at] = picks->p[at - 1];
    picks->p[at] = (struct pick){.rank = rank, .key = key};
    snprintf(picks->p[at].name, sizeof picks->p[at].name, "%s", name);
}

void picks_remove(struct picks *picks, uint32_t i) {
    picks->n--;
    for (; i < picks->n; i++)
        picks->p[i] = picks->p[i + 1];
}

static bool picked(const struct picks *picks, const char *name) {
    for (uint32_t i = 0; i < picks->n; i++)
        if (strcmp(picks->p[i].name, name) == 0)
            return true;
    return false;
}

static void add(struct pairs *pairs, const char *name, const struct pairs_kind *kind,
                struct metric_set *set) {
    struct pair *p = &pairs->p[pairs->n++];
    char slug[METRIC_SLUG_MAX];
    *p = (struct pair){.slot = {-1, -1}};
    snprintf(p->name, sizeof p->name, "%s", name);
    const char *said = strcmp(name, "/") == 0 ? "root" : name;
    metric_slug(set, kind->prefix, said, kind->end[0], slug);
    for (int i = 0; i < 2; i++) {
        char id[METRIC_ID_MAX], label[PAIRS_NAME_MAX + 16];
        snprintf(id, sizeof id, "%s.%s.%s", kind->prefix, slug, kind->end[i]);
        snprintf(label, sizeof label, "%s %s", name, kind->word[i]);
        struct metric m = metric_make(id, label, kind->unit, kind->group, kind->kind);
        p->slot[i] = metric_claim(set, &m);
    }
}

void pairs_sync(struct pairs *pairs, const struct picks *picks,
                const struct pairs_kind *kind, struct metric_set *set) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pairs->n; i++) {
        struct pair *p = &pairs->p[i];
        if (picked(picks, p->name)) {
            pairs->p[kept++] = *p;
        } else {
            metric_drop(set, p->slot[0]);
            metric_drop(set, p->slot[1]);
        }
    }
    pairs->n = kept;
    for (uint32_t i = 0; i < picks->n; i++)
        if (!pairs_find(pairs, picks->p[i].name))
            add(pairs, picks->p[i].name, kind, set);
}

struct pair *pairs_find(struct pairs *pairs, const char *name) {
    for (uint32_t i = 0; i < pairs->n; i++)
        if (strcmp(pairs->p[i].name, name) == 0)
            return &pairs->p[i];
    return NULL;
}

void pair_rate(struct pair *p, int i, uint64_t value, double scale, uint64_t now_ns,
               struct metric_set *set) {
    double per_s;
    if (counter_rate(&p->counter[i], value, now_ns, &per_s))
        metric_put(set, p->slot[i], per_s * scale);
}
