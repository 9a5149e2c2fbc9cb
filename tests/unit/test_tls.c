// link: sec
/* The TLS transport against OpenSSL, as python has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/platform.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sec/tls.h"
#include "sec/tls_heap.h"

#define BIG 300000
/* Bytes of mbedTLS's heap: a connection between records; one in the middle of one. */
#define RESTS 3400
#define HOLDS 20000

/* argv: port, TLS version, what to do, and what to wait for on stdin in between. */
static const char peer_py[] =
    "import socket, ssl, sys, struct, os\n"
    "port, version, act = int(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
    "c = ssl.create_default_context()\n"
    "c.check_hostname, c.verify_mode = False, ssl.CERT_NONE\n"
    "c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, version)\n"
    "c.set_alpn_protocols(['h2', 'http/1.1'])\n"
    "raw = socket.socket()\n"
    "raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)\n"
    "raw.connect(('127.0.0.1', port))\n"
    "if act == 'pieces':\n"
    "    got, out = ssl.MemoryBIO(), ssl.MemoryBIO()\n"
    "    s = c.wrap_bio(got, out)\n"
    "    def go(): sys.stdin.read(1)\n"
    "    def whole(step):\n"
    "        while True:\n"
    "            try: return step()\n"
    "            except ssl.SSLWantReadError:\n"
    "                raw.sendall(out.read()); got.write(raw.recv(65536))\n"
    "    whole(s.do_handshake); raw.sendall(out.read())\n"
    "    for n, cut in (1, 3), (100, 5), (100, 60), (16384, 9000), (2, 6):\n"
    "        s.write(bytes(i % 251 for i in range(n))); record = out.read()\n"
    "        raw.sendall(record[:cut])\n"
    "        assert whole(lambda: s.read(9)) == b'meanwhile'\n"
    "        raw.sendall(record[cut:]); go()\n"
    "    sys.exit(0)\n"
    "s = c.wrap_socket(raw, suppress_ragged_eofs=False)\n"
    "assert s.selected_alpn_protocol() == 'http/1.1'\n"
    "assert s.cipher()[0].endswith(('GCM_SHA256', 'GCM-SHA256', 'GCM_SHA384')), "
    "s.cipher()\n"
    "def go(): sys.stdin.read(1)\n"
    "if act == 'talk':\n"
    "    s.sendall(bytes(i % 251 for i in range(40000)))\n"
    "    s.unwrap()\n"
    "elif act == 'cut':\n"
    "    s.sendall(b'x'); go(); s.close()\n"
    "elif act == 'reset':\n"
    "    s.sendall(b'x'); go()\n"
    "    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
    "    s.close()\n"
    "elif act == 'garbage':\n"
    "    s.sendall(b'x'); go()\n"
    "    os.write(s.fileno(), b'\\x17\\x03\\x03\\x00\\x20' + b'?' * 32); go()\n"
    "elif act == 'listen':\n"
    "    s.sendall(b'x'); go(); n = 0; ok = True\n"
    "    while True:\n"
    "        d = s.recv(65536)\n"
    "        if not d: break\n"
    "        ok = ok and all(b == (n + i) % 251 for i, b in enumerate(d))\n"
    "        n += len(d)\n"
    "    sys.exit(0 if ok and n == 300000 else 7)\n"
    "elif act == 'wait':\n"
    "    s.sendall(b'x'); go()\n";

struct fixture {
    char dir[256];
    struct tls_ctx *ctx;
    int door, port;
    /* One connection with a peer. */
    pid_t peer;
    int go; /* a byte here lets the peer go on */
    struct transport t;
};
static struct fixture fix;

static int group_setup(void **state) {
    struct fixture *f = &fix;
    char why[160];
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    const char *tmp = getenv("TMPDIR");
    if (tls_heap_init(1024 * 1024) != 0)
        return -1;
    snprintf(f->dir, sizeof f->dir, "%s/pulse-tls-XXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(f->dir) || chdir(f->dir) != 0 ||
        system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
               "-nodes -keyout ec.key -out ec.crt -subj /CN=localhost -days 2 "
               "2>openssl.log && "
               "openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt "
               "-subj /CN=localhost -days 2 2>openssl.log && "
               "cat ec.key ec.crt > ec.pem && cat rsa.crt rsa.key > rsa.pem") != 0)
        return -1;
    if (tls_ctx_open(&f->ctx, "ec.pem", why, sizeof why) != 0)
        return -1;
    f->door = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(f->door, (struct sockaddr *)&at, n) || listen(f->door, 8) ||
        getsockname(f->door, (struct sockaddr *)&at, &n))
        return -1;
    f->port = ntohs(at.sin_port);
    *state = f;
    return 0;
}

