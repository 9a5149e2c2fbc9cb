"""History in tiers: what is answered, and what is kept when the program ends, however it
ends."""

import csv
import io
import json
import os
import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from rpc import Rpc
from server import SLOWER, until

FAST = {"sample_ms": 100, "history": {"save_s": 1}}
KEPT = ("history.a", "history.b")


def history(server, query=""):
    r = server.http("/api/v1/history" + query)
    assert r.status == 200 and r["content-type"] == "application/json", (r, r.body)
    return json.loads(r.body)


def known(server):
    return len(server.kept_steps())


@pytest.fixture(scope="module")
def fast(start_module):
    """Old enough for a point of ten seconds."""
    b = start_module.pulseboard(config=FAST)
    until(lambda: known(b) >= 1, timeout=25)
    return b


# ---- what is answered ----


def test_the_last_samples(fast):
    got = history(fast, "?range=2&ids=mem.total,cpu.total")
    assert got["step_ms"] == 100 and got["n"] == 20
    assert set(got["values"]) <= {"mem.total", "cpu.total"}
    for column in got["values"].values():
        assert set(column) == {"avg"} and len(column["avg"]) == 20
    assert sum(v is not None for v in got["values"]["mem.total"]["avg"]) > 5
    newest = json.loads(fast.http("/api/v1/telemetry").body)
    assert abs(got["t0"] + 19 * 100 - newest["t"]) < 5000 * SLOWER


@pytest.mark.parametrize(
    "range_s, step, step_ms, n",
    [
        (30, 0, 100, 300), (31, 0, 10000, 4), (3600, 0, 10000, 360), (30, 1, 10000, 3),
        (3601, 0, 120000, 31), (86400, 0, 120000, 720), (86401, 0, 900000, 97),
        (604800, 0, 900000, 672), (600, 11, 120000, 5), (600, 7200, 900000, 1),
    ],
)  # fmt: skip
def test_what_is_kept_decides(fast, range_s, step, step_ms, n):
    got = history(fast, f"?range={range_s}&step={step}&ids=mem.total")
    assert (got["step_ms"], got["n"]) == (step_ms, n)
    column = got["values"]["mem.total"]
    names = {"avg"} if step_ms == 100 else {"avg", "min", "max"}
    assert set(column) == names and {len(c) for c in column.values()} == {n}
    for low, mean, high in zip(*(column.get(k, column["avg"]) for k in ("min", "avg", "max"))):
        assert (low is None) == (mean is None) == (high is None)
        assert low is None or low <= mean <= high
    with Rpc(fast) as ws:
        same = ws.result("history", range_s=range_s, step_s=step, ids=["mem.total"])
        assert (same["step_ms"], same["n"]) == (step_ms, n)
        assert set(same["values"]["mem.total"]) == names
        ws.end()


def test_a_point_is_where_it_belongs(fast):
    got = history(fast, "?range=3600&ids=sys.uptime,mem.total,no.such")
    assert set(got["values"]) == {"sys.uptime", "mem.total"}, "what is not known is left out"
    up = got["values"]["sys.uptime"]
    now = json.loads(fast.http("/api/v1/telemetry").body)
    last = max(i for i, v in enumerate(up["avg"]) if v is not None)
    ago = (now["t"] - (got["t0"] + last * got["step_ms"])) / 1000
    assert 0 <= ago <= 30 * SLOWER
    # Uptime is a clock of its own: it says when the point was measured.
    assert abs(now["values"]["sys.uptime"] - ago - up["min"][last]) <= up["min"][last] / 500 + 5


def test_csv(fast):
    r = fast.http("/api/v1/history?range=3600&ids=mem.total,no.such,cpu.total&format=csv")
    assert r.status == 200 and r["content-type"] == "text/csv; charset=utf-8"
    assert r["content-disposition"] == 'attachment; filename="pulseboard-3600s-10000ms.csv"'
    rows = list(csv.reader(io.StringIO(r.body.decode(), newline="")))
    assert r.body.endswith(b"\r\n") and len(rows) == 361
    assert rows[0][:4] == ["time", "mem.total avg", "mem.total min", "mem.total max"]
    assert rows[0][4:] == ["cpu.total avg", "cpu.total min", "cpu.total max"]
    times = [datetime.fromisoformat(row[0].replace("Z", "+00:00")) for row in rows[1:]]
    assert {(b - a).total_seconds() for a, b in zip(times, times[1:])} == {10.0}
    assert any(row[1] for row in rows[1:]) and {len(row) for row in rows} == {7}
    live = fast.http("/api/v1/history?range=2&ids=mem.total&format=csv").body.decode()
    assert live.startswith("time,mem.total\r\n") and live.count("\r\n") == 21


