#include "app/wellknown.h"

#include <stdio.h>

#include "app/routes.h"

void wellknown_security(void *ctx, struct httpd_rq *rq) {
    const struct routes *r = ctx;
    char text[512];
    if (!r->contact || !r->contact[0]) {
        httpd_problem(rq, 404, NULL, "No contact is configured.");
        return;
    }
    int n = snprintf(text, sizeof text, "Contact: %s\nExpires: %s\n", r->contact,
                     r->contact_expires);
    httpd_reply(rq, &(struct reply){.status = 200,
                                    .type = "text/plain; charset=utf-8",
                                    .body = text,
                                    .n = (size_t)n});
}

void wellknown_password(void *ctx, struct httpd_rq *rq) {
    (void)ctx;
    httpd_reply(
        rq, &(struct reply){.status = 303, .extra = "Location: /device#password\r\n"});
}
