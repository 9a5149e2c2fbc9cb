"""Readings that programs tell us: statsd over UDP and a Unix socket, by a client library, by hand
and by `pulseboard publish`; what is refused is counted and said."""

import json
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import owner
import pytest
from server import PULSEBOARD, until
from wsraw import request, take_response

HERE = Path(__file__).resolve().parent
REFUSED = "event=readings_refused"


def statsd_of(board):
    """Where it takes datagrams, as its log says."""
    m = until(lambda: re.search(r"event=listening statsd=(\S+):(\d+)", board.log()))
    return m[1], int(m[2])


@pytest.fixture
def own(start):
    return start.pulseboard("--statsd", "127.0.0.1:0", "--sample-ms", "100")


def send(board, *lines):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto("\n".join(lines).encode(), statsd_of(board))


def listed(board):
    info = json.loads(board.http("/api/v1/info").body)
    return {m["id"]: m for m in info["metrics"] if m["group"] == "own"}


def values(board, of="own."):
    """What /metrics says, by id."""
    text = board.http("/metrics").body.decode()
    found = re.findall(r'^pulseboard_\w+\{id="([^"]+)"[^}]*\} (\S+)$', text, re.M)
    return {k: float(v) for k, v in found if k.startswith(of)}


def readings(board, result):
    text = board.http("/metrics").body.decode()
    m = re.search(rf'^pulseboard_readings_total{{result="{result}"}} (\d+)$', text, re.M)
    return int(m[1])


def test_datagrams(own):
    send(own, "boiler:61.5|g|#unit:°C,label:Boiler oben", "Tank:7|g", "hits:5|c")
    until(lambda: values(own).get("own.tank") == 7)
    assert values(own)["own.boiler"] == 61.5
    m = listed(own)
    assert m["own.boiler"]["label"] == "Boiler oben"
    assert m["own.boiler"]["unit"] == "°C"
    assert m["own.boiler"]["kind"] == "gauge"
    assert m["own.boiler"]["own"] is True
    assert m["own.boiler"]["age_ms"] >= 0
    assert m["own.tank"]["label"] == "tank"
    assert m["own.hits"]["kind"] == "rate"
    assert m["own.hits"]["unit"] == "1/s"
    send(own, "boiler:-0.5|g")
    until(lambda: values(own)["own.boiler"] == 61)


def test_a_client_library(own):
    """hot-shots, from npm; its set is refused."""
    own.allow(REFUSED)
    node = shutil.which("node")
    assert node and (HERE / "node_modules/hot-shots").is_dir(), "toolchain/setup --for test"
    where = statsd_of(own)
    subprocess.run([node, HERE / "statsd.mjs", where[0], str(where[1])], check=True, timeout=60)
    until(lambda: {"own.shots.tank", "own.shots.request.max"} <= set(values(own)))
    assert values(own)["own.shots.tank"] == 40.5
    assert values(own)["own.shots.request"] == pytest.approx(0.021)  # /metrics has seconds
    assert values(own)["own.shots.request.max"] == pytest.approx(0.030)
    m = listed(own)
    assert m["own.shots.tank"]["label"] == "Rain tank"
    assert m["own.shots.request"]["kind"] == "timing"
    assert "own.shots.hits" in m
    assert "own.shots.users" not in m
    until(lambda: re.search(r"readings_refused.*sets are not taken.*shots.users", own.log()))


def test_bad_lines_are_refused_one_by_one(own):
    own.allow(REFUSED)
    send(own, "good:1|g", "bad name:1|g", "bad:x|g", "also_good:2|g", "")
    until(lambda: values(own).get("own.also_good") == 2)
    assert values(own)["own.good"] == 1
    assert readings(own, "accepted") == 2
    assert readings(own, "refused") == 2
    line = until(lambda: re.search(r".*readings_refused.*", own.log()))[0]
    assert "level=notice" in line and "count=2" in line and 'line="bad name:1|g"' in line


