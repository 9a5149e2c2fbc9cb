/* Memory and swap: proc_meminfo(5). Used is what is not available (as free(1) has it),
 * and cached is what the kernel would give back: page cache, buffers, reclaimable slab.
 */
#include "telemetry/probes.h"
#include "telemetry/text.h"

#include <math.h>
#include <string.h>

enum {
    MEM_TOTAL,
    MEM_AVAILABLE,
    MEM_BUFFERS,
    MEM_CACHED,
    MEM_SLAB,
    SWAP_TOTAL,
    SWAP_FREE,
    MEM_FIELDS
};

static const char *const fields[MEM_FIELDS] = {
    [MEM_TOTAL] = "MemTotal:",    [MEM_AVAILABLE] = "MemAvailable:",
    [MEM_BUFFERS] = "Buffers:",   [MEM_CACHED] = "Cached:",
    [MEM_SLAB] = "SReclaimable:", [SWAP_TOTAL] = "SwapTotal:",
    [SWAP_FREE] = "SwapFree:",
};

static int claim_bytes(struct probes *p, const char *id, const char *label) {
    return probes_claim(p, id, label, "B", "memory", METRIC_GAUGE);
}

static void mem_open(struct probes *p) {
    p->mem.total = claim_bytes(p, "mem.total", "Memory, total");
    p->mem.used = claim_bytes(p, "mem.used", "Memory, used");
    p->mem.available = claim_bytes(p, "mem.available", "Memory, available");
    p->mem.cached = claim_bytes(p, "mem.cached", "Memory, cached");
    p->mem.swap_total = claim_bytes(p, "swap.total", "Swap, total");
    p->mem.swap_used = claim_bytes(p, "swap.used", "Swap, used");
}

/* "MemTotal:  24684092 kB" */
static void take_line(char *line, double kib[MEM_FIELDS]) {
    char *key = text_word(&line);
    const char *s = line;
    uint64_t v;
    for (int i = 0; key && i < MEM_FIELDS; i++)
        if (strcmp(key, fields[i]) == 0 && text_u64(&s, &v) && strcmp(s, " kB") == 0)
            kib[i] = (double)v;
}

static void put_kib(struct probes *p, int slot, double kib) {
    if (kib >= 0) /* not NaN: a field was missing; not negative: fields contradict */
        metric_put(p->set, slot, kib * 1024);
}

static void mem_sample(struct probes *p) {
    double kib[MEM_FIELDS];
    for (int i = 0; i < MEM_FIELDS; i++)
        kib[i] = NAN;
    char *line;
    if (!probes_lines(p, SRC_MEMINFO))
        return;
    while ((line = source_lines_next(&p->lines)))
        take_line(line, kib);
    put_kib(p, p->mem.total, kib[MEM_TOTAL]);
    put_kib(p, p->mem.used, kib[MEM_TOTAL] - kib[MEM_AVAILABLE]);
    put_kib(p, p->mem.available, kib[MEM_AVAILABLE]);
    put_kib(p, p->mem.cached, kib[MEM_CACHED] + kib[MEM_BUFFERS] + kib[MEM_SLAB]);
    put_kib(p, p->mem.swap_total, kib[SWAP_TOTAL]);
    put_kib(p, p->mem.swap_used, kib[SWAP_TOTAL] - kib[SWAP_FREE]);
}

const struct probe probe_mem = {.open = mem_open, .sample = mem_sample};
