"""RFC 6455 section 7 and 5.5.1: the closing handshake, its codes and its reasons."""

import pytest
from rfc import Case, each, play
from server import until
from wsraw import CLOSE, CONT, PING, TEXT, close_payload, frame

HELLO = b"Hello, world!"
BAD = ("close", 1002)
# 7.4.1, and what IANA registered since.
MAY = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
MAY += [3000, 3999, 4000, 4999]
MUST_NOT = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


@pytest.fixture(scope="module", autouse=True)
def peers_fault(echo):
    echo.allow("cause=protocol_error")


def close_cases():
    """Each ends with the echo of the client's code, as 7.1.5 wants it."""
    for code in MAY:
        for name, reason in (("", b""), ("-reason", b"why not"), ("-123", b"*" * 123)):
            wire = frame(CLOSE, close_payload(code, reason))
            yield Case(f"{code}{name}", wire, [("close", code)])
    yield Case("empty", frame(CLOSE), [("close", None)])
    yield Case("reason-utf8", frame(CLOSE, close_payload(1000, "µß".encode())), [("close", 1000)])


@each(close_cases(), chops=(0, 1))
def test_client_closes(echo, case):
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.chop(case.wire, case.chop or len(case.wire))
        code, _ = ws.until_close()
        assert ("close", code) == case.expect[-1]
        assert ws.wait_eof() == b""
        assert not ws.reset


def bad_closes():
    for code in MUST_NOT:
        yield Case(f"{code}", frame(CLOSE, close_payload(code)), [BAD])
        yield Case(f"{code}-reason", frame(CLOSE, close_payload(code, b"because")), [BAD])
    yield Case("one-byte", frame(CLOSE, b"\x03"), [BAD])
    yield Case("124-reason", frame(CLOSE, close_payload(1000, b"*" * 124)), [BAD])
    yield Case("fragmented", frame(CLOSE, close_payload(1000), fin=False), [BAD])
    for name, reason in {
        "cut": b"\xce",
        "surrogate": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf",
        "lone": "κόσμε".encode() + b"\x80",
    }.items():
        wire = frame(CLOSE, close_payload(1000, reason))
        yield Case(f"reason-{name}", wire, [("close", 1007)])


@each(bad_closes(), chops=(0, 1))
def test_bad_close(echo, case):
    play(echo, case)


def after_close():
    """1.4, 5.5.1: what comes behind a close frame is not looked at."""
    end = frame(CLOSE, close_payload(1000))
    yield Case("text", end + frame(TEXT, HELLO), [])
    yield Case("ping", end + frame(PING, HELLO), [])
    yield Case("close", end + end, [])
    yield Case("continuation", frame(TEXT, HELLO, fin=False) + end + frame(CONT, HELLO), [])
    yield Case("garbage", end + b"\xff" * 500, [])
    yield Case("much", end + frame(TEXT, b"*" * 262144), [])


@each(after_close())
def test_nothing_counts_after_close(echo, case):
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.send(case.wire)
        assert ws.until_close() == (1000, "")
        assert ws.wait_eof() == b""


def test_echo_before_close_arrives(echo):
    """What was said before the close is still answered, however large."""
    with echo.ends(peer_closed=1), echo.ws() as ws:
        big = b"0123456789abcdef" * 16384
        ws.send(frame(TEXT, big) + frame(CLOSE, close_payload(1000)))
        assert ws.message() == (TEXT, big)
        assert ws.until_close()[0] == 1000


def test_server_ends_tcp_first(echo):
    """7.1.1: after both close frames it is the server that ends the connection, at once."""
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.say(CLOSE, close_payload(1000))
        ws.until_close()
        ws.wait_eof(timeout=1.5)


def test_error_ends_although_peer_keeps_sending(echo):
    """A client that was told 1002 and goes on regardless is not waited for."""
    with echo.ends(protocol_error=1), echo.ws() as ws:
        ws.send(frame(3))
        assert ws.until_close()[0] == 1002
        until(lambda: not still_takes(ws), what="the connection stays open")


def still_takes(ws):
    try:
        ws.send(frame(TEXT, b"*" * 4096), timeout=0.2)
    except OSError:
        return False
    except Exception:  # Eof: closed while sending
        return False
    return True


