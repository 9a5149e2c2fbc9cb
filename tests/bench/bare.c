/* The yardstick: the system calls that the work cannot do without, and nothing else.
 * One thread, epoll. It answers every request head with a canned 101 or a canned page,
 * sends back what a small frame holds, and sends frames of --size bytes to all
 * --broadcast times a second, in a loop of blocking send(2). It checks nothing: not for
 * use. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 4096
#define FRAME_MAX 65536
/* Ticks that are late are made up for, up to this many before the rest gets its turn.
 */
#define BURST_MAX 4u

static int ep, door, timer;
static int clients[CLIENTS_MAX]; /* those that got a 101 */
static unsigned n_clients;
static uint8_t frame[FRAME_MAX + 10];
static size_t frame_n, head_n;
static uint64_t seq;
static char *page;
static size_t page_n;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int fd) {
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
        die("epoll_ctl");
}

static int listen_somewhere(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, 512) != 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        die("listen");
    printf("ready http=127.0.0.1:%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void make_frame(size_t size) {
    frame[0] = 0x81;
    if (size < 126) {
        frame[1] = (uint8_t)size;
        head_n = 2;
    } else {
        frame[1] = 126;
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
        head_n = 4;
    }
    memset(frame + head_n, '.', size);
    frame_n = head_n + size;
}

static void make_page(size_t size) {
    page = malloc(size + 256);
    if (!page)
        die("malloc");
    int n = snprintf(page, 256,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     size);
    memset(page + n, '.', size);
    page_n = (size_t)n + size;
}

static void broadcast(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    char text[48];
    int n = snprintf(text, sizeof text, "%llu %llu ", (unsigned long long)++seq,
                     (unsigned long long)ts.tv_sec * 1000000000u +
                         (unsigned long long)ts.tv_nsec);
    memcpy(frame + head_n, text, (size_t)n);
    for (unsigned i = 0; i < n_clients; i++) {
        if (send(clients[i], frame, frame_n, MSG_NOSIGNAL) < 0)
            clients[i--] = clients[--n_clients];
    }
}

static void take_clients(void) {
    int one = 1, fd;
    while ((fd = accept4(door, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        watch(fd);
    }
}

static void answer_head(int fd, const char *head) {
    static const char go[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n\r\n";
    if (strstr(head, "Upgrade: ") && n_clients < CLIENTS_MAX) {
        send(fd, go, sizeof(go) - 1, MSG_NOSIGNAL);
        clients[n_clients++] = fd;
    } else {
        send(fd, page, page_n, MSG_NOSIGNAL);
    }
}

/* Whole frames of less than 64 kB, as the generator sends them one at a time. */
static void answer_frame(int fd, uint8_t *p, size_t n) {
    size_t head = (p[1] & 127) == 126 ? 4 : 2;
    uint8_t *key = p + head, *body = key + 4;
    if ((p[0] & 15) == 8 || n < head + 4) {
        shutdown(fd, SHUT_WR);
        return;
    }
    for (size_t i = 0; i < n - head - 4; i++)
        body[i] ^= key[i & 3];
    p[1] &= 127;
    memmove(p + 4, p, head);
    send(fd, p + 4, n - 4, MSG_NOSIGNAL);
}

static void on_client(int fd) {
    static uint8_t buf[FRAME_MAX + 1024];
    ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);
    if (n <= 0) {
        for (unsigned i = 0; i < n_clients; i++) {
            if (clients[i] == fd)
                clients[i] = clients[--n_clients];
        }
        close(fd);
        return;
    }
    buf[n] = '\0';
    if (buf[0] == 'G')
        answer_head(fd, (const char *)buf);
    else if (n >= 6)
        answer_frame(fd, buf, (size_t)n);
}

static void beat(unsigned hz) {
    struct itimerspec every = {.it_interval.tv_nsec = 999999999 / hz,
                               .it_value.tv_nsec = 999999999 / hz};
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer < 0 || timerfd_settime(timer, 0, &every, NULL) != 0)
        die("timerfd");
    watch(timer);
}

static void on_beat(void) {
    uint64_t due;
    if (read(timer, &due, sizeof(due)) != sizeof(due))
        return;
    for (due = due < BURST_MAX ? due : BURST_MAX; due > 0; due--)
        broadcast();
}

int main(int argc, char **argv) {
    unsigned hz = 0, size = 512, body = 22000;
    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned v = (unsigned)atoi(argv[i + 1]);
        if (strcmp(argv[i], "--broadcast") == 0)
            hz = v;
        else if (strcmp(argv[i], "--size") == 0)
            size = v;
        else if (strcmp(argv[i], "--page") == 0)
            body = v;
        else
            return 2;
    }
    if (size < 48 || size >= FRAME_MAX)
        return 2;
    ep = epoll_create1(EPOLL_CLOEXEC);
    make_frame(size);
    make_page(body);
    door = listen_somewhere();
    watch(door);
    if (hz)
        beat(hz);
    for (;;) {
        struct epoll_event ev[256];
        int n = epoll_wait(ep, ev, 256, -1);
        for (int i = 0; i < n; i++) {
            if (ev[i].data.fd == door)
                take_clients();
            else if (hz && ev[i].data.fd == timer)
                on_beat();
            else
                on_client(ev[i].data.fd);
        }
    }
}
