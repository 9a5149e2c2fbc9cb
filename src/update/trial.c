#include "update/trial.h"

void trial_begin(struct trial *t, uint64_t now_ms, uint32_t healthy_ms,
                 uint32_t limit_ms) {
    *t = (struct trial){
        .began_ms = now_ms, .healthy_ms = healthy_ms, .limit_ms = limit_ms};
}

enum trial_verdict trial_see(struct trial *t, uint64_t now_ms, bool served) {
    if (served && !t->good)
        t->good_since_ms = now_ms;
    t->good = served;
    if (t->good && now_ms - t->good_since_ms >= t->healthy_ms)
        return TRIAL_PASSED;
    return now_ms - t->began_ms >= t->limit_ms ? TRIAL_FAILED : TRIAL_GOES_ON;
}

double trial_progress(const struct trial *t, uint64_t now_ms) {
    if (!t->good)
        return 0;
    uint64_t for_ms = now_ms - t->good_since_ms;
    return for_ms >= t->healthy_ms ? 1 : (double)for_ms / t->healthy_ms;
}
