"""Starts the programs under test on port 0, looks at them from outside (/proc, /ws/stats,
their log), and judges how they end."""

import contextlib
import json
import os
import re
import resource
import select
import signal
import ssl
import subprocess
import time
from collections import Counter
from pathlib import Path

import wsraw
from built import BUILD, SLOWER, TOP

PULSEBOARD = BUILD / "pulseboard"
WS_ECHO = BUILD / "tests" / "ws_echo"

# The causes of DESIGN.md 5, all of them always present in /ws/stats.
CAUSES = {
    "peer_closed", "peer_gone", "peer_reset", "heartbeat_lost", "slow_reader", "logged_out",
    "expired", "evicted", "protocol_error", "shutdown", "internal_error",
}  # fmt: skip

SANITIZER = re.compile(
    r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:)"
)
# What the program tells whoever stands at the device while nobody has claimed it.
UNOWNED = re.compile(r"^pulseboard: nobody owns this board yet; .* enter the code in \S+/claim-code$")
LINE = re.compile(r"^time=\S+ level=(error|warn|notice|info|debug) event=(\S+)")


def until(condition, timeout=10.0, what=None):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout * SLOWER
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(what() if callable(what) else what or "it never came true")
        time.sleep(0.01)


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Server:
    """A running program. Leave it by stop(), which judges; a failed test just kills it."""

    def __init__(self, argv, log, *, tls=None, env=None, preexec=None, ready_s=20):
        self.tls = tls
        self.log_path = Path(log)
        self.allowed = []
        self.credentials = ()  # headers, where looking needs a login
        self.stopped = False
        with open(self.log_path, "wb") as err:
            self.proc = subprocess.Popen(
                [str(a) for a in argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                env={**os.environ, **sanitizer_env(), **(env or {})},
                preexec_fn=preexec,
            )
        try:
            self.ready = self._ready_line(ready_s * SLOWER)
        except BaseException:
            self.kill()
            raise
        words = dict(w.partition("=")[::2] for w in self.ready.split()[1:])
        self.addr = address(words["http"])
        self.tls_addr = address(words["https"]) if "https" in words else None

    @property
    def pid(self):
        return self.proc.pid

    def _ready_line(self, timeout):
        fd, got = self.proc.stdout.fileno(), b""
        deadline = time.monotonic() + timeout
        while b"\n" not in got:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise AssertionError(f"no ready line; log:\n{self.log()}")
            piece = os.read(fd, 4096)
            if not piece:
                raise AssertionError(f"ended before it was ready; log:\n{self.log()}")
            got += piece
        line = got.decode()
        assert line.startswith("ready http=") and line.count("\n") == 1, line
        return line.strip()

    # The log.

    def log(self):
        return self.log_path.read_text(errors="replace")

    def loud(self):
        """Lines above debug, as (level, event, line)."""
        out = []
        for line in self.log().splitlines():
            m = LINE.match(line)
            if UNOWNED.match(line):
                continue
            if not m:
                out.append(("?", "?", line))
            elif m[1] != "debug":
                out.append((m[1], m[2], line))
        return out

    def allow(self, *patterns):
        """This test expects lines above debug that match one of these."""
        self.allowed += patterns

    def check_log(self):
        log = self.log()
        assert not SANITIZER.search(log), f"sanitizer report:\n{log[-20000:]}"
        bad = [
            line
            for level, event, line in self.loud()
            if not (level == "info" and event in ORDINARY)
            and not any(re.search(p, line) for p in self.allowed)
        ]
        assert not bad, "lines that nothing explains:\n" + "\n".join(bad[:20])

    # Its end.

    def calm_down(self):
        """Gives what a test has just ended a moment to be noticed. What stays was meant to."""
        with contextlib.suppress(AssertionError, OSError, wsraw.Eof):
            self.settled(timeout=1.0)

    def stop(self, timeout=15.0):
        """SIGTERM, exit code 0, and a log without surprises."""
        if self.stopped:
            return
        assert self.proc.poll() is None, f"died with {self.proc.returncode}:\n{self.log()[-9000:]}"
        self.proc.send_signal(signal.SIGTERM)
        self.wait(timeout)
        self.check_log()

    def wait(self, timeout=15.0, code=0):
        self.stopped = True
        try:
            rc = self.proc.wait(timeout * SLOWER)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {timeout * SLOWER} s later:\n{self.log()[-4000:]}")
        self.proc.stdout.close()
        assert rc == code, f"exit code {rc}:\n{self.log()[-20000:]}"

    def kill(self):
        self.stopped = True
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        self.proc.stdout.close()

    # Seen from outside.

    def memory_kb(self):
        """Rss and Pss, exact (statm is batched per thread), and Libs: what of Rss are pages of
        shared libraries, which a static build does not have."""
        got = {"Rss": 0, "Pss": 0, "Libs": 0}
        program, libs = os.readlink(f"/proc/{self.pid}/exe"), False
        for line in Path(f"/proc/{self.pid}/smaps").read_text().splitlines():
            words = line.split()
            if not words[0].endswith(":"):  # the head of a mapping: its file is the last word
                libs = words[-1].startswith("/") and words[-1] != program
            elif words[0] in ("Rss:", "Pss:"):
                got[words[0][:-1]] += int(words[1])
                if libs and words[0] == "Rss:":
                    got["Libs"] += int(words[1])
        return got

    def rss_kb(self):
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1])
        raise AssertionError("no Rss in smaps_rollup")

    def kept_steps(self):
        """The points of ten seconds that a board has; with the first one, the memory of all
        tiers of history is in use."""
        got = json.loads(self.http("/api/v1/history?range=3600&step=10&ids=mem.total").body)
        assert got["step_ms"] == 10000
        points = got["values"].get("mem.total", {"avg": []})["avg"]
        return [v for v in points if v is not None]

    def wakeups(self):
        """How often its threads went to sleep, since they began."""
        n = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            n += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(),
                               re.M)[1])  # fmt: skip
        return n

    def cpu_ns(self):
        return cpu_ns(self.pid)

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return self.thread_names().total()

    def thread_names(self):
        """How many threads there are of each name."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return Counter((t / "comm").read_text().strip() for t in tasks)

    def cpu_s(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def limit_fds(self, n):
        """Sets the soft limit of open files while it runs; returns the old one."""
        soft, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (n, hard))
        return soft

    # Talking to it.

    def where(self, secure=False):
        """(address, TLS context) for wsraw."""
        return (self.tls_addr, self.tls) if secure else (self.addr, None)

    def ws(self, secure=False, **how):
        addr, tls = self.where(secure)
        return wsraw.Ws(addr, tls, **how)

    def stream(self, secure=False, **how):
        addr, tls = self.where(secure)
        return wsraw.connect(addr, tls, **how)

    def http(self, path="/", method="GET", secure=False, **how):
        addr, tls = self.where(secure)
        return wsraw.http(addr, path, method, tls=tls, **how)

    def stats(self):
        r = self.http("/ws/stats", headers=self.credentials)
        assert r.status == 200, r
        return json.loads(r.body)

    def books(self, condition=None, timeout=10.0):
        """/ws/stats, whose books must balance every time we look: opened = live + sum of
        causes. Waits until condition(stats) holds."""
        last = {}

        def look():
            st = self.stats()
            last.update(st)
            sessions, closed = st["sessions"], st["closed"]
            assert set(closed) == CAUSES, closed
            live = sessions["active"] + sessions["closing"]
            assert sessions["live"] == live
            assert sessions["opened"] == live + sum(closed.values()), st
            assert closed["internal_error"] == 0, st
            return st if condition is None or condition(st) else None

        return until(look, timeout, lambda: f"the books never said so: {short(last)}")

    def settled(self, timeout=10.0):
        """The books once nobody is left."""
        return self.books(lambda st: st["sessions"]["live"] == 0, timeout)

    @contextlib.contextmanager
    def ends(self, timeout=10.0, **causes):
        """The sessions opened inside end with exactly these causes, and none is left."""
        before = self.settled()["closed"]
        yield
        self.books(
            lambda st: st["sessions"]["live"] == 0
            and sum(st["closed"].values()) == sum(before.values()) + sum(causes.values()),
            timeout,
        )
        after = self.stats()["closed"]
        got = {c: after[c] - before[c] for c in CAUSES if after[c] != before[c]}
        assert got == {c: n for c, n in causes.items() if n}, got


def short(stats):
    return {k: v for k, v in stats.items() if k in ("sessions", "closed", "heartbeat")}



def sanitizer_env():
    """A finding is never exit code 0; the caller's own options (where reports go) stay."""
    ours = {
        "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=98",
        "TSAN_OPTIONS": "exitcode=97:second_deadlock_stack=1",
    }
    return {k: ":".join(filter(None, (os.environ.get(k), v))) for k, v in ours.items()}


# What a program says at info on an ordinary day, none of it about a client.
ORDINARY = {"listening", "statsd_off", "started", "stopping", "stopped", "reloaded",
            "history_restored", "ca_made", "certificate", "certificate_made", "sandbox"}  # fmt: skip


def cpu_ns(pid):
    """CPU time of a process' threads, exact (stat counts in ticks of 10 ms)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks)


def ring_kb(hz, size, seconds):
    """What the echo server's ring of 4 MiB, untouched pages at first, takes in that time."""
    return int(min(hz * (size + 4) * seconds, 4 << 20) / 1024)


def ssl_context(pem):
    """A client's: it trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(pem))


def pem(path):
    """A self-signed certificate and its key in one file."""
    key = path.with_suffix(".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=pulseboard test",
         "-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost",
         "-keyout", str(key), "-out", str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path
