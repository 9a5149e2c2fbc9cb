#include "app/sample_json.h"

void sample_json(struct jsonw *w, const struct telemetry_snap *s) {
    jsonw_u64(w, "seq", s->seq);
    jsonw_i64(w, "t", s->wall_ms);
    jsonw_u64(w, "up", s->mono_ms);
    jsonw_obj(w, "values");
    for (uint32_t i = 0; i < s->n; i++)
        jsonw_num(w, s->v[i].id, s->v[i].value, SAMPLE_DIGITS);
    jsonw_obj_end(w);
}
