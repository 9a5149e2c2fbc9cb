"""Whose board it is: claim, login, logout, tokens, and what each of them opens and closes."""

import contextlib
import json
import os
import pty
import re
import subprocess
import time

import owner
import pytest
import server as srv
from owner import ADMIN, VIEWER, Browser
from rpc import Rpc
from server import until
from wsraw import CLOSE, Refused, close_payload, http, request, take_response

NOTICES = (
    "level=notice event=(claim|login|logout|password|access|token_add|token_revoke) |"
    "event=session_closed .*cause=(logged_out|expired|evicted)"
)


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


@pytest.fixture
def fresh(start, tmp_path):
    """A board that nobody owns yet."""
    s = start.pulseboard("--data", tmp_path / "data", "--http", "full", secure=True)
    s.allow(NOTICES)
    return s


@pytest.fixture
def owned(start, tmp_path):
    """A board with an owner, where looking needs a login."""
    mine = owner.token()
    owner.write(tmp_path / "data", tokens=[(mine, "viewer", 0)])
    s = start.pulseboard("--data", tmp_path / "data", "--http", "full", secure=True)
    s.credentials = bearer(mine)
    s.allow(NOTICES)
    return s


def watch(browser):
    """A WebSocket of this browser's page."""
    return Rpc(
        browser.server, browser.secure, headers=browser.headers(), host=browser.host, pong=False
    )


def closes(ws, code, cause):
    """The server says why, and closes with this code."""
    assert ws.notification("bye")["cause"] == cause
    assert ws.until_close() == (code, "")
    with contextlib.suppress(OSError):  # it does not wait for long
        ws.say(CLOSE, close_payload(code))
    ws.wait_eof()
    ws.close()


def tells(r, status, words=""):
    """A problem that says so, to people and programs."""
    assert r.status == status, r
    assert r["Content-Type"] == "application/problem+json"
    problem = json.loads(r.body)
    assert problem["status"] == status and words in problem["detail"], problem
    return problem