static int group_teardown(void **state) {
    struct fixture *f = *state;
    tls_ctx_free(f->ctx);
    close(f->door);
    char line[300];
    snprintf(line, sizeof line, "rm -r '%s'", f->dir);
    return system(line);
}

static int wait_5s(void *arg, int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    (void)arg;
    return poll(&p, 1, 5000) == 1 ? 0 : -ETIMEDOUT;
}

static void start_peer(struct fixture *f, const char *version, const char *act) {
    int bell[2];
    char port[8];
    assert_int_equal(pipe(bell), 0);
    snprintf(port, sizeof port, "%d", f->port);
    f->peer = fork();
    if (f->peer == 0) {
        dup2(bell[0], 0);
        close(bell[1]);
        execlp("python3", "python3", "-c", peer_py, port, version, act, (char *)NULL);
        _exit(127);
    }
    close(bell[0]);
    f->go = bell[1];
}

static void meet(struct fixture *f, const char *version, const char *act) {
    struct tls *s;
    int detail, rc;
    start_peer(f, version, act);
    int fd = accept4(f->door, NULL, NULL, SOCK_NONBLOCK);
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    assert_int_equal(tls_begin(f->ctx, fd, &s), 0);
    while ((rc = tls_shake(s, &detail)) == -EAGAIN) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 5000), 1);
    }
    assert_int_equal(rc, 0);
    tls_transport(&f->t, s);
}

static void let_go_on(struct fixture *f) { assert_int_equal(write(f->go, "!", 1), 1); }

/* The peer's exit code. */
static int part(struct fixture *f) {
    int status;
    f->t.ops->close(&f->t);
    close(f->go);
    waitpid(f->peer, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static long recv_5s(struct fixture *f, uint8_t *buf, size_t n) {
    long got;
    while ((got = f->t.ops->recv(&f->t, buf, n)) == -EAGAIN)
        assert_int_equal(wait_5s(NULL, f->t.fd, POLLIN), 0);
    return got;
}

static void hear_hello(struct fixture *f) {
    uint8_t c;
    assert_int_equal(recv_5s(f, &c, 1), 1);
    assert_int_equal(c, 'x');
    assert_int_equal(f->t.ops->recv(&f->t, &c, 1), -EAGAIN);
}

static const char *const versions[] = {"TLSv1_2", "TLSv1_3"};

static void all_that_is_said_is_heard_and_then_the_end(void **state) {
    struct fixture *f = *state;
    for (int v = 0; v < 2; v++) {
        uint8_t buf[100];
        size_t n = 0;
        long got;
        bool kept = false;
        meet(f, versions[v], "talk");
        assert_string_equal(f->t.ops->name, "wss");
        while ((got = recv_5s(f, buf, sizeof buf)) > 0) {
            for (long i = 0; i < got; i++)
                assert_int_equal(buf[i], n++ % 251);
            kept = kept || f->t.ops->pending(&f->t);
        }
        assert_int_equal(got, 0); /* close_notify */
        assert_int_equal(n, 40000);
        assert_true(kept);
        assert_false(f->t.ops->pending(&f->t));
        f->t.ops->finish(&f->t);
        assert_int_equal(part(f), 0);
    }
}

/* Between records it holds no buffers; in the middle of one that comes in, it does, and
 * can still speak. */
static void buffers_are_held_while_a_record_is_not_whole(void **state) {
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 100, 100, 16384, 2};
    static uint8_t buf[20000];
    for (int v = 0; v < 2; v++) {
        size_t idle = tls_heap_use().now;
        meet(f, versions[v], "pieces");
        assert_true(tls_heap_use().now - idle < RESTS);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct iovec iov = {(void *)(uintptr_t) "meanwhile", 9};
            while (tls_heap_use().now - idle < RESTS) {
                assert_int_equal(wait_5s(NULL, f->t.fd, POLLIN), 0);
                assert_int_equal(f->t.ops->recv(&f->t, buf, sizeof buf), -EAGAIN);
            }
            assert_true(tls_heap_use().now - idle > HOLDS);
            assert_int_equal(f->t.ops->send(&f->t, &iov, 1), 9);
            assert_true(tls_heap_use().now - idle > HOLDS);
            assert_int_equal(recv_5s(f, buf, sizeof buf), sizes[i]);
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(buf[k], k % 251);
            assert_true(tls_heap_use().now - idle < RESTS);
            let_go_on(f);
        }
        assert_int_equal(part(f), 0);
        assert_int_equal(tls_heap_use().now, idle);
    }
}

