#pragma once
/* One sample as JSON, whole: the same in a frame, as an answer, over HTTP. Pure. */
#include "base/jsonw.h"
#include "telemetry/telemetry.h"

/* Significant digits of a value. */
#define SAMPLE_DIGITS 6
/* An id, such a number, quotes and comma for each; and around them. */
#define SAMPLE_JSON_MAX (LIM_METRICS * (METRIC_ID_MAX + 32) + 256)

/* {seq, t, up, values}, inside an object that is open. */
void sample_json(struct jsonw *w, const struct telemetry_snap *s);
