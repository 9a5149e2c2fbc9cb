"""Where it all began: clients that leave, in order and not. Each scenario ends with opened =
live + sum of causes, the causes being exactly what was done, and a log that is silent: no
line about a client is above debug."""

import random
import threading

import pytest
from clients import Doomed, Viewers, crowd, library
from rpc import Rpc
from server import SLOWER
from wsraw import CLOSE, PONG, TEXT, close_payload


@pytest.fixture(scope="module")
def board(start_module):
    return start_module.pulseboard(
        "--max-sessions", "256", secure=True, config={"sample_ms": 100}
    )


@pytest.fixture(scope="module")
def echo(start_module):
    """Sends to all, all the time, so that every end is an end in the middle of something."""
    return start_module.ws_echo(
        "--max-sessions", "256", "--broadcast", "100", "--size", "300", secure=True
    )


@pytest.fixture(params=["board", "echo"])
def server(request):
    s = request.getfixturevalue(request.param)
    yield s
    s.check_log()


def test_50_graceful_closes(server, secure):
    """The python websockets library, code 1000, all at once."""

    async def visit(ws, i):
        await ws.recv()
        await ws.ping()
        await ws.close(1000, f"client {i}")
        return ws.close_code, ws.close_reason

    n = 50 if SLOWER == 1 else 12
    with server.ends(peer_closed=n):
        got = library(server, secure, n, visit)
    assert {code for code, _ in got} == {1000}


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999, None])
def test_graceful_in_their_own_words(server, secure, code):
    with server.ends(peer_closed=10), crowd(server, 10, secure) as all:
        for ws in all:
            ws.say(CLOSE, close_payload(code))
        for ws in all:
            assert ws.until_close()[0] == code
            ws.wait_eof()


N = 200 if SLOWER == 1 else 60


def test_200_resets(server, secure):
    with server.ends(peer_reset=N), crowd(server, N, secure) as all:
        for ws in all:
            ws.rst()


def test_200_ends_without_a_close_frame(server):
    """FIN: what libraries report as "no close frame received or sent"."""
    with server.ends(peer_gone=N), crowd(server, N) as all:
        for ws in all:
            ws.fin()
        for ws in all:
            ws.wait_eof()


def test_200_cut_within_tls(server):
    """FIN under TLS without close_notify: cut, as far as TLS can tell."""
    with server.ends(peer_reset=N), crowd(server, N, secure=True) as all:
        for ws in all:
            ws.fin()
            ws.eof = True


def test_200_ends_of_tls(server):
    """close_notify, but no WebSocket close: an orderly end of the stream."""
    with server.ends(peer_gone=N), crowd(server, N, secure=True) as all:
        for ws in all:
            ws.close_notify()
        for ws in all:
            ws.drain()


