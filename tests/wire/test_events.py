"""Events: what the log says, over HTTP and live to whoever subscribed."""

import json
import signal

import pytest
from rpc import Rpc
from server import until


def events(server, query=""):
    r = server.http("/api/v1/events" + query)
    assert r.status == 200 and r["content-type"] == "application/json", r
    return json.loads(r.body)


def bump(server):
    """Two lines of the log: the level goes up and down again."""
    server.allow("event=log_level")
    for sig in (signal.SIGUSR1, signal.SIGUSR2):
        seen = events(server)["next"]
        server.proc.send_signal(sig)
        until(lambda: events(server)["next"] > seen)


def test_the_start_is_told(start):
    b = start.pulseboard("--log-level", "error")
    got = events(b)
    words = [e["event"] for e in got["events"]]
    assert "listening" in words and "started" in words, "also what stderr does not show"
    assert [e["seq"] for e in got["events"]] == list(range(1, got["next"]))
    assert got["first"] == 1
    for e in got["events"]:
        assert set(e) == {"seq", "t", "level", "event", "text"}
        assert e["level"] in ("error", "warn", "notice", "info")
    text = next(e["text"] for e in got["events"] if e["event"] == "listening")
    assert text == f"http={b.addr[0]}:{b.addr[1]}"


def test_live(start):
    """In order, without a gap, and the same as asked for afterwards."""
    b = start.pulseboard()
    with Rpc(b) as ws, Rpc(b) as other:
        topics = ws.result("subscribe", topics=["events"])["topics"]
        assert topics == ["telemetry", "events"]
        before = ws.result("events")["next"]
        bump(b)
        bump(b)
        got = [ws.notification("event") for _ in range(4)]
        assert [e["seq"] for e in got] == list(range(before, before + 4))
        assert {(e["event"], e["level"]) for e in got} == {("log_level", "notice")}
        assert ws.result("events", since=before)["events"][:4] == got
        assert events(b, f"?since={before}&limit=4")["events"] == got
        assert ws.result("unsubscribe", topics=["events"])["topics"] == ["telemetry"]
        bump(b)
        ws.result("ping")
        other.notification("telemetry")
        assert not [n for n in ws.told + other.told if n["method"] == "event"]
        ws.end()
        other.end()


def test_portions(start):
    b = start.pulseboard()
    all_of_them = events(b)
    seqs, since = [], 0
    while True:
        part = events(b, f"?since={since}&limit=1&level=info")
        if not part["events"]:
            break
        seqs += [e["seq"] for e in part["events"]]
        since = part["next"]
    assert seqs == [e["seq"] for e in all_of_them["events"]]
    assert events(b, "?level=error")["events"] == []
    assert events(b, "?limit=1")["events"] == all_of_them["events"][-1:]


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "since=", "limit=0", "level=loud", "level=", "since=1&since=2"]
)
def test_nonsense_is_refused(board, query):
    r = board.http("/api/v1/events?" + query)
    assert r.status == 400 and r["content-type"] == "application/problem+json"
