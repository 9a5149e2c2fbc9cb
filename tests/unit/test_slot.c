// link: update
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "update/slot.h"

#define ROOM (3u * SLOT_STEP + 1000)

static char path[64];
static struct slot s;
static uint8_t image[ROOM];

static int make_file(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/pulseboard-slot-XXXXXX");
    int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(i * 31 + i / 251);
    return fd < 0 || ftruncate(fd, ROOM) != 0 || close(fd) != 0;
}

static int remove_file(void **state) {
    (void)state;
    slot_close(&s);
    return unlink(path);
}

static void hash_of(const void *p, size_t n, uint8_t out[VERIFY_HASH_BYTES]) {
    struct verify_hash h;
    verify_hash_begin(&h);
    verify_hash_add(&h, p, n);
    verify_hash_end(&h, out);
}

static void put_all(size_t n, size_t part) {
    for (size_t at = 0; at < n; at += part)
        assert_int_equal(slot_put(&s, image + at, n - at < part ? n - at : part), 0);
}

/* Reads it all back; the steps that took. */
static unsigned check_all(uint8_t hash[VERIFY_HASH_BYTES]) {
    unsigned steps = 1;
    int rc;
    while ((rc = slot_check(&s, hash)) == 1)
        steps++;
    assert_int_equal(rc, 0);
    return steps;
}

static void what_was_written_is_read_back(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 1000, SLOT_STEP, SLOT_STEP + 1, ROOM};
    uint8_t want[VERIFY_HASH_BYTES], put[VERIFY_HASH_BYTES], got[VERIFY_HASH_BYTES];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(slot_open(&s, path, sizes[i]), 0);
        put_all(sizes[i], 777);
        assert_int_equal(slot_finish(&s, put), 0);
        unsigned steps = check_all(got);
        assert_int_equal(steps, (sizes[i] + SLOT_STEP - 1) / SLOT_STEP);
        hash_of(image, sizes[i], want);
        assert_memory_equal(put, want, sizeof want);
        assert_memory_equal(got, want, sizeof want);
        slot_close(&s);
    }
}

/* One byte that the disk keeps otherwise is seen. */
static void a_disk_that_lies_is_found_out(void **state) {
    (void)state;
    uint8_t put[VERIFY_HASH_BYTES], got[VERIFY_HASH_BYTES];
    assert_int_equal(slot_open(&s, path, ROOM), 0);
    put_all(ROOM, SLOT_STEP);
    assert_int_equal(slot_finish(&s, put), 0);
    int fd = open(path, O_WRONLY);
    uint8_t other = image[ROOM - 1] ^ 1;
    assert_int_equal(pwrite(fd, &other, 1, ROOM - 1), 1);
    close(fd);
    check_all(got);
    assert_memory_not_equal(put, got, sizeof got);
    slot_close(&s);
    /* Or it has become shorter. */
    assert_int_equal(slot_open(&s, path, ROOM), 0);
    put_all(ROOM, SLOT_STEP);
    assert_int_equal(slot_finish(&s, put), 0);
    assert_int_equal(truncate(path, SLOT_STEP), 0);
    assert_int_equal(slot_check(&s, got), 1);
    assert_int_equal(slot_check(&s, got), -EIO);
}

static void sizes_are_kept(void **state) {
    (void)state;
    uint8_t hash[VERIFY_HASH_BYTES];
    assert_int_equal(slot_open(&s, path, ROOM + 1), -EFBIG);
    assert_int_equal(slot_open(&s, path, 100), 0);
    assert_int_equal(slot_put(&s, image, 101), -EFBIG);
    assert_int_equal(slot_put(&s, image, 99), 0);
    assert_int_equal(slot_finish(&s, hash), -ENODATA);
    assert_int_equal(slot_put(&s, image, 2), -EFBIG);
    assert_int_equal(slot_put(&s, image, 1), 0);
    assert_int_equal(slot_finish(&s, hash), 0);
    slot_close(&s);
    assert_int_equal(slot_open(&s, "/dev/null", 1), -ENOTBLK);
    assert_int_equal(slot_open(&s, "/nonexistent/slot", 1), -ENOENT);
}

/* Room for the write is promised by nobody. */
static void a_full_disk_is_told(void **state) {
    (void)state;
    assert_int_equal(slot_open(&s, path, 100), 0);
    int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0 && dup2(full, s.fd) == s.fd);
    close(full);
    assert_int_equal(slot_put(&s, image, 100), -ENOSPC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read_back, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(a_disk_that_lies_is_found_out, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(sizes_are_kept, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
