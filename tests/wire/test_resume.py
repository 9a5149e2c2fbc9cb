"""Coming back: the frames that were missed, or the newest one, and word of which."""

import pytest
from rpc import Rpc
from server import until

FAST = {"sample_ms": 100}


@pytest.fixture(scope="module")
def fast(start_module):
    """Samples ten times a second, so that missing some takes no time."""
    return start_module.pulseboard(secure=True, config=FAST)


def lose(ws, how):
    """Ends the connection without a WebSocket word; returns what is needed to resume."""
    first = ws.notification("telemetry")
    ticket = (ws.hello["resume"], first["seq"], ws.hello["epoch"])
    {"rst": ws.rst, "close": ws.close, "fin": ws.fin, "in order": ws.end}[how]()
    return ticket


def back(server, ticket, secure=False):
    token, seq, epoch = ticket
    return Rpc(server, secure, path=f"/ws?resume={token}&seq={seq}&epoch={epoch}")


def newest(server):
    with Rpc(server) as other:
        return other.notification("telemetry")["seq"]


@pytest.mark.parametrize("how", ["rst", "close", "fin", "in order"])
def test_replay(fast, secure, how):
    """What was missed follows in order, then life goes on: no gap, nothing twice. That is, the
    same as a witness is told who never left (a board that is late itself skips a sample)."""
    with Rpc(fast) as witness:
        with Rpc(fast, secure) as ws:
            ticket = lose(ws, how)
        until(lambda: newest(fast) >= ticket[1] + 5)
        before = fast.books(lambda st: st["sessions"]["live"] == 1)["traffic"]
        with back(fast, ticket, secure) as ws:
            assert ws.hello["resumed"] == "replay"
            seqs = [ws.notification("telemetry")["seq"] for _ in range(8)]
            assert ws.hello["resume"] != ticket[0], "a token serves once"
            ws.end()
        told = []
        while not told or told[-1] < seqs[-1]:
            told.append(witness.notification("telemetry")["seq"])
        assert seqs == [seq for seq in told if seq > ticket[1]]
        witness.end()
    after = fast.settled()["traffic"]
    assert after["resumed"] == before["resumed"] + 1
    assert after["replayed"] >= before["replayed"] + 5


def test_session_still_open(fast):
    """A client that comes back before the server noticed that it was gone."""
    with Rpc(fast) as ws:
        first = ws.notification("telemetry")
        with back(fast, (ws.hello["resume"], first["seq"], ws.hello["epoch"])) as again:
            assert again.hello["resumed"] == "replay"
            assert again.hello["session"] != ws.hello["session"]
            assert again.notification("telemetry")["seq"] == first["seq"] + 1
            again.end()


def test_token_serves_once(fast):
    with Rpc(fast) as ws:
        ticket = lose(ws, "rst")
    with back(fast, ticket) as ws:
        assert ws.hello["resumed"] == "replay"
        ws.end()
    with back(fast, ticket) as ws:
        assert ws.hello["resumed"] == "none"
        ws.end()


def test_too_long_ago(fast):
    """Frames that are no longer held: the newest instead, told as such."""
    with Rpc(fast) as ws:
        token, seq, epoch = lose(ws, "rst")
    with Rpc(fast) as other:
        while other.notification("telemetry")["seq"] <= 180:  # the ring holds 160
            pass
    with back(fast, (token, 1, epoch)) as ws:
        assert ws.hello["resumed"] == "snapshot"
        got = ws.notification("telemetry")
        assert "base" not in got, "whole, since it does not know the one before"
        assert ws.hello["seq"] - 1 <= got["seq"] <= ws.hello["seq"] + 2
        ws.end()


@pytest.mark.parametrize(
    "query",
    [
        "resume={token}&seq={seq}&epoch=1",
        "resume=00000000000000000000000000000000&seq={seq}&epoch={epoch}",
        "resume=ffffffffffffffffffffffffffffffff&seq={seq}&epoch={epoch}",
        "resume={token}",
        "resume={token}&seq={seq}",
        "resume={token}x&seq={seq}&epoch={epoch}",
        "resume={token}&seq=-1&epoch={epoch}",
        "resume={token}&seq=99999999999999999999999&epoch={epoch}",
        "resume={token}&seq=&epoch={epoch}",
        "resume=&seq=&epoch=",
        "resume=%zz&seq={seq}&epoch={epoch}",
        "resume={token}&resume={token}&seq={seq}&epoch={epoch}",
        "x=" + "y" * 2000,
    ],
    ids=range(13),
)
def test_nonsense_is_a_new_start(fast, query):
    with Rpc(fast) as ws:
        token, seq, epoch = lose(ws, "rst")
    with Rpc(fast, path="/ws?" + query.format(token=token, seq=seq, epoch=epoch)) as ws:
        assert ws.hello["resumed"] == "none"
        ws.notification("telemetry")
        ws.end()


def test_future_seq(fast):
    """A client that claims to have seen what was never sent just goes on."""
    with Rpc(fast) as ws:
        token, seq, epoch = lose(ws, "rst")
    with back(fast, (token, seq + 1000000, epoch)) as ws:
        assert ws.hello["resumed"] in ("replay", "snapshot")
        a, b = ws.notification("telemetry"), ws.notification("telemetry")
        assert b["seq"] == a["seq"] + 1
        ws.end()


def test_restart_is_a_new_epoch(start):
    a = start.pulseboard(config=FAST)
    with Rpc(a) as ws:
        ticket = lose(ws, "in order")
    a.stop()
    b = start.pulseboard(config=FAST)
    with back(b, ticket) as ws:
        assert ws.hello["epoch"] != ticket[2] and ws.hello["resumed"] == "none"
        ws.end()


def test_first_frame_is_at_once(start):
    """A new session does not wait for the next sample."""
    b = start.pulseboard(config={"sample_ms": 5000})
    until(lambda: first_within(b, 1.0), timeout=15)


def first_within(server, seconds):
    with Rpc(server) as ws:
        try:
            return ws.notification("telemetry", timeout=seconds)
        except TimeoutError:
            return None
