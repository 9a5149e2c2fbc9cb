// link: telemetry base
/* A file of history as a failing medium may leave it: whatever is taken as good can be
 * read, added to, and written as a file that is taken as good.
 *
 * Input: a byte that says what is put right first (1: the head's magic and version, 2:
 * the checksum) and how far away the next sample is, then the file. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"
#include "telemetry/tiers_file.h"

#define MONO_MAX ((uint64_t)1 << 50)
#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t in[TIERS_FILE_MAX + 1], out[TIERS_FILE_MAX];

static void put_right(uint8_t what, size_t n) {
    static const uint8_t head[12] = "PULSEHIS\0\0\0\1";
    if (what & 1 && n >= sizeof head)
        memcpy(in, head, sizeof head);
    if (what & 2 && n >= TIERS_FILE_HEAD)
        tiers_seal(in, n);
}

static void read_all(const struct tiers *t) {
    static struct tiers_plan plan;
    static struct tier_point points[TIERS_ROWS_MAX];
    for (uint32_t k = 0; k < TIERS_N; k++) {
        tiers_plan(t, k, TIERS_ROWS_MAX, &plan);
        CHECK(plan.n == tiers_shape[k].rows);
        for (uint32_t c = 0; c < t->n_columns; c++)
            tiers_read(t, c, &plan, points);
    }
}

static void push(struct tiers *t, uint64_t mono_ms) {
    uint32_t column[2] = {tiers_claim(t, "mem.total"), tiers_claim(t, "load.1")};
    double values[2] = {1e9, NAN};
    if (column[0] == column[1])
        abort();
    for (int i = 0; i < 3; i++)
        tiers_push(t, 1700000000000, mono_ms + 9000u * (unsigned)i, column, values, 2);
}

/* In the same boot when the file has one and it is not in the future. */
static void go_on(struct tiers *t, uint8_t far) {
    static const uint64_t other[2] = {1, 1};
    const struct tiers_boot *b = t->n_boots ? &t->boot[t->n_boots - 1] : NULL;
    tiers_begin(t, b && far % 8 ? b->id : other);
    uint64_t mono_ms = b ? (b->bucket[0] + t->last[0]) * TIERS_STEP_MS : 0;
    if (mono_ms > MONO_MAX)
        return; /* no machine has run for so long */
    push(t, mono_ms + ((uint64_t)1 << (far % 40)));
    read_all(t);
    tiers_settle(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t generation;
    if (size < 1 || size - 1 > sizeof in)
        return 0;
    memcpy(in, data + 1, size - 1);
    put_right(data[0], size - 1);
    if (tiers_fault(in, size - 1, &generation))
        return 0;
    struct tiers *t = pages_take(sizeof *t);
    CHECK(t);
    tiers_unpack(t, in);
    size_t n = tiers_pack(t, generation, out);
    tiers_seal(out, n);
    CHECK(n == size - 1 && memcmp(in, out, n) == 0);
    go_on(t, data[0] >> 2);
    n = tiers_pack(t, generation, out);
    CHECK(n <= sizeof out);
    tiers_seal(out, n);
    CHECK(tiers_fault(out, n, &generation) == NULL);
    pages_give(t, sizeof *t);
    return 0;
}
