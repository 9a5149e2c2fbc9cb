"""A JSON-RPC client of the appliance on top of wsraw."""

import itertools
import json

from wsraw import TEXT, Ws


class Rpc(Ws):
    """Open, with the server's hello read. Notifications are kept in self.told.

    Telemetry is followed as it comes, and must be in order: `base` is the frame before.
    Each gets its whole values as `all`, once the session has seen a whole frame."""

    def __init__(self, server, secure=False, **how):
        addr, tls = server.where(secure)
        super().__init__(addr, tls, **how)
        self.ids = itertools.count(1)
        self.told = []
        self.seq = self.values = None
        self.hello = self.notification("hello")

    def object(self, timeout=None):
        op, payload = self.message(timeout)
        assert op == TEXT
        got = json.loads(payload)
        if isinstance(got, dict) and got.get("method") == "telemetry":
            self.follow(got["params"])
        return got

    def follow(self, t):
        if "base" in t:
            assert t["base"] == t["seq"] - 1
            assert self.seq == t["base"] or (
                self.seq is None and self.hello["resumed"] == "replay"
            ), (self.seq, t)
            if self.values is not None:
                self.values.update(t["values"])
        else:
            assert None not in t["values"].values(), "a whole frame holds what there is"
            self.values = dict(t["values"])
        if self.values is not None:
            self.values = {k: v for k, v in self.values.items() if v is not None}
            t["all"] = self.values
        self.seq = t["seq"]

    def notification(self, method, timeout=None):
        """The next one of this method; those before it are kept."""
        for i, n in enumerate(self.told):
            if n["method"] == method:
                return self.told.pop(i)["params"]
        while True:
            got = self.object(timeout)
            assert got["jsonrpc"] == "2.0" and "id" not in got, got
            if got["method"] == method:
                return got["params"]
            self.told.append(got)

    def answer(self):
        """The next message that is no notification."""
        while True:
            got = self.object()
            if isinstance(got, list) or "method" not in got:
                return got
            self.told.append(got)

    def ask(self, text):
        """Sends the text as it is and returns the answer."""
        self.text(text if isinstance(text, (str, bytes)) else json.dumps(text))
        return self.answer()

    def call(self, method, **params):
        i = next(self.ids)
        got = self.ask({"jsonrpc": "2.0", "id": i, "method": method, "params": params})
        assert got["jsonrpc"] == "2.0" and got["id"] == i, got
        return got

    def result(self, method, **params):
        return self.call(method, **params)["result"]
