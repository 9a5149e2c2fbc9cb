"""Updates by HTTP and by the command line, handed on to the half that has rights."""

import http.client
import json
import random
import socket
import subprocess
import threading
import time

import pytest
from server import PULSEBOARD, SLOWER, sanitizer_env, until
from updater import BUILT, VERSION, Board

NEW = random.Random(1).randbytes(700_001)
FILE = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def b(tmp_path):
    (tmp_path / "board").mkdir()
    board = Board(tmp_path / "board")
    yield board
    board.kill()


@pytest.fixture
def server(start, b):
    return start.pulseboard("--updater-socket", b.socket)


class Local(http.client.HTTPConnection):
    """The local socket, where one is the owner of the board."""

    def __init__(self, folder):
        super().__init__("localhost", timeout=60 * SLOWER)
        self.path = str(folder / "pulseboard.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@pytest.fixture
def ask(tmp_path):
    def ask(method, path, body=None, headers=FILE):
        c = Local(tmp_path)
        try:
            c.request(method, path, body, headers if body is not None else {})
            r = c.getresponse()
            return r.status, json.loads(r.read())
        finally:
            c.close()

    return ask


def status(ask):
    code, s = ask("GET", "/api/v1/update")
    assert code == 200, s
    return s


def test_a_file_goes_through_to_the_slot(b, server, ask):
    b.start()
    s = status(ask)
    assert s["supported"] and s["state"] == "idle" and s["version"] == VERSION, s
    code, s = ask("POST", "/api/v1/update", b.update(NEW))
    assert code == 202 and s["state"] == "reboot" and s["progress"] == 1, (code, s)
    assert b.ab() == ("b", 1, 0) and b.slots["b"].read_bytes()[: len(NEW)] == NEW
    b.until_reboot()


@pytest.mark.parametrize("length", [200, 300, 32768, 32769, 65536 + 17])
def test_files_of_any_length(b, server, ask, length):
    """Wherever the parts end, and with Expect: 100-continue."""
    b.start()
    image = random.Random(length).randbytes(length)
    code, s = ask("POST", "/api/v1/update", b.update(image),
                  {**FILE, "Expect": "100-continue"})  # fmt: skip
    assert code == 202, s
    assert b.slots["b"].read_bytes()[:length] == image


def test_an_older_one_takes_force(b, server, ask):
    b.start()
    pbu = b.update(NEW, "1.0.0")
    code, s = ask("POST", "/api/v1/update", pbu)
    assert code == 422 and "older" in s["detail"], s
    assert status(ask)["why"] == s["detail"]
    for query in ("force=0", "force=", "force=11", "forc=1"):
        assert ask("POST", f"/api/v1/update?{query}", pbu)[0] == 422
    assert ask("POST", "/api/v1/update?force=1", pbu)[0] == 202


@pytest.mark.parametrize("body,word", [
    (b"x", "not an update file"),
    (bytes(100_000), "not an update file"),
    (b"PULSEUPD\1\0\0\0\0\xb4\0\x46" + bytes(1000), "signature"),
], ids=["short", "zeros", "unsigned"])  # fmt: skip
def test_what_is_none(b, server, ask, body, word):
    b.start()
    code, s = ask("POST", "/api/v1/update", body)
    assert code == 422 and word in s["detail"], s
    s = status(ask)
    assert s["state"] == "failed" and word in s["why"], s
    b.runs_untouched("a")
    b.runs_untouched("b")


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"},
                                     {"Content-Type": "application/octet-stream; x=y"}])  # fmt: skip
def test_the_type_is_asked_for(b, server, ask, headers):
    b.start()
    assert ask("POST", "/api/v1/update", b.update(NEW), headers)[0] == 415
    assert ask("POST", "/api/v1/update", b"", FILE)[0] == 400


def test_who_is_nobody_changes_nothing(b, server):
    b.start()
    for path in ("/api/v1/update", "/api/v1/reboot"):
        r = server.http(path, "POST")
        assert r.status in (401, 403), r
    assert b.status()["state"] == "idle"


def test_truncated_by_the_sender(b, server, tmp_path, ask):
    """The client goes away in the middle: the update has failed, the worker is free again."""
    b.start()
    pbu = b.update(NEW)
    c = Local(tmp_path)
    c.putrequest("POST", "/api/v1/update")
    c.putheader("Content-Type", FILE["Content-Type"])
    c.putheader("Content-Length", str(len(pbu)))
    c.endheaders(pbu[:100_000])
    b.until_state("receiving")
    c.close()
    s = b.until_state("failed")
    assert "the upload ended after" in s["why"], s
    assert ask("POST", "/api/v1/update", pbu)[0] == 202