@pytest.mark.parametrize(
    "query",
    [
        "range=0", "range=-1", "range=x", "range=604801", "range=", "step=-1", "step=604801",
        "format=xml", "ids=a&ids=b", "ids=%zz", "range=1&range=1",
        "range=86400&ids=" + ",".join(f"m{i}" for i in range(60)),
    ],
    ids=range(12),
)  # fmt: skip
def test_nonsense_is_refused(fast, query):
    r = fast.http("/api/v1/history?" + query)
    assert r.status == 400 and r["content-type"] == "application/problem+json", r


@pytest.mark.parametrize(
    "params",
    [
        {"range_s": 0}, {"range_s": 1.5}, {"range_s": "1"}, {"range_s": 604801}, {"range_s": None},
        {"range_s": 60, "step_s": -1}, {"range_s": 60, "step_s": "x"}, {"range_s": 60, "ids": [1]},
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_the_request(fast, params):
    with Rpc(fast) as ws:
        assert ws.call("history", **params)["error"]["code"] == -32602
        ws.end()


def test_too_much_is_refused_by_the_request(fast):
    with Rpc(fast) as ws:
        got = ws.call("history", range_s=86400)
        assert got["error"]["data"]["code"] == "reply_too_large"
        ws.end()


def test_telemetry_is_the_snapshot(fast):
    over_http = json.loads(fast.http("/api/v1/telemetry").body)
    with Rpc(fast) as ws:
        asked = ws.result("snapshot")
        assert set(asked) == set(over_http) == {"seq", "t", "up", "values"}
        assert asked["seq"] >= over_http["seq"]
        assert set(asked["values"]) == set(over_http["values"])
        ws.end()


# ---- what is kept ----


def words(server):
    return [
        (e["event"], e["text"])
        for e in json.loads(server.http("/api/v1/events").body)["events"]
        if e["event"].startswith("history_")
    ]


@pytest.fixture(scope="module")
def kept(start_module, fast):
    """The two files of a server that has written both, as they are when it ends."""
    folder = start_module.folder
    until(lambda: all((folder / k).exists() for k in KEPT), timeout=15)
    return {k: (folder / k).read_bytes() for k in KEPT}


def lay(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_kept_over_a_restart(start, tmp_path, kept):
    lay(tmp_path, kept)
    b = start.pulseboard(config=FAST)
    assert [w for w, _ in words(b)] == ["history_restored"]
    before = until(lambda: known(b))  # points have their place from the first sample on
    b.stop()
    b = start.pulseboard(config=FAST)
    until(lambda: known(b) >= before)
    generation = [int(text.split("generation=")[1]) for _, text in words(b)]
    assert generation[0] > 2, "what was written at the end is the newest"


NEWER = b"PULSEHIS" + (2).to_bytes(4, "big") + bytes(200)


def flip(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


BROKEN = {
    "empty": lambda good: b"",
    "short": lambda good: good[:20],
    "cut": lambda good: good[:-1],
    "longer": lambda good: good + b"\0",
    "one bit": flip,
    "random": lambda good: os.urandom(len(good)),
    "text": lambda good: b"{}\n",
    "newer version": lambda good: NEWER,
    "huge": lambda good: bytes(64 * 1024 * 1024),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_costs_itself(start, tmp_path, kept, what):
    """One of the two is broken, the other serves; it is said once, and it runs."""
    lay(tmp_path, {"history.a": BROKEN[what](kept["history.a"]), "history.b": kept["history.b"]})
    b = start.pulseboard()
    b.allow("event=history_ignored file=history.a")
    got = [w for w, _ in words(b)]
    assert got == ["history_ignored", "history_restored"]
    until(lambda: known(b) >= 1)
    b.stop()
    again = start.pulseboard()
    assert [w for w, _ in words(again)] == ["history_restored"], "it was written anew"


def test_two_broken_files_are_a_new_start(start, tmp_path):
    lay(tmp_path, {"history.a": b"", "history.b": os.urandom(5000)})
    (tmp_path / "history.a").chmod(0)
    b = start.pulseboard()
    b.allow("event=history_ignored")
    assert [w for w, _ in words(b)] == ["history_ignored"] * 2
    assert history(b, "?range=3600&ids=mem.total")["n"] in (0, 360)


def test_a_folder_in_its_place(start, tmp_path):
    """Neither read nor written, and so not more often said than once."""
    for name in KEPT:
        (tmp_path / name).mkdir()
    b = start.pulseboard(config=FAST)
    b.allow("event=history_ignored", "event=history_not_saved")
    until(lambda: "history_not_saved" in [w for w, _ in words(b)])
    for name in KEPT:
        (tmp_path / name).rmdir()
    b.allow("event=history_saved")
    until(lambda: "history_saved" in [w for w, _ in words(b)])
    assert [w for w, _ in words(b)].count("history_not_saved") == 1


@pytest.mark.netns
def test_a_full_disk_is_survived(start, tmp_path):
    """One notice, no error; when there is room again it is written."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k none {disk} 2>/dev/null") != 0:
        pytest.skip("may not mount")
    try:
        b = start.pulseboard("--data", disk, config=FAST)
        b.allow("event=history_not_saved", "event=history_saved")
        (disk / "filler").write_bytes(b"x" * 4096)
        fill(disk / "filler")
        until(lambda: "history_not_saved" in [w for w, _ in words(b)])
        assert known(b) >= 0 and b.http("/readyz").status == 200
        (disk / "filler").unlink()
        until(lambda: "history_saved" in [w for w, _ in words(b)])
        assert sorted(p.name for p in disk.iterdir() if p.name.startswith("hist"))[0] in KEPT
        b.stop()
    finally:
        os.system(f"umount -l {disk}")


def fill(path):
    with open(path, "ab", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass


def one_life(start, folder, rng, by_sight):
    """Starts on what was kept and is killed: at a random moment, or as soon as a file that
    is being written is seen. Returns the number of what it found kept, and whether it was."""
    b = start.pulseboard("--data", folder, config=FAST)
    told = words(b)
    assert [w for w, _ in told] == (["history_restored"] if newest(folder) else []), told
    found = int(told[0][1].split("generation=")[1]) if told else 0
    deadline = time.monotonic() + (3 if by_sight else rng.uniform(0.9, 1.6)) * SLOWER
    strange = set()
    while time.monotonic() < deadline and not (by_sight and strange):
        strange = {p.name for p in Path(folder).iterdir()} - known_names
    b.proc.kill()
    b.proc.wait()
    b.stopped = True
    return found, bool(strange)


known_names = {*KEPT, "config.json"}


def newest(folder):
    return any((Path(folder) / k).exists() for k in KEPT)


def lives(start, folder, seed, n):
    rng = random.Random(seed)
    found, seen = zip(*(one_life(start, folder, rng, by_sight=i % 2 == 1) for i in range(n)))
    assert list(found) == sorted(found) and found[-1] > 1, "what was kept once is not lost"
    return sum(seen)


@pytest.mark.slow
def test_killed_while_it_writes(start, tmp_path, figure):
    """Fifty times: it always starts with what was last written, and never complains."""
    folders = []
    for i in range(5):
        folders.append(tmp_path / f"life{i}")
        folders[-1].mkdir()
    with ThreadPoolExecutor(5) as pool:
        seen = list(pool.map(lambda i: lives(start, folders[i], i, 10), range(5)))
    figure("killed in the middle of a write", f"{sum(seen)} of 50")
    for folder in folders:
        b = start.pulseboard("--data", folder, config=FAST)
        assert [w for w, _ in words(b)] == ["history_restored"]
        b.stop()
        shutil.rmtree(folder)
