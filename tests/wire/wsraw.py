"""A WebSocket client that may say anything, byte by byte (RFC 6455), and a small HTTP client
beside it. What the server says is parsed strictly: a torn, masked or non-minimal frame is an
error of the server and raises Torn."""

import base64
import contextlib
import hashlib
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass

from built import SLOWER

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE_S = 10 * SLOWER


class Torn(Exception):
    """The server's bytes are not a WebSocket stream, or not an HTTP response."""


class Eof(Exception):
    """The stream ended where more was wanted."""


def xor_mask(payload, key):
    if not payload or key == b"\0\0\0\0":
        return bytes(payload)
    n = len(payload)
    whole = key * (n // 4 + 1)
    return (int.from_bytes(payload, "little") ^ int.from_bytes(whole[:n], "little")).to_bytes(
        n, "little"
    )


def frame(op, payload=b"", *, fin=True, rsv=0, mask=b"\x37\xfa\x21\x3d", length=None, form=None):
    """One frame as a client sends it. mask=None leaves it unmasked (an error of ours);
    length announces what is not there; form forces 7, 16 or 64 bits of length."""
    n = len(payload) if length is None else length
    form = form or (7 if n < 126 else 16 if n < 65536 else 64)
    bit = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | op])
    if form == 7:
        head += bytes([bit | n])
    elif form == 16:
        head += bytes([bit | 126]) + struct.pack("!H", n)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", n)
    if mask is None:
        return head + payload
    return head + mask + xor_mask(payload, mask)


def close_payload(code=None, reason=b""):
    return b"" if code is None else struct.pack("!H", code) + reason


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


@dataclass
class Frame:
    op: int
    fin: bool
    payload: bytes


def parse_frame(buf):
    """(frame, bytes used), or None when the frame is not complete yet."""
    if len(buf) < 2:
        return None
    b0, b1 = buf[0], buf[1]
    if b0 & 0x70:
        raise Torn(f"reserved bits in {bytes(buf[:16]).hex()}")
    op, fin, n, at = b0 & 15, bool(b0 & 0x80), b1 & 0x7F, 2
    if b1 & 0x80:
        raise Torn(f"masked frame from the server: {bytes(buf[:16]).hex()}")
    if op not in (CONT, TEXT, BINARY, CLOSE, PING, PONG):
        raise Torn(f"opcode {op} in {bytes(buf[:16]).hex()}")
    if op >= 8 and (n > 125 or not fin):
        raise Torn(f"control frame too long or fragmented: {bytes(buf[:16]).hex()}")
    if n == 126:
        if len(buf) < 4:
            return None
        (n,) = struct.unpack_from("!H", buf, 2)
        at = 4
        if n < 126:
            raise Torn("length not minimal")
    elif n == 127:
        if len(buf) < 10:
            return None
        (n,) = struct.unpack_from("!Q", buf, 2)
        at = 10
        if n < 65536 or n >> 63:
            raise Torn("length not minimal")
    if len(buf) < at + n:
        return None
    return Frame(op, fin, bytes(memoryview(buf)[at : at + n])), at + n


class Stream:
    """A connected socket, plain or TLS, with deadlines and a receive buffer."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setblocking(False)
        self.buf = bytearray()
        self.eof = False
        self.reset = False

    def fileno(self):
        return self.sock.fileno()

    def _wait(self, deadline, write):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server kept us waiting")
        p = select.poll()
        p.register(self.sock, select.POLLIN | (select.POLLOUT if write else 0))
        p.poll(min(left, 1.0) * 1000)

    def _pull(self):
        """Reads what is there; True when something changed."""
        try:
            data = self.sock.recv(262144)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except ssl.SSLEOFError:
            self.eof = True
            return True
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            self.eof = self.reset = True
            return True
        if data:
            self.buf += data
        else:
            self.eof = True
        return True

    def send(self, data, timeout=None):
        """All of it, while taking in what comes back: an echo never deadlocks on us."""
        deadline = time.monotonic() + (timeout or PATIENCE_S)
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view[:262144]) :]
                continue
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            if not self._pull():
                self._wait(deadline, write=True)
            elif self.eof:
                raise Eof("closed while we were sending")

    def chop(self, data, size=1):
        """In pieces of `size`, each its own segment (TCP_NODELAY is on)."""
        for i in range(0, len(data), size):
            self.send(data[i : i + size])

    def need(self, more, timeout=None):
        """Receives until more() has a result that is not None."""
        deadline = time.monotonic() + (timeout or PATIENCE_S)
        while True:
            got = more()
            if got is not None:
                return got
            if self.eof:
                raise Eof(f"closed; left over: {bytes(self.buf[:64])!r}")
            if not self._pull():
                self._wait(deadline, write=False)

    def wait_eof(self, timeout=None):
        """Reads to the end of the stream and returns the bytes that came before it."""
        deadline = time.monotonic() + (timeout or PATIENCE_S)
        while not self.eof:
            if not self._pull():
                self._wait(deadline, write=False)
        return bytes(self.buf)

    def fin(self):
        """Ends our side in order at the TCP level, without a word in any layer above."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def rst(self):
        """Aborts: the peer gets a reset."""
        fd = self.sock.detach()
        raw = socket.socket(fileno=fd)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    def close_notify(self):
        """Ends TLS in order, and says nothing of WebSocket."""
        try:
            self.sock.unwrap()
        except ssl.SSLError:
            pass  # ours is out; theirs, or more of their data, is on its way

    def drain(self):
        """Lets whatever still comes fall on the floor, unread by TLS, up to the end."""
        socket.socket.settimeout(self.sock, PATIENCE_S)
        try:
            while socket.socket.recv(self.sock, 65536):
                pass
        except ConnectionResetError:
            pass
        self.eof = True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def tcp(addr, *, rcvbuf=None, source=None, timeout=None):
    family = socket.AF_INET6 if ":" in addr[0] else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    try:
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            s.bind((source, 0))
        s.settimeout(timeout or PATIENCE_S)
        s.connect(addr)
    except BaseException:
        s.close()
        raise
    return s


