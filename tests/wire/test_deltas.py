"""Frames say what has changed. rpc.py checks each against the one before it."""

import json

import pytest
from rpc import Rpc
from server import until
from wsraw import TEXT


@pytest.fixture(scope="module")
def fast(start_module):
    return start_module.pulseboard(config={"sample_ms": 100})


def test_the_first_is_whole_and_then_changes(fast):
    with Rpc(fast) as ws:
        first = ws.notification("telemetry")
        assert "base" not in first
        frames = [ws.notification("telemetry") for _ in range(20)]
        assert all(t["base"] == t["seq"] - 1 for t in frames)
        assert any(len(t["values"]) < len(t["all"]) / 2 for t in frames)
        assert all("mem.total" not in t["values"] for t in frames), "it never changes"
        ws.end()


def test_changes_add_up(fast):
    """What a client has put together is what the server says when asked."""
    with Rpc(fast) as ws:
        for _ in range(10):
            ws.notification("telemetry")
            whole = ws.result("snapshot")
            while ws.seq < whole["seq"]:
                ws.object()
            if ws.seq == whole["seq"]:
                break
        assert ws.seq == whole["seq"] and ws.values == whole["values"]
        ws.end()


def test_subscribing_again_begins_whole(fast):
    with Rpc(fast) as ws, Rpc(fast) as other:
        ws.notification("telemetry")
        ws.result("unsubscribe", topics=["telemetry"])
        seq = other.notification("telemetry")["seq"]
        while other.notification("telemetry")["seq"] < seq + 5:
            pass
        ws.told.clear()
        ws.result("subscribe", topics=["telemetry"])
        again = ws.notification("telemetry")
        assert "base" not in again and again["seq"] > seq
        assert ws.notification("telemetry")["base"] == again["seq"]
        ws.end()
        other.end()


def test_who_comes_between_two_samples_shares_a_frame(start):
    """Whole at once, the same for all, and nobody else gets it."""
    b = start.pulseboard(config={"sample_ms": 5000})
    until(lambda: json.loads(b.http("/api/v1/telemetry").body)["seq"] > 0)
    with Rpc(b) as a, Rpc(b) as c:
        one, two = a.notification("telemetry"), c.notification("telemetry")
        assert "base" not in one and "base" not in two
        if one["seq"] == two["seq"]:
            assert one == two
        a.result("ping")
        assert len([n for n in a.told if n["method"] == "telemetry"]) <= 1
        a.end()
        c.end()


def test_a_metric_that_went_is_null(start, tmp_path):
    """An interface of the recorded machine disappears: null once, then not a word."""
    net = tmp_path / "tree" / "proc" / "net"
    net.mkdir(parents=True)
    head = "Inter-|   Receive |  Transmit\n face |bytes\n"
    dev = head + "  eth7: {n} 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n"
    (net / "dev").write_text(dev.format(n=1000))
    (tmp_path / "tree" / "proc" / "uptime").write_text("5.00 5.00\n")
    b = start.pulseboard("--probe-root", tmp_path / "tree", config={"sample_ms": 100})
    b.allow("event=.*")
    with Rpc(b) as ws:
        until(lambda: "net.eth7.rx" in ws.notification("telemetry").get("all", {}))
        (net / "dev").write_text(head)
        until(lambda: "net.eth7.rx" not in ws.notification("telemetry")["all"])
        (net / "dev").write_text(dev.format(n=9000))
        until(lambda: "net.eth7.rx" in ws.notification("telemetry")["all"])
        ws.end()


def test_bytes_per_viewer(board, figure):
    """Each second, as they go out on the wire: with a header of 2 to 4 bytes."""
    with Rpc(board) as ws:
        whole = changed = 0
        ws.notification("telemetry")
        n = 8
        for _ in range(n):
            op, text = ws.message()
            assert op == TEXT
            got = json.loads(text)
            ws.follow(got["params"])
            changed += len(text) + (4 if len(text) > 125 else 2)
            got["params"]["values"] = got["params"].pop("all")
            got["params"].pop("base")
            full = json.dumps(got, separators=(",", ":"), ensure_ascii=False)
            whole += len(full) + (4 if len(full) > 125 else 2)
        figure(f"bytes per second and viewer, {len(ws.values)} metrics",
               f"whole {whole // n}, changes {changed // n}")  # fmt: skip
        assert changed < whole
        ws.end()
