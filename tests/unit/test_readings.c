// link: proto base
/* What may be told, and the two line formats it comes in. */
#include "proto/influx.h"
#include "proto/statsd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- numbers ---- */

static void numbers_are_read_as_c_reads_them(void **state) {
    static const char *const good[] = {
        "0",
        "-0",
        "1",
        "+1",
        "-12",
        "0.5",
        "21.437",
        "1e3",
        "1E-3",
        "1e+2",
        "1.5e300",
        "123456789012345678",
        "00012",
        "0.000001",
        "99999.99",
        "4.9e-3",
        "1e22",
        "0.1",
        /* More digits than a double holds, and the ends of what it reaches. */
        "123456789012345678901234567890.5",
        "0.000000000000000000000000000001234567890123456789012",
        "9.4999999999999999e-299",
        "1.7976931348623157e308",
        "4.9e-324",
        "1e-400",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double v = NAN, want = strtod(good[i], NULL);
        assert_true(reading_number(good[i], strlen(good[i]), &v));
        if (v != want)
            fail_msg("%s is %.17g, not %.17g", good[i], v, want);
    }
}

static void what_is_no_number_is_refused(void **state) {
    static const char *const bad[] = {
        "",    "-",     "+",   ".",     ".5", "5.",  "1e",    "1e+",           "0x10",
        "nan", "inf",   "1,5", "1 ",    " 1", "--1", "1e999", "1e99999999999", "1_000",
        "٣",   "1.2.3", "-e1", "1e5.0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double v = 7;
        if (reading_number(bad[i], strlen(bad[i]), &v))
            fail_msg("'%s' passes as %g", bad[i], v);
        assert_true(v == 7);
    }
    char endless[READING_NUMBER_MAX];
    memset(endless, '1', sizeof endless);
    double v = 7;
    assert_true(reading_number(endless, sizeof endless - 1, &v));
    assert_false(reading_number(endless, sizeof endless, &v));
}

/* ---- statsd ---- */

static const struct {
    const char *line, *name, *unit, *label;
    enum reading_kind kind;
    bool relative;
    double value;
} statsd_good[] = {
    {"boiler:61.5|g", "boiler", "", "", READING_GAUGE, false, 61.5},
    {"Boiler.Temp-1_a:61.5|g|#unit:°C,label:Boiler, oben", "boiler.temp-1_a", "°C",
     "Boiler", READING_GAUGE, false, 61.5},
    {"t:+3|g", "t", "", "", READING_GAUGE, true, 3},
    {"t:-3|g", "t", "", "", READING_GAUGE, true, -3},
    {"hits:1|c", "hits", "", "", READING_COUNTER, false, 1},
    {"hits:-2|c", "hits", "", "", READING_COUNTER, false, -2},
    {"hits:1|c|@0.1", "hits", "", "", READING_COUNTER, false, 10},
    {"hits:1|c|@0.5|#unit:L", "hits", "L", "", READING_COUNTER, false, 2},
    {"hits:1|c|#unit:L|@0.5", "hits", "L", "", READING_COUNTER, false, 2},
    {"req:12|ms|@0.1|#env:x,label:Request,a", "req", "", "Request", READING_TIMING,
     false, 12},
    {"9:1e-3|g|#", "9", "", "", READING_GAUGE, false, 1e-3},
};

static void statsd_lines_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof statsd_good / sizeof statsd_good[0]; i++) {
        struct reading r;
        const char *line = statsd_good[i].line;
        const char *why = statsd_parse(line, strlen(line), &r);
        if (why)
            fail_msg("%s: %s", line, why);
        assert_string_equal(r.name, statsd_good[i].name);
        assert_string_equal(r.unit, statsd_good[i].unit);
        assert_string_equal(r.label, statsd_good[i].label);
        assert_int_equal(r.kind, statsd_good[i].kind);
        assert_int_equal(r.relative, statsd_good[i].relative);
        assert_true(fabs(r.value - statsd_good[i].value) < 1e-12);
    }
}

