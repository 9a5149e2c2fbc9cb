#include "http/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/uri.h"

static int has_ipv6(void) {
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int door_parse(const char *text, char spec[DOOR_SPEC_MAX]) {
    char host[INET6_ADDRSTRLEN + 2];
    unsigned char raw[16];
    uint64_t port;
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof(host) || uri_u64(colon + 1, &port) != 0 || port > 65535)
        return -EINVAL;
    memcpy(host, text, n);
    host[n] = '\0';
    if (strcmp(host, "*") == 0)
        snprintf(spec, DOOR_SPEC_MAX, "%s%u",
                 has_ipv6() ? "+" : "0.0.0.0:", (unsigned)port);
    else if (strcmp(host, "localhost") == 0)
        snprintf(spec, DOOR_SPEC_MAX, "127.0.0.1:%u", (unsigned)port);
    else if (inet_pton(AF_INET, host, raw) == 1)
        snprintf(spec, DOOR_SPEC_MAX, "%s:%u", host, (unsigned)port);
    else if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, raw) != 1)
            return -EINVAL;
        snprintf(spec, DOOR_SPEC_MAX, "[%s]:%u", host + 1, (unsigned)port);
    } else
        return -EINVAL;
    return 0;
}

unsigned door_port(const struct sockaddr *sa) {
    if (sa->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
}

const char *door_text(const struct sockaddr *sa, char *out, size_t cap) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        snprintf(out, cap, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(out, cap, "%s:%u", host, ntohs(v4->sin_port));
    }
    return out;
}
