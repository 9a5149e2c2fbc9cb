"""Crowds of clients: a process that can be killed, a thread that keeps reading, the python
websockets library."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time

import websockets
from wsraw import PING, PONG, TEXT, Ws, frame, parse_frame


class Doomed:
    """A process of its own that holds n open WebSockets, until it is killed."""

    CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import ssl, wsraw
host, port, n, pem = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
tls = ssl.create_default_context(cafile=pem) if pem else None
all = [wsraw.Ws((host, port), tls) for _ in range(n)]
print("open", flush=True)
sys.stdin.read()
"""

    def __init__(self, server, n, secure=False, pem=None):
        addr, _ = server.where(secure)
        here = os.path.dirname(os.path.abspath(__file__))
        argv = [sys.executable, "-c", self.CODE, here, addr[0], str(addr[1]), str(n),
                str(pem) if secure else ""]  # fmt: skip
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.proc.stdout.readline()
        assert line == b"open\n", line

    def kill(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.communicate()


class Viewers(threading.Thread):
    """Reads n sessions at once, all the time, and remembers when messages came. Pings are
    answered. What it measures is the largest pause between two messages of one session."""

    def __init__(self, sessions, on_message=None):
        super().__init__(daemon=True)
        self.sessions = {ws.fileno(): ws for ws in sessions}
        self.last = {}
        self.gap = dict.fromkeys(self.sessions, 0.0)
        self.count = dict.fromkeys(self.sessions, 0)
        self.on_message = on_message
        self.over = threading.Event()
        self.error = None
        self.began = time.monotonic()
        self.start()

    def run(self):
        ep = select.epoll()
        for fd in self.sessions:
            ep.register(fd, select.EPOLLIN)
        try:
            while not self.over.is_set():
                for fd, _ in ep.poll(0.1):
                    self._read(self.sessions[fd], fd)
        except Exception as e:  # told to whoever waits for us
            self.error = e
        finally:
            ep.close()

    def _read(self, ws, fd):
        while ws._pull() and not ws.eof:
            pass
        now = time.monotonic()
        at, view = 0, memoryview(ws.buf)
        try:
            while got := parse_frame(view[at:]):
                f, n = got
                at += n
                self._frame(ws, fd, f, now)
        finally:
            view.release()
            del ws.buf[:at]
        if ws.eof:
            raise AssertionError("a viewer was cut off")

    def _frame(self, ws, fd, f, now):
        if f.op == PING:
            ws.send(frame(PONG, f.payload))
        elif f.op == TEXT:
            self.gap[fd] = max(self.gap[fd], now - self.last.get(fd, now))
            self.last[fd] = now
            self.count[fd] += 1
            if self.on_message:
                self.on_message(ws, f.payload, now)
        else:
            raise AssertionError(f"a viewer was told {f}")

    def age_s(self):
        return time.monotonic() - self.began

    def forget(self):
        """Gaps are measured anew from now on."""
        self.gap = dict.fromkeys(self.sessions, 0.0)
        self.last = {}

    def largest_gap_s(self, of=None):
        """The worst of these sessions, the pause that lasts until now included."""
        now = time.monotonic()
        fds = [ws.fileno() for ws in of] if of else self.sessions
        return max(max(self.gap[fd], now - self.last.get(fd, now)) for fd in fds)

    def stop(self):
        self.over.set()
        self.join()
        if self.error:
            raise self.error


def url(server, secure):
    (host, port), _ = server.where(secure)
    return f"{'wss' if secure else 'ws'}://{host}:{port}/ws"


def library(server, secure, n, visit):
    """n clients of the websockets library at once; visit(ws, i) is a coroutine."""
    _, tls = server.where(secure)

    async def one(i):
        async with websockets.connect(url(server, secure), ssl=tls, open_timeout=30) as ws:
            return await visit(ws, i)

    async def all_of_them():
        return await asyncio.gather(*(one(i) for i in range(n)))

    return asyncio.run(all_of_them())


@contextlib.contextmanager
def crowd(server, n, secure=False, **how):
    """n open sessions, closed in order at the end where they still can be."""
    addr, tls = server.where(secure)
    all = []
    try:
        for _ in range(n):
            all.append(Ws(addr, tls, **how))
        yield all
        for ws in all:
            if ws.fileno() >= 0 and not ws.eof:
                ws.end()
    finally:
        for ws in all:
            ws.close()