def test_a_terminal_shows_the_code(tmp_path):
    """Who stands at the board reads it there; a log is read by others, too."""
    ours, its = pty.openpty()
    with subprocess.Popen([srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--statsd", "off",
                           "--data", tmp_path / "data"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=its) as proc:  # fmt: skip
        os.close(its)
        said = b""
        while not (shown := re.search(rb"and enter (\S+)\r\n", said)):
            said += os.read(ours, 4096)
        assert (tmp_path / "data" / "claim-code").read_bytes() == shown[1] + b"\n"
        proc.terminate()
    os.close(ours)
    assert proc.returncode == 0


def test_claim(fresh, tmp_path):
    file = tmp_path / "data" / "claim-code"
    code = file.read_text().strip()
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", code)
    assert file.stat().st_mode & 0o7777 == 0o600
    assert f"enter the code in {file}\n" in fresh.log() and code not in fresh.log()
    page = Browser(fresh)
    assert page.session() == {
        "role": "viewer", "claimed": False, "claimable": True, "view_login": False,
        "min_password": 8, "password_at": None,
    }  # fmt: skip
    claim = {"code": code, "password": ADMIN, "view_login": True}
    tells(page.post("/api/v1/login", {"password": ADMIN}), 409)
    tells(page.post("/api/v1/claim", {**claim, "password": "Password1"}), 422, "first")
    tells(page.post("/api/v1/claim", {**claim, "password": "kx9"}), 422, "short")
    tells(page.post("/api/v1/claim", {**claim, "code": "0000-0000-0000"}), 403, "code")
    stranger = Rpc(fresh)  # who looked on before, without a login
    r = page.post("/api/v1/claim", {**claim, "code": code.lower().replace("-", " ")})
    assert r.status == 200 and json.loads(r.body)["role"] == "admin", r
    closes(stranger, 1008, "logged_out")
    assert page.session()["role"] == "admin" and page.session()["claimed"]
    assert not file.exists()
    assert (tmp_path / "data" / "auth.json").stat().st_mode & 0o7777 == 0o600
    assert ADMIN not in (tmp_path / "data" / "auth.json").read_text()
    tells(Browser(fresh).post("/api/v1/claim", claim), 409)
    assert ADMIN not in fresh.log()


def test_unclaimed_without_a_folder(start, tmp_path):
    argv = [srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0"]
    s = start._start(argv, {})
    s.allow(NOTICES)
    page = Browser(s)
    assert page.session()["claimable"] is False and page.session()["role"] == "viewer"
    tells(page.post("/api/v1/claim", {"code": "0", "password": ADMIN}), 409)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_cookie(owned, secure):
    """As tight as a cookie can be, and good for nothing elsewhere."""
    page = Browser(owned, secure)
    r = page.post("/api/v1/login", {"password": ADMIN})
    name, *flags = re.split(r"; ?", r["Set-Cookie"])
    value = re.fullmatch(r"(\S+)=([0-9a-f]{64})", name)
    assert value[1] == ("__Host-pulseboard" if secure else "pulseboard")
    assert set(flags) == {"Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"} | (
        {"Secure"} if secure else set()
    )
    assert page.session()["role"] == "admin"
    other = Browser(owned, not secure)
    for name in ("pulseboard", "__Host-pulseboard"):
        other.cookie = f"{name}={value[2]}"
        assert other.session()["role"] == "none"
    page.cookie = f"{page.cookie}; {page.cookie}"
    assert page.session()["role"] == "none"


def test_login_decides_the_role(owned):
    admin, viewer, nobody = (Browser(owned) for _ in range(3))
    assert nobody.session()["role"] == "none"
    tells(nobody.ask("/api/v1/info"), 401)
    with pytest.raises(Refused) as refused:
        watch(nobody)
    assert refused.value.response.status == 401
    viewer.login(VIEWER)
    assert viewer.ask("/api/v1/info").status == 200
    tells(viewer.ask("/api/v1/tokens"), 403)
    admin.login()
    (mine,) = admin.json("/api/v1/tokens")["tokens"]
    assert mine["role"] == "viewer" and mine["ends"] is None
    with watch(viewer) as ws:
        assert ws.hello["role"] == "viewer"
        rows = admin.json("/api/v1/sessions")["sessions"]
        assert [r["id"] for r in rows] == [ws.hello["session"]]
    tells(nobody.post("/api/v1/login", {"password": "no.such.word"}), 401, "password")
    assert owned.books()["sessions"]["rejected"]["auth"] == 1


def test_logout_closes_what_the_login_opened(owned):
    one, two = Browser(owned).login(), Browser(owned).login()
    with owned.ends(logged_out=2):
        first, second = watch(one), watch(two)
        assert json.loads(one.post("/api/v1/logout", {}).body)["role"] == "none"
        assert one.cookie is None
        closes(first, 1008, "logged_out")
        second.result("ping")
        assert two.post("/api/v1/logout", {"everywhere": True}).status == 200
        closes(second, 1008, "logged_out")


def test_token(owned):
    """Shown once; it opens what its role may, until it is revoked: then what it opened ends."""
    admin = Browser(owned).login()
    tells(admin.post("/api/v1/tokens", {"name": "no spaces"}), 422, "name")
    tells(admin.post("/api/v1/tokens", {"name": "x", "role": "root"}), 422, "role")
    tells(admin.post("/api/v1/tokens", {"name": "x", "days": -1}), 422, "days")
    r = admin.post("/api/v1/tokens", {"name": "grafana", "days": 30})
    assert r.status == 201, r
    made = json.loads(r.body)
    assert re.fullmatch(r"pb_[0-9a-f]{64}", made["token"]) and made["role"] == "viewer"
    row = admin.json("/api/v1/tokens")["tokens"][1]
    assert set(row) == {"id", "name", "role", "made", "ends"}
    assert row["ends"] == row["made"] + 30 * 86400

    def get(token=made["token"], path="/metrics"):
        return http(owned.addr, path, headers=bearer(token)).status

    assert (get(), get(path="/api/v1/tokens"), get(made["token"][:-1])) == (200, 403, 401)
    with owned.ends(logged_out=1):
        ws = Rpc(owned, headers=bearer(made["token"]))
        r = admin.ask(f"/api/v1/tokens/{made['id']}", "DELETE")
        assert r.status == 204, r
        closes(ws, 1008, "logged_out")
    assert get() == 401
    tells(admin.ask(f"/api/v1/tokens/{made['id']}", "DELETE"), 404)
    tells(admin.ask("/api/v1/tokens/zero", "DELETE"), 404)
    assert made["token"] not in owned.log()


def test_a_token_that_does_not_hold_is_told_so(start, tmp_path):
    """Even where anybody may look: a program would never notice otherwise."""
    old, good = owner.token(), owner.token()
    owner.write(
        tmp_path / "data", view_login=False,
        tokens=[(old, "viewer", 1_700_000_001), (good, "admin", 0)],
    )  # fmt: skip
    s = start.pulseboard("--data", tmp_path / "data")
    assert s.http("/api/v1/info").status == 200
    assert s.http("/api/v1/info", headers=bearer(good)).status == 200
    assert s.http("/api/v1/sessions", headers=bearer(good)).status == 200
    for headers in (bearer(old), bearer(owner.token()), bearer("x"),
                    [("Authorization", "Basic YTpi")], bearer(good) * 2):  # fmt: skip
        tells(s.http("/api/v1/info", headers=headers), 401)
        assert s.http("/healthz", headers=headers).status == 200


@pytest.mark.slow
def test_expiry_closes(start, tmp_path):
    """A login ends by its age, however busy; a token at its time."""
    token = owner.token()
    owner.write(tmp_path / "data", tokens=[(token, "viewer", int(time.time()) + 4)])
    s = start.pulseboard("--data", tmp_path / "data", "--login-max-s", "4")
    s.allow(NOTICES)
    page = Browser(s).login()
    by_login, by_token = watch(page), Rpc(s, headers=bearer(token))
    closes(by_token, 1008, "expired")
    closes(by_login, 1008, "expired")
    assert page.session()["role"] == "none"
    assert s.http("/metrics", headers=bearer(token)).status == 401


def test_password(owned):
    """A new one ends the other logins, not this one; the old one opens nothing."""
    here, there = Browser(owned).login(), Browser(owned).login()
    fresh = "cellar.door.below"
    tells(here.post("/api/v1/password", {"old": VIEWER, "new": fresh}), 403, "old")
    tells(here.post("/api/v1/password", {"old": ADMIN, "new": "iloveyou1"}), 422)
    tells(here.post("/api/v1/password", {"old": ADMIN, "new": VIEWER}), 422, "same")
    tells(here.post("/api/v1/password", {"old": ADMIN}), 422, '"new" is missing')
    ws = watch(there)
    assert here.post("/api/v1/password", {"old": ADMIN, "new": fresh}).status == 204
    closes(ws, 1008, "logged_out")
    assert (here.session()["role"], there.session()["role"]) == ("admin", "none")
    tells(there.post("/api/v1/login", {"password": ADMIN}), 401)
    there.login(fresh)


def test_access(owned):
    """The owner says whether looking needs a login, and what viewers log in with."""
    admin, viewer, nobody = Browser(owned).login(), Browser(owned).login(VIEWER), Browser(owned)
    assert admin.json("/api/v1/access") == {"view_login": True, "viewer_password": True}
    assert admin.post("/api/v1/access", {"view_login": False}).status == 200
    assert nobody.session()["role"] == "viewer" and viewer.session()["role"] == "viewer"
    onlooker, known = watch(nobody), watch(viewer)
    assert admin.post("/api/v1/access", {"view_login": True}).status == 200
    closes(onlooker, 1008, "logged_out")
    known.result("ping")
    r = admin.post("/api/v1/access", {"viewer_password": None})
    assert json.loads(r.body) == {"view_login": True, "viewer_password": False}
    closes(known, 1008, "logged_out")
    tells(viewer.post("/api/v1/login", {"password": VIEWER}), 401)
    tells(admin.post("/api/v1/access", {"viewer_password": ADMIN}), 422, "same")
    tells(admin.post("/api/v1/access", {"view_login": "yes"}), 422, "true or false")
    assert admin.post("/api/v1/access", {"viewer_password": VIEWER}).status == 200
    viewer.login(VIEWER)


def test_guessing_is_slowed(owned):
    """Each address by itself; a login that exists goes on."""
    admin = Browser(owned).login()
    ws = watch(admin)
    guesser = Browser(owned)
    statuses = [guesser.post("/api/v1/login", {"password": f"guess{i}"}) for i in range(8)]
    slowed = [r for r in statuses if r.status == 429]
    assert {r.status for r in statuses} == {401, 429}
    assert all(int(r["Retry-After"]) >= 1 for r in slowed)
    tells(slowed[-1], 429, "Try again in")
    assert admin.session()["role"] == "admin"
    ws.result("ping")
    ws.end()
    until(lambda: guesser.post("/api/v1/login", {"password": ADMIN}).status == 200, 60)


def test_one_password_at_a_time(owned):
    """The next is told to come again; those who want something else do not notice."""
    page = Browser(owned)
    body = json.dumps({"password": "no.such.word"}).encode()
    head = [*page.headers(), ("Content-Type", "application/json"),
            ("Content-Length", str(len(body)))]  # fmt: skip
    streams = [owned.stream() for _ in range(4)]
    for st in streams:
        st.send(request("/api/v1/login", "POST", head, page.host, body))
    assert owned.http("/healthz").status == 200
    got = sorted(take_response(st).status for st in streams)
    for st in streams:
        st.close()
    assert got[0] == 401 and got[-1] == 429, got


@pytest.mark.parametrize(
    "type, body, status",
    [
        ("text/plain", b'{"password":"x"}', 415),
        ("application/x-www-form-urlencoded", b"password=x", 415),
        (None, b'{"password":"x"}', 415),
        ("application/json", b"", 400),
        ("application/json", b"[]", 400),
        ("application/json", b'{"password":"x"} x', 400),
        ("application/json", b'{"password":1}', 422),
        ("application/json", b"{}", 422),
        ("application/json", b'{"password":"' + b"x" * 5000 + b'"}', 413),
        ("application/json; charset=utf-8", b'{"password":"x"}', 401),
    ],
)
def test_bodies(owned, type, body, status):
    headers = [("Content-Length", str(len(body)))]
    if type:
        headers.append(("Content-Type", type))
    assert owned.http("/api/v1/login", "POST", headers=headers, body=body).status == status


def test_sessions_can_be_closed(owned):
    admin, viewer = Browser(owned).login(), Browser(owned).login(VIEWER)
    ws = watch(viewer)
    path = f"/api/v1/sessions/{ws.hello['session']}"
    tells(viewer.ask(path, "DELETE"), 403)
    assert admin.ask(path, "DELETE").status == 204
    closes(ws, 4002, "evicted")
    tells(admin.ask(path, "DELETE"), 404)
    tells(admin.ask("/api/v1/sessions/xyz", "DELETE"), 404)


def test_a_file_that_makes_no_sense_locks(start, tmp_path):
    """Better closed than open; what needs no login still answers."""
    owner.write(tmp_path / "data", view_login=False)
    path = tmp_path / "data" / "auth.json"
    path.write_text(path.read_text()[:-9])
    s = start.pulseboard("--data", tmp_path / "data")
    s.allow("level=warn event=auth_locked", NOTICES)
    page = Browser(s)
    assert page.session()["role"] == "none" and not page.session()["claimable"]
    tells(page.ask("/api/v1/info"), 401)
    tells(page.post("/api/v1/login", {"password": ADMIN}), 409)
    assert s.http("/healthz").status == 200
    assert "auth_locked" in s.log()


def test_an_admin_always_finds_a_place(start, tmp_path):
    """The viewer who has asked nothing for longest gives way; another viewer does not get in."""
    owner.write(tmp_path / "data", view_login=False)
    s = start.pulseboard("--data", tmp_path / "data", "--max-sessions", "2")
    s.allow(NOTICES)
    admin = Browser(s).login()
    older, younger = Rpc(s, pong=False), Rpc(s, pong=False)
    # Idleness is told in milliseconds: the older one asks in a later one than the younger did.
    asked = younger.result("ping")["up"]
    until(lambda: older.result("ping")["up"] > asked)
    older.result("ping")
    with pytest.raises(Refused) as refused:
        Rpc(s)
    assert refused.value.response.status == 503
    with watch(admin) as ws:
        closes(younger, 4002, "evicted")
        assert ws.hello["role"] == "admin"
        older.result("ping")
        assert s.stats()["sessions"]["capacity"] == 2
        ws.end()
    older.end()


def test_who_asks_too_much_is_closed(start):
    s = start.pulseboard("--max-asked", "20")
    s.allow("level=notice event=session_closed .*cause=protocol_error")
    with Rpc(s) as ws, Rpc(s) as other:
        for _ in range(20):
            ws.result("ping")
        ws.text('{"jsonrpc":"2.0","id":1,"method":"ping"}')
        assert ws.until_close() == (1008, "too many messages")
        other.result("ping")
        other.end()


def test_admins_may_more_over_the_socket(owned):
    admin, viewer = Browser(owned).login(), Browser(owned).login(VIEWER)
    owned.allow("level=notice event=log_level ")
    onlooker = watch(viewer)
    with watch(admin) as ws:
        assert onlooker.call("log.level")["error"]["data"]["code"] == "forbidden"
        assert ws.result("log.level") == {"level": "info"}
        assert ws.result("log.level", level="debug") == {"level": "debug"}
        ws.result("sessions.close", session=onlooker.hello["session"])
        closes(onlooker, 4002, "evicted")
        ws.end()


def test_who_logs_in_from_where_is_for_the_owner(owned):
    """A viewer sees that somebody did; over HTTP, asked for and told."""
    admin = Browser(owned).login()
    viewer = Browser(owned).login(VIEWER)
    watched = {page: watch(page) for page in (admin, viewer)}
    for ws in watched.values():
        assert "events" in ws.result("subscribe", topics=["events"])["topics"]
    tells(Browser(owned).post("/api/v1/login", {"password": "no.such.word"}), 401)
    for page, ws in watched.items():
        shown = "127.0.0.1" if page is admin else "hidden"
        said = ws.notification("event")
        assert said["event"] == "login" and said["text"].endswith(" result=wrong"), said
        asked = [e["text"] for e in ws.result("events")["events"] if e["event"] == "login"]
        over = json.loads(page.ask("/api/v1/events").body)["events"]
        assert asked == [e["text"] for e in over if e["event"] == "login"]
        assert said["text"] in asked
        assert all(t.startswith(f"address={shown}") for t in asked)
        ws.end()
    owned.settled()
