"""JSON-RPC 2.0 on the appliance: methods, errors, and sessions that survive nonsense."""

import json
import time

import pytest
from rpc import Rpc
from wsraw import BINARY, TEXT, frame


@pytest.fixture
def ws(board):
    with board.ends(peer_closed=1), Rpc(board) as w:
        yield w
        assert w.result("ping")["t"] > 0, "the session lives"
        w.end()


def error(got, code, word=None, id=None):
    assert set(got) == {"jsonrpc", "id", "error"}, got
    assert got["jsonrpc"] == "2.0" and got["id"] == id
    assert got["error"]["code"] == code and got["error"]["message"]
    assert got["error"]["data"]["code"]
    if word:
        assert got["error"]["data"]["code"] == word


def test_hello(board, ws):
    h = ws.hello
    assert int(h["session"], 16) and len(h["resume"]) == 32 and int(h["resume"], 16)
    assert int(h["epoch"], 16) and h["resumed"] == "none" and h["role"] == "viewer"
    assert h["sample_ms"] == 1000 and h["heartbeat_ms"] == 15000
    assert set(h["server"]) >= {"name", "version", "host"}
    info = json.loads(board.http("/api/v1/info").body)
    assert info["server"]["epoch"] == h["epoch"]


def test_telemetry_comes_by_itself(ws):
    """In order, without gaps, and every value of a known metric."""
    ids = {m["id"] for m in ws.result("info")["metrics"]}
    got = [ws.notification("telemetry") for _ in range(3)]
    assert [b["seq"] - a["seq"] for a, b in zip(got, got[1:])] == [1, 1]
    for t in got:
        assert set(t["values"]) <= ids
        assert {"mem.total", "mem.available", "sys.uptime"} <= set(t["all"])
        assert all(isinstance(v, (int, float)) for v in t["all"].values())
    assert got[-1]["t"] > got[0]["t"] and got[-1]["up"] > got[0]["up"]
    assert 0 <= got[-1]["all"]["cpu.total"] <= 100


def test_numbers_are_short(board, ws):
    """Six significant digits, integers for bytes: checked on the text."""
    while True:
        _, payload = ws.message()
        if b'"telemetry"' in payload:
            break
    units = {m["id"]: m["unit"] for m in json.loads(board.http("/api/v1/info").body)["metrics"]}
    values = json.loads(payload, parse_float=str, parse_int=str)["params"]["values"]
    for name, text in values.items():
        if "." in text:
            digits = text.split("e")[0].replace(".", "").replace("-", "").lstrip("0")
            assert len(digits) <= 6, (name, text)
        if units[name] == "B":
            assert text.isdigit(), (name, text)


def test_ping(ws):
    a, b = ws.result("ping"), ws.result("ping")
    assert b["up"] >= a["up"] and b["t"] >= a["t"]


def test_info_is_the_same_over_http(board, ws):
    ours, theirs = ws.result("info"), json.loads(board.http("/api/v1/info").body)
    assert ours == theirs


def test_stats_is_the_same_shape_over_http(board, ws):
    ours, theirs = ws.result("stats"), board.stats()
    assert set(ours) == set(theirs)
    assert ours["sessions"]["live"] == 1
    assert ours["list"][0]["id"] == ws.hello["session"]


def test_history(ws):
    while (h := ws.result("history"))["n"] < 2:
        ws.notification("telemetry")
    assert h["step_ms"] == 1000
    for name, column in h["values"].items():
        assert len(column) == h["n"], name
        assert all(v is None or isinstance(v, (int, float)) for v in column)
    newest = h["seq0"] + h["n"] - 1
    some = ws.result("history", since=newest - 1, ids=["mem.total", "mem.total", "no.such"])
    assert some["seq0"] >= newest and set(some["values"]) == {"mem.total"}
    none = ws.result("history", since=newest + 1000)
    assert none["n"] == 0


@pytest.mark.parametrize(
    "params",
    [
        {"since": -1}, {"since": 1.5}, {"since": "1"}, {"since": None}, {"since": 1e300},
        {"ids": "cpu.total"}, {"ids": [1]}, {"ids": {}}, {"ids": ["x"] * 300}, [1],
    ],
)  # fmt: skip
def test_history_params(ws, params):
    ask = {"jsonrpc": "2.0", "id": 5, "method": "history", "params": params}
    error(ws.ask(ask), -32602, id=5)


def newest(ws):
    h = ws.result("history", ids=[])
    return h["seq0"] + h["n"] - 1


def test_subscribe(ws):
    assert ws.result("unsubscribe", topics=["telemetry"]) == {"topics": []}
    ws.told.clear()
    seq, before = newest(ws), ws.result("stats")["traffic"]["frames_out"]
    asked = 1
    # Samples go on being taken; none is sent: only our answers are counted, and a ping.
    while newest(ws) < seq + 2:
        asked += 1
        time.sleep(0.1)
    after = ws.result("stats")["traffic"]["frames_out"]
    assert 0 <= after - before - (asked + 1) <= 1
    assert ws.told == []
    assert ws.result("subscribe", topics=["telemetry"]) == {"topics": ["telemetry"]}
    ws.notification("telemetry")


