"""Heartbeats: they adapt, any byte is life, a lost peer is found in time, and nobody is
charged for the server's own delay."""

import json
import os
import signal
import time

import pytest
from clients import Viewers
from rpc import Rpc
from server import SLOWER, until
from wsraw import PING, PONG, TEXT

START_S, MIN_S, MAX_S = 1.5, 0.6, 3.0
PULSE = {"start_ms": 1500, "min_ms": 600, "max_ms": 3000}
QUIET = {"heartbeat": PULSE, "sample_ms": 60000}


def row(server, ws):
    (r,) = [r for r in server.stats()["list"] if r["id"] == ws.hello["session"]]
    return r


def next_ping(ws):
    while (f := ws.any_frame(timeout=10)).op != PING:
        pass
    return f.payload


@pytest.fixture
def board(start):
    return start.pulseboard(secure=True, config=QUIET)


def test_hello_tells_the_interval(board):
    with Rpc(board) as ws:
        assert ws.hello["heartbeat_ms"] == PULSE["start_ms"]
        ws.end()


def test_ping_carries_a_time_and_pong_gives_the_rtt(board, secure):
    with Rpc(board, secure) as ws:
        sent = next_ping(ws)
        assert 0 < len(sent) <= 125
        ws.say(PONG, sent)
        r = until(lambda: (r := row(board, ws))["rtt_ms"] is not None and r)
        assert r["rtt_ms"] < 1000 * SLOWER
        assert board.stats()["heartbeat"]["answered"] == 1
        ws.end()


def test_steady_client_is_asked_less_often(board):
    """Up to the largest interval, a step for every few answers in a row."""
    with Rpc(board) as ws:
        watch = Viewers([ws])
        until(lambda: row(board, ws)["interval_ms"] == PULSE["max_ms"], timeout=40)
        st = board.stats()["heartbeat"]
        assert st["missed"] == 0 and st["interval_ms"]["max"] == PULSE["max_ms"]
        watch.stop()
        ws.end()


def test_jitter_makes_it_ask_more_often(board):
    """A pong that is much later than usual: the interval shrinks."""
    with Rpc(board) as ws:
        for _ in range(3):
            ws.say(PONG, next_ping(ws))
        until(lambda: board.stats()["heartbeat"]["answered"] == 3)
        before = row(board, ws)["interval_ms"]
        sent = next_ping(ws)
        time.sleep(0.5 + 0.3 * SLOWER)
        ws.say(PONG, sent)
        until(lambda: row(board, ws)["interval_ms"] < before)
        ws.end()


def test_any_byte_is_life(board):
    """It never answers a ping, but it speaks."""
    with Rpc(board, pong=False) as ws:
        end = time.monotonic() + 4 * START_S
        while time.monotonic() < end:
            ws.text('{"jsonrpc":"2.0","method":"ping"}')
            time.sleep(MIN_S / 3)
        assert board.stats()["heartbeat"]["missed"] == 0
        ws.end()


def test_forged_pongs_are_life_but_no_measure(board):
    with Rpc(board, pong=False) as ws:
        for payload in (b"", b"12345678", b"\xff" * 8, b"\0" * 8, b"x" * 125):
            ws.say(PONG, payload)
        ws.result("ping")
        r = row(board, ws)
        assert r["rtt_ms"] is None and board.stats()["heartbeat"]["answered"] == 0
        ws.end()


def test_deaf_client_is_found(board, secure, figure):
    """It reads and acknowledges but never answers: three misses, one reprieve by the double
    check, then 4001, within the bound."""
    board.allow("level=info event=session_closed .*cause=heartbeat_lost")
    with Rpc(board, secure, pong=False) as ws:
        began = time.monotonic()
        code, reason = ws.until_close(timeout=20 * SLOWER)
        took = time.monotonic() - began
        assert code == 4001
    st = board.settled()
    assert st["closed"]["heartbeat_lost"] == 1
    h = st["heartbeat"]
    assert (h["lost"], h["reprieved"]) == (1, 1) and h["missed"] == 4
    figure("deaf client told after", f"{took:.2f} s")
    assert MIN_S * 3 < took <= START_S + 3 * MIN_S + 0.5 * SLOWER


def test_stopped_server_charges_nobody(start, secure, figure):
    """SIGSTOP for 8 s, many intervals: when it goes on, no heartbeat was missed."""
    seconds = 8 if SLOWER == 1 else 4
    b = start.pulseboard(secure=True, config=QUIET)
    sessions = [Rpc(b, secure) for _ in range(16)]
    watch = Viewers(sessions)
    until(lambda: b.stats()["heartbeat"]["answered"] >= 16, timeout=20)
    before = b.stats()["heartbeat"]
    os.kill(b.pid, signal.SIGSTOP)
    try:
        watch.join(seconds)
    finally:
        os.kill(b.pid, signal.SIGCONT)
    until(lambda: b.stats()["heartbeat"]["answered"] >= before["answered"] + 32, timeout=20)
    st = b.books(lambda st: st["sessions"]["live"] == 16)
    assert st["heartbeat"]["missed"] == before["missed"] == 0
    assert st["hub"]["loop_late"] >= 1
    watch.stop()
    for ws in sessions:
        ws.end()
    b.settled()


def test_default_intervals(start):
    """15 s to begin with, as documented, and none yet after the first moments."""
    b = start.pulseboard()
    with Rpc(b) as ws:
        assert ws.hello["heartbeat_ms"] == 15000
        assert row(b, ws)["interval_ms"] == 15000
        ws.end()


def test_busy_client_is_not_pinged_to_death(start):
    """One that talks all the time needs few pings: silence is what asks."""
    b = start.pulseboard(config={"heartbeat": PULSE, "sample_ms": 100, "max_asked": 1000000})
    with Rpc(b) as ws:
        end = time.monotonic() + 3
        n = 0
        while time.monotonic() < end:
            ws.text(json.dumps({"jsonrpc": "2.0", "id": n, "method": "ping"}))
            assert ws.answer()["id"] == n
            n += 1
        st = b.stats()["heartbeat"]
        assert st["sent"] <= 4 and st["missed"] == 0
        assert n > 10
        ws.say(TEXT, b"[]")
        ws.end()
