"""Through a proxy that trickles, stalls and cuts: in the middle of frames, of TLS records and
of handshakes."""

import contextlib

import pytest
import wsraw
from proxy import Proxy
from rpc import Rpc
from wsraw import TEXT, UPGRADE, Ws, frame, request


@pytest.fixture
def through(echo):
    """A proxy in front of the echo server; through(secure) makes one."""
    made = []

    def make(secure):
        p = Proxy(echo.where(secure)[0])
        made.append(p)
        return p

    yield make
    for p in made:
        p.stop()


def connect(echo, proxy, secure, **how):
    return Ws(proxy.addr, echo.tls if secure else None, **how)


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_trickle(echo, through, secure, way, size):
    """Whatever the pieces, whole messages come and go."""
    proxy = through(secure)
    with echo.ends(peer_closed=1), connect(echo, proxy, secure) as ws:
        proxy.trickle[way] = size
        payload = b"0123456789" * 100
        ws.send(frame(TEXT, payload) * 3, timeout=30)
        for _ in range(3):
            assert ws.message(timeout=30) == (TEXT, payload)
        proxy.trickle[way] = None
        ws.end()


@pytest.mark.parametrize("how", ["rst", "fin"])
@pytest.mark.parametrize("at", [1, 5, 100, 3000, 100000])
def test_cut_while_receiving(echo, through, secure, at, how):
    """The server is in the middle of sending a large frame."""
    proxy = through(secure)
    before = echo.settled()["closed"]
    with connect(echo, proxy, secure) as ws:
        proxy.limit["down"] = proxy.passed["down"] + at
        with contextlib.suppress(OSError, wsraw.Eof):
            ws.send(frame(TEXT, b"*" * 4000000), timeout=2)
        proxy.cut(how)
        ended_by_network(echo, before)


@pytest.mark.parametrize("how", ["rst", "fin"])
@pytest.mark.parametrize("at", [1, 2, 4, 6, 8, 500, 65536])
def test_cut_while_sending(echo, through, secure, at, how):
    """A frame, or the record that holds it, ends in the middle."""
    proxy = through(secure)
    before = echo.settled()["closed"]
    with connect(echo, proxy, secure) as ws:
        proxy.limit["up"] = proxy.passed["up"] + at
        with contextlib.suppress(OSError):
            ws.send(frame(TEXT, b"*" * 200000), timeout=1)
        proxy.cut(how)
        ended_by_network(echo, before)


def ended_by_network(echo, before):
    n = sum(before.values()) + 1
    after = echo.books(lambda st: sum(st["closed"].values()) == n, timeout=20)["closed"]
    got = {c: after[c] - before[c] for c in after if after[c] != before[c]}
    assert got in ({"peer_gone": 1}, {"peer_reset": 1}), got


@pytest.mark.parametrize("how", ["rst", "fin"])
@pytest.mark.parametrize("at", [0, 1, 40, 130, 160, 300])
def test_cut_in_the_handshake(echo, through, secure, at, how):
    """Before, in the middle of and just behind the request: no session is left, no place is
    kept."""
    proxy = through(secure)
    proxy.limit["up"] = at
    with contextlib.suppress(OSError, wsraw.Eof):
        s = wsraw.tcp(proxy.addr, timeout=0.3)
        with contextlib.closing(s):
            if secure:
                s = echo.tls.wrap_socket(s, server_hostname="127.0.0.1")
            s.sendall(request("/ws", headers=UPGRADE) + frame(TEXT, b"early" * 20))
    proxy.cut(how)
    echo.books(
        lambda st: st["sessions"]["live"] == 0 and st["sessions"]["reserved"] == 0, timeout=20
    )


def test_stall_in_both_directions(start, secure):
    """Nothing passes any more: found by heartbeats, although the proxy's kernel goes on
    acknowledging, so after one reprieve."""
    pulse = {"start_ms": 1000, "min_ms": 500, "max_ms": 2000}
    b = start.pulseboard(secure=True, config={"heartbeat": pulse})
    b.allow("level=info event=session_closed .*cause=heartbeat_lost")
    proxy = Proxy(b.where(secure)[0])
    with Ws(proxy.addr, b.tls if secure else None), Rpc(b, secure) as other:
        proxy.stall()
        while b.stats()["closed"]["heartbeat_lost"] == 0:
            assert other.result("ping")
            other.notification("telemetry")
        st = b.books(lambda st: st["sessions"]["live"] == 1)
        assert st["closed"]["heartbeat_lost"] == 1 and st["heartbeat"]["reprieved"] == 1
        other.end()
    proxy.stop()
