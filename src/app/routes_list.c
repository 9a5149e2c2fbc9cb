#include "app/routes_list.h"

#include "app/routes.h"
#include "app/rpc_methods.h"
#include "base/jsonw.h"

#define LINE_MAX_BYTES 512u

/* One object of one line; the texts are ours, and short. */
static void print(FILE *out, struct jsonw *w, const char *end) {
    jsonw_obj_end(w);
    fprintf(out, "  %.*s%s\n", (int)jsonw_end(w), w->buf, end);
}

static void list_route(FILE *out, const struct httpd_route *r, const char *end) {
    char line[LINE_MAX_BYTES];
    struct jsonw w;
    jsonw_init(&w, line, sizeof line);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "path", r->path);
    jsonw_arr(&w, "methods");
    for (unsigned m = HTTP_GET; m <= HTTP_DELETE; m <<= 1) {
        if (r->methods & m)
            jsonw_str(&w, NULL, http_method_name((enum http_method)m));
    }
    jsonw_arr_end(&w);
    jsonw_str(&w, "role", role_name(r->role));
    print(out, &w, end);
}

static void list_method(FILE *out, const struct rpc_method *m, const char *end) {
    char line[LINE_MAX_BYTES];
    struct jsonw w;
    jsonw_init(&w, line, sizeof line);
    jsonw_obj(&w, NULL);
    jsonw_str(&w, "method", m->name);
    jsonw_str(&w, "role", role_name(m->role));
    print(out, &w, end);
}

int routes_list(FILE *out) {
    fputs("{\"http\":[\n", out);
    for (unsigned i = 0; i < routes_n; i++)
        list_route(out, &routes_table[i], i + 1 < routes_n ? "," : "");
    fputs("],\"rpc\":[\n", out);
    for (size_t i = 0; i < rpc_methods_n; i++)
        list_method(out, &rpc_methods_table[i], i + 1 < rpc_methods_n ? "," : "");
    fputs("]}\n", out);
    return 0;
}