def test_one_at_a_time(b, server, tmp_path, ask):
    b.start()
    pbu = b.update(NEW)
    c = Local(tmp_path)
    c.putrequest("POST", "/api/v1/update")
    c.putheader("Content-Type", FILE["Content-Type"])
    c.putheader("Content-Length", str(len(pbu)))
    c.endheaders(pbu[:100_000])
    until(lambda: status(ask)["progress"] > 0)
    assert ask("POST", "/api/v1/update", pbu)[0] == 409
    assert ask("POST", "/api/v1/reboot", b"")[0] == 409
    c.send(pbu[100_000:])
    r = c.getresponse()
    assert r.status == 202, r.read()
    c.close()


def test_viewers_do_not_notice(b, server, ask):
    """Telemetry goes on while an image comes in."""
    b.start()
    pbu = b.update(random.Random(3).randbytes(4 << 20))
    with server.ws() as ws:
        t = threading.Thread(target=ask, args=("POST", "/api/v1/update", pbu))
        t.start()
        before = ws.message()
        assert before
        t.join()
        assert ws.message()
        ws.end()
    b.until_state("reboot")


def test_reboot(b, server, ask):
    b.start()
    assert ask("POST", "/api/v1/reboot", b"")[0] == 202
    b.until_reboot()


def test_without_an_updater(start, b, tmp_path, ask):
    start.pulseboard()
    s = status(ask)
    assert s["supported"] is False and s["version"] and s["why"], s
    assert ask("POST", "/api/v1/update", b"x")[0] == 501
    assert ask("POST", "/api/v1/reboot", b"")[0] == 501


def test_an_updater_that_is_gone(b, server, ask):
    s = status(ask)
    assert s["supported"] is False and "does not answer" in s["why"], s
    assert ask("POST", "/api/v1/update", b"x")[0] == 503
    b.start()
    assert status(ask)["supported"]


def test_an_updater_that_does_not_answer(b, server):
    """As when its card takes minutes to flush: whoever asks where the update stands holds no
    worker but one, and that for a moment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as mute:
        mute.bind(str(b.socket))
        mute.listen(1)
        askers = [threading.Thread(target=server.http, args=("/api/v1/update",)) for _ in range(40)]
        for a in askers:
            a.start()
        began = time.monotonic()
        while any(a.is_alive() for a in askers):
            assert server.http("/healthz").status == 200
            assert time.monotonic() - began < 60 * SLOWER
        for a in askers:
            a.join()
        s = json.loads(server.http("/api/v1/update").body)
        assert s["supported"] is False and "does not answer" in s["why"], s


def test_a_trial_is_watched_by_many(start, b):
    """The updater asks for a page and a session while viewers ask it how it goes: both get their
    answers, and the new version is confirmed."""
    server = start.pulseboard("--updater-socket", b.socket)
    b.set_ab("a", 1, 1)
    b.start(probe=f"http://127.0.0.1:{server.addr[1]}", healthy=4, limit=60)
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            server.http("/api/v1/update")

    viewers = [threading.Thread(target=watch) for _ in range(20)]
    for v in viewers:
        v.start()
    try:
        b.until_state("confirmed", 50)
    finally:
        stop.set()
        for v in viewers:
            v.join()


# --- the command line ---


def update(b, *words):
    return subprocess.run(
        [str(w) for w in (PULSEBOARD, "update", "--socket", b.socket, *words)],
        capture_output=True, text=True, env={**sanitizer_env()},
    )  # fmt: skip


def test_by_the_command_line(b):
    b.start()
    b.update(NEW)
    done = update(b, b.folder / "update.pbu")
    assert done.returncode == 0 and "on trial" in done.stdout and not done.stderr, done
    assert b.slots["b"].read_bytes()[: len(NEW)] == NEW
    done = update(b, "--status")
    assert done.returncode == 0 and VERSION in done.stdout and "reboot" in done.stdout, done


def test_the_command_line_says_why_not(b):
    b.start()
    b.update(NEW, VERSION, BUILT - 1)
    done = update(b, b.folder / "update.pbu")
    assert done.returncode == 1 and "older than what runs" in done.stderr, done
    assert update(b, "--force", b.folder / "update.pbu").returncode == 0
    assert update(b, b.folder / "nothing").returncode == 1
    for words in (["--rollback"], ["a", "b"], ["--force=1"], ["--what"]):
        assert update(b, *words).returncode != 0, words
    b.stop()
    done = update(b)
    assert done.returncode == 1 and str(b.socket) in done.stderr, done
