#include "app/about.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"

const char *about_hex(char out[17], uint64_t v) {
    snprintf(out, 17, "%" PRIx64, v);
    return out;
}

int about_init(struct about *a, const struct config *c) {
    *a = (struct about){
        .version = PULSEBOARD_VERSION,
        .started_ms = clock_ms(),
        .sample_ms = c->sample_ms,
        .heartbeat_ms = c->heartbeat_start_ms,
    };
    snprintf(a->name, sizeof a->name, "%s", c->name);
    ssize_t got;
    do
        got = getrandom(&a->epoch, sizeof a->epoch, 0);
    while (got < 0 && errno == EINTR);
    return got == sizeof a->epoch ? 0 : got < 0 ? -errno : -EIO;
}

int64_t about_started_ms(const struct about *a) {
    return clock_wall_at_zero_ms() + (int64_t)a->started_ms;
}

void about_server_json(struct jsonw *w, const char *key, const struct about *a) {
    jsonw_obj(w, key);
    jsonw_str(w, "name", a->name);
    jsonw_str(w, "version", a->version);
    jsonw_str(w, "host", a->device.host);
    jsonw_obj_end(w);
}

/* What is not known is not there. */
static void known(struct jsonw *w, const char *key, const char *s) {
    if (s[0])
        jsonw_str(w, key, s);
}

static void firmware_json(struct jsonw *w, const struct about *a) {
    jsonw_obj(w, "firmware");
    jsonw_str(w, "version", a->version);
    known(w, "slot", a->device.slot);
    known(w, "boot_id", a->device.boot_id);
    jsonw_obj_end(w);
}

static void clock_json(struct jsonw *w, const struct device_now *now) {
    if (!now->clock_known)
        return;
    jsonw_obj(w, "clock");
    jsonw_bool(w, "synced", now->clock_synced);
    known(w, "source", now->clock_source);
    jsonw_obj_end(w);
}

static void addresses_json(struct jsonw *w, const struct device_now *now) {
    jsonw_arr(w, "addresses");
    for (uint32_t i = 0; i < now->n_addresses; i++) {
        jsonw_obj(w, NULL);
        jsonw_str(w, "if", now->address[i].iface);
        jsonw_str(w, "addr", now->address[i].text);
        jsonw_obj_end(w);
    }
    jsonw_arr_end(w);
}

static void storage_json(struct jsonw *w, const struct device_now *now) {
    jsonw_arr(w, "storage");
    for (uint32_t i = 0; i < now->n_storage; i++) {
        const struct device_storage *s = &now->storage[i];
        jsonw_obj(w, NULL);
        jsonw_str(w, "mount", s->mount);
        jsonw_u64(w, "total", s->total);
        jsonw_u64(w, "free", s->free);
        jsonw_obj_end(w);
    }
    jsonw_arr_end(w);
}

static uint64_t uptime_s(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_BOOTTIME, &t); /* with the time it slept */
    return (uint64_t)t.tv_sec;
}

static void device_json(struct jsonw *w, const struct about *a,
                        const struct device_now *now) {
    const struct device *d = &a->device;
    jsonw_obj(w, "device");
    jsonw_str(w, "host", d->host);
    jsonw_str(w, "hostname", d->host);
    known(w, "model", d->model);
    jsonw_str(w, "kernel", d->kernel);
    jsonw_str(w, "arch", d->arch);
    known(w, "os", d->os);
    jsonw_u64(w, "cpus", d->cpus);
    jsonw_u64(w, "uptime_s", uptime_s());
    firmware_json(w, a);
    clock_json(w, now);
    addresses_json(w, now);
    storage_json(w, now);
    jsonw_obj_end(w);
}

static const char *kind_name(enum metric_kind kind) {
    switch (kind) {
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_RATE:
        return "rate";
    case METRIC_COUNTER:
        return "counter";
    case METRIC_TIMING:
        return "timing";
    }
    return "";
}

static void metric_json(struct jsonw *w, const struct metric *m) {
    jsonw_obj(w, NULL);
    jsonw_str(w, "id", m->id);
    jsonw_str(w, "label", m->label);
    jsonw_str(w, "unit", m->unit);
    jsonw_str(w, "group", m->group);
    jsonw_str(w, "kind", kind_name(m->kind));
    if (m->min == m->min)
        jsonw_num(w, "min", m->min, 6);
    if (m->max == m->max)
        jsonw_num(w, "max", m->max, 6);
    if (m->warn == m->warn)
        jsonw_num(w, "warn", m->warn, 6);
    if (m->crit == m->crit)
        jsonw_num(w, "crit", m->crit, 6);
    if (m->heard_ms) {
        uint64_t now_ms = clock_ms();
        jsonw_bool(w, "own", true);
        jsonw_u64(w, "age_ms", now_ms > m->heard_ms ? now_ms - m->heard_ms : 0);
    }
    jsonw_obj_end(w);
}

void about_json(struct jsonw *w, const struct about *a,
                const struct telemetry_list *list) {
    char hex[17];
    jsonw_obj(w, NULL);
    jsonw_obj(w, "server");
    jsonw_str(w, "name", a->name);
    jsonw_str(w, "version", a->version);
    jsonw_i64(w, "started", about_started_ms(a));
    jsonw_str(w, "epoch", about_hex(hex, a->epoch));
    jsonw_obj_end(w);
    device_json(w, a, &list->device);
    jsonw_u64(w, "sample_ms", a->sample_ms);
    jsonw_obj(w, "history");
    jsonw_u64(w, "step_ms", a->sample_ms);
    jsonw_u64(w, "n", LIM_HISTORY_N);
    jsonw_obj_end(w);
    jsonw_arr(w, "metrics");
    for (uint32_t i = 0; i < list->n; i++)
        metric_json(w, &list->m[i]);
    jsonw_arr_end(w);
    jsonw_obj_end(w);
}
