// link: telemetry base
/* The leaves under the probes: text, counter and source. */
#include "tree.h"

#include "telemetry/counter.h"
#include "telemetry/source.h"
#include "telemetry/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void numbers_are_read_strictly(void **state) {
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
        const char *rest;
    } cases[] = {
        {"0", true, 0, ""},
        {"  42 7", true, 42, " 7"},
        {"\t007", true, 7, ""},
        {"18446744073709551615", true, UINT64_MAX, ""},
        {"18446744073709551616", false, 0, NULL},
        {"99999999999999999999999", false, 0, NULL},
        {"", false, 0, NULL},
        {" ", false, 0, NULL},
        {"-1", false, 0, NULL},
        {"+1", false, 0, NULL},
        {"1.5", false, 0, NULL},
        {"1x", false, 0, NULL},
        {"0x1", false, 0, NULL},
        {"1\n", false, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *s = cases[i].text;
        uint64_t v = 99;
        assert_int_equal(text_u64(&s, &v), cases[i].ok);
        assert_int_equal(v, cases[i].ok ? cases[i].value : 99);
        assert_string_equal(s, cases[i].ok ? cases[i].rest : cases[i].text);
    }
}

static void sensors_say_numbers_of_many_kinds(void **state) {
    static const struct {
        const char *text;
        bool ok;
        double value;
    } cases[] = {
        {"21437", true, 21437},
        {"-1250\n", true, -1250},
        {"0.439453125", true, 0.439453125},
        {" 7 ", true, 7},
        {"-0.5 1", true, -0.5},
        {"", false, 0},
        {"-", false, 0},
        {"1.", false, 0},
        {".5", false, 0},
        {"1e3", false, 0},
        {"0x10", false, 0},
        {"--1", false, 0},
        {"1,5", false, 0},
        {"18446744073709551616", false, 0},
    };
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } hex[] = {
        {"0x50005", true, 0x50005},
        {"50005\n", true, 0x50005},
        {"0xFf 1", true, 255},
        {"ffffffffffffffff", true, UINT64_MAX},
        {"10000000000000000", false, 0},
        {"0x", false, 0},
        {"", false, 0},
        {"g", false, 0},
        {"-1", false, 0},
        {"0x1g", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *s = cases[i].text;
        double v = 99;
        assert_int_equal(text_number(&s, &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].value : 99));
    }
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        const char *s = hex[i].text;
        uint64_t v = 99;
        assert_int_equal(text_hex(&s, &v), hex[i].ok);
        assert_int_equal(v, hex[i].ok ? hex[i].value : 99);
    }
}

static void signs_and_decimals(void **state) {
    (void)state;
    int64_t i = 1;
    double d = 1;
    const char *s = "-9223372036854775807 9223372036854775808";
    assert_true(text_i64(&s, &i) && i == -INT64_MAX);
    assert_false(text_i64(&s, &i));
    s = "--1";
    assert_false(text_i64(&s, &i));
    s = "825.19 0.05 3. .5 7 1.2.3";
    assert_true(text_decimal(&s, &d) && d == 825.19);
    assert_true(text_decimal(&s, &d) && d == 0.05);
    static const char *const bad[] = {"3.", ".5",  "7",   "1.2.3",
                                      "",   "nan", "1e3", "-1.0"};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        s = bad[k];
        assert_false(text_decimal(&s, &d));
    }
}

static void words_are_cut(void **state) {
    (void)state;
    char line[] = "  one\ttwo  three";
    char *s = line;
    assert_string_equal(text_word(&s), "one");
    assert_string_equal(text_word(&s), "two");
    assert_string_equal(text_word(&s), "three");
    assert_null(text_word(&s));
    assert_null(text_word(&s));
}