def client_hello():
    """The first record of a handshake that is never gone on with."""
    out = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def connect(addr, tls=None, **how):
    """A Stream; tls is an ssl.SSLContext or None."""
    s = tcp(addr, **how)
    if tls:
        try:
            s = tls.wrap_socket(s, server_hostname=addr[0])
        except BaseException:
            s.close()
            raise
    return Stream(s)


@dataclass
class Response:
    status: int
    reason: str
    headers: list
    body: bytes

    def __getitem__(self, name):
        """The value of a header, or None; several are joined as RFC 9110 5.3 allows."""
        got = [v for k, v in self.headers if k.lower() == name.lower()]
        return ", ".join(got) if got else None


def take_head(st):
    """The head of a response, taken out of the buffer: (status, reason, headers)."""

    def more():
        end = st.buf.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(st.buf[:end])
        del st.buf[: end + 4]
        return head

    lines = st.need(more).decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 3 or parts[0] != "HTTP/1.1" or not parts[1].isdigit():
        raise Torn(f"status line {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Torn(f"header line {line!r}")
        headers.append((name, value.strip()))
    return int(parts[1]), parts[2], headers


def take_response(st, method="GET"):
    """One whole response; the next one on the same connection stays in the buffer."""
    status, reason, headers = take_head(st)
    r = Response(status, reason, headers, b"")
    if method == "HEAD" or status in (204, 304) or status < 200:
        return r
    length = r["Content-Length"]
    if length is None:
        if (r["Connection"] or "").lower() != "close":
            raise Torn("neither a length nor the end of the connection bounds this body")
        r.body = st.wait_eof()
        st.buf.clear()
        return r
    n = int(length)

    def more():
        if len(st.buf) < n:
            return None
        body = bytes(st.buf[:n])
        del st.buf[:n]
        return body

    r.body = st.need(more)
    return r


def request(path="/", method="GET", headers=(), host="localhost", body=b"", version="1.1"):
    """The bytes of a request. headers: pairs; host=None leaves it out."""
    lines = [f"{method} {path} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{k}: {v}" for k, v in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def http(addr, path="/", method="GET", headers=(), tls=None, host="localhost", body=b""):
    """One request on a connection of its own."""
    with connect(addr, tls) as st:
        st.send(request(path, method, [*headers, ("Connection", "close")], host, body))
        return take_response(st, method)


KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)


class Refused(Exception):
    """The opening handshake was answered with something other than 101."""

    def __init__(self, response):
        super().__init__(f"{response.status} {response.body[:200]!r}")
        self.response = response


class Ws(Stream):
    """An open WebSocket. Pings are answered unless pong=False."""

    def __init__(
        self, addr, tls=None, path="/ws", headers=(), behind=b"", pong=True, host="localhost", **how
    ):
        s = connect(addr, tls, **how)
        super().__init__(s.sock)
        self.pong = pong
        self.pings = 0
        self.sent_close = False
        try:
            self.send(request(path, headers=[*UPGRADE, *headers], host=host) + behind)
            status, reason, got = take_head(self)
            self.response = Response(status, reason, got, b"")
            if status != 101:
                n = int(self.response["Content-Length"] or 0)
                self.response.body = self.need(
                    lambda: bytes(self.buf[:n]) if len(self.buf) >= n else None
                )
                raise Refused(self.response)
            if self.response["Sec-WebSocket-Accept"] != accept_key(KEY):
                raise Torn("wrong Sec-WebSocket-Accept")
        except BaseException:
            self.close()
            raise

    def say(self, op, payload=b"", **how):
        self.send(frame(op, payload, **how))

    def text(self, s):
        self.say(TEXT, s.encode() if isinstance(s, str) else s)

    def any_frame(self, timeout=None):
        """The next frame of whatever kind; nothing is answered."""

        def more():
            got = parse_frame(self.buf)
            if got is None:
                return None
            del self.buf[: got[1]]
            return got[0]

        return self.need(more, timeout)

    def next(self, timeout=None):
        """The next frame that is not a ping."""
        deadline = time.monotonic() + (timeout or PATIENCE_S)
        while True:
            f = self.any_frame(max(0.001, deadline - time.monotonic()))
            if f.op != PING:
                return f
            self.pings += 1
            if self.pong:
                self.say(PONG, f.payload)

    def message(self, timeout=None):
        """(op, payload) of the next whole message."""
        f = self.next(timeout)
        if f.op not in (TEXT, BINARY):
            raise Torn(f"wanted a message, got {f}")
        op, parts = f.op, [f.payload]
        while not f.fin:
            f = self.next(timeout)
            if f.op != CONT:
                raise Torn(f"wanted a continuation, got {f}")
            parts.append(f.payload)
        return op, b"".join(parts)

    def until_close(self, timeout=None):
        """Skips messages; (code or None, reason) of the close frame."""
        while True:
            f = self.next(timeout)
            if f.op == CLOSE:
                break
        if not f.payload:
            return None, ""
        if len(f.payload) == 1:
            raise Torn("close frame of one byte")
        (code,) = struct.unpack_from("!H", f.payload)
        return code, f.payload[2:].decode()

    def end(self, code=1000, reason=b""):
        """Closes in order, as a good client does; returns the code that came back."""
        self.say(CLOSE, close_payload(code, reason))
        got = self.until_close()[0]
        self.wait_eof()
        self.close()
        return got
