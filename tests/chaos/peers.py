"""The viewers of a chaos run: each follows the board through whatever happens, comes back by
resuming when its connection breaks, and looks at every message."""

import json
import random
import threading
import time

import wsraw
from rpc import Rpc

# Longer than the server takes to find out: what breaks is for it to say.
SILENCE_S = 60.0
OUTAGES = (OSError, wsraw.Eof, wsraw.Refused)


class Client(threading.Thread):
    """Does the same again and again, from the far end of the wire, through outages. `fault` is
    what it saw and must not have seen."""

    def __init__(self, world, source):
        super().__init__(daemon=True)
        self.world, self.source = world, source
        self.over = threading.Event()
        self.fault = None

    def run(self):
        try:
            self.world.enter_far()
            while not self.over.is_set():
                try:
                    self._turn()
                except (*OUTAGES, wsraw.Torn) as e:
                    if isinstance(e, wsraw.Torn) and self._is_fault(e):
                        raise
                    self._outage()
        except Exception as e:  # for whoever judges
            self.fault = e

    def stop(self):
        self.over.set()
        self.join(30)


class Peer(Client):
    """One viewer. `breaks` counts connections that it lost."""

    def __init__(self, world, source, secure):
        super().__init__(world, source)
        self.secure = secure
        self.breaks = self.resumed = self.messages = 0
        self.gap_s = 0.0
        self.ws = None
        self.ticket = None
        self.start()

    @staticmethod
    def _is_fault(torn):
        """Being told that this is the end is none."""
        return "op=8" not in str(torn)

    def _outage(self):
        self.breaks += not self.over.is_set()
        self.over.wait(0.2)

    def _path(self):
        if not self.ticket:
            return "/ws"
        token, seq, epoch = self.ticket
        return f"/ws?resume={token}&seq={seq}&epoch={epoch}"

    def _turn(self):
        ws = Rpc(self.world.server, self.secure, path=self._path(), source=self.source,
                 timeout=20)  # fmt: skip
        self.ws = ws
        try:
            self.resumed += ws.hello["resumed"] == "replay"
            last = time.monotonic()
            while not self.over.is_set():
                seq = ws.notification("telemetry", SILENCE_S)["seq"]
                self.ticket = ws.hello["resume"], seq, ws.hello["epoch"]
                self.messages += 1
                now = time.monotonic()
                self.gap_s, last = max(self.gap_s, now - last), now
            ws.end()
        finally:
            self.ws = None
            ws.close()

    def open(self):
        return self.ws is not None and self.ticket is not None


class Visitors(Client):
    """Somebody who comes and goes all the time: pages, stats, short sessions that end in every
    way. What he is refused he takes; what he is answered must be right."""

    def __init__(self, world, source):
        super().__init__(world, source)
        self.chance = random.Random(2)
        self.pages = self.sessions = self.refused = 0
        self.start()

    def _turn(self):
        self.chance.choice((self._page, self._session))()
        self.over.wait(0.05)

    def _outage(self):
        self.refused += 1
        self.over.wait(0.05)

    @staticmethod
    def _is_fault(torn):
        """A head that was cut off is an outage; anything else is a fault."""
        return "status line ''" not in str(torn)

    def _page(self):
        path = self.chance.choice(("/", "/ws/stats", "/healthz", "/metrics"))
        addr, tls = self.world.server.where(self.chance.random() < 0.3)
        with wsraw.connect(addr, tls, source=self.source, timeout=5) as st:
            st.send(wsraw.request(path, headers=[("Connection", "close")]))
            r = wsraw.take_response(st)
        if r.status not in (200, 503):
            raise AssertionError(f"{path}: {r}")
        if path == "/ws/stats" and r.status == 200:
            json.loads(r.body)
        self.pages += 1

    def _session(self):
        ws = Rpc(self.world.server, self.chance.random() < 0.3, source=self.source, timeout=5)
        try:
            self.sessions += 1
            assert ws.result("ping")["up"] > 0
            how = self.chance.choice(("end", "rst", "fin", "close"))
            getattr(ws, how)()
        finally:
            if ws.fileno() >= 0:
                ws.close()