def test_200_of_killed_processes(server, secure, pem):
    """SIGKILL: the kernel ends the connections, by FIN or RST as it pleases."""
    before = server.settled()["closed"]
    doomed = [Doomed(server, N // 4, secure, pem) for _ in range(4)]
    server.books(lambda st: st["sessions"]["active"] == N)
    for d in doomed:
        d.kill()
    after = server.settled(timeout=20)["closed"]
    got = {c: after[c] - before[c] for c in after if after[c] != before[c]}
    assert sum(got.values()) == N and set(got) <= {"peer_gone", "peer_reset"}, got


def test_200_all_kinds_mixed(server, secure):
    """In one go, in any order, half of them while they still have something to read."""
    rng = random.Random(6455)
    kinds = {"rst": 0, "fin": 0, "end": 0}
    wanted = {"peer_reset": 0, "peer_gone": 0, "peer_closed": 0}
    cause = {"rst": "peer_reset", "fin": "peer_reset" if secure else "peer_gone",
             "end": "peer_closed"}  # fmt: skip
    plan = [rng.choice(list(kinds)) for _ in range(N)]
    for kind in plan:
        wanted[cause[kind]] += 1
    with server.ends(**wanted), crowd(server, N, secure) as all:
        for ws, kind in zip(all, plan):
            if rng.random() < 0.5:
                ws.next()
            if kind == "rst":
                ws.rst()
            elif kind == "fin":
                ws.fin()
                ws.eof = True
            else:
                ws.end()


def sequence(payload):
    return int(payload.split(b" ", 1)[0])


def test_32_at_once_coming_and_going(echo, secure):
    """Under broadcast: those who stay get every message, those who come and go get their own
    echoes and nobody else's."""
    # An instrumented server shakes hands slowly: those who must wait long are turned away.
    crowd_n, rounds = (32, 10) if SLOWER == 1 else (8, 6)
    errors, next_seq = [], {}

    def follow(ws, payload, _now):
        if not payload[:1].isdigit():
            return
        n = sequence(payload)
        assert next_seq.setdefault(ws, n) == n, f"{n} where {next_seq[ws]} was due"
        next_seq[ws] = n + 1

    def come_and_go(i):
        rng = random.Random(i)
        try:
            for r in range(rounds):
                nonce = b"nonce %d %d" % (i, r)
                with echo.ws(secure) as ws:
                    ws.text(nonce)
                    seqs, mine = [], None
                    while mine is None or len(seqs) < 5:
                        _, payload = ws.message()
                        if payload[:5] == b"nonce":
                            mine = payload
                        else:
                            seqs.append(sequence(payload))
                    assert mine == nonce
                    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
                    rng.choice([ws.rst, ws.fin, ws.end, ws.close])()
        except Exception as e:
            errors.append(repr(e))

    stay = [echo.ws(secure) for _ in range(4)]
    before = echo.books(lambda st: st["sessions"]["live"] == 4)
    viewers = Viewers(stay, follow)
    threads = [threading.Thread(target=come_and_go, args=(i,)) for i in range(crowd_n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    viewers.stop()
    assert not errors, errors[:5]
    after = echo.books(lambda st: st["sessions"]["live"] == 4)
    assert after["sessions"]["opened"] == before["sessions"]["opened"] + crowd_n * rounds
    assert min(viewers.count.values()) > 10
    for ws in stay:
        ws.rst()
    echo.settled()
    echo.check_log()


def test_heartbeat_under_failing_clients(start, secure):
    """Failing clients of every kind beside good ones: the good ones are pinged, answer, and
    stay; the failing ones get their own causes, within three intervals and the reprieve."""
    pulse = {"start_ms": 1000, "min_ms": 500, "max_ms": 2000}
    b = start.pulseboard(secure=True, config={"heartbeat": pulse, "sample_ms": 500})
    b.allow("level=info event=session_closed .*cause=heartbeat_lost")
    good = [Rpc(b, secure) for _ in range(8)]
    viewers = Viewers(good)
    deaf = [b.ws(secure, pong=False) for _ in range(4)]
    b.books(lambda st: st["sessions"]["live"] == 12)
    for _ in range(10):
        b.ws(secure).rst()
        ws = b.ws(secure)
        ws.fin()
        ws.close()
        b.ws(secure).end()
    for ws in deaf:
        assert ws.until_close(timeout=20 * SLOWER)[0] == 4001
        ws.close()
    st = b.books(lambda st: st["closed"]["heartbeat_lost"] == 4 and st["sessions"]["live"] == 8)
    assert st["heartbeat"]["answered"] >= 8 and st["heartbeat"]["lost"] == 4
    assert st["heartbeat"]["missed"] >= 12
    assert st["heartbeat"]["rtt_ms"]["p50"] is not None
    assert {r["state"] for r in st["list"]} == {"open"}
    viewers.stop()
    for ws in good:
        ws.end()
    closed = b.settled()["closed"]
    assert closed["peer_closed"] == 10 + 8
    assert closed["peer_reset"] + closed["peer_gone"] == 20


def test_early_frames_of_those_who_vanish(server, secure):
    """Everything is sent in one go, close or nothing behind it, and nobody waits."""
    with server.ends(peer_closed=20):
        for _ in range(20):
            with server.ws(secure) as ws:
                ws.say(PONG, b"unasked")
                ws.say(TEXT, b"[]")
                ws.end()
