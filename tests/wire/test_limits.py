"""Sizes: what fits is echoed as it came, what does not is refused before it costs memory."""

import pytest
from rfc import Case, each, play
from server import SLOWER
from test_framing import fragments
from wsraw import BINARY, CONT, PING, TEXT, Eof, frame

KB, MB = 1024, 1024 * 1024
TOO_BIG = ("close", 1009)


@pytest.fixture(scope="module", autouse=True)
def peers_fault(echo):
    echo.allow("cause=protocol_error")


def text_of(n):
    return (b"0123456789abcdef" * (n // 16 + 1))[:n]


SIZES = [64 * KB, 256 * KB, MB, 4 * MB]
SIZES += [pytest.param(n, marks=pytest.mark.slow) for n in (8 * MB, 16 * MB)]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("op", [TEXT, BINARY], ids=["text", "binary"])
def test_large_message(echo, secure, op, n):
    """In one frame, back as it came."""
    payload = text_of(n)
    with echo.ends(peer_closed=1), echo.ws(secure) as ws:
        ws.send(frame(op, payload), timeout=60)
        assert ws.message(timeout=60) == (op, payload)
        assert ws.end() == 1000


@pytest.mark.parametrize("size", [64, 256, KB, 4 * KB, 16 * KB, 64 * KB, 256 * KB, MB])
@pytest.mark.parametrize("op", [TEXT, BINARY], ids=["text", "binary"])
def test_large_message_in_fragments(echo, op, size):
    payload = text_of(MB if size < KB or SLOWER > 1 else 4 * MB)
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.send(fragments(op, payload, size), timeout=60)
        assert ws.message(timeout=60) == (op, payload)
        assert ws.end() == 1000


@pytest.mark.parametrize("chop", [64, 128, 256, 512, 1024, 2048])
def test_large_message_in_small_segments(echo, chop):
    payload = text_of(MB // SLOWER)
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.chop(frame(TEXT, payload), chop)
        assert ws.message(timeout=60) == (TEXT, payload)
        assert ws.end() == 1000


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096])
def test_many_messages(echo, size):
    """Pipelined: all answered, in order."""
    n = 1000 // SLOWER
    want = [(TEXT, (b"%06d" % i + text_of(size))[: max(size, 6)]) for i in range(n)]
    with echo.ends(peer_closed=1), echo.ws() as ws:
        ws.send(b"".join(frame(*m) for m in want), timeout=60)
        for m in want:
            assert ws.message(timeout=60) == m
        assert ws.end() == 1000


def refused():
    yield Case("one-more-byte", frame(BINARY, length=16 * MB + 1), [TOO_BIG])
    yield Case("2-gib", frame(TEXT, length=1 << 31), [TOO_BIG])
    yield Case("4-gib", frame(BINARY, length=1 << 32), [TOO_BIG])
    yield Case("63-bits", frame(BINARY, length=(1 << 63) - 1), [TOO_BIG])
    half = frame(BINARY, text_of(8 * MB), fin=False)
    yield Case("sum-of-fragments", half + frame(CONT, length=8 * MB + 1), [TOO_BIG])


@each(refused())
def test_too_big(echo, case):
    play(echo, case)


def test_announced_length_costs_nothing(echo, figure):
    """2 GiB announced: 1009, and not 64 kB more in memory, however many try."""

    def attack():
        with echo.ws() as ws:
            ws.send(frame(TEXT, length=1 << 31) + b"*" * 1000)
            assert ws.until_close()[0] == 1009

    attack()
    before = echo.rss_kb()
    with echo.ends(protocol_error=50):
        for _ in range(50):
            attack()
    grown = echo.rss_kb() - before
    figure("RSS after 50 headers of 2 GiB", f"{grown:+} kB")
    if SLOWER == 1:  # an allocator that keeps what was freed tells nothing
        assert grown < 64


@pytest.mark.parametrize("limit", [1, 125, 126, 16384])
def test_limit_of_the_board(board, limit):
    """The appliance takes 16 KiB, over all fragments; control frames do not count."""
    text = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    padded = text + b" " * (16384 - len(text))
    with board.ends(peer_closed=1), board.ws() as ws:
        ws.send(fragments(TEXT, padded, limit, frame(PING) if limit > 100 else b""))
        while b'"id":1' not in (f := ws.next()).payload:
            pass
        assert b'"result"' in f.payload
        ws.end()
    board.allow("cause=protocol_error")
    with board.ends(protocol_error=1), board.ws() as ws:
        try:
            ws.send(fragments(TEXT, padded + b" ", limit))
        except (OSError, Eof):
            pass
        assert ws.until_close()[0] == 1009