/* And while one that goes out is not. */
static void a_full_socket_holds_them_too(void **state) {
    struct fixture *f = *state;
    static uint8_t much[BIG];
    size_t idle = tls_heap_use().now;
    meet(f, "TLSv1_3", "wait");
    hear_hello(f);
    struct iovec iov = {much, sizeof much};
    while (f->t.ops->send(&f->t, &iov, 1) > 0)
        ;
    assert_true(f->t.ops->unflushed(&f->t));
    assert_true(tls_heap_use().now - idle > HOLDS);
    let_go_on(f);
    part(f);
    assert_int_equal(tls_heap_use().now, idle);
}

static void a_cut_is_a_reset(void **state) {
    struct fixture *f = *state;
    static const char *const acts[] = {"cut", "reset", "garbage"};
    for (int v = 0; v < 2; v++) {
        for (int a = 0; a < 3; a++) {
            uint8_t c;
            meet(f, versions[v], acts[a]);
            hear_hello(f);
            let_go_on(f);
            assert_int_equal(recv_5s(f, &c, 1), -ECONNRESET);
            if (a == 2)
                let_go_on(f);
            assert_int_equal(part(f), 0);
        }
    }
}

/* Sends BIG bytes in pieces of odd sizes, as the hub does: what was taken is not
 * offered again. Returns how often the socket was full. */
static int send_big(struct fixture *f) {
    static uint8_t big[BIG];
    size_t at = 0;
    int full = 0;
    for (size_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i % 251);
    while (at < BIG || f->t.ops->unflushed(&f->t)) {
        size_t rest = BIG - at, head = rest < 7 ? rest : 7;
        struct iovec iov[] = {
            {big + at, head},
            {big + at + head, rest - head < 5000 ? rest - head : 5000}};
        long put = f->t.ops->send(&f->t, iov, rest ? 2 : 0);
        if (put == -EAGAIN) {
            if (full++ == 0)
                let_go_on(f);
            assert_int_equal(wait_5s(NULL, f->t.fd, POLLOUT), 0);
            continue;
        }
        assert_in_range(put, 0, head + 5000);
        at += (size_t)put;
    }
    /* close_notify may have to wait for room, too. */
    f->t.ops->finish(&f->t);
    while (f->t.ops->unflushed(&f->t)) {
        assert_int_equal(wait_5s(NULL, f->t.fd, POLLOUT), 0);
        f->t.ops->send(&f->t, NULL, 0);
    }
    return full;
}

static void a_slow_reader_gets_every_byte_once(void **state) {
    struct fixture *f = *state;
    for (int v = 0; v < 4; v++) {
        meet(f, versions[v % 2], "listen");
        hear_hello(f);
        /* In the kernel's hands where it has them, else as before. */
        if (v >= 2)
            assert_int_equal(f->t.ops->settle(&f->t), 0);
        assert_true(send_big(f) > 0);
        assert_int_equal(part(f), 0);
    }
}

