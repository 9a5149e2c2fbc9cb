/* Addresses of peers, as stored and as shown. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "session/sess.h"

void sess_addr_from(struct sess_addr *a, const struct sockaddr *sa) {
    *a = (struct sess_addr){0};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        ip_from_four(a->ip, (const uint8_t *)&in.sin_addr);
        a->port = ntohs(in.sin_port);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(a->ip, &in6.sin6_addr, 16);
        a->port = ntohs(in6.sin6_port);
    }
}

const char *sess_addr_text(const struct sess_addr *a, char *out, size_t cap) {
    static const struct sess_addr none;
    assert(cap >= SESS_ADDR_TEXT);
    char ip[INET6_ADDRSTRLEN];
    bool v4 = ip_is_four(a->ip);
    if (v4)
        inet_ntop(AF_INET, a->ip + 12, ip, sizeof(ip));
    else
        inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
    if (memcmp(a, &none, sizeof(none)) == 0)
        snprintf(out, cap, "local");
    else
        snprintf(out, cap, v4 ? "%s:%u" : "[%s]:%u", ip, (unsigned)a->port);
    return out;
}
