"""Every route and method, by everybody: with no credential, with wrong, expired and revoked ones,
with each role's, from our page, from another, from none, and under a foreign name.

What there is comes from the program itself (`pulseboard routes`); who may is written here once
more, by hand: a new route that nobody has thought about has no row, and fails."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import owner
import pytest
import server as srv
from owner import ADMIN, VIEWER, Browser
from rpc import Rpc
from wsraw import UPGRADE, connect, request, take_head

NONE, VIEW, ADMINS = "none", "viewer", "admin"
ROLES = {NONE: 0, VIEW: 1, ADMINS: 2}
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}

HTTP = {
    ("GET", "/"): NONE,
    ("GET", "/stats"): NONE,
    ("GET", "/history"): NONE,
    ("GET", "/events"): NONE,
    ("GET", "/device"): NONE,
    ("GET", "/messages/*"): NONE,
    ("GET", "/stats.txt"): VIEW,
    ("GET", "/ca.crt"): NONE,
    ("GET", "/trust"): NONE,
    ("GET", "/ws"): VIEW,
    ("GET", "/ws/stats"): VIEW,
    ("GET", "/metrics"): VIEW,
    ("GET", "/healthz"): NONE,
    ("GET", "/readyz"): NONE,
    ("GET", "/api/v1/info"): VIEW,
    ("GET", "/api/v1/events"): VIEW,
    ("GET", "/api/v1/openapi.json"): NONE,
    ("GET", "/api/v1/telemetry"): VIEW,
    ("GET", "/api/v1/history"): VIEW,
    ("POST", "/api/v1/publish"): ADMINS,
    ("GET", "/api/v1/certificate"): VIEW,
    ("POST", "/api/v1/certificate"): ADMINS,
    ("DELETE", "/api/v1/certificate"): ADMINS,
    ("GET", "/api/v1/update"): VIEW,
    ("POST", "/api/v1/update"): ADMINS,
    ("POST", "/api/v1/reboot"): ADMINS,
    ("GET", "/.well-known/security.txt"): NONE,
    ("GET", "/.well-known/change-password"): NONE,
    ("GET", "/api/v1/session"): NONE,
    ("POST", "/api/v1/claim"): NONE,
    ("POST", "/api/v1/login"): NONE,
    ("POST", "/api/v1/logout"): NONE,
    ("POST", "/api/v1/password"): ADMINS,
    ("GET", "/api/v1/access"): ADMINS,
    ("POST", "/api/v1/access"): ADMINS,
    ("GET", "/api/v1/tokens"): ADMINS,
    ("POST", "/api/v1/tokens"): ADMINS,
    ("DELETE", "/api/v1/tokens/*"): ADMINS,
    ("GET", "/api/v1/sessions"): ADMINS,
    ("DELETE", "/api/v1/sessions/*"): ADMINS,
}

RPC = {
    "ping": VIEW,
    "info": VIEW,
    "snapshot": VIEW,
    "stats": VIEW,
    "history": VIEW,
    "events": VIEW,
    "subscribe": VIEW,
    "unsubscribe": VIEW,
    "sessions.close": ADMINS,
    "log.level": ADMINS,
}


def tables():
    text = subprocess.run([srv.PULSEBOARD, "routes"], capture_output=True, check=True).stdout
    got = json.loads(text)
    http = {(m, r["path"]): r["role"] for r in got["http"] for m in r["methods"]}
    return http, {m["method"]: m["role"] for m in got["rpc"]}


def test_somebody_has_thought_about_each():
    """A row that is missing here is a decision that is missing; one too many is about something
    that is no more, and would hide that its successor has none."""
    http, rpc = tables()
    assert http == HTTP
    assert rpc == RPC


def test_each_is_written_once():
    """A dict keeps the last of two rows, and says nothing."""
    text = Path(__file__).read_text()
    rows = re.findall(r'^    (\("[A-Z]+", "/[^"]*"\)|"[a-z.]+"): (?:NONE|VIEW|ADMINS),$', text, re.M)
    assert len(rows) == len(set(rows)) == len(HTTP) + len(RPC)


class Asker:
    """One who asks: by what, and as what the board shall take it."""

    def __init__(self, name, role, headers=(), ambient=False):
        self.name, self.role, self.headers, self.ambient = name, role, list(headers), ambient


@pytest.fixture(scope="module")
def world(start_module, tmp_path_factory):
    """A board where looking needs a login, and everybody who may come along."""
    data = tmp_path_factory.mktemp("access") / "data"
    viewer, admin, expired, revoked = (owner.token() for _ in range(4))
    owner.write(data, tokens=[
        (viewer, "viewer", 0), (admin, "admin", int(time.time()) + 86400),
        (expired, "admin", int(time.time()) - 1), (revoked, "admin", 0),
    ])  # fmt: skip
    s = start_module.pulseboard("--data", data, "--http", "full", secure=True)
    s.credentials = bearer(viewer)
    s.allow("level=notice event=(login|logout|token_revoke|log_level) ")
    return s, [
        *(a for secure in (False, True) for a in browsers(s, secure)),
        Asker("nobody", NONE),
        Asker("token viewer", VIEW, bearer(viewer)),
        Asker("token admin", ADMINS, bearer(admin)),
        Asker("token wrong", NONE, bearer(owner.token())),
        Asker("token expired", NONE, bearer(expired)),
        Asker("token revoked", NONE, revoke(s, revoked, 4)),
        Asker("password as basic", NONE, [("Authorization", "Basic " + ADMIN)]),
    ]


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def revoke(server, token, number):
    page = Browser(server).login()
    assert page.ask(f"/api/v1/tokens/{number}", "DELETE").status == 204
    return bearer(token)


def cookie(value):
    return [("Cookie", value)]


def browsers(server, secure):
    """Cookies of each role, of one who logged out, of the other door, and invented."""
    kind = "https" if secure else "http"
    jar = {p: Browser(server, secure).login(p).cookie for p in (ADMIN, VIEWER)}
    gone = Browser(server, secure).login()
    old = gone.cookie
    assert gone.post("/api/v1/logout", {}).status == 200
    name = old.split("=")[0]
    other = {"pulseboard": "__Host-pulseboard", "__Host-pulseboard": "pulseboard"}[name]
    value = jar[ADMIN].split("=")[1]
    for who, text, role in (
        ("admin", jar[ADMIN], ADMINS), ("viewer", jar[VIEWER], VIEW), ("logged out", old, NONE),
        ("wrong", f"{name}={'0' * 64}", NONE), ("of the other door", f"{other}={value}", NONE),
        ("twice", f"{jar[ADMIN]}; {jar[VIEWER]}", NONE),
    ):  # fmt: skip
        asker = Asker(f"{kind} cookie {who}", role, cookie(text), ambient=role != NONE)
        asker.secure = secure
        yield asker


# From where a page asks: the name that it asks by, and its Origin. {}: the door asked.
PLACES = {
    "our page": ("localhost:{}", "{}://localhost:{}"),
    "no page": ("localhost:{}", None),
    "another page": ("localhost:{}", "{}://evil.example:{}"),
    "another port": ("localhost:{}", "{}://localhost:1"),
    "a file": ("localhost:{}", "null"),
    "a foreign name": ("evil.example:{}", "{}://evil.example:{}"),
}


def expected(method, path, asker, place, role):
    """The status, or None: whatever the handler says, which is not for this test."""
    upgrade = path == "/ws"
    if place == "a foreign name":
        return 403
    ours = place == "our page" or (place == "no page" and not asker.ambient)
    if method in CHANGES and not ours:
        return 403
    if ROLES[asker.role] < ROLES[role]:
        return 401 if asker.role == NONE else 403
    if upgrade:
        return 101 if ours else 403
    return None


def ask(server, secure, method, path, asker, place):
    """The status alone. The body is nothing that a handler would act on."""
    addr, tls = server.where(secure)
    name, origin = PLACES[place]
    headers = [*asker.headers]
    if origin:
        headers.append(("Origin", origin.format("https" if secure else "http", addr[1])))
    if path == "/ws":
        headers += UPGRADE
    else:
        headers.append(("Connection", "close"))
    body = b"x" if method in CHANGES else b""
    if body:
        headers += [("Content-Type", "application/x-nothing"), ("Content-Length", "1")]
    with connect(addr, tls) as st:
        st.send(request(path.replace("*", "0"), method, headers, name.format(addr[1]), body))
        return take_head(st)[0]


def test_every_route_by_everybody(world, figure):
    server, askers = world
    table, wrong = [], []
    for (method, path), role in tables()[0].items():
        for asker in askers:
            for place in PLACES:
                secure = getattr(asker, "secure", False)
                want = expected(method, path, asker, place, role)
                got = ask(server, secure, method, path, asker, place)
                fits = got == want if want else got not in (101, 401, 403)
                row = f"{method:6} {path:22} {asker.name:28} {place:14} {want or 'served'} {got}"
                table.append(row)
                if not fits:
                    wrong.append(row)
    keep("access.txt", table)
    assert not wrong, "\n".join(wrong)
    figure("requests, expected and seen", len(table))
    server.settled()


def keep(name, rows):
    """The table, for people: where the logs of the run are."""
    folder = Path(os.environ.get("PULSEBOARD_TABLES", srv.BUILD.parent / "test-logs"))
    if folder.is_dir():
        (folder / name).write_text("\n".join(rows) + "\n")


def test_every_method_by_each_role(world, figure):
    """Over the WebSocket each message is judged by itself."""
    server, askers = world
    tried = 0
    for asker in askers:
        if asker.role == NONE:
            continue
        secure = getattr(asker, "secure", False)
        addr = server.where(secure)[0]
        origin = f"{'https' if secure else 'http'}://localhost:{addr[1]}"
        with Rpc(server, secure, headers=[*asker.headers, ("Origin", origin)],
                 host=f"localhost:{addr[1]}") as ws:  # fmt: skip
            assert ws.hello["role"] == asker.role
            for method, role in tables()[1].items():
                answer = ws.call(method)
                code = answer.get("error", {}).get("code")
                if ROLES[asker.role] < ROLES[role]:
                    assert code == -32003, (asker.name, method, answer)
                else:
                    assert code not in (-32003, -32601), (asker.name, method, answer)
                tried += 1
            ws.end()
    figure("calls, expected and seen", tried)
    server.settled()
