/* GET /api/v1/openapi.json: openapi.json of this folder, without its white space. */
#include "app/routes.h"

__asm__(".pushsection .rodata\n"
        ".global openapi_json\nopenapi_json:\n"
        ".incbin \"" PULSEBOARD_OPENAPI "\"\n"
        ".global openapi_json_end\nopenapi_json_end:\n"
        ".popsection\n");
extern const char openapi_json[], openapi_json_end[];

void routes_openapi(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    httpd_reply(rq, &(struct reply){
                        .status = 200,
                        .type = "application/json",
                        .body = openapi_json,
                        .n = (size_t)(openapi_json_end - openapi_json),
                        .lasting = true,
                    });
}
