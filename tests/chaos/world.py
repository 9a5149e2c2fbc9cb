"""The server of a chaos run, its viewers, and what can be seen of it from outside."""

import contextlib
import json
import socket
import ssl
from pathlib import Path

import netns
import server as srv
import wsraw
from cage import Disk
from ledger import ledger
from peers import Peer, Visitors

PORT, TLS_PORT = 8080, 8443
# Short enough that many heartbeats fall into each act.
PULSE = {"start_ms": 3000, "min_ms": 2000, "max_ms": 6000}


class Board(srv.Server):
    """A server at the near end of a wire, or without one on loopback; looked at from beside."""

    def __init__(self, near, host, ports, *args, **how):
        self.near, self.host, self.ports = near, host, ports
        near(super().__init__, *args, **how)

    def where(self, secure=False):
        return (self.host, self.ports[secure]), self.tls if secure else None

    def http(self, path="/", method="GET", **how):
        return self.near(wsraw.http, self.addr, path, method, **how)


def here(fn, *args, **how):
    return fn(*args, **how)


def free_ports():
    """Two that nobody has; they may be taken again before we bind them, which would be seen."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(2)]
        for s in socks:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in socks]


class World:
    """Leave it by close(); what it had is then gone."""

    def __init__(self, name, folder, wired, mounts, binary, env=None):
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.wire = netns.Wire() if wired else None
        self.near = self.wire.near.call if wired else here
        self.far = self.wire.far.call if wired else here
        host = netns.SERVER if wired else "127.0.0.1"
        ports = [PORT, TLS_PORT] if wired else free_ports()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.disk = Disk(self.data) if mounts else None
        config = self.folder / "config.json"
        config.write_text(json.dumps({"heartbeat": PULSE, "sample_ms": 200, "statsd": "off",
                                      "history": {"save_s": 3}}))  # fmt: skip
        # Not beside the data: its user may read the folder of the configuration.
        self.folder.chmod(0o755)
        argv = [binary, "serve", "--data", self.data, "--config", config, "--http", "full",
                "--listen", "127.0.0.1:0", "--listen", f"{host}:{ports[0]}",
                "--tls-listen", f"{host}:{ports[1]}"]  # fmt: skip
        self.server = Board(self.near, host, ports, argv, self.folder / "server.log", env=env)
        self.ledger = ledger(self.server.pid, f"pulseboard-{name}")
        self.shift = None  # the file that sets its clock
        self.peers, self.visitors = [], None
        try:
            self.server.tls = srv.ssl_context(self._ca())
        except BaseException:
            self.close()
            raise

    def _ca(self):
        """From the server itself: the folder is its user's alone."""
        r = self.server.http("/ca.crt")
        assert r.status == 200, r
        path = self.folder / "ca.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(r.body))
        return path

    def enter_far(self):
        if self.wire:
            self.wire.far.enter()

    def addresses(self):
        return netns.PEERS if self.wire else [f"127.0.0.{i}" for i in range(2, 10)]

    def populate(self, n):
        """n viewers, every third over TLS, and one who comes and goes from the last address."""
        a = self.addresses()
        self.peers = [Peer(self, a[i % (len(a) - 1)], i % 3 == 2) for i in range(n)]
        self.visitors = Visitors(self, a[-1])
        self.all_open()

    def all_open(self, timeout=60):
        """Every viewer is there (again)."""

        def look():
            self.check_peers()
            return all(p.open() for p in self.peers)

        srv.until(look, timeout, lambda: f"{sum(not p.open() for p in self.peers)} are not back")

    def check_peers(self):
        for p in (*self.peers, self.visitors):
            if p and p.fault:
                raise AssertionError(f"a peer saw {p.fault!r}") from p.fault

    def seen(self):
        """Memory, descriptors and the kernel's share, now."""
        return {"rss": self.server.rss_kb(), "fds": self.server.fds(),
                "kernel": self.ledger.kernel_kb() if self.ledger else None}  # fmt: skip

    def depart(self):
        for p in (*self.peers, self.visitors):
            p.stop()
        self.check_peers()

    def close(self):
        self.server.kill()
        if self.ledger:
            self.ledger.close()
        if self.wire:
            self.wire.stop()
        if self.disk:
            self.disk.close()

    def log_faults(self):
        """Lines of level error, and what sanitizers said."""
        lines = [ln for level, _, ln in self.server.loud() if level in ("error", "?")]
        return lines + srv.SANITIZER.findall(self.server.log())


def shift_library():
    """The clock that can be set, if a build is there that can load it."""
    for preset in ("dev", "tsan"):
        library = Path(srv.TOP) / "build" / preset / "tests" / "shift.so"
        if library.exists():
            return library
    return None