@pytest.mark.parametrize(
    "params", [{}, {"topics": "telemetry"}, {"topics": [1]}, {"topics": ["nonsense"]}]
)
def test_subscribe_params(ws, params):
    error(ws.call("subscribe", **params), -32602, id=1)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "}", "nonsense", '{"jsonrpc":"2.0","id":1,"method":"ping"', "[1,", '"\\x"',
        '{"a":1}}', "{'a':1}", '{"jsonrpc":"2.0",}', "\ufeff{}", "01", "[" * 16000, '{"a":' * 3000,
        '"\\ud800', "nul", "// comment", '{"jsonrpc":"2.0","id":1,"method":"ping"} x', "\x00",
    ],
    ids=range(20),
)  # fmt: skip
def test_parse_error(ws, text):
    error(ws.ask(text), -32700, "parse_error")


@pytest.mark.parametrize(
    "ask, id",
    [
        ("1", None), ('"ping"', None), ("null", None), ("true", None), ("{}", None),
        ('{"method":"ping","id":1}', 1),
        ('{"jsonrpc":"1.0","method":"ping","id":2}', 2),
        ('{"jsonrpc":2.0,"method":"ping","id":3}', 3),
        ('{"jsonrpc":"2.0","id":"four"}', "four"),
        ('{"jsonrpc":"2.0","method":1,"id":5}', 5),
        ('{"jsonrpc":"2.0","method":"ping","params":"x","id":6}', 6),
        ('{"jsonrpc":"2.0","method":"ping","params":null,"id":7}', 7),
        ('{"jsonrpc":"2.0","method":"ping","id":[]}', None),
        ('{"jsonrpc":"2.0","method":"ping","id":1.5}', None),
        ('{"jsonrpc":"2.0","method":"ping","id":true}', None),
    ],
)  # fmt: skip
def test_invalid_request(ws, ask, id):
    error(ws.ask(ask), -32600, id=id)


@pytest.mark.parametrize("method", ["", "nothing", "PING", "ping ", "rpc.discover", "x" * 5000])
def test_method_not_found(ws, method):
    ask = {"jsonrpc": "2.0", "id": "x", "method": method}
    error(ws.ask(ask), -32601, "method_not_found", id="x")


@pytest.mark.parametrize("id", [0, -1, 1, 2**53 - 1, "", "id", "é\u0001\"\\", None])
def test_ids_come_back(ws, id):
    got = ws.ask({"jsonrpc": "2.0", "id": id, "method": "ping"})
    assert got["id"] == id and "result" in got


def test_notification_has_no_answer(ws):
    for method in ("ping", "nothing", "history", "events"):
        ws.text(json.dumps({"jsonrpc": "2.0", "method": method}))
    assert ws.result("ping")


def test_batch(ws):
    ask = [{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in range(16)]
    assert [a["id"] for a in ws.ask(ask)] == list(range(16))
    mixed = [
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "ping"},
        1,
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
    ]
    got = ws.ask(mixed)
    assert len(got) == 3
    assert got[0]["id"] == 1 and "result" in got[0]
    error(got[1], -32600)
    error(got[2], -32601, id=2)


def test_batch_of_notifications_has_no_answer(ws):
    ws.text(json.dumps([{"jsonrpc": "2.0", "method": "ping"}] * 3))
    assert ws.result("ping")


@pytest.mark.parametrize("n", [0, 17, 100])
def test_batch_too_long(ws, n):
    error(ws.ask([{"jsonrpc": "2.0", "id": 1, "method": "ping"}] * n), -32600)


def test_batch_of_large_answers(ws):
    """Whatever fits is answered, the rest gets an error of its own; the session lives."""
    got = ws.ask([{"jsonrpc": "2.0", "id": i, "method": "info"} for i in range(16)])
    assert [a["id"] for a in got] == list(range(16))
    for a in got:
        assert "result" in a or a["error"]["data"]["code"] == "reply_too_large"


def test_deep_and_wide(ws):
    """Nesting and many parts are bounded, not paid for."""
    wide = {str(i): 0 for i in range(1000)}
    for text in ("[" * 20 + "]" * 20, json.dumps([[]] * 4000), json.dumps(wide)):
        got = ws.ask(text)
        assert "error" in got or isinstance(got, list)


def test_binary_is_not_for_us(board):
    board.allow("cause=protocol_error")
    with board.ends(protocol_error=1), board.ws() as ws:
        ws.say(BINARY, b"\x00\x01")
        assert ws.until_close()[0] == 1003
        assert ws.wait_eof() == b""


def test_broken_text_closes(board):
    board.allow("cause=protocol_error")
    with board.ends(protocol_error=1), board.ws() as ws:
        ws.say(TEXT, b'{"jsonrpc":"2.0","id":"\xff"}')
        assert ws.until_close()[0] == 1007


def test_same_over_tls(board):
    with board.ends(peer_closed=1), Rpc(board, secure=True) as ws:
        assert ws.result("info") and ws.notification("telemetry")
        error(ws.ask("{"), -32700)
        ws.end()


def test_flood_of_requests(board):
    """Asked faster than it is read: every request is answered once, in order, and the
    others notice nothing."""
    n = 3000
    ask = b"".join(
        json.dumps({"jsonrpc": "2.0", "id": i, "method": "ping"}).encode() + b"\n" for i in range(n)
    ).split(b"\n")[:-1]
    with Rpc(board) as other, Rpc(board) as ws:
        ws.send(b"".join(frame(TEXT, a) for a in ask), timeout=30)
        assert [ws.answer()["id"] for _ in range(n)] == list(range(n))
        assert other.result("ping")
        ws.end()
        other.end()
