"""The program as a process: starting, failing to start, signals, ending."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import server as srv
import wsraw
from rpc import Rpc
from server import PULSEBOARD, WS_ECHO, until
from wsraw import CLOSE, close_payload


def fails(argv, *words, code=1):
    """It says one line, which names the trouble, and exits with 1."""
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    assert r.returncode == code, r
    assert r.stdout == ""
    lines = r.stderr.splitlines()
    assert len(lines) == 1, r.stderr
    for w in words:
        assert str(w) in lines[0], lines[0]


@pytest.mark.parametrize("program", ["pulseboard", "ws_echo"])
def test_port_in_use(program):
    argv = [PULSEBOARD, "serve"] if program == "pulseboard" else [WS_ECHO]
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        where = "127.0.0.1:%d" % s.getsockname()[1]
        fails([*argv, "--listen", where], where, "in use")


def test_unreadable_pem(tmp_path):
    missing = tmp_path / "missing.pem"
    tls = [PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"]
    fails([*tls, "--tls-pem", missing], missing)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("this is no certificate\n")
    fails([*tls, "--tls-pem", nonsense], nonsense)
    empty = tmp_path / "empty.pem"
    empty.touch()
    fails([*tls, "--tls-pem", empty], empty)


def test_pem_without_key(tmp_path, pem):
    half = tmp_path / "half.pem"
    half.write_text(pem.read_text().split("-----BEGIN PRIVATE KEY")[0])
    argv = [PULSEBOARD, "serve", "--tls-listen", "127.0.0.1:0", "--tls-pem", half]
    fails([*argv, "--listen", "127.0.0.1:0"], half)


def test_data_folder(tmp_path, start):
    """It is made, for its owner alone; one that cannot be is named with the reason."""
    argv = [PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--data"]
    afile = tmp_path / "file"
    afile.touch()
    fails([*argv, afile], afile, "Not a directory")
    fails([*argv, afile / "below"], afile / "below", "Not a directory")
    fails([*argv, tmp_path / "no" / "parent"], "no/parent", "No such file")
    fails([*argv, "/proc/self"], "/proc/self")  # a folder where no file can be made
    fresh = tmp_path / "fresh"
    start.pulseboard("--data", fresh)
    assert fresh.stat().st_mode & 0o7777 == 0o700
    assert not (fresh / ".writable").exists()


@pytest.mark.parametrize(
    "text, words",
    [
        ('{\n"no_such_key": 1\n}', [":2", "no_such_key"]),
        ('{\n\n"max_sessions": "many"}', [":3", "max_sessions"]),
        ('{"max_sessions": 0}', [":1", "max_sessions"]),
        ('{"max_sessions": 1e9}', ["max_sessions"]),
        ('{"heartbeat": {"min_ms": 1}}', ["heartbeat.min_ms"]),
        ('{"heartbeat": {"start_ms": 1000, "min_ms": 2000}}', ["heartbeat.min_ms"]),
        ('{"log_level": "loud"}', ["log_level"]),
        ('{"listen": "nonsense"}', ["listen"]),
        ("{", ["JSON"]),
        ("[]", ["object"]),
    ],
)
def test_bad_config(tmp_path, text, words):
    """One line that names the file, the line in it and the key."""
    path = tmp_path / "bad.json"
    path.write_text(text)
    extra = () if "listen" in text else ("--listen", "127.0.0.1:0")
    fails([PULSEBOARD, "serve", "--config", path, *extra], path, *words)


def test_unreadable_config(tmp_path):
    path = tmp_path / "missing.json"
    fails([PULSEBOARD, "serve", "--config", path], path)


def test_config_with_comments(start, tmp_path):
    path = tmp_path / "good.json"
    path.write_text('{ // a comment\n "max_sessions": 7 /* another */\n}')
    b = start.pulseboard("--config", path)
    assert b.stats()["sessions"]["capacity"] == 7


def test_usage():
    for argv in (["serve", "--no-such-option"], ["no-such-command"], ["serve", "--max-sessions"]):
        r = subprocess.run([str(PULSEBOARD), *argv], capture_output=True, text=True, timeout=60)
        assert r.returncode in (1, 2) and r.stderr and not r.stdout, r
    for argv in (["--help"], ["--version"], ["serve", "--help"]):
        r = subprocess.run([str(PULSEBOARD), *argv], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and r.stdout and not r.stderr, r


def test_ready_line(start, pem):
    b = start.pulseboard(secure=True)
    assert re.fullmatch(r"ready http=127\.0\.0\.1:\d+ https=127\.0\.0\.1:\d+", b.ready)
    assert b.http("/healthz").status == 200
    e = start.ws_echo(secure=True)
    assert re.fullmatch(r"ready http=127\.0\.0\.1:\d+ https=127\.0\.0\.1:\d+", e.ready)


def test_ipv6(start):
    b = srv.Server(
        [PULSEBOARD, "serve", "--listen", "[::1]:0"], start.folder / "v6.log", tls=start.tls
    )
    start.running.append(b)
    assert b.addr[0] == "::1"
    with Rpc(b) as ws:
        (row,) = ws.result("stats")["list"]
        assert row["address"] == "[::1]:%d" % ws.sock.getsockname()[1]
        ws.end()


def test_stats_command(start):
    b = start.pulseboard()
    url = "http://%s:%d" % b.addr
    for argv in (["stats", "--url", url], ["stats", "--url", url, "--json"]):
        r = subprocess.run([str(PULSEBOARD), *argv], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and r.stdout and not r.stderr, r


def test_term_says_goodbye(start):
    """SIGTERM: bye, close 1001, an answer awaited; every session counted as shutdown."""
    b = start.pulseboard(secure=True)
    b.allow("cause=shutdown")
    clients = [Rpc(b, secure=i % 2 == 1) for i in range(6)]
    b.proc.send_signal(signal.SIGTERM)
    for ws in clients:
        bye = ws.notification("bye")
        assert bye["cause"] == "shutdown" and bye["retry_ms"] > 0
        assert ws.until_close()[0] == 1001
        ws.say(CLOSE, close_payload(1001))
        assert ws.wait_eof() == b""
    b.wait(5)
    b.check_log()


def test_term_does_not_wait_for_the_deaf(start):
    """Clients that never answer the close, or do not read, delay the end by seconds only."""
    b = start.pulseboard()
    b.allow("cause=shutdown")
    deaf = [b.ws() for _ in range(4)]
    half = b.stream()
    half.send(b"GET / HTTP/1.1\r\nHost: loc")
    b.proc.send_signal(signal.SIGTERM)
    b.wait(8)
    b.check_log()
    for s in (*deaf, half):
        s.close()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_ends_without_clients(start, sig):
    b = start.pulseboard()
    b.proc.send_signal(sig)
    b.wait(5)
    b.check_log()


def test_twice_term(start):
    b = start.pulseboard()
    b.allow("cause=shutdown")
    ws = b.ws()
    b.proc.send_signal(signal.SIGTERM)
    b.proc.send_signal(signal.SIGTERM)
    b.wait(5)
    ws.close()


def test_echo_term(start):
    e = start.ws_echo("--broadcast", "100", "--size", "200")
    e.allow("cause=shutdown")
    ws = e.ws()
    e.proc.send_signal(signal.SIGTERM)
    assert ws.until_close()[0] == 1001
    ws.say(CLOSE, close_payload(1001))
    e.wait(5)


def test_hangup_reloads(start, tmp_path):
    """SIGHUP: the level changes, sessions stay; a broken file changes nothing."""
    path = tmp_path / "config.json"
    path.write_text('{"log_level": "info"}')
    b = start.pulseboard("--config", path)
    b.allow("event=(reload|config)")
    with Rpc(b) as ws:
        path.write_text('{"log_level": "debug"}')
        b.proc.send_signal(signal.SIGHUP)
        until(lambda: "level=debug" in chatter(b), what="no debug line")
        path.write_text('{"log_level": "info", "nonsense": 1}')
        b.proc.send_signal(signal.SIGHUP)
        until(lambda: "nonsense" in b.log(), what="the broken file is not named")
        assert ws.result("ping")
        ws.end()


def chatter(b):
    b.http("/healthz")
    return b.log()


def test_hangup_takes_the_new_certificate(start, tmp_path, pem):
    mine = tmp_path / "mine.pem"
    mine.write_bytes(pem.read_bytes())
    b = start.pulseboard("--tls-listen", "127.0.0.1:0", "--tls-pem", mine)
    b.allow("event=(reload|config|tls)")
    first = certificate(b)
    with Rpc(b, secure=True) as ws:
        srv.pem(mine)
        b.proc.send_signal(signal.SIGHUP)
        until(lambda: certificate(b) != first, what="still the old certificate")
        assert ws.result("ping"), "the session went on"
        mine.write_text("nonsense")
        b.proc.send_signal(signal.SIGHUP)
        until(lambda: str(mine) in b.log(), what="the bad file is not named")
        assert certificate(b) != first and ws.result("ping")
        ws.end()


def certificate(server):
    return ssl.get_server_certificate(server.tls_addr)


def test_storm_of_signals(start):
    """EINTR everywhere: stop and continue, reload, and signals without meaning."""
    b = start.pulseboard(secure=True, config={"sample_ms": 100})
    b.allow("event=(reload|config)")
    done = threading.Event()

    def storm():
        while not done.wait(0.001):
            for sig in (signal.SIGSTOP, signal.SIGCONT, signal.SIGHUP, signal.SIGWINCH,
                        signal.SIGCHLD, signal.SIGURG):  # fmt: skip
                os.kill(b.pid, sig)

    t = threading.Thread(target=storm)
    t.start()
    try:
        for secure in (False, True):
            for _ in range(20 if srv.SLOWER == 1 else 5):
                with Rpc(b, secure) as ws:
                    assert ws.result("info")
                    seq = ws.notification("telemetry")["seq"]
                    # A sample that comes while the last still waits takes its place.
                    assert seq < ws.notification("telemetry")["seq"] <= seq + 5
                    ws.end()
                assert b.http("/", secure=secure).status == 200
    finally:
        done.set()
        t.join()
        os.kill(b.pid, signal.SIGCONT)
    assert b.settled()["closed"]["peer_closed"] == sum(b.stats()["closed"].values())


def test_few_threads(start):
    """Few threads, each with its name, and their number does not depend on sessions. A
    machine with sensors that are slow to answer has one more."""
    b = start.pulseboard()
    with_sessions = [b.ws() for _ in range(32)]
    b.books(lambda st: st["sessions"]["live"] == 32)
    main = 1 if srv.SLOWER == 1 else 2  # ThreadSanitizer has one of its own
    known = {"pulseboard": main, "hub": 1, "lobby": 1, "sampler": 1, "intake": 1, "keeper": 1,
             "slow-sensors": 1, "civetweb-master": 1, "civetweb-worker": 4}  # fmt: skip
    assert {"hub", "lobby", "sampler"} <= set(b.thread_names())
    for name, n in b.thread_names().items():
        assert n <= known.get(name, 0), name
    for ws in with_sessions:
        ws.rst()


INHERIT = """
import os, socket, sys
plain, tls, unix = socket.socket(), socket.socket(), socket.socket(socket.AF_UNIX)
for i, s in enumerate((plain, tls, unix)):
    s.bind(sys.argv[1] if s is unix else ("127.0.0.1", 0))
    s.listen()
# Out of the way first: the numbers from 3 on may be taken.
high = [os.dup2(s.fileno(), 50 + i) for i, s in enumerate((plain, tls, unix))]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="3", LISTEN_FDNAMES="http:https:local")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_sockets_of_a_service_manager(start, tmp_path, pem):
    """sd_listen_fds(3): they are served in the place of our own."""
    here = tmp_path / "activated.sock"
    argv = [sys.executable, "-c", INHERIT, here, PULSEBOARD, "serve", "--tls-pem", pem]
    b = start._start([*argv, "--listen", "127.0.0.1:1"], {})
    assert b.addr[1] > 1024 and b.tls_addr[1] != b.addr[1]
    assert b.http("/").status == 200 and b.http("/", secure=True).status == 200
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(here))
        s.sendall(wsraw.request("/healthz", host="foreign.example"))
        assert s.recv(100).startswith(b"HTTP/1.1 200 ")


def test_sockets_of_another_process_are_not_ours(start, tmp_path):
    """LISTEN_PID names somebody else: a shell between the manager and us."""
    b = start.pulseboard(env={"LISTEN_PID": "1", "LISTEN_FDS": "3"})
    assert b.http("/").status == 200