static void bad_statsd_lines_are_refused_with_the_reason(void **state) {
    static const struct {
        const char *line, *why;
    } bad[] = {
        {"", "the name is missing"},
        {":1|g", "the name is missing"},
        {"a", "the type is none of g, c, ms"},
        {"a:1", "the type is none of g, c, ms"},
        {"a:|g", "the value is not a number"},
        {"a:x|g", "the value is not a number"},
        {"a:1:2|g", "the value is not a number"},
        {"a:1|", "the type is none of g, c, ms"},
        {"a:1|h", "the type is none of g, c, ms"},
        {"a:u1|s", "sets are not taken"},
        {"a:1|s", "sets are not taken"},
        {"a:1|c|@0", "the rate is not in 0..1"},
        {"a:1|c|@2", "the rate is not in 0..1"},
        {"a:1|c|@", "behind the type there is neither @RATE nor #TAGS"},
        {"a:1|c|x", "behind the type there is neither @RATE nor #TAGS"},
        {"a:1|c||@1", "behind the type there is neither @RATE nor #TAGS"},
        {"a:1e300|c|@1e-300", "the value is not a number"},
        {"a b:1|g", "a name has letters, digits, '.', '_' and '-' only"},
        {"a/b:1|g", "a name has letters, digits, '.', '_' and '-' only"},
        {"ä:1|g", "the name does not begin with a letter or digit"},
        {".a:1|g", "the name does not begin with a letter or digit"},
        {"a234567890123456789012345678901234567890:1|g",
         "the name is longer than 39 characters"},
        {"a:1|g|#unit:12345678901234", "the unit is longer than 13 bytes"},
        {"a:1|g|#unit:\xff", "the unit is not printable UTF-8"},
        {"a:1|g|#label:\x1b[31m", "the label is not printable UTF-8"},
        {"a:1|g|#label:\xc2\x85", "the label is not printable UTF-8"},
        {"a:1|g|#label:\xe2\x82", "the label is not printable UTF-8"},
        {"a:1|g|#label:123456789012345678901234567890123456789012345678",
         "the label is longer than 47 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reading r = {.value = 7};
        const char *why = statsd_parse(bad[i].line, strlen(bad[i].line), &r);
        if (!why || strcmp(why, bad[i].why) != 0)
            fail_msg("%s: %s", bad[i].line, why ? why : "passes");
        assert_true(r.value == 7);
    }
}

/* ---- line protocol ---- */

struct field {
    const char *name;
    double value;
};

static const struct {
    const char *line, *unit, *label;
    struct field field[3];
} influx_good[] = {
    {"boiler value=61.5", "", "", {{"boiler", 61.5}}},
    {"boiler temp=61.5,flow=12i 1465839830100400200",
     "",
     "",
     {{"boiler_temp", 61.5}, {"boiler_flow", 12}}},
    {"Boiler,host=pi,room=cellar value=1u", "", "", {{"boiler_cellar", 1}}},
    {"b,unit=°C,label=Boiler\\ oben value=1 -5", "°C", "Boiler oben", {{"b", 1}}},
    {"b on=t,off=FALSE,x=-1e3", "", "", {{"b_on", 1}, {"b_off", 0}, {"b_x", -1000}}},
    {"b  value=1  12 ", "", "", {{"b", 1}}},
    {"a\\-b va\\=lue=3", "", "", {{NULL, 0}}}, /* a name with '\\' and '=' */
};

static void lines_of_influx_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof influx_good / sizeof influx_good[0]; i++) {
        struct influx l;
        struct reading r;
        const char *line = influx_good[i].line;
        const char *why = influx_begin(&l, line, strlen(line));
        if (!influx_good[i].field[0].name) {
            assert_non_null(why);
            continue;
        }
        if (why)
            fail_msg("%s: %s", line, why);
        size_t n = 0;
        for (; influx_next(&l, &r); n++) {
            assert_true(n < 3);
            assert_string_equal(r.name, influx_good[i].field[n].name);
            assert_true(r.value == influx_good[i].field[n].value);
            assert_string_equal(r.unit, influx_good[i].unit);
            assert_string_equal(r.label, influx_good[i].label);
            assert_int_equal(r.kind, READING_GAUGE);
        }
        assert_true(n == 3 || influx_good[i].field[n].name == NULL);
    }
}

static void bad_lines_of_influx_are_refused_with_the_reason(void **state) {
    static const struct {
        const char *line, *why;
    } bad[] = {
        {"a", "there is no field"},
        {"a ", "there is no field"},
        {" a=1", "a name or a value is missing"},
        {"a b", "a field has no value"},
        {"a b=", "the value is not a number"},
        {"a =1", "a name or a value is missing"},
        {"a b=1,", "a name or a value is missing"},
        {"a b=1,c", "a field has no value"},
        {"a b=\"text\"", "text is no reading"},
        {"a b=1.5i", "the value is not a number"},
        {"a b=1e3i", "the value is not a number"},
        {"a b=i", "the value is not a number"},
        {"a b=yes", "the value is not a number"},
        {"a b=1 now", "the timestamp is not a whole number"},
        {"a b=1 1.5", "the timestamp is not a whole number"},
        {"a b=1 1E5", "the timestamp is not a whole number"},
        {"a b=1 1 2", "the timestamp is not a whole number"},
        {"a,b c=1", "a tag has no value"},
        {"a,b= c=1", "a name or a value is missing"},
        {"a, b=1", "a name or a value is missing"},
        {"a,unit=12345678901234 b=1", "the unit is longer than 13 bytes"},
        {"a,label=\xff b=1", "the label is not printable UTF-8"},
        {"a,room=living\\ room b=1",
         "a name has letters, digits, '.', '_' and '-' only"},
        {"a2345678901234567890123456789012345678 b=1",
         "measurement, tags and field make a name longer than 39 characters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct influx l;
        const char *why = influx_begin(&l, bad[i].line, strlen(bad[i].line));
        if (!why || strcmp(why, bad[i].why) != 0)
            fail_msg("%s: %s", bad[i].line, why ? why : "passes");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_c_reads_them),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(statsd_lines_are_read),
        cmocka_unit_test(bad_statsd_lines_are_refused_with_the_reason),
        cmocka_unit_test(lines_of_influx_are_read),
        cmocka_unit_test(bad_lines_of_influx_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
