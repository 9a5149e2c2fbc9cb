#pragma once
/* The log: one line per event, logfmt (key=value) on stderr. Any thread; a line is one
 * write(2), so lines of different threads never mix. Never waits for a reader: a line
 * that stderr does not take whole and at once is lost, and counted in `lost=N` of the
 * next. (Of a terminal that holds only after log_own_stderr().) The level may change at
 * run time.
 * Expected disconnects are DEBUG; ERROR means a fault of ours. */
#include <stdbool.h>
#include <stdint.h>

/* Numbers are the severities of RFC 5424 table 2. */
enum log_level {
    LOG_LVL_ERROR = 3,
    LOG_LVL_WARN = 4,
    LOG_LVL_NOTICE = 5,
    LOG_LVL_INFO = 6,
    LOG_LVL_DEBUG = 7,
};

/* A line longer than this is cut and ends in "...". */
#define LOG_LINE_MAX 1024

/* For programs that run for long: stderr becomes an open file of our own that does not
 * wait, if it is a terminal or a pipe that may be opened. Who shares it with us (a
 * shell) keeps theirs as it was. Before there are threads. */
void log_own_stderr(void);

void log_set_level(enum log_level lvl);
enum log_level log_level(void);
bool log_on(enum log_level lvl);

/* Prefix lines with "<N>" as sd-daemon(3) reads them; the default is on when stderr is
 * the journal (JOURNAL_STREAM is set), else a time stamp is written. */
void log_set_syslog_prefix(bool on);

/* Hears every line of level info or more severe that is admitted, also those that are
 * too quiet for stderr. On the thread that logs: it must neither wait nor log. One at
 * most; NULL ends it, and no call is under way when this returns. text: the key=value
 * pairs, for the time of the call. */
typedef void log_tap(void *ctx, enum log_level lvl, const char *event,
                     const char *text);
void log_set_tap(log_tap *tap, void *ctx);

/* 0 and *out, or -EINVAL for a word that is no level. */
int log_level_parse(const char *word, enum log_level *out);
const char *log_level_name(enum log_level lvl);

/* event: a short constant word, e.g. "session_closed". fmt: the key=value pairs after
 * it, quoted by log_quote where a value may hold spaces. Lines that share `event` and
 * level are limited to LOG_BURST in LOG_WINDOW_MS; what was left out is counted in
 * `suppressed=N` of the next. */
#define LOG_BURST 20
#define LOG_WINDOW_MS 10000
void log_line(enum log_level lvl, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes s as a logfmt value (quoted and escaped when needed, cut to fit); returns out.
 */
const char *log_quote(char *out, unsigned cap, const char *s);

#define log_error(event, ...) log_at(LOG_LVL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_LVL_WARN, event, __VA_ARGS__)
#define log_notice(event, ...) log_at(LOG_LVL_NOTICE, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_LVL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_at(LOG_LVL_DEBUG, event, __VA_ARGS__)
#define log_at(lvl, event, ...)                                                        \
    do {                                                                               \
        if (log_on(lvl))                                                               \
            log_line(lvl, event, __VA_ARGS__);                                         \
    } while (0)
