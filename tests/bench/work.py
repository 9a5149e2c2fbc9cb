"""The workloads: each is run against one server at a time and gives a few figures."""

import contextlib
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import server as srv
import wsraw
from peers import said

SILENT = ["--heartbeat-start-ms", "600000", "--heartbeat-min-ms", "600000",
          "--heartbeat-max-ms", "600000"]  # fmt: skip
# Sessions at which growth is looked at.
STEPS = [1, 4, 16, 64, 256, 1024]


@dataclass
class Cell:
    """One figure of one server in one workload."""

    work: str
    peer: str
    what: str
    value: float
    unit: str
    better: str = "more"  # or "less", or "" for information


class Work:
    """name: of the table. peers: who can do it, ours first. run(peer) yields cells."""

    def __init__(self, name, peers, run, full=False):
        self.name, self.peers, self.run, self.full = name, peers, run, full


class Works:
    def __init__(self, field, seconds, most):
        self.field, self.seconds, self.most = field, seconds, most
        self.busiest = 0.0  # of the generator, as a share of a core
        self.growth = {}  # what -> peer -> {sessions: [values]}

    # --- how a server is started and looked at ------------------------------------------------

    def start(self, peer, *args, tls=False, sessions=0):
        f = self.field
        if peer == "pulseboard":
            return f.ws_echo(*SILENT, *args, tls=tls)
        how = {"bare": f.of_bare, "libwebsockets": f.of_lws, "civetweb": f.of_civet,
               "websockets": f.of_python}[peer]  # fmt: skip
        return how(*args, tls=tls, sessions=sessions)

    @contextlib.contextmanager
    def up(self, peer, *args, **how):
        s = self.start(peer, *args, **how)
        try:
            yield s
        finally:
            s.kill()

    def measure(self, s, mode, *args, tls=False, seconds=None):
        """The generator's report, with the server's CPU time while it ran as `cpu_s`."""
        seconds = seconds or self.seconds
        with self.field.clients(s, mode, *args, "--seconds", seconds, tls=tls) as p:
            cpu, wakes = s.cpu_ns(), s.wakeups()
            p.stdin.write("go\n")
            p.stdin.flush()
            report = json.loads(said(p, seconds + 30))
            report["cpu_s"] = (s.cpu_ns() - cpu) / 1e9
            report["wakes"] = s.wakeups() - wakes
        self.busiest = max(self.busiest, report["busy"])
        return report

    def grown(self, what, peer, n, value):
        self.growth.setdefault(what, {}).setdefault(peer, {}).setdefault(n, []).append(value)

    # --- the workloads ------------------------------------------------------------------------

    def idle(self, tls):
        """Memory as sessions come: the slope between two crowds, and the way there."""
        name = "idle sessions, " + ("TLS" if tls else "plain")
        steps = [n for n in STEPS if n <= (256 if tls else self.most)]

        def run(peer):
            with self.up(peer, tls=tls, sessions=self.most) as s, contextlib.ExitStack() as held:
                open_now, seen = 0, []
                slab = kernel_kb()
                for n in steps:
                    held.enter_context(
                        self.field.clients(s, "hold", "--sessions", n - open_now, tls=tls))
                    open_now = n
                    seen.append(settled_pss(s))
                    self.grown(f"memory, kB, {'TLS' if tls else 'plain'}", peer, n, seen[-1])
                slab = kernel_kb() - slab
                step = steps[-1] - steps[-2]
                yield Cell(name, peer, "memory per session, process", (seen[-1] - seen[-2]) / step,
                           "kB", "less")  # fmt: skip
                yield Cell(name, peer, "memory per session, kernel, both ends", slab / open_now,
                           "kB", "")  # fmt: skip
                yield Cell(name, peer, f"memory with {open_now}", seen[-1] / 1000, "MB", "less")
                yield Cell(name, peer, "threads", s.threads(), "", "less")

        return Work(name, ["pulseboard", "libwebsockets", "civetweb", "websockets"], run, tls)

    def fanout(self, sessions, size, hz, full=False, peers=None):
        flat = hz >= 10000
        name = f"fan-out, {sessions} sessions, {size} B, " + ("flat out" if flat else f"{hz} Hz")

        def run(peer):
            with self.up(peer, "--broadcast", hz, "--size", size, sessions=sessions) as s:
                r = self.measure(s, "fanout", "--sessions", sessions)
                per_cpu = r["done"] / r["cpu_s"]
                yield Cell(name, peer, "deliveries per CPU second", per_cpu, "")
                if flat:
                    yield Cell(name, peer, "deliveries per second", r["done"] / r["seconds"], "")
                else:
                    yield Cell(name, peer, "CPU", 100 * r["cpu_s"] / r["seconds"], "%", "less")
                    yield Cell(name, peer, "latency, median", r["ms"]["p50"], "ms", "less")
                    share = r["done"] / (hz * sessions * r["seconds"])
                    yield Cell(name, peer, "share delivered", 100 * share, "%", "")

        everyone = ["pulseboard", "bare", "libwebsockets", "civetweb", "websockets"]
        return Work(name, peers or everyone, run, full)

    def fanout_growth(self):
        name = "fan-out as sessions grow, 512 B, 20 Hz"

        def run(peer):
            for n in STEPS:
                if n > self.most:
                    continue
                with self.up(peer, "--broadcast", 20, "--size", 512, sessions=n) as s:
                    r = self.measure(s, "fanout", "--sessions", n)
                    self.grown("CPU, %, 512 B at 20 Hz to all", peer, n,
                               100 * r["cpu_s"] / r["seconds"])  # fmt: skip
            yield Cell(name, peer, f"CPU at {n}", 100 * r["cpu_s"] / r["seconds"], "%", "less")

        return Work(name, ["pulseboard", "bare", "libwebsockets", "civetweb"], run, True)

    def echo(self, size, full=False):
        name = f"echo, 64 sessions, {size} B, one at a time"

        def run(peer):
            with self.up(peer, sessions=64) as s:
                r = self.measure(s, "echo", "--sessions", 64, "--size", size)
                yield Cell(name, peer, "messages per CPU second", r["done"] / r["cpu_s"], "")
                yield Cell(name, peer, "latency, median", r["ms"]["p50"], "ms", "less")

        return Work(name, ["pulseboard", "bare", "libwebsockets", "civetweb", "websockets"], run,
                    full)  # fmt: skip

    def connects(self, tls, resumed=False, full=False):
        kind = "plain" if not tls else "TLS resumed" if resumed else "TLS full handshake"
        name = f"connect and close, {kind}"

        def run(peer):
            with self.up(peer, tls=tls, sessions=64) as s:
                how = [] if resumed or not tls else ["--once"]
                r = self.measure(s, "connect", "--sessions", 8, *how, tls=tls)
                yield Cell(name, peer, "connections per CPU second", r["done"] / r["cpu_s"], "")
                yield Cell(name, peer, "latency, median", r["ms"]["p50"], "ms", "less")
                if resumed:
                    yield Cell(name, peer, "resumed", 100 * r["resumed"] / max(r["done"], 1), "%", "")

        peers = ["pulseboard", "libwebsockets", "civetweb", "websockets"]
        return Work(name, peers if tls else [peers[0], "bare", *peers[1:]], run, full)

    def page(self, once):
        name = f"page of {self.field.page} B, " + ("a connection each" if once else "keep-alive")
        f = self.field

        def run(peer):
            start = {"pulseboard": f.pulseboard, "bare": f.of_bare, "civetweb": f.of_civet,
                     "nginx": f.nginx, "lighttpd": f.lighttpd}[peer]  # fmt: skip
            path = "/" if peer in ("pulseboard", "bare") else "/page.gz"
            s = start()
            try:
                how = ["--once"] if once else []
                r = self.measure(s, "page", "--sessions", 16, "--path", path, *how)
            finally:
                s.kill()
            yield Cell(name, peer, "pages per CPU second", r["done"] / r["cpu_s"], "")
            yield Cell(name, peer, "pages per second", r["done"] / r["seconds"], "")
            yield Cell(name, peer, "latency, median", r["ms"]["p50"], "ms", "less")
            yield Cell(name, peer, "failed", r["failed"], "", "")

        web = ["nginx", "lighttpd"] if f.debian else []
        return Work(name, ["pulseboard", "bare", *web, "civetweb"], run)

    def reports(self):
        """What /ws/stats and /metrics take while many sessions are open."""
        name = f"answers with {self.most} sessions open"

        def run(peer):
            s = self.field.pulseboard("--max-sessions", self.most, *SILENT)
            try:
                with self.field.clients(s, "hold", "--sessions", self.most):
                    for path in ("/ws/stats", "/metrics"):
                        cpu, rounds, size = s.cpu_ns(), 20, 0
                        for _ in range(rounds):
                            r = wsraw.http(s.addr, path)
                            assert r.status == 200, r.status
                            size = len(r.body)
                        took = (s.cpu_ns() - cpu) / 1e6 / rounds
                        yield Cell(name, peer, f"{path}, CPU", took, "ms", "")
                        yield Cell(name, peer, f"{path}, size", size / 1000, "kB", "")
            finally:
                s.kill()

        return Work(name, ["pulseboard"], run, True)

    def stalled(self, stalled, of):
        name = f"{stalled} of {of} stop reading, 512 B, 200 Hz"

        def run(peer):
            with self.up(peer, "--broadcast", 200, "--size", 512, sessions=of) as s:
                before = settled_pss(s)
                r = self.measure(s, "fanout", "--sessions", of, "--stalled", stalled,
                                 seconds=2 * self.seconds)  # fmt: skip
                yield Cell(name, peer, "largest gap of the others", r["gap_ms"], "ms", "less")
                yield Cell(name, peer, "memory gained", (settled_pss(s) - before) / 1000, "MB",
                           "less")  # fmt: skip

        return Work(name, ["pulseboard", "libwebsockets", "civetweb", "websockets"], run, True)

    def alone(self):
        name = "nobody connected"

        def run(peer):
            s = self.field.pulseboard()
            try:
                s.http("/healthz")
                cpu, wakes, began = s.cpu_ns(), s.wakeups(), time.monotonic()
                time.sleep(3 * self.seconds)
                took = time.monotonic() - began
                yield Cell(name, peer, "CPU, sampling at 1 Hz", (s.cpu_ns() - cpu) / took / 1e7, "%",
                           "less")  # fmt: skip
                yield Cell(name, peer, "wake-ups per second", (s.wakeups() - wakes) / took, "",
                           "less")  # fmt: skip
            finally:
                s.kill()

        return Work(name, ["pulseboard"], run)

    def begin(self):
        name = "from start to the first answer"

        def run(peer):
            began = time.monotonic()
            if peer in ("nginx", "lighttpd"):
                s = getattr(self.field, peer)()
            elif peer == "pulseboard":
                s = self.field.pulseboard()
            else:
                s = self.start(peer)
            try:
                wsraw.tcp(s.addr).close()
                yield Cell(name, peer, "time", 1000 * (time.monotonic() - began), "ms", "less")
            finally:
                s.kill()

        web = ["nginx", "lighttpd"] if self.field.debian else []
        return Work(name, ["pulseboard", "libwebsockets", *web, "civetweb", "websockets"], run, True)

    def calls(self):
        """System calls per delivered message, counted by strace (which slows: no times)."""
        name = "system calls, 64 sessions, 512 B, 100 Hz"

        def run(peer):
            with self.up(peer, "--broadcast", 100, "--size", 512, sessions=64) as s:
                with self.field.clients(s, "fanout", "--sessions", 64, "--seconds", 2) as p:
                    told = self.field.folder / "calls"
                    tracer = subprocess.Popen(["strace", "-q", "-f", "-c", "-o", told, "-p",
                                               str(s.pid)], stderr=subprocess.DEVNULL)  # fmt: skip
                    srv.until(lambda: traced(s.pid), 10, "strace did not attach")
                    p.stdin.write("go\n")
                    p.stdin.flush()
                    r = json.loads(said(p, 60))
                    tracer.terminate()
                    tracer.wait()
                total = re.search(r"^\s*100.00\s+\S+\s+\S+\s+(\d+)", told.read_text(), re.M)
                yield Cell(name, peer, "calls per message", int(total[1]) / r["done"], "", "less")

        return Work(name, ["pulseboard", "bare", "libwebsockets", "civetweb"], run, True)

    def all(self):
        return [
            self.idle(False), self.idle(True),
            self.fanout(64, 512, 500),
            self.fanout(64, 64, 500, True), self.fanout(64, 16384, 50, True),
            self.fanout(512, 512, 50, True),
            self.fanout(64, 512, 10000), self.fanout(512, 512, 10000, True),
            self.fanout_growth(),
            self.echo(64), self.echo(4096, True),
            self.connects(False), self.connects(True), self.connects(True, resumed=True, full=True),
            self.page(False), self.page(True),
            self.reports(), self.stalled(1, 32), self.stalled(16, 64),
            self.calls(), self.alone(), self.begin(),
        ]  # fmt: skip


def traced(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return re.search(r"^TracerPid:\s*[1-9]", status, re.M)


def settled_pss(s):
    """Pss once two looks agree: what was started has come to rest."""
    last = [-1]

    def look():
        before, last[0] = last[0], s.memory_kb()["Pss"]
        return before == last[0]

    srv.until(look, 10, "its memory does not come to rest")
    return last[0]


def kernel_kb():
    """What the kernel holds for everybody: it is the machine's, so take it on a quiet one."""
    text = Path("/proc/meminfo").read_text()
    return sum(int(n) for n in re.findall(r"^(?:Slab|KernelStack|PageTables):\s+(\d+)", text, re.M))
