#include "app/stats_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/fetch.h"
#include "app/stats_json.h"
#include "base/limits.h"
#include "proto/json.h"

#define ANSWER_MAX (8192u + STATS_JSON_BASE + LIM_SESSIONS_MAX * STATS_JSON_ROW)

/* The value below a path like "sessions.live", or NULL. */
static const cJSON *at(const cJSON *v, const char *path) {
    char key[32];
    while (v && *path) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        v = cJSON_GetObjectItemCaseSensitive(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

/* As it is shown: a number, a word without control characters, or "-". */
static const char *show(const cJSON *v, const char *path, char out[72]) {
    const cJSON *x = at(v, path);
    snprintf(out, 72, "-");
    if (cJSON_IsNumber(x))
        snprintf(out, 72, "%.15g", x->valuedouble);
    if (cJSON_IsString(x))
        snprintf(out, 72, "%.70s", x->valuestring);
    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
    return out;
}

/* A figure and the words around it. */
struct word {
    const char *before, *path, *after;
};

static void line(FILE *out, const char *title, const cJSON *v, const struct word *w) {
    fprintf(out, "%-10s", title);
    for (const char *comma = ""; w->path; w++, comma = ", ") {
        char text[72];
        fprintf(out, "%s%s%s%s", comma, w->before, show(v, w->path, text), w->after);
    }
    fputc('\n', out);
}

/* Every member of an object that is not zero. */
static void counts(FILE *out, const char *title, const cJSON *v) {
    const cJSON *m;
    unsigned n = 0;
    fprintf(out, "%-10s", title);
    cJSON_ArrayForEach(m, v) {
        char text[72];
        if (m->string && m->valuedouble != 0)
            fprintf(out, "%s%s %s", n++ ? ", " : "", m->string, show(m, "", text));
    }
    fputs(n ? "\n" : "none\n", out);
}

static const struct {
    const char *title, *path;
} columns[] = {
    {"ID", "id"},
    {"ADDRESS", "address"},
    {"AGE s", "age_s"},
    {"STATE", "state"},
    {"ROLE", "role"},
    {"VIA", "transport"},
    {"RTT ms", "rtt_ms"},
    {"BEAT ms", "interval_ms"},
    {"MISSED", "missed"},
    {"OWED B", "queued_bytes"},
    {"MESSAGES", "messages"},
    {"HEARD ms AGO", "last_heard_ms"},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void list(FILE *out, const cJSON *rows) {
    int width[COLUMNS];
    char text[72];
    const cJSON *r;
    for (size_t i = 0; i < COLUMNS; i++) {
        width[i] = (int)strlen(columns[i].title);
        cJSON_ArrayForEach(r, rows) {
            int n = (int)strlen(show(r, columns[i].path, text));
            width[i] = n > width[i] ? n : width[i];
        }
    }
    fputc('\n', out);
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(out, "%s%*s", i ? "  " : "", i < 2 ? -width[i] : width[i],
                columns[i].title);
    fputc('\n', out);
    cJSON_ArrayForEach(r, rows) {
        for (size_t i = 0; i < COLUMNS; i++)
            fprintf(out, "%s%*s", i ? "  " : "", i < 2 ? -width[i] : width[i],
                    show(r, columns[i].path, text));
        fputc('\n', out);
    }
}

static const struct word sessions[] = {
    {"live ", "live", ""}, {"closing ", "closing", ""},   {"reserved ", "reserved", ""},
    {"peak ", "peak", ""}, {"capacity ", "capacity", ""}, {"opened ", "opened", ""},
    {NULL, NULL, NULL},
};
static const struct word beats[] = {
    {"sent ", "sent", ""}, {"answered ", "answered", ""},   {"missed ", "missed", ""},
    {"lost ", "lost", ""}, {"reprieved ", "reprieved", ""}, {NULL, NULL, NULL},
};
static const struct word beat_times[] = {
    {"every ", "interval_ms.min", ""},
    {"", "interval_ms.avg", ""},
    {"", "interval_ms.max", " ms (least, mean, most)"},
    {"round trip ", "rtt_ms.p50", ""},
    {"", "rtt_ms.p95", ""},
    {"", "rtt_ms.max", " ms (p50, p95, most)"},
    {NULL, NULL, NULL},
};
static const struct word traffic[] = {
    {"in ", "frames_in", " frames"},   {"", "bytes_in", " B"},
    {"out ", "frames_out", " frames"}, {"", "bytes_out", " B"},
    {"conflated ", "conflated", ""},   {"resumed ", "resumed", ""},
    {"replayed ", "replayed", ""},     {NULL, NULL, NULL},
};
static const struct word hub[] = {
    {"longest tick ", "tick_max_us", " us"},
    {"late ", "loop_late", ""},
    {"queued ", "queue_bytes", " B"},
    {NULL, NULL, NULL},
};
static const struct word memory[] = {
    {"resident ", "rss_bytes", " B"},
    {"TLS ", "tls_bytes", " B"},
    {"tables ", "table_bytes", " B"},
    {NULL, NULL, NULL},
};
static const struct word uptime[] = {{"", "uptime_s", " s"}, {NULL, NULL, NULL}};

void stats_table_print(FILE *out, const cJSON *stats) {
    line(out, "Sessions", at(stats, "sessions"), sessions);
    counts(out, "Closed", at(stats, "closed"));
    counts(out, "Rejected", at(stats, "sessions.rejected"));
    line(out, "Heartbeat", at(stats, "heartbeat"), beats);
    line(out, "", at(stats, "heartbeat"), beat_times);
    line(out, "Traffic", at(stats, "traffic"), traffic);
    line(out, "Hub", at(stats, "hub"), hub);
    line(out, "Memory", at(stats, "memory"), memory);
    line(out, "Uptime", stats, uptime);
    if (cJSON_GetArraySize(at(stats, "list")) > 0)
        list(out, at(stats, "list"));
}

int stats_table_run(const char *url, int json) {
    char why[FETCH_WHY_MAX] = "not enough memory";
    size_t n = 0;
    char *body = malloc(ANSWER_MAX);
    int rc = body ? fetch_get(url, "/ws/stats", body, ANSWER_MAX, &n, why) : -1;
    cJSON *stats = NULL;
    if (rc == 0) {
        snprintf(why, sizeof why, "the answer is not JSON");
        stats = json_parse(body, n);
    }
    if (!stats)
        fprintf(stderr, "pulseboard: %s: %s\n", url, why);
    else if (json)
        printf("%.*s\n", (int)n, body);
    else
        stats_table_print(stdout, stats);
    int code = !stats || fflush(stdout) != 0;
    cJSON_Delete(stats);
    free(body);
    return code;
}
