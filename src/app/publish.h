#pragma once
/* POST /api/v1/publish: readings as JSON or as InfluxDB's line protocol. On a worker;
 * cJSON allocates, for a body of PUBLISH_BODY_MAX. */
#include "http/httpd.h"
#include "telemetry/own.h"

#define PUBLISH_BODY_MAX (16u * 1024)
#define PUBLISH_REPLY_BYTES (PUBLISH_BODY_MAX + 16u * 1024) /* of httpd_opts */
#define PUBLISH_TOLD_MAX 64u /* refusals that are named; all are counted */

/* What became of a body. */
struct publish_result {
    uint32_t accepted, refused, told;
    struct publish_refusal {
        uint32_t line; /* 1, 2, ...: of the text, or of the array */
        const char *why;
    } refusal[PUBLISH_TOLD_MAX];
};

/* {"metrics":[{"name","value","unit"?,"label"?,"kind"?}]}; False: it is not
 * of that form, and nothing was taken. */
bool publish_json(struct own *own, const char *text, size_t n, uint64_t now_ms,
                  struct publish_result *out);
/* Line by line; empty ones and comments (#) are passed over. */
void publish_lines(struct own *own, const char *text, size_t n, uint64_t now_ms,
                   struct publish_result *out);

/* The handler. */
void publish_route(struct own *own, struct httpd_rq *rq);
