/* The yardstick of `deliveries`: a loop of send(2) and nothing else. Takes N clients on
 * a loopback port, which it prints, then sends SIZE bytes to each of them HZ times a
 * second. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define CLIENTS_MAX 1024
#define SIZE_MAX_BYTES 65536

static int listen_somewhere(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, CLIENTS_MAX) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return -1;
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void wait_until(uint64_t ns) {
    struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

int main(int argc, char **argv) {
    static char payload[SIZE_MAX_BYTES];
    static int clients[CLIENTS_MAX];
    if (argc != 4)
        return 2;
    unsigned n = (unsigned)atoi(argv[1]), size = (unsigned)atoi(argv[2]);
    unsigned hz = (unsigned)atoi(argv[3]);
    int door = listen_somewhere();
    if (n > CLIENTS_MAX || size > SIZE_MAX_BYTES || hz == 0 || door < 0)
        return 1;
    memset(payload, '.', size);
    for (unsigned i = 0; i < n; i++) {
        int one = 1;
        clients[i] = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        if (clients[i] < 0)
            return 1;
        setsockopt(clients[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    for (;;) {
        wait_until(ns += 1000000000u / hz);
        for (unsigned i = 0; i < n; i++) {
            if (send(clients[i], payload, size, MSG_NOSIGNAL) < 0)
                return 0; /* they have seen enough */
        }
    }
}
