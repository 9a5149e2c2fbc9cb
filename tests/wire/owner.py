"""A board that has an owner, and those who log in to it.

auth.json is written by the test, with the fewest rounds that the program takes: what is shown
here does not get truer by waiting."""

import hashlib
import json
import os
import secrets

from wsraw import http

ADMIN, VIEWER = "kitchen.window.left", "garden.gate.right"
ROUNDS = 100_000


def write(folder, *, view_login=True, viewer=True, tokens=()):
    """Owned by who knows ADMIN. tokens: (text, role, ends) each."""
    salt = os.urandom(16)

    def stretched(password):
        return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS).hex()

    store = {
        "version": 1, "view_login": view_login, "rounds": ROUNDS, "salt": salt.hex(),
        "admin": stretched(ADMIN), "last_id": len(tokens),
        "tokens": [
            {"id": i, "name": f"t{i}", "role": role, "made": 1_700_000_000, "ends": ends,
             "hash": hashlib.sha256(bytes.fromhex(text[3:])).hexdigest()}
            for i, (text, role, ends) in enumerate(tokens, 1)
        ],
    }  # fmt: skip
    if viewer:
        store["viewer"] = stretched(VIEWER)
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "auth.json").write_text(json.dumps(store))


def token():
    return "pb_" + secrets.token_hex(32)


class Browser:
    """What a page of this board sends: its cookie, and where it is from."""

    def __init__(self, server, secure=False):
        self.server, self.secure = server, secure
        self.addr, self.tls = server.where(secure)
        self.origin = f"{'https' if secure else 'http'}://localhost:{self.addr[1]}"
        self.host = f"localhost:{self.addr[1]}"
        self.cookie = None

    def headers(self):
        got = [("Origin", self.origin)]
        if self.cookie:
            got.append(("Cookie", self.cookie))
        return got

    def ask(self, path, method="GET", body=None, headers=()):
        """The answer; a cookie that it sets is kept, as a browser would."""
        given = [*self.headers(), *headers]
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            given += [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        r = http(self.addr, path, method, given, self.tls, self.host, data)
        if r["Set-Cookie"]:
            pair = r["Set-Cookie"].split(";")[0]
            self.cookie = pair if pair.split("=")[1] else None
        return r

    def post(self, path, body):
        return self.ask(path, "POST", body)

    def json(self, path):
        r = self.ask(path)
        assert r.status == 200, r
        return json.loads(r.body)

    def login(self, password=ADMIN):
        r = self.post("/api/v1/login", {"password": password})
        assert r.status == 200, r
        return self

    def session(self):
        return self.json("/api/v1/session")
