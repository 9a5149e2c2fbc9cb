#pragma once
/* The memory that mbedTLS lives on: bounded, so that no number of TLS clients can grow
 * the program, and counted, so that it is known. A handshake takes and gives thousands
 * of small pieces: those come from lists of fixed sizes, the rest from malloc.
 *
 * Any thread. There is one for all, because mbedTLS asks for memory without saying for
 * whom. */
#include <stddef.h>
#include <stdint.h>

/* bytes: in use at most, all together; room for each session and each handshake. Once,
 * before anything else of mbedTLS. 0 or -ENOMEM. Without it there are no connections;
 * what needs none (a certificate, a hash) lives on malloc. */
int tls_heap_init(size_t bytes);

/* n bytes, contents undefined, to be given back with mbedtls_free(); NULL at the limit.
 * Of the sizes of a record's buffers the last two that were given back are kept for
 * this call (a handshake gets none): 42 kB that count as in use only while they are. */
void *tls_heap_take(size_t n);

/* What a connection takes at most: a record's buffers (16 and 4 kB), its contexts, and
 * during the handshake as much again. */
#define TLS_HEAP_EACH (48u * 1024)

struct tls_heap_use {
    size_t now, peak, limit; /* bytes; all 0 before tls_heap_init() */
    uint64_t refused;        /* requests that met the limit */
};
struct tls_heap_use tls_heap_use(void);
