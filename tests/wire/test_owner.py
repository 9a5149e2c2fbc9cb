"""On the board itself: passwords and tokens by the command line, beside the program that runs
and where none does."""

import contextlib
import subprocess

import owner
import pytest
import server as srv
from owner import ADMIN, VIEWER, Browser
from rpc import Rpc
from wsraw import CLOSE, close_payload, http

FRESH = "cellar.door.below"


class Board:
    """An owned board's folder, and the program when it runs."""

    def __init__(self, start, folder):
        self.start, self.folder, self.server = start, folder, None
        owner.write(folder)

    def on(self):
        if not self.server:
            self.server = self.start.pulseboard("--data", self.folder)
            self.server.allow(
                "level=notice event=(login|password|token_add|token_revoke) ",
                "event=session_closed .*cause=logged_out",
            )
        return self.server

    def run(self, *argv, stdin="", code=0):
        r = subprocess.run(
            [str(a) for a in (srv.PULSEBOARD, *argv, "--data", self.folder)],
            input=stdin, capture_output=True, text=True, timeout=60 * srv.SLOWER,
        )  # fmt: skip
        assert r.returncode == code, r
        return r


@pytest.fixture(params=["running", "alone"])
def board(request, start, tmp_path):
    b = Board(start, tmp_path / "data")
    if request.param == "running":
        b.on()
    return b


def test_passwd(board):
    """The way back in; the first line of stdin, no old password."""
    running = board.server
    page = Browser(running).login() if running else None
    ws = Rpc(running, headers=page.headers(), host=page.host, pong=False) if page else None
    assert "first" in board.run("passwd", stdin="password1\n", code=1).stderr
    assert "password is set" in board.run("passwd", stdin=FRESH + "\n").stderr
    if ws:
        assert ws.notification("bye")["cause"] == "logged_out"
        assert ws.until_close() == (1008, "")
        with contextlib.suppress(OSError):
            ws.say(CLOSE, close_payload(1008))
        ws.close()
    board.run("passwd", "--viewer", stdin=FRESH + "\n", code=1)
    board.run("passwd", "--viewer", stdin="attic.lamp.above\n")
    page = Browser(board.on())
    assert page.post("/api/v1/login", {"password": ADMIN}).status == 401
    assert page.post("/api/v1/login", {"password": VIEWER}).status == 401
    assert page.login("attic.lamp.above").session()["role"] == "viewer"
    assert page.login(FRESH).session()["role"] == "admin"


def test_passwd_claims(start, tmp_path):
    """On a board that nobody owns it is the claim."""
    board = Board(start, tmp_path / "data")
    (board.folder / "auth.json").unlink()
    board.run("passwd", "--viewer", stdin=FRESH + "\n", code=1)
    board.run("passwd", stdin=FRESH + "\n")
    assert not (board.folder / "claim-code").exists()
    assert Browser(board.on()).login(FRESH).session()["role"] == "admin"


def test_token(board):
    token = board.run("token", "add", "grafana", "--role", "admin", "--expires", "3").stdout
    listed = board.run("token", "list").stdout.split()
    assert listed[:4] == ["1", "grafana", "admin", "ends"]
    assert "NAME" in board.run("token", "add", "no spaces", code=1).stderr
    bearer = [("Authorization", "Bearer " + token.strip())]
    running = board.server
    if running:
        assert http(running.addr, "/api/v1/tokens", headers=bearer).status == 200
    board.run("token", "revoke", "1")
    assert "no such token" in board.run("token", "revoke", "1", code=1).stderr
    assert board.run("token", "list").stdout == ""
    assert http(board.on().addr, "/api/v1/tokens", headers=bearer).status == 401


def test_not_beside_one_that_cannot_be_asked(board):
    """Two that change one file would lose something."""
    if board.server:
        board.server.stop()
    s = board.start.pulseboard("--data", board.folder)
    (board.folder / "pulseboard.sock").unlink()
    r = board.run("passwd", stdin=FRESH + "\n", code=1)
    assert "does not answer" in r.stderr
    assert Browser(s).ask("/healthz").status == 200