static void labels_are_printable_utf8(void **state) {
    static const struct {
        const char *raw, *label;
    } cases[] = {
        {"Core 0", "Core 0"},
        {"T\u00e4ter \u20ac \U0001f600", "T\u00e4ter \u20ac \U0001f600"},
        {"tab\there", "tab?here"},
        {"\x7f\xc2\x80\xc2\x9f", "\?\?\?"},
        {"\xc0\xaf", "\?\?"},             /* overlong */
        {"\xe0\x9f\xbf", "\?\?\?"},       /* overlong */
        {"\xed\xa0\x80", "\?\?\?"},       /* surrogate */
        {"\xf4\x90\x80\x80", "\?\?\?\?"}, /* beyond U+10FFFF */
        {"\xf0\x9f\x98", "\?\?\?"},       /* cut off */
        {"\xe2\x82", "\?\?"},
        {"a\xff"
         "b",
         "a?b"},
        {"", ""},
    };
    (void)state;
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = text_label(out, sizeof out, cases[i].raw);
        assert_string_equal(out, cases[i].label);
        assert_int_equal(n, strlen(out));
    }
    assert_int_equal(text_label(out, 5, "abc\u20ac"), 3); /* not half a character */
    assert_int_equal(text_label(out, 1, "abc"), 0);
}

static void slugs_are_plain(void **state) {
    static const struct {
        const char *raw, *slug;
    } cases[] = {
        {"coretemp Core 0", "coretemp-core-0"},
        {"/boot/firmware", "boot-firmware"},
        {"eth0.100", "eth0.100"},
        {"cpu_thermal", "cpu_thermal"},
        {"--a  //  b--", "a-b"},
        {"\xff\xfe", "unnamed"},
        {"", "unnamed"},
        {"0123456789abcdef", "0123456789a"},
        {"0123456789 bcdef", "0123456789"},
    };
    (void)state;
    char out[12];
    for (size_t i = 2; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = text_slug(out, sizeof out, cases[i].raw);
        assert_string_equal(out, cases[i].slug);
        assert_int_equal(n, strlen(out));
    }
    char wide[64];
    for (size_t i = 0; i < 2; i++) {
        text_slug(wide, sizeof wide, cases[i].raw);
        assert_string_equal(wide, cases[i].slug);
    }
}

static void rates_need_two_readings_in_order(void **state) {
    static const struct {
        uint64_t value, at_ns;
        bool ok;
        double rate;
    } readings[] = {
        {100, 1000000000, false, 0},
        {350, 1500000000, true, 500},
        {350, 2500000000, true, 0},
        {349, 3500000000, false, 0}, /* back */
        {449, 4500000000, true, 100},
        {459, 4500000000, false, 0}, /* no time */
        {469, 4000000000, false, 0}, /* the clock went back */
        {UINT64_MAX, 5000000000, true, (double)(UINT64_MAX - 469)},
    };
    (void)state;
    struct counter c = {0};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        double rate = 0;
        assert_int_equal(counter_rate(&c, readings[i].value, readings[i].at_ns, &rate),
                         readings[i].ok);
        assert_true(rate == readings[i].rate);
    }
}

struct files {
    struct tree tree;
    int root;
    struct source src;
    struct source_lines lines;
};

static struct files files;

static int open_files(void **state) {
    (void)state;
    files.tree = tree_make();
    files.root = open(files.tree.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    files.src = (struct source){.path = "file", .fd = -1};
    return files.root < 0;
}

static int close_files(void **state) {
    (void)state;
    source_close(&files.src);
    close(files.root);
    tree_free(&files.tree);
    return 0;
}

static void lines_of_any_size_come_whole(void **state) {
    (void)state;
    static char text[200000];
    size_t n = 0;
    for (unsigned i = 0; n + 100 < sizeof text; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%u:%0*u\n", i, (int)(i % 90),
                              i);
    }
    tree_write_n(&files.tree, "file", text, n);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(source_lines_open(&files.lines, files.root, &files.src), 0);
        const char *want = text;
        char *line;
        while ((line = source_lines_next(&files.lines))) {
            size_t len = strlen(line);
            assert_memory_equal(line, want, len);
            assert_int_equal(want[len], '\n');
            want += len + 1;
        }
        assert_int_equal(want - text, n);
    }
}

