#include "session/metrics.h"

/* Buckets per octave, as a power of two: 8, each an eighth of the octave's start wide.
 */
#define SUB_BITS 3
#define SUB (1u << SUB_BITS)

static unsigned bucket(uint32_t ms) {
    if (ms < SUB)
        return ms;
    unsigned shift = 31 - SUB_BITS - (unsigned)__builtin_clz(ms);
    unsigned i = shift * SUB + (ms >> shift);
    return i < METRICS_RTT_BUCKETS ? i : METRICS_RTT_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint32_t bucket_end(unsigned i) {
    if (i < SUB)
        return i;
    if (i == METRICS_RTT_BUCKETS - 1)
        return UINT32_MAX;
    unsigned shift = i / SUB - 1;
    return ((i % SUB + SUB + 1) << shift) - 1;
}

static void fade(struct metrics *m) {
    m->rtt_n = 0;
    for (unsigned i = 0; i < METRICS_RTT_BUCKETS; i++) {
        m->rtt[i] /= 2;
        m->rtt_n += m->rtt[i];
    }
}

void metrics_rtt(struct metrics *m, uint32_t rtt_ms) {
    if (m->rtt_n == METRICS_RTT_FADE)
        fade(m);
    m->rtt[bucket(rtt_ms)]++;
    m->rtt_n++;
    if (rtt_ms > m->rtt_max_ms)
        m->rtt_max_ms = rtt_ms;
}

bool metrics_rtt_percentile(const struct metrics *m, unsigned q, uint32_t *out_ms) {
    if (m->rtt_n == 0)
        return false;
    uint64_t rank = ((uint64_t)m->rtt_n * q + 99) / 100;
    unsigned i = 0;
    for (uint64_t seen = m->rtt[0]; seen < rank; seen += m->rtt[i])
        i++;
    uint32_t end = bucket_end(i);
    *out_ms = end < m->rtt_max_ms ? end : m->rtt_max_ms;
    return true;
}

uint64_t metrics_closed_sum(const struct metrics *m) {
    uint64_t sum = 0;
    for (unsigned why = 0; why < DISC_N; why++)
        sum += m->closed[why];
    return sum;
}
