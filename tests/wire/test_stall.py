"""One client stops reading. The others notice nothing, memory stays flat, and what the
stalled one was sent is whole frames, whether it comes back or is given up."""

import contextlib
import json

import pytest
from clients import Viewers, crowd
from rpc import Rpc
from server import SLOWER, ring_kb, until
from wsraw import TEXT, Eof, frame

HZ, SIZE = 200, 512


def sequence(payload):
    return int(payload.split(b" ", 1)[0])


def telemetry_sequence(payload):
    return json.loads(payload)["params"].get("seq")


def drain(ws, number, upto=float("inf")):
    """Reads what a stalled session was sent, strictly parsed: the numbers of its messages, to
    its end or to this number. The last frame may be cut off by the end."""
    got = []
    ws.pong = False  # it may be gone
    with contextlib.suppress(Eof):
        while not got or got[-1] < upto:
            f = ws.next(timeout=20)
            if f.op != TEXT:
                break
            n = number(f.payload)
            if n is not None:
                got.append(n)
    return got


def rising(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


def stalled(server, secure):
    """Takes in little and reads nothing; returned when the server has felt it."""
    ws = server.ws(secure, rcvbuf=4096)
    ws.next()
    return ws


@pytest.mark.slow
def test_one_of_32_stops_reading(start, secure, figure):
    """For 30 s (20 over TLS), under a broadcast of 200 Hz on one server and telemetry on
    another. A third server, where nobody stalls, tells what the machine itself does to gaps."""
    quick = {"sample_ms": 100}
    echo = start.ws_echo("--broadcast", HZ, "--size", SIZE, secure=True)
    calm = start.ws_echo("--broadcast", HZ, "--size", SIZE, secure=True)
    board = start.pulseboard(secure=True, config=quick)
    for s in (echo, board):
        s.allow("level=info event=session_closed .*cause=slow_reader")
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(crowd(echo, 31, secure))
        apart = stack.enter_context(crowd(calm, 4, secure))
        theirs = [Rpc(board, secure) for _ in range(31)]
        watch, watch_board = Viewers(ours + apart), Viewers(theirs)
        until(lambda: min(watch.count.values()) > HZ and min(watch_board.count.values()) > 10)
        until(board.kept_steps, timeout=25)
        rss, since = (echo.rss_kb(), board.rss_kb()), watch.age_s()

        bad, bad_board = stalled(echo, secure), stalled(board, secure)
        watch.forget()
        watch_board.forget()
        watch.join(20 if secure else 30)
        gap, gap_board = watch.largest_gap_s(ours), watch_board.largest_gap_s()
        gap_calm = watch.largest_gap_s(apart)
        ring = ring_kb(HZ, SIZE, watch.age_s() - since)
        grown = echo.rss_kb() - rss[0] - ring, board.rss_kb() - rss[1]

        figure(f"largest gap of the 31 at {HZ} Hz", f"{gap * 1000:.1f} ms")
        figure("at the same time where nobody stalls", f"{gap_calm * 1000:.1f} ms")
        figure("largest gap of the 31 at 10 Hz telemetry", f"{gap_board * 1000:.1f} ms")
        figure("RSS of echo beyond its ring, of board", f"{grown[0]:+}, {grown[1]:+} kB")
        assert gap < 1 and gap_board < 1
        assert max(grown) < 256

        st = echo.books(lambda st: st["sessions"]["live"] == 31)
        assert st["closed"]["slow_reader"] == 1
        numbers = drain(bad, sequence)
        assert numbers and rising(numbers)

        # The telemetry that it owes fills what the kernel takes only by and by: the stalled
        # viewer of the board may be given up as well by now, or go on.
        with Rpc(board) as other:
            newest = other.notification("telemetry")["seq"]
            other.end()
        numbers = drain(bad_board, telemetry_sequence, newest)
        assert numbers and rising(numbers)
        bad_board.rst()
        watch.stop()
        watch_board.stop()
        for ws in theirs:
            ws.end()
    ends = {"slow_reader", "peer_closed", "peer_reset"}
    for s in (echo, board):
        assert {c for c, n in s.settled()["closed"].items() if n} <= ends


def test_falls_behind_and_comes_back(start, secure, figure):
    """Faster than the ring can hold: old messages are lost, the connection is not. The stream
    goes on with whole frames and rising numbers; what was skipped is counted."""
    hz = 1000 // SLOWER
    echo = start.ws_echo("--broadcast", hz, "--size", "4000", secure=True)
    with crowd(echo, 3, secure) as good:
        numbers = {}

        def follow(ws, payload, _now):
            numbers.setdefault(ws, []).append(sequence(payload))

        watch = Viewers(good, follow)
        bad = stalled(echo, secure)
        last = bad.next()
        until(lambda: echo.stats()["traffic"]["frames_out"] > 0)
        first = sequence(last.payload)
        until(lambda: max(map(len, numbers.values())) > 6 * hz, timeout=20)
        got = [first]
        while len(got) < 3000 // SLOWER:
            got.append(sequence(bad.next(timeout=20).payload))
        assert rising(got)
        jumps = [b - a - 1 for a, b in zip(got, got[1:]) if b - a > 1]
        figure("skipped", f"{sum(jumps)} messages in {len(jumps)} jumps")
        assert sum(jumps) > hz, "it never fell behind the ring"
        watch.stop()
        for seen in numbers.values():
            assert rising(seen)
        bad.say(8, b"\x03\xe8")
        with contextlib.suppress(Eof, AssertionError):
            bad.until_close(timeout=20)
        bad.close()
    st = echo.settled()
    assert st["traffic"]["conflated"] >= sum(jumps)
    assert st["closed"]["slow_reader"] == 0


def test_reads_one_byte_at_a_time(start, secure):
    """A client as slow as can be gets whole frames too."""
    echo = start.ws_echo(secure=True)
    with echo.ends(peer_closed=1), echo.ws(secure, rcvbuf=2048) as ws:
        big = b"0123456789abcdef" * 8192
        ws.say(TEXT, big)
        whole = bytearray()
        original, ws._pull = ws._pull, None

        def one_byte():
            ws.sock.settimeout(10)
            for _ in range(2000):
                if len(whole) < 20000:
                    whole.extend(ws.sock.recv(1))
            ws.sock.setblocking(False)

        for _ in range(10):
            one_byte()
        ws._pull = original
        ws.buf = bytearray(whole) + ws.buf
        assert ws.message() == (TEXT, big)
        ws.end()


def test_reply_owed_to_one_is_bounded(board):
    """A client that asks and never reads is stopped, not served from memory without end."""
    board.allow("cause=slow_reader", "cause=protocol_error")
    ask = b'{"jsonrpc":"2.0","id":1,"method":"info"}'
    with Rpc(board) as other:
        rss = board.rss_kb()
        with board.ws(rcvbuf=4096) as ws:
            one = frame(TEXT, ask)
            with contextlib.suppress(OSError, Eof):
                ws._pull = lambda: False  # reads nothing
                ws.send(one * 20000, timeout=3)
            grown = board.rss_kb() - rss
            assert grown < 1500 * SLOWER, f"{grown} kB"
            assert other.result("ping")
            ws.rst()
        other.end()
    board.settled(timeout=30)
