"""Clients that come and go by the thousand. Each says a word that is its own and looks at
every word that it gets: one that is not its own was delivered to the wrong peer."""

import multiprocessing
import random
import socket
import ssl
import struct
import time

from wsraw import CLOSE, KEY, PING, PONG, TEXT, close_payload, frame, parse_frame

ENDS = ("close", "rst", "fin", "leave")  # leave: the answer is still on its way
TLS_SHARE = 0.1
LINGER_0 = struct.pack("ii", 1, 0)
HEAD = (
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()


class Stranger(Exception):
    """Somebody else's word."""


class Echo:
    """The echo server gives a word back as it came; a broadcast begins with a digit."""

    @staticmethod
    def say(word):
        return word

    @staticmethod
    def is_for_all(payload):
        return payload[:1].isdigit()

    @staticmethod
    def is_mine(payload, word):
        return payload == word


class Board:
    """The appliance answers a request with its id; notifications have none."""

    @staticmethod
    def say(word):
        return b'{"jsonrpc":"2.0","id":"%b","method":"ping"}' % word

    @staticmethod
    def is_for_all(payload):
        return b'"id"' not in payload

    @staticmethod
    def is_mine(payload, word):
        return b'"id":"%b"' % word in payload


def take_words(s, buf, word, kind):
    """Reads until our own word came back."""
    while True:
        while got := parse_frame(buf):
            f, n = got
            del buf[:n]
            if f.op == PING:
                s.sendall(frame(PONG, f.payload))
            elif f.op == TEXT and kind.is_mine(f.payload, word):
                return
            elif f.op != TEXT or not kind.is_for_all(f.payload):
                raise Stranger(f"{f} where {word!r} was due")
        data = s.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        buf += data


def take_head(s, buf):
    while b"\r\n\r\n" not in buf:
        data = s.recv(65536)
        if not data:
            raise ConnectionError("closed before the 101")
        buf += data
    end = buf.index(b"\r\n\r\n") + 4
    status = bytes(buf[9:12])
    del buf[:end]
    return status


def visit(addr, tls, word, end, kind):
    """One client's life. True when it was let in."""
    s = socket.create_connection(addr, 30)
    try:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            s = tls.wrap_socket(s, server_hostname=addr[0])
        buf = bytearray()
        s.sendall(HEAD + frame(TEXT, kind.say(word)))
        status = take_head(s, buf)
        if status == b"503":
            return False
        if status != b"101":
            raise ConnectionError(f"status {status}")
        if end != "leave":
            take_words(s, buf, word, kind)
        if end == "close":
            s.sendall(frame(CLOSE, close_payload(1000)))
            while s.recv(65536):
                pass
        elif end != "fin":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        return True
    finally:
        s.close()


def worker(number, addr, tls_addr, pem, kind, stop_at, visits, out):
    """Until `visits` are made or the time is up, some over TLS; tells (made, refused, faults)."""
    rng = random.Random(number)
    context = ssl.create_default_context(cafile=pem) if pem else None
    made = refused = 0
    faults = []
    while made < visits and time.monotonic() < stop_at and len(faults) < 5:
        word = f"w{number}.{made}.{rng.getrandbits(64):x}".encode()
        secure = context and rng.random() < TLS_SHARE
        try:
            ok = visit(tls_addr if secure else addr, context if secure else None, word,
                       rng.choice(ENDS), kind)  # fmt: skip
            made += ok
            refused += not ok
            if not ok:
                time.sleep(0.01)  # the table is full: somebody must go first
        except (Stranger, OSError) as e:
            faults.append(repr(e))
    out.put((made, refused, faults))


class Churn:
    """Workers in processes of their own; start, look on, then join."""

    def __init__(self, server, workers=4, visits=5000, seconds=600.0, pem=None, kind=Echo):
        ctx = multiprocessing.get_context("spawn")
        self.out = ctx.Queue()
        stop_at = time.monotonic() + seconds
        pem = str(pem) if pem else None
        args = (server.addr, server.tls_addr, pem, kind, stop_at, visits, self.out)
        self.workers = [
            ctx.Process(target=worker, args=(i, *args), daemon=True) for i in range(workers)
        ]
        for w in self.workers:
            w.start()

    def alive(self):
        return any(w.is_alive() for w in self.workers)

    def join(self):
        """(visits, refusals, faults) of all of them."""
        got = [self.out.get(timeout=60) for _ in self.workers]
        for w in self.workers:
            w.join()
        return sum(g[0] for g in got), sum(g[1] for g in got), sum((g[2] for g in got), [])