def test_the_limit(start):
    own = start.pulseboard("--statsd", "127.0.0.1:0", "--sample-ms", "100", "--own-metrics", "3")
    own.allow(REFUSED)
    send(own, *(f"m{i}:{i}|g" for i in range(5)))
    until(lambda: readings(own, "refused") == 2)
    until(lambda: len(values(own)) == 3)
    send(own, "m0:9|g")
    until(lambda: values(own)["own.m0"] == 9)
    assert len(listed(own)) == 3
    until(lambda: "as many own metrics as there may be" in own.log())


def test_silence_is_a_gap_and_then_the_end(start):
    own = start.pulseboard("--statsd", "127.0.0.1:0", "--sample-ms", "100", "--own-stale-s", "1",
                           "--own-forget-s", "2")  # fmt: skip
    send(own, "t:1|g")
    until(lambda: values(own) == {"own.t": 1})
    until(lambda: values(own) == {} and "own.t" in listed(own))
    until(lambda: listed(own) == {})


def test_a_unix_socket(start, tmp_path):
    path = tmp_path / "statsd.sock"
    own = start.pulseboard("--statsd", "off", "--statsd-socket", path, "--sample-ms", "100")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert "statsd=127" not in own.log()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(str(path))
        for i in range(2000):  # more than its queue holds: the sender waits
            s.send(b"n:%d|g" % i)
    until(lambda: values(own).get("own.n") == 1999)
    assert readings(own, "accepted") == 2000
    own.stop()
    assert not path.exists()


