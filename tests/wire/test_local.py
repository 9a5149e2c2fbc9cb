"""The Unix socket for the command line of the same host: who may open it may act as we do."""

import contextlib
import json
import os
import socket
import stat
import subprocess

import owner
import pytest
import wsraw
from server import PULSEBOARD, until
from wsraw import UPGRADE, request, take_head, take_response


def local(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(path))
    return wsraw.Stream(s)


def test_default_place_and_mode(start, tmp_path):
    b = start.pulseboard()
    path = tmp_path / "pulseboard.sock"
    st = path.stat()
    assert stat.S_ISSOCK(st.st_mode) and st.st_mode & 0o7777 == 0o600
    b.stop()
    assert not path.exists()


def test_no_foreign_host_or_origin(start, tmp_path):
    """No browser gets there, so nothing protects against its pages."""
    b = start.pulseboard("--socket", tmp_path / "here")
    with local(tmp_path / "here") as st:
        st.send(request("/api/v1/info", host="foreign.example"))
        assert take_response(st).status == 200
        st.send(request("/healthz", host="foreign.example"))
        assert take_response(st).status == 200
        st.send(request("/ws", headers=[*UPGRADE, ("Origin", "http://foreign.example")]))
        assert take_head(st)[0] == 101
        (row,) = until(lambda: b.stats()["list"])
        assert row["address"] == "local"
        st.rst()
    b.settled()


def test_a_stale_socket_is_replaced(start, tmp_path):
    b = start.pulseboard()
    b.kill()
    assert (tmp_path / "pulseboard.sock").exists()
    again = start.pulseboard()
    with local(tmp_path / "pulseboard.sock") as st:
        st.send(request("/healthz"))
        assert take_response(st).status == 200
    again.stop()


@pytest.mark.parametrize("what", ["answered", "a file"])
def test_what_is_not_stale_is_left(start, tmp_path, what):
    path = tmp_path / "taken"
    if what == "answered":
        start.pulseboard("--socket", path)
    else:
        path.write_text("mine")
    argv = [PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--socket", path]
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and str(path) in r.stderr
    assert path.exists()


def test_one_that_is_in_nobodys_way(start, tmp_path):
    """Silent local connections wait in the lobby like all others."""
    b = start.pulseboard()
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.connect(str(tmp_path / "pulseboard.sock"))
        until(lambda: b.http("/readyz").status == 200)  # there was no sample yet
    os.stat(tmp_path / "pulseboard.sock")


@pytest.mark.parametrize("role", ["Viewer", "owner", "", 7])
def test_a_password_for_nobody(start, tmp_path, role):
    """A role that there is not is a mistake, and no way to say admin."""
    owner.write(tmp_path)
    before = (tmp_path / "auth.json").read_bytes()
    start.pulseboard("--http", "full")
    body = json.dumps({"role": role, "new": "attic.lamp.above"}).encode()
    with local(tmp_path / "pulseboard.sock") as st:
        st.send(request("/api/v1/password", "POST", body=body, headers=[
            ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]))  # fmt: skip
        assert take_response(st).status in (400, 422)
    assert (tmp_path / "auth.json").read_bytes() == before
