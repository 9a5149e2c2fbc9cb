"""Crowds at the front door, from many addresses: open sessions miss nothing, a page is still
had, and when the crowd is gone nothing is left of it."""

import contextlib
import errno
import resource
import select
import socket
import threading
import time

import owner
import pytest
import wsraw
from rpc import Rpc
from server import SLOWER, cpu_ns, until
from wsraw import request

HOLD_S = 6  # longer than any deadline of the lobby
SAMPLE_MS = 200


@pytest.fixture(autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd:
    """n connections, each from an address of its own as far as loopback has them. Those that
    are hung up are not replaced."""

    def __init__(self, addr, n, words, rcvbuf=None):
        self.words, self.at = words, 0
        self.left = [self.join(addr, i, rcvbuf) for i in range(n)]

    @staticmethod
    def join(addr, i, rcvbuf):
        s = socket.socket()
        s.setblocking(False)
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.bind((f"127.0.{1 + i // 200}.{1 + i % 200}", 0))
        if s.connect_ex(addr) not in (0, errno.EINPROGRESS):
            s.close()
            raise OSError("connect")
        return s

    def say(self, n):
        """The next n of the words, to all that are still there."""
        part = self.words[self.at : self.at + n]
        self.at += n
        for s in list(self.left) if part else []:
            try:
                s.send(part)
            except BlockingIOError:
                pass  # not accepted yet
            except OSError:
                self.left.remove(s)
                s.close()

    def go(self):
        for s in self.left:
            s.close()


class Viewer(threading.Thread):
    """Reads telemetry; knows its largest gap and whether a frame was missing."""

    def __init__(self, board, secure):
        super().__init__()
        self.ws = Rpc(board, secure)
        self.ending = threading.Event()
        self.gap, self.seqs, self.fault = 0.0, [], None

    def run(self):
        last = time.monotonic()
        try:
            while not self.ending.is_set():
                self.seqs.append(self.ws.notification("telemetry", timeout=30)["seq"])
                now = time.monotonic()
                self.gap, last = max(self.gap, now - last), now
        except Exception as e:
            self.fault = e

    def finish(self):
        self.ending.set()
        self.join()
        assert self.fault is None, self.fault
        assert self.seqs == list(range(self.seqs[0], self.seqs[0] + len(self.seqs)))
        self.ws.end()
        return self.gap


def page_s(board, secure):
    began = time.monotonic()
    assert board.http("/", secure=secure).status == 200
    return time.monotonic() - began


def is_idle(board):
    before = cpu_ns(board.pid)
    time.sleep(0.5)
    return cpu_ns(board.pid) - before < 0.05e9 * SLOWER


ATTACKS = {
    "silent": (500, False, b"", None),
    "silent TLS": (500, True, b"", None),
    "a byte a second": (500, False, request("/", headers=[("X", "x" * 99)]), None),
    "a byte a second TLS": (500, True, None, None),
    "cut handshakes": (500, True, None, None),
    "slow readers of the page": (200, False, request("/") * 40, 2048),
    "slow readers of metrics": (200, False, request("/metrics") * 40, 2048),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", ATTACKS)
def test_crowd(start, what, figure):
    n, secure, words, rcvbuf = ATTACKS[what]
    words = wsraw.client_hello() if words is None else words
    b = start.pulseboard("--sample-ms", str(SAMPLE_MS), secure=True)
    page_s(b, True), page_s(b, False)
    until(lambda: is_idle(b), 20, "it is idle")
    viewers = [Viewer(b, s) for s in (False, True)]
    for v in viewers:
        v.start()
    fds, rss = b.fds(), b.rss_kb()
    crowd = Crowd(b.where(secure)[0], n, words, rcvbuf)
    began, took = time.monotonic(), []
    while time.monotonic() - began < HOLD_S:
        crowd.say(1 if what.startswith("a byte") else len(words))
        took.append(max(page_s(b, False), page_s(b, True)))
        select.select([], [], [], 0.8)
    crowd.go()
    until(lambda: b.fds() <= fds, 20, "descriptors come back")
    until(lambda: is_idle(b), 20, "CPU comes back")
    grown = b.rss_kb() - rss
    figure(f"{n} {what}, slowest page, plain or TLS", f"{max(took):.2f} s")
    figure(f"{n} {what}, largest gap of a session", f"{max(v.finish() for v in viewers):.2f} s")
    figure(f"{n} {what}, RSS afterwards", f"{grown:+} kB")
    assert grown < 1024
    b.settled()


def test_one_address_does_not_crowd_out_another(start):
    """Its own longest waiting gives way: whoever else waits is still heard."""
    b = start.pulseboard("--lobby", "32")
    with contextlib.ExitStack() as stack:
        honest = wsraw.connect(b.addr, source="127.0.0.9")
        stack.callback(honest.close)
        honest.send(b"GET /healthz HTTP/1.1\r\n")
        for _ in range(100):
            stack.callback(wsraw.tcp(b.addr, source="127.0.0.8").close)
        assert b.http("/").status == 200
        honest.send(b"Host: localhost\r\n\r\n")
        assert wsraw.take_response(honest).status == 200


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_one_address_may_have_all_seats(start, secure):
    """A wall of dashboards behind one router, or a browser with many tabs: as long as nobody else
    needs a seat, none of them is hung up on."""
    b = start.pulseboard("--lobby", "64", secure=True)
    addr, tls = b.where(secure)
    with contextlib.ExitStack() as stack:
        half = [stack.enter_context(wsraw.connect(addr, tls)) for _ in range(60)]
        for st in half:
            st.send(b"GET /healthz HTTP/1.1\r\n")
        for st in half:
            st.send(b"Host: localhost\r\n\r\n")
        assert [wsraw.take_response(st).status for st in half] == [200] * 60
    lobby = until(lambda: (st := b.stats()["lobby"]) and st["connections"] <= 1 and st)
    assert lobby["accepted"] >= 60 and lobby["capacity"] == 64
    assert lobby["gave_way"] == lobby["late"] == 0


def test_large_answers_hold_no_worker(start):
    """More slow readers of them than there are workers: a small question is still answered at
    once, and those who go on reading get theirs whole."""
    b = start.pulseboard()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(b.stream(rcvbuf=2048)) for _ in range(4)]
        for st in slow:
            st.send(request("/metrics") * 40)  # more than the kernel and a seat take
        for _ in range(8):
            began = time.monotonic()
            assert b.http("/api/v1/telemetry").status == 200
            assert time.monotonic() - began < 1.0 * SLOWER
        for st in slow:
            for _ in range(40):
                assert wsraw.take_response(st).body.endswith(b"\n")

# What each of 70 sends, and then no body; what at least so many of them are told.
BODIES = {
    "stranger who waits for 100": ("login", [("Expect", "100-continue")], 4000, 100, 50),
    "stranger with a large head": ("login", [("X", "x" * 4200)], 4000, 413, 60),
    "known one who waits for 100": ("publish", [("Expect", "100-continue")], 12000, 503, 60),
    "known one who is silent": ("publish", [("X", "x")], 12000, 503, 60),
}


@pytest.mark.parametrize("who", BODIES)
def test_bodies_that_do_not_come_hold_no_door(start, tmp_path, figure, who):
    """More than there are workers, of one address: whoever has a whole question is answered at
    once, and so is whoever watches us (app/watchdog.h)."""
    path, headers, length, status, n = BODIES[who]
    mine = owner.token()
    owner.write(tmp_path / "data", tokens=[(mine, "admin", 0)])
    b = start.pulseboard("--data", tmp_path / "data", "--http", "full")
    if who.startswith("known"):
        headers = [*headers, ("Authorization", f"Bearer {mine}")]
    words = request(
        f"/api/v1/{path}",
        "POST",
        [*headers, ("Content-Type", "application/json"), ("Content-Length", length)],
    )
    with contextlib.ExitStack() as stack:
        crowd = [
            stack.enter_context(wsraw.connect(b.addr, source="127.0.0.8")) for _ in range(70)
        ]
        for st in crowd:
            st.send(words)
        took = []
        for _ in range(5):
            began = time.monotonic()
            assert b.http("/healthz").status == 200
            took.append(time.monotonic() - began)
        told = f"HTTP/1.1 {status} ".encode()

        def heard():
            for st in crowd:
                st._pull()
            return sum(st.buf.startswith(told) for st in crowd)

        until(lambda: heard() >= n, 2, heard)
    figure(f"70 bodies that do not come, {who}, slowest /healthz", f"{max(took):.3f} s")
    assert max(took) < 1.0 * SLOWER
