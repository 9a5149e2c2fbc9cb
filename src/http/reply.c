#include "http/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/jsonw.h"

/* 2024-01-01: earlier than this program. */
#define CLOCK_IS_SET_MS 1704067200000

/* On every answer: nothing is guessed, framed, leaked or lent to other origins. */
#define ALWAYS                                                                         \
    "X-Content-Type-Options: nosniff\r\n"                                              \
    "X-Frame-Options: DENY\r\n"                                                        \
    "Referrer-Policy: no-referrer\r\n"                                                 \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                    \
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"
/* Browsers complain about it where it has no meaning: on plain HTTP. */
#define OVER_TLS "Cross-Origin-Opener-Policy: same-origin\r\n"

const char *reply_reason(int status) {
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Unknown";
}

static void add(char *out, size_t cap, size_t *n, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void add(char *out, size_t cap, size_t *n, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    size_t at = *n < cap ? *n : cap;
    int k = vsnprintf(out + at, cap - at, fmt, ap);
    va_end(ap);
    *n = k < 0 ? cap : at + (size_t)k;
}

static void add_date(char *out, size_t cap, size_t *n, int64_t wall_ms) {
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)(wall_ms / 1000);
    struct tm tm;
    if (wall_ms < CLOCK_IS_SET_MS || !gmtime_r(&t, &tm))
        return;
    add(out, cap, n, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
        tm.tm_mday, months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min,
        tm.tm_sec);
}

size_t reply_head(const struct reply *r, bool secure, bool keep, int64_t wall_ms,
                  char *out, size_t cap) {
    size_t n = 0;
    add(out, cap, &n, "HTTP/1.1 %d %s\r\n", r->status, reply_reason(r->status));
    add_date(out, cap, &n, wall_ms);
    /* RFC 9110 8.6: neither 204 nor 304 says a length here. */
    if (r->type)
        add(out, cap, &n, "Content-Type: %s\r\n", r->type);
    if (r->status != 204 && r->status != 304)
        add(out, cap, &n, "Content-Length: %zu\r\n", r->n);
    add(out, cap, &n,
        "Cache-Control: %s\r\nContent-Security-Policy: %s\r\n" ALWAYS "%s%s%s\r\n",
        r->cache ? r->cache : "no-store",
        r->csp ? r->csp : "default-src 'none'; frame-ancestors 'none'",
        secure ? OVER_TLS : "", r->extra ? r->extra : "",
        keep ? "" : "Connection: close\r\n");
    return n < cap ? n : 0;
}

size_t reply_problem(int status, const char *detail, char *out, size_t cap) {
    struct jsonw w;
    jsonw_init(&w, out, cap);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "type", "about:blank");
    jsonw_str(&w, "title", reply_reason(status));
    jsonw_u64(&w, "status", (uint64_t)status);
    if (detail)
        jsonw_str(&w, "detail", detail);
    jsonw_obj_end(&w);
    return jsonw_end(&w);
}