static void a_line_that_is_too_long_is_skipped(void **state) {
    (void)state;
    static char text[SOURCE_LINE_MAX * 4];
    static const size_t sizes[] = {SOURCE_LINE_MAX - 1, SOURCE_LINE_MAX,
                                   SOURCE_LINE_MAX + 1, SOURCE_LINE_MAX * 3};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(text, 'x', sizeof text);
        memcpy(text, "first\n", 6);
        memcpy(text + 6 + sizes[i], "\nlast\n", 6);
        tree_write_n(&files.tree, "file", text, 6 + sizes[i] + 6);
        source_lines_open(&files.lines, files.root, &files.src);
        assert_string_equal(source_lines_next(&files.lines), "first");
        if (sizes[i] < SOURCE_LINE_MAX)
            assert_int_equal(strlen(source_lines_next(&files.lines)), sizes[i]);
        assert_string_equal(source_lines_next(&files.lines), "last");
        assert_null(source_lines_next(&files.lines));
    }
    (void)state;
}

static void an_endless_file_ends(void **state) {
    (void)state;
    struct source zero = {.path = "dev/zero", .fd = -1};
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(source_lines_open(&files.lines, root, &zero), 0);
    assert_null(source_lines_next(&files.lines));
    source_close(&zero);
    close(root);
}

static void a_file_that_cannot_be_read_is_let_go(void **state) {
    (void)state;
    tree_write(&files.tree, "file/within", "");
    assert_int_equal(source_lines_open(&files.lines, files.root, &files.src), 0);
    assert_null(source_lines_next(&files.lines)); /* a folder: EISDIR */
    assert_int_equal(files.src.fd, -1);
    tree_remove(&files.tree, "file");
    assert_int_equal(source_lines_open(&files.lines, files.root, &files.src), -ENOENT);
    tree_write(&files.tree, "file", "back\n");
    assert_int_equal(source_lines_open(&files.lines, files.root, &files.src), 0);
    assert_string_equal(source_lines_next(&files.lines), "back");
}

static void single_values(void **state) {
    (void)state;
    char out[8];
    int64_t v = 5;
    tree_write(&files.tree, "d7/text", "line one\nline two\n");
    tree_write(&files.tree, "d7/empty", "\n");
    tree_write(&files.tree, "d7/number", " -12 \n");
    tree_write(&files.tree, "d7/two", "1 2\n");
    assert_int_equal(source_text(files.root, out, sizeof out, "d%d/text", 7), 0);
    assert_string_equal(out, "line on");
    assert_int_equal(source_text(files.root, out, sizeof out, "d7/empty"), -ENODATA);
    assert_int_equal(source_text(files.root, out, sizeof out, "d8/text"), -ENOENT);
    assert_int_equal(source_text(files.root, out, sizeof out, "%0300d", 1),
                     -ENAMETOOLONG);
    assert_int_equal(source_int(files.root, &v, "d7/two"), -EINVAL);
    assert_int_equal(source_int(files.root, &v, "d7/text"), -EINVAL);
    assert_int_equal(source_int(files.root, &v, "d7"), -EISDIR);
    assert_int_equal(v, 5);
    assert_int_equal(source_int(files.root, &v, "d7/number"), 0);
    assert_int_equal(v, -12);
    assert_true(source_exists(files.root, "d7"));
    assert_false(source_exists(files.root, "d%d", 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(sensors_say_numbers_of_many_kinds),
        cmocka_unit_test(signs_and_decimals),
        cmocka_unit_test(words_are_cut),
        cmocka_unit_test(labels_are_printable_utf8),
        cmocka_unit_test(slugs_are_plain),
        cmocka_unit_test(rates_need_two_readings_in_order),
        cmocka_unit_test_setup_teardown(lines_of_any_size_come_whole, open_files,
                                        close_files),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_skipped, open_files,
                                        close_files),
        cmocka_unit_test_setup_teardown(an_endless_file_ends, open_files, close_files),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_let_go,
                                        open_files, close_files),
        cmocka_unit_test_setup_teardown(single_values, open_files, close_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
