#pragma once
/* When has a new system proved itself? Pure. It has to serve without a pause for
 * `healthy_ms`; one that has not done so within `limit_ms` never will. */
#include <stdbool.h>
#include <stdint.h>

struct trial {
    uint64_t began_ms;
    uint64_t good_since_ms; /* valid while good */
    uint32_t healthy_ms, limit_ms;
    bool good;
};

enum trial_verdict { TRIAL_GOES_ON, TRIAL_PASSED, TRIAL_FAILED };

void trial_begin(struct trial *t, uint64_t now_ms, uint32_t healthy_ms,
                 uint32_t limit_ms);
/* One look at it: did it serve? */
enum trial_verdict trial_see(struct trial *t, uint64_t now_ms, bool served);
/* How much of healthy_ms it has served by now, 0 to 1. */
double trial_progress(const struct trial *t, uint64_t now_ms);
