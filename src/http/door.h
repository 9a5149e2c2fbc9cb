#pragma once
/* Where to listen, as people write it. Pure but for the question whether there is IPv6.
 */
#include <stddef.h>
#include <sys/socket.h>

#define DOOR_SPEC_MAX 64u

/* ADDRESS:PORT with an IPv4 address, an IPv6 address in brackets, `localhost`
 * (127.0.0.1) or
 * `*` (everything there is, IPv6 too if the kernel has it); port 0 lets the kernel
 * choose. Writes what CivetWeb understands: 0, or -EINVAL. */
int door_parse(const char *text, char spec[DOOR_SPEC_MAX]);

unsigned door_port(const struct sockaddr *sa);
/* "127.0.0.1:8080", "[::1]:8080". */
const char *door_text(const struct sockaddr *sa, char *out, size_t cap);
