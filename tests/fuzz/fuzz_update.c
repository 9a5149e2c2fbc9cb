// link: update
/* Everything about an update that comes from outside: the head of the file with its
 * manifest (as if it had been signed), what the running system says about itself, what
 * the boot loader left, and the helper's own record.
 *
 * Input: which of them in the first byte, then its bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "update/abstate.h"
#include "update/manifest.h"
#include "update/record.h"
#include "update/updfile.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(const struct manifest *m) {
    CHECK(m->board[0] && strlen(m->board) < sizeof m->board);
    CHECK(m->version[0] && strlen(m->version) < sizeof m->version);
    CHECK(!strpbrk(m->board, "/\n \"") && !strpbrk(m->version, "/\n \""));
    CHECK(manifest_order(m, m) == 0);
}

static void try_file(const uint8_t *p, size_t n) {
    struct updfile f;
    struct manifest m;
    const char *why;
    ssize_t whole = updfile_head(p, n, &f), rc = 0;
    /* Byte by byte it says the same, and sooner when it cannot be one. */
    for (size_t i = 0; rc == 0 && i <= n; i++)
        rc = updfile_head(p, i, &f);
    CHECK(rc == whole);
    if (whole <= 0)
        return;
    CHECK((size_t)whole <= n && (size_t)whole <= UPDFILE_HEAD_MAX);
    CHECK(f.manifest + f.manifest_n == f.sig && f.sig + f.sig_n == p + whole);
    if (manifest_json(&m, (const char *)f.manifest, f.manifest_n, &why) != 0)
        CHECK(why);
    else
        check_manifest(&m);
}

static void try_lines(const char *p, size_t n) {
    struct manifest m;
    const char *why;
    if (manifest_lines(&m, p, n, &why) == 0)
        check_manifest(&m);
}

static void try_boot_state(const char *p, size_t n) {
    char text[ABSTATE_TEXT + 1];
    struct abstate s;
    if (abstate_parse(&s, p, n) != 0)
        return;
    abstate_text(&s, text);
    CHECK(n >= ABSTATE_TEXT && memcmp(text, p, ABSTATE_TEXT) == 0);
}

static void try_record(const char *p, size_t n) {
    char text[RECORD_TEXT_MAX], told[RECORD_TEXT_MAX];
    struct record r, again;
    if (record_parse(&r, p, n) != 0)
        return;
    size_t len = record_text(&r, text);
    CHECK(len > 0 && record_parse(&again, text, len) == 0);
    CHECK(record_text(&again, told) == len && memcmp(told, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 4096)
        return 0;
    size_t n = size - 1;
    uint8_t *p = malloc(n ? n : 1);
    memcpy(p, data + 1, n);
    switch (data[0] % 4) {
    case 0:
        try_file(p, n);
        break;
    case 1:
        try_lines((char *)p, n);
        break;
    case 2:
        try_boot_state((char *)p, n);
        break;
    case 3:
        try_record((char *)p, n);
        break;
    }
    free(p);
    return 0;
}
