"""A case of RFC 6455: what a client sends, and what an echo server must answer."""

from dataclasses import dataclass

import pytest
from wsraw import CLOSE, PING, PONG, Eof, close_payload, frame, struct

ECHO_CLOSED = ("close", 1000)


@dataclass
class Case:
    name: str
    wire: bytes  # all that the client sends, close frame excepted
    expect: list  # (opcode, payload) in order; at its end ("close", code) if the server closes
    chop: int = 0  # 0: in one piece

    @property
    def fails(self):
        return bool(self.expect) and self.expect[-1][0] == "close"


def each(cases, chops=(0,)):
    """Parametrizes a test over cases and over the pieces in which they are sent."""
    out = []
    for c in cases:
        for chop in chops:
            name = c.name + (f"/{chop}" if chop else "")
            out.append(pytest.param(Case(c.name, c.wire, c.expect, chop), id=name))
    return pytest.mark.parametrize("case", out)


def play(server, case, secure=False):
    """Plays the case on a connection of its own, closes in order where the server does not,
    and checks the cause that /ws/stats records."""
    cause = "peer_closed"
    if case.fails and case.expect[-1][1] in (1002, 1007, 1009):
        cause = "protocol_error"
    with server.ends(**{cause: 1}):
        with server.ws(secure) as ws:
            data = case.wire
            if not case.fails:
                data += frame(CLOSE, close_payload(1000))
            if case.chop:
                chopped(ws, data, case.chop)
            else:
                ws.send(data)
            want = list(case.expect) + ([] if case.fails else [ECHO_CLOSED])
            for w in want:
                assert answer(ws) == w, case.name
            assert ws.wait_eof() == b"", "bytes after the close frame"
            assert not ws.reset, "the connection was reset instead of closed"


def chopped(ws, data, size):
    """Sends in pieces; stops when the server has closed, as it may in the middle."""
    for i in range(0, len(data), size):
        try:
            ws.send(data[i : i + size])
        except (OSError, Eof):
            return


def answer(ws):
    """The next message, pong or close, comparable with Case.expect."""
    f = ws.any_frame()
    while f.op == PING:  # its own heartbeat
        f = ws.any_frame()
    if f.op == CLOSE:
        if not f.payload:
            return "close", None
        (code,) = struct.unpack_from("!H", f.payload)
        f.payload[2:].decode()
        return "close", code
    if f.op == PONG:
        return PONG, f.payload
    op, parts = f.op, [f.payload]
    while not f.fin:
        f = ws.any_frame()
        parts.append(f.payload)
    return op, b"".join(parts)
