"""Whoever watches us hears that we live only while our front door answers."""

import socket
import time

import pytest
import server as srv
from server import until


class Manager:
    """The end of NOTIFY_SOCKET that systemd would hold."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.setblocking(False)
        self.heard = []

    def hear(self):
        while True:
            try:
                self.heard.append(self.sock.recv(4096).decode())
            except BlockingIOError:
                return self.heard

    def fed(self):
        return self.hear().count("WATCHDOG=1")

    def hears(self, n):
        """n more times."""
        before = self.fed()
        until(lambda: self.fed() >= before + n, 30, lambda: f"fed {self.fed()} times")


@pytest.fixture
def manager(tmp_path):
    return Manager(tmp_path / "notify")


def env(manager, ms):
    return {"NOTIFY_SOCKET": manager.sock.getsockname(), "WATCHDOG_USEC": str(ms * 1000)}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "with-tls"])
def test_fed_while_it_answers(start, manager, secure):
    b = start.pulseboard(secure=secure, env=env(manager, 600))
    until(lambda: manager.hear()[:1] == ["READY=1"])
    manager.hears(3)
    with srv.contextlib.ExitStack() as crowd:  # and under load
        for _ in range(40):
            crowd.enter_context(b.ws(secure)).next()
        manager.hears(3)
    b.settled()
    b.stop()
    assert manager.hear()[-1] == "STOPPING=1"


def test_not_fed_while_the_door_is_shut(start, manager):
    """No descriptors are left, so nobody can come in. Three periods without food would be
    the end; when the door opens again, food comes again."""
    b = start.pulseboard(env=env(manager, 600))
    b.allow("event=watchdog_starved", "event=accept", "event=.*files", "event=civetweb")
    manager.hears(2)
    before = b.limit_fds(3)
    until(lambda: "event=watchdog_starved probe=healthz" in b.log(), 30)
    shut, deadline = manager.fed(), time.monotonic() + 1.2
    until(lambda: time.monotonic() > deadline)
    assert manager.fed() == shut
    b.limit_fds(before)
    manager.hears(2)


def test_hardware_is_fed_and_released(start, tmp_path):
    """A file in the place of the device: a byte each time, and V at the end."""
    device = tmp_path / "watchdog"
    device.touch()
    b = start.pulseboard("--watchdog", device)
    until(lambda: device.read_bytes() == b"\0", 30)
    b.stop()
    assert device.read_bytes() == b"\0V"


def test_a_device_that_is_not_there(tmp_path):
    r = srv.subprocess.run(
        [str(srv.PULSEBOARD), "serve", "--listen", "127.0.0.1:0", "--statsd", "off", "--watchdog",
         str(tmp_path / "missing")], capture_output=True, text=True, timeout=60)  # fmt: skip
    assert r.returncode == 1 and "missing" in r.stderr and r.stderr.count("\n") == 1, r
