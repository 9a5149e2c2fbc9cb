// link: sec
/* The heap of mbedTLS: pieces do not overlap, all comes back, the limit holds, threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/platform.h>
#include <pthread.h>
#include <ssl_misc.h>

#include "sec/tls_heap.h"

#define LIMIT (1024u * 1024)
#define HELD 400

static int setup(void **state) {
    (void)state;
    return tls_heap_init(LIMIT);
}

static unsigned next(unsigned *seed) { return *seed = *seed * 1103515245u + 12345u; }

/* Mostly small, some large, as a handshake asks. */
static size_t some_size(unsigned *seed) {
    unsigned r = next(seed) >> 16;
    return r % 16 == 0 ? r % 4000 : r % 400;
}

static bool all_are(const uint8_t *p, size_t n, uint8_t v) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] != v)
            return false;
    }
    return true;
}

/* Takes and gives in no order; every piece keeps what was written to it. */
static void churn(unsigned seed, int turns) {
    struct {
        uint8_t *p;
        size_t n;
    } held[HELD] = {0};
    for (int t = 0; t < turns; t++) {
        unsigned i = (next(&seed) >> 16) % HELD;
        if (held[i].p) {
            assert_true(all_are(held[i].p, held[i].n, (uint8_t)i));
            mbedtls_free(held[i].p);
            held[i].p = NULL;
            continue;
        }
        held[i].n = some_size(&seed);
        held[i].p = mbedtls_calloc(1, held[i].n);
        assert_non_null(held[i].p);
        assert_int_equal((uintptr_t)held[i].p % 16, 0);
        assert_true(all_are(held[i].p, held[i].n, 0));
        memset(held[i].p, (int)i, held[i].n);
    }
    for (unsigned i = 0; i < HELD; i++)
        mbedtls_free(held[i].p);
}

static void pieces_are_apart_and_come_back(void **state) {
    (void)state;
    churn(1, 20000);
    struct tls_heap_use use = tls_heap_use();
    assert_int_equal(use.now, 0);
    assert_true(use.peak > 0 && use.peak <= LIMIT);
    assert_int_equal(use.refused, 0);
}

static void what_the_lists_do_not_hold_comes_from_malloc(void **state) {
    (void)state;
    static void *many[4000];
    for (size_t i = 0; i < 4000; i++) {
        many[i] = mbedtls_calloc(4, 10);
        assert_non_null(many[i]);
    }
    assert_true(tls_heap_use().now >= 4000 * 40);
    for (size_t i = 0; i < 4000; i++)
        mbedtls_free(many[i]);
    assert_int_equal(tls_heap_use().now, 0);
}

static void the_limit_holds(void **state) {
    (void)state;
    static void *many[64];
    size_t n = 0;
    while (n < 64 && (many[n] = mbedtls_calloc(1, 32 * 1024)))
        n++;
    assert_true(n >= LIMIT / (33 * 1024) && n <= LIMIT / (32 * 1024));
    struct tls_heap_use use = tls_heap_use();
    assert_true(use.refused > 0 && use.now <= LIMIT);
    for (size_t i = 0; i < n; i++)
        mbedtls_free(many[i]);
    assert_non_null(many[0] = mbedtls_calloc(1, 32 * 1024));
    mbedtls_free(many[0]);
    assert_int_equal(tls_heap_use().now, 0);
}

/* The record buffers that mbedTLS asks for come back zeroed, and a spare counts as
 * nothing. */
static void spares_are_used_again(void **state) {
    (void)state;
    void *held[4];
    size_t n = 13 + 16384, before = tls_heap_use().now;
    while (n < 20000) {
        for (size_t i = 0; i < 4; i++)
            assert_non_null(memset(held[i] = tls_heap_take(n), 0xa5, n));
        for (size_t i = 0; i < 4; i++)
            mbedtls_free(held[i]);
        assert_int_equal(tls_heap_use().now, before);
        for (size_t i = 0; i < 4; i++) {
            assert_non_null(held[i] = mbedtls_calloc(1, n));
            assert_true(all_are(held[i], n, 0));
        }
        for (size_t i = 0; i < 4; i++)
            mbedtls_free(held[i]);
        n++;
    }
    assert_int_equal(tls_heap_use().now, before);
}

/* A handshake (whose buffers mbedTLS asks for itself) leaves them to who is in. */
static void spares_are_for_those_who_are_in(void **state) {
    (void)state;
    const size_t n = MBEDTLS_SSL_IN_BUFFER_LEN;
    void *spare[2] = {tls_heap_take(n), tls_heap_take(n)};
    mbedtls_free(spare[0]);
    mbedtls_free(spare[1]);
    void *handshake = mbedtls_calloc(1, n), *in = tls_heap_take(n);
    assert_true(handshake != spare[0] && handshake != spare[1]);
    assert_true(in == spare[0] || in == spare[1]);
    mbedtls_free(handshake);
    mbedtls_free(in);
}

static void a_size_that_overflows_is_refused(void **state) {
    (void)state;
    assert_null(mbedtls_calloc(SIZE_MAX / 2, 3));
    assert_null(mbedtls_calloc(1, SIZE_MAX - 8));
    mbedtls_free(NULL);
    assert_int_equal(tls_heap_use().now, 0);
}

static void *churn_thread(void *arg) {
    churn((unsigned)(uintptr_t)arg, 5000);
    return NULL;
}

static void threads_share_it(void **state) {
    (void)state;
    pthread_t t[4];
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, churn_thread, (void *)(i + 7)), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(tls_heap_use().now, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart_and_come_back),
        cmocka_unit_test(what_the_lists_do_not_hold_comes_from_malloc),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(spares_are_used_again),
        cmocka_unit_test(spares_are_for_those_who_are_in),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
