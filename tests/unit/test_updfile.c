// link: update
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "update/manifest.h"
#include "update/updfile.h"

/* A head of these lengths; out holds UPDFILE_HEAD_MAX. Its length. */
static size_t head_of(uint8_t *out, size_t manifest_n, size_t sig_n) {
    memset(out, 0, UPDFILE_HEAD_MAX);
    memcpy(out, "PULSEUPD\1", 9);
    out[12] = (uint8_t)(manifest_n >> 8);
    out[13] = (uint8_t)manifest_n;
    out[14] = (uint8_t)(sig_n >> 8);
    out[15] = (uint8_t)sig_n;
    return UPDFILE_FIXED + manifest_n + sig_n;
}

/* On a copy that is exactly n bytes long. */
static ssize_t read_head(const uint8_t *p, size_t n, struct updfile *f) {
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, p, n);
    ssize_t rc = updfile_head(copy, n, f);
    if (rc > 0) {
        assert_ptr_equal(f->manifest, copy + UPDFILE_FIXED);
        assert_ptr_equal(f->sig, f->manifest + f->manifest_n);
        assert_int_equal(rc, UPDFILE_FIXED + f->manifest_n + f->sig_n);
    }
    free(copy);
    return rc;
}

static void head_is_whole_at_its_last_byte(void **state) {
    (void)state;
    static const size_t sizes[][2] = {
        {1, 1}, {180, 70}, {UPDFILE_MANIFEST_MAX, UPDFILE_SIG_MAX}};
    uint8_t head[UPDFILE_HEAD_MAX + 1];
    struct updfile f;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = head_of(head, sizes[i][0], sizes[i][1]);
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(read_head(head, cut, &f), 0);
        assert_int_equal(read_head(head, n, &f), n);
        assert_int_equal(f.manifest_n, sizes[i][0]);
        assert_int_equal(f.sig_n, sizes[i][1]);
        assert_int_equal(read_head(head, n + 1, &f), n);
    }
}

static void what_cannot_be_one_is_refused_at_once(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{0, 70},
                                      {180, 0},
                                      {UPDFILE_MANIFEST_MAX + 1, 70},
                                      {180, UPDFILE_SIG_MAX + 1},
                                      {0xffff, 0xffff}};
    uint8_t head[UPDFILE_HEAD_MAX];
    struct updfile f;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        head_of(head, sizes[i][0], sizes[i][1]);
        assert_int_equal(read_head(head, UPDFILE_FIXED, &f), -EPROTO);
    }
    /* Each byte of magic, format and reserved, as soon as it comes. */
    for (size_t i = 0; i < 12; i++) {
        head_of(head, 180, 70);
        head[i] ^= 1;
        assert_int_equal(read_head(head, i + 1, &f), -EPROTO);
        assert_int_equal(read_head(head, i, &f), 0);
    }
}

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
#define GOOD                                                                           \
    "{\"format\":\"pulseboard-update-1\",\"board\":\"orangepi-pc\","                   \
    "\"version\":\"1.2.3+gabc\",\"built\":1764028800,\"size\":9000000,"                \
    "\"sha256\":\"" HASH "\"}"

static void manifest_is_read(void **state) {
    (void)state;
    struct manifest m;
    const char *why = "";
    assert_int_equal(manifest_json(&m, GOOD, strlen(GOOD), &why), 0);
    assert_null(why);
    assert_string_equal(m.board, "orangepi-pc");
    assert_string_equal(m.version, "1.2.3+gabc");
    assert_int_equal(m.built, 1764028800);
    assert_int_equal(m.size, 9000000);
    assert_int_equal(m.sha256[1], 1);
    assert_int_equal(m.sha256[31], 0xff);
}

/* GOOD with the first `from` replaced. */
static void broken(const char *from, const char *to) {
    char text[1024];
    struct manifest m;
    const char *why = NULL, *at = strstr(GOOD, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, to,
             at + strlen(from));
    if (manifest_json(&m, text, strlen(text), &why) != -EINVAL || !why)
        fail_msg("'%s' for '%s' was taken", to, from);
}

static void manifest_is_strict(void **state) {
    (void)state;
    broken("update-1", "update-2");
    broken("\"board\":\"orangepi-pc\"", "\"board\":7");
    broken("orangepi-pc", "");
    broken("orangepi-pc", "../../etc");
    broken("orangepi-pc", "a board");
    broken("orangepi-pc", "an-unbelievably-long-name-of-a-board");
    broken("1.2.3+gabc", "1.2.3\\n");
    broken("\"built\":1764028800", "\"built\":\"1764028800\"");
    broken("1764028800", "-1");
    broken("1764028800", "1.5");
    broken("1764028800", "1e300");
    broken("9000000", "0");
    broken("9000000", "9007199254740993");
    broken("9000000", "2147483649");
    broken(HASH, "00");
    broken("1eff", "1eFF");
    broken("1eff", "1efg");
    broken("\"format\"", "\"Format\"");
    broken("{", "{\"more\":1,");
    broken("\"built\":1764028800,", "");
    broken("\"built\":1764028800,", "\"board\":\"x\",");
    broken("}", "} ,");
    broken("{", "[");
}

static void lines_are_read(void **state) {
    (void)state;
    static const char good[] = "board=virt-arm64\nversion=0.1.0+gabc\narch=arm64\n"
                               "built=17\n\nsomething else\n";
    static const char *const bad[] = {
        "",
        "board=a\n",
        "version=1\n",
        "board=a b\nversion=1\n",
        "board=a\nversion=1\nbuilt=x\n",
        "board=\nversion=1\n",
        "board=a\nversion=1\nbuilt=99999999999999999999\n"};
    struct manifest m;
    const char *why;
    assert_int_equal(manifest_lines(&m, good, sizeof good - 1, &why), 0);
    assert_string_equal(m.board, "virt-arm64");
    assert_string_equal(m.version, "0.1.0+gabc");
    assert_int_equal(m.built, 17);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(manifest_lines(&m, bad[i], strlen(bad[i]), &why), -EINVAL);
}

static void newer_is_by_number_and_then_by_time(void **state) {
    (void)state;
    static const struct {
        const char *a;
        uint64_t a_built;
        const char *b;
        uint64_t b_built;
        int order;
    } cases[] = {
        {"1.2.3", 5, "1.2.3", 5, 0},        {"1.2.3+gb", 5, "1.2.3+ga", 5, 0},
        {"1.2.3+ga", 4, "1.2.3+gb", 5, -1}, {"1.10.0", 1, "1.9.9", 9, 1},
        {"1.2", 5, "1.2.0", 5, 0},          {"2", 1, "1.9.9.9", 9, 1},
        {"0.1.0", 9, "0.1.1", 1, -1},       {"10.0", 1, "9.0", 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct manifest a = {.built = cases[i].a_built},
                        b = {.built = cases[i].b_built};
        snprintf(a.version, sizeof a.version, "%s", cases[i].a);
        snprintf(b.version, sizeof b.version, "%s", cases[i].b);
        assert_int_equal(manifest_order(&a, &b), cases[i].order);
        assert_int_equal(manifest_order(&b, &a), -cases[i].order);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_whole_at_its_last_byte),
        cmocka_unit_test(what_cannot_be_one_is_refused_at_once),
        cmocka_unit_test(manifest_is_read),
        cmocka_unit_test(manifest_is_strict),
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(newer_is_by_number_and_then_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
