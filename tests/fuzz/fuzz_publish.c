// link: app
/* The bodies of POST /api/v1/publish, as JSON and line by line: whatever they hold, the
 * books balance and the limit holds.
 *
 * Input: 'j' or 'l', then the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/publish.h"

#define CHECK(x) ((x) ? (void)0 : abort())
#define LIMIT 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct own_opts opts = {
        .limit = LIMIT, .stale_ms = 5000, .forget_ms = 20000};
    static struct own own;
    static struct metric_set set;
    struct publish_result got = {0};
    struct own_stats st;
    if (size == 0 || size > PUBLISH_BODY_MAX)
        return 0;
    memset(&own, 0, sizeof own);
    metric_init(&set);
    CHECK(own_init(&own, &opts) == 0);
    char *body = malloc(size);
    memcpy(body, data + 1, size - 1);
    if (data[0] == 'j')
        publish_json(&own, body, size - 1, 1000, &got);
    else
        publish_lines(&own, body, size - 1, 1000, &got);
    free(body);
    own_stats(&own, &st);
    CHECK(st.accepted == got.accepted && st.refused == got.refused);
    CHECK(st.metrics <= LIMIT && got.told <= got.refused);
    for (uint32_t i = 0; i < got.told; i++)
        CHECK(got.refusal[i].line > 0 && got.refusal[i].why);
    metric_blank(&set);
    own_sample(&own, &set, 2000);
    CHECK(set.high <= LIMIT);
    own_free(&own);
    return 0;
}