static void without_memory_it_stays_as_it_is(void **state) {
    struct fixture *f = *state;
    static void *all[100];
    uint8_t c;
    int n = 0;
    meet(f, "TLSv1_3", "listen");
    hear_hello(f);
    while (n < 100 && (all[n] = tls_heap_take(16 * 1024)))
        n++;
    assert_int_equal(f->t.ops->recv(&f->t, &c, 1), -ENOMEM);
    struct iovec iov = {&c, 1};
    assert_int_equal(f->t.ops->send(&f->t, &iov, 1), -ENOMEM);
    while (n > 0)
        mbedtls_free(all[--n]);
    assert_true(send_big(f) > 0);
    assert_int_equal(part(f), 0);
}

static void a_certificate_can_change_under_a_live_connection(void **state) {
    struct fixture *f = *state;
    char why[160] = "";
    meet(f, "TLSv1_3", "listen");
    hear_hello(f);
    assert_int_equal(tls_ctx_reopen(f->ctx, "rsa.pem", why, sizeof why), 0);
    struct fixture later = *f;
    meet(&later, "TLSv1_2", "wait");
    hear_hello(&later);
    assert_int_equal(tls_ctx_reopen(f->ctx, "ec.pem", why, sizeof why), 0);
    assert_true(send_big(f) > 0);
    assert_int_equal(part(f), 0);
    let_go_on(&later);
    assert_int_equal(part(&later), 0);
}

static void a_connection_outlives_its_context(void **state) {
    struct fixture *f = *state;
    char why[160];
    meet(f, "TLSv1_3", "listen");
    hear_hello(f);
    tls_ctx_free(f->ctx);
    assert_int_equal(tls_ctx_open(&f->ctx, "ec.pem", why, sizeof why), 0);
    assert_true(send_big(f) > 0);
    assert_int_equal(part(f), 0);
}

static void a_handshake_that_fails_leaves_the_socket(void **state) {
    struct fixture *f = *state;
    struct tls *s;
    int pair[2], detail;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    assert_int_equal(tls_begin(f->ctx, pair[0], &s), 0);
    assert_int_equal(tls_shake(s, &detail), -EAGAIN);
    assert_int_equal(write(pair[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(tls_shake(s, &detail), -EPROTO);
    assert_true(detail < 0);
    tls_free(s);
    close(pair[1]);
    assert_int_equal(tls_begin(f->ctx, pair[0], &s), 0);
    assert_true(tls_shake(s, &detail) < 0);
    tls_free(s);
    assert_int_equal(close(pair[0]), 0);
}

static void bad_files_are_refused_with_a_reason(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *make, *why;
        int rc;
    } cases[] = {
        {"cat ec.crt > x", "private key", -EINVAL},
        {"cat ec.key > x", "certificate", -EINVAL},
        {"cat ec.key rsa.crt > x", "does not fit", -EINVAL},
        {"echo nonsense > x", "certificate", -EINVAL},
        {": > x", "certificate", -EINVAL},
        {"cat ec.key > x; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat ec.crt >> x; "
         "done",
         "over 4 kB", -EINVAL},
        {"head -c 70000 /dev/zero > x", "too large", -EFBIG},
        {"rm -f x", "No such file", -ENOENT},
        {"mkdir x", "directory", -EISDIR},
    };
    char why[160];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_ctx *ctx = NULL;
        assert_int_equal(system(cases[i].make), 0);
        if (tls_ctx_open(&ctx, "x", why, sizeof why) != cases[i].rc ||
            !strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].make, why);
        assert_null(ctx);
        /* And what is in use stays in use. */
        assert_int_equal(tls_ctx_reopen(f->ctx, "x", why, sizeof why), cases[i].rc);
    }
    meet(f, "TLSv1_3", "wait");
    hear_hello(f);
    let_go_on(f);
    assert_int_equal(part(f), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_said_is_heard_and_then_the_end),
        cmocka_unit_test(buffers_are_held_while_a_record_is_not_whole),
        cmocka_unit_test(a_full_socket_holds_them_too),
        cmocka_unit_test(without_memory_it_stays_as_it_is),
        cmocka_unit_test(a_cut_is_a_reset),
        cmocka_unit_test(a_slow_reader_gets_every_byte_once),
        cmocka_unit_test(a_certificate_can_change_under_a_live_connection),
        cmocka_unit_test(a_connection_outlives_its_context),
        cmocka_unit_test(a_handshake_that_fails_leaves_the_socket),
        cmocka_unit_test(bad_files_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