def test_what_lies_in_the_way_of_a_socket(start, tmp_path):
    """What an earlier run left is replaced; what is no socket stays."""
    path = tmp_path / "statsd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
    start.pulseboard("--statsd", "off", "--statsd-socket", path).stop()
    path.write_text("precious")
    argv = [PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--statsd-socket", path]
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and str(path) in r.stderr
    assert path.read_text() == "precious"


def test_a_flood_is_bounded(own, figure):
    """Whatever comes, most of a core stays free and viewers are served."""
    where, line = statsd_of(own), b"flood:1|c|#unit:packets,label:A flood of readings"
    before = own.cpu_s()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, own.ws() as ws:
        ws.message()
        for _ in range(60000):
            s.sendto(line, where)
        ws.message()
    told = until(lambda: (a := readings(own, "accepted")) and a + readings(own, "lost") >= 60000 and a)
    figure("taken of 60000", told)
    figure("CPU seconds", own.cpu_s() - before)
    own.allow("event=readings_lost")


def test_publish_over_statsd_says_when_nobody_listens(tmp_path):
    argv = [PULSEBOARD, "publish"]
    for wrong, why in [
        (["a b=1"], "letters, digits"),
        (["a=x"], "not a number"),
        (["a"], "NAME=VALUE"),
        (["a=1", "--kind", "set"], "gauge, counter, timing"),
        (["a=1", "--unit", "x" * 14], "longer than 13"),
        ([], "NAME=VALUE"),
    ]:
        r = subprocess.run([*argv, *wrong], capture_output=True, text=True, timeout=60)
        assert r.returncode != 0 and why in r.stderr, (wrong, r)
        assert r.stdout == ""


@pytest.fixture
def owned(start, tmp_path):
    """A board with an owner, and the token of one who may tell."""
    token = owner.token()
    owner.write(tmp_path / "data", view_login=False, tokens=[(token, "admin", 0)])
    board = start.pulseboard("--data", tmp_path / "data", "--statsd", "off", "--sample-ms", "100")
    return board, token


def post(board, body, kind, token=None):
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    if token:
        headers.append(("Authorization", f"Bearer {token}"))
    return board.http("/api/v1/publish", "POST", headers=headers, body=body)


def test_publish_is_for_administrators(owned):
    board, _ = owned
    body = b'{"metrics":[{"name":"a","value":1}]}'
    assert post(board, body, "application/json").status == 403
    assert readings(board, "accepted") == 0


def test_publish_json(owned):
    board, token = owned
    board.allow(REFUSED)
    body = {
        "metrics": [
            {"name": "Boiler", "value": 61.5, "unit": "°C", "label": "Boiler"},
            {"name": "a b", "value": 1},
            {"name": "hits", "value": 1, "kind": "counter"},
            {"name": "x", "value": "1"},
        ]
    }
    r = post(board, json.dumps(body).encode(), "application/json; charset=utf-8", token)
    assert r.status == 200, r
    got = json.loads(r.body)
    assert got["accepted"] == 2
    assert [(f["line"], f["why"]) for f in got["refused"]] == [
        (2, "a name has letters, digits, '.', '_' and '-' only"),
        (4, "value is a number"),
    ]
    until(lambda: values(board).get("own.boiler") == 61.5)
    assert listed(board)["own.boiler"]["label"] == "Boiler"
    until(lambda: REFUSED in board.log())


def test_publish_line_protocol(owned):
    board, token = owned
    board.allow(REFUSED)
    body = "boiler,unit=°C temp=61.5,pump=t 1465839830100400200\nbad\n# a comment\n".encode()
    got = json.loads(post(board, body, "text/plain", token).body)
    assert got == {"accepted": 2, "refused": [{"line": 2, "why": "there is no field"}]}
    until(lambda: values(board).get("own.boiler_temp") == 61.5)
    assert values(board)["own.boiler_pump"] == 1


@pytest.mark.parametrize("n", [900, 12000])
def test_publish_after_100(owned, n):
    """It is told to go on by the lobby or by a worker, also behind answers not read yet."""
    board, token = owned
    fields = {
        "Content-Type": "text/plain",
        "Content-Length": n,
        "Authorization": f"Bearer {token}",
        "Expect": "100-continue",
    }
    with board.stream(rcvbuf=2048) as st:
        st.send(request("/") * 20 + request("/api/v1/publish", "POST", fields.items()))
        assert [take_response(st).status for _ in range(20)] == [200] * 20
        assert take_response(st).status == 100
        st.send(b"# comment\n" * (n // 10))
        assert take_response(st).status == 200


def test_publish_refuses_what_it_cannot_read(owned):
    board, token = owned
    for body, kind, status in [
        (b"{}", "application/json", 400),
        (b"[1", "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"x" * 20000, "text/plain", 413),
    ]:
        r = post(board, body, kind, token)
        assert r.status == status and r["Content-Type"] == "application/problem+json", r
    assert readings(board, "accepted") == 0


def publish(*args):
    r = subprocess.run([str(a) for a in (PULSEBOARD, "publish", *args)], capture_output=True,
                       text=True, timeout=60)  # fmt: skip
    assert r.stdout == "", r
    return r


def test_publish_by_the_command_line(owned, tmp_path):
    """Over the local socket, and with a token over HTTP."""
    board, token = owned
    board.allow(REFUSED)
    local = tmp_path / "data" / "pulseboard.sock"
    assert publish("tank=7.5", "rain=-2", "--unit", "L", "--socket", local).returncode == 0
    until(lambda: values(board).get("own.tank") == 7.5)
    assert values(board)["own.rain"] == -2
    assert listed(board)["own.tank"]["unit"] == "L"
    url = "http://%s:%d" % board.addr
    assert publish("tank=8", "--url", url, "--token", token).returncode == 0
    until(lambda: values(board)["own.tank"] == 8)
    r = publish("tank=1", "--kind", "counter", "--socket", local)
    assert r.returncode == 1 and "tank=1: it is known as another kind" in r.stderr, r
    r = publish("tank=9", "--url", url)
    assert r.returncode == 1 and "(403)" in r.stderr, r
    assert values(board)["own.tank"] == 8
