// link: app
/* The two files that an owner writes by hand: pulseboard.json of the program and that
 * of a board's first start. What is taken keeps the rules of the options, what is not
 * is said in lines, and what a shell will read is quoted.
 *
 * Input: which of the two (bit 0 of the first byte), then the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "app/first_boot.h"
#include "app/option.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void said(void *ctx, const char *line) {
    unsigned *lines = ctx;
    CHECK(line[0] && !strchr(line, '\n'));
    ++*lines;
}

static void check_option(const struct option *o, const struct config *c) {
    const char *at = (const char *)c + o->at;
    uint32_t v;
    struct config_list list;
    switch (o->type) {
    case OPTION_UINT:
        memcpy(&v, at, sizeof v);
        CHECK(v >= o->min && v <= o->max);
        break;
    case OPTION_TEXT:
        CHECK(strnlen(at, o->max + 1) <= o->max);
        break;
    case OPTION_LIST:
        memcpy(&list, at, sizeof list);
        CHECK(list.n <= CONFIG_ITEMS);
        for (uint32_t i = 0; i < list.n; i++)
            CHECK(strnlen(list.item[i], CONFIG_ITEM_MAX) < CONFIG_ITEM_MAX);
        break;
    case OPTION_LEVEL:
        break;
    }
}

static void check_config(char *text, size_t n) {
    struct config c;
    unsigned lines = 0;
    struct config_report r = {.say = said, .ctx = &lines};
    config_default(&c);
    int rc = config_text(&c, "pulseboard.json", text, n, &r);
    CHECK((rc == 0) == (r.problems == 0) && lines == r.problems);
    if (rc != 0)
        return;
    for (size_t i = 0; option_at(i); i++)
        check_option(option_at(i), &c);
    CHECK((config_check(&c, &r) == 0) == (r.problems == 0));
}

/* NAME='value', where a quote inside is '\''; returns what follows the line. */
static const char *check_line(const char *p) {
    size_t name = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    CHECK(name > 0 && p[name] == '=' && p[name + 1] == '\'');
    for (p += name + 2;; p += 4) {
        p += strcspn(p, "'\n");
        CHECK(*p == '\'');
        if (strncmp(p, "'\\''", 4) != 0)
            break;
    }
    CHECK(p[1] == '\n');
    return p + 2;
}

static void check_first_boot(char *text, size_t n) {
    char *out = NULL, *complaints = NULL;
    size_t n_out, n_complaints;
    FILE *to = open_memstream(&out, &n_out),
         *say = open_memstream(&complaints, &n_complaints);
    CHECK(to && say);
    unsigned problems = first_boot_text("pulseboard.json", text, n, to, say);
    fclose(to);
    fclose(say);
    CHECK(strlen(out) == n_out && strlen(complaints) == n_complaints);
    for (const char *p = out; *p;)
        p = check_line(p);
    unsigned lines = 0;
    for (const char *p = complaints; (p = strchr(p, '\n')); p++)
        lines++;
    CHECK(lines == problems);
    free(out);
    free(complaints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > FIRST_BOOT_MAX)
        return 0;
    size_t n = size - 1;
    char *text = malloc(n + 1);
    CHECK(text);
    memcpy(text, data + 1, n);
    text[n] = '\0';
    if (data[0] & 1)
        check_first_boot(text, n);
    else
        check_config(text, n);
    free(text);
    return 0;
}
