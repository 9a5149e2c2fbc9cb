"""What happens to the board, one after the other. An act is a context: inside it the trouble
lasts. It says which sessions may end of it, and by which cause; all others must not notice."""

import contextlib
import json
import os
import signal
import socket
import struct
import time
from dataclasses import dataclass

import netns
import server as srv
import wsraw
from cage import address_space, limit

DAY_S = 86400
STOPPED_S = 20.0


@dataclass(frozen=True)
class Act:
    name: str
    do: callable  # (world, seconds): the trouble, from its beginning to its end
    needs: str = ""  # "wire", "disk": what the world must have
    may_end: tuple = ()  # causes of viewers that the act itself took away
    may_say: tuple = ()  # lines of the log that belong to it


def loss(world, seconds):
    lost = world.wire.lost
    with weather(world, loss=0.1, repeat=0.02):
        time.sleep(seconds)
    assert world.wire.lost > lost, "nobody felt it"


def delay(world, seconds):
    with weather(world, delay_s=0.3):
        time.sleep(seconds)
        world.server.books(lambda st: st["heartbeat"]["rtt_ms"]["max"] >= 600)


def reorder(world, seconds):
    overtaken = world.wire.overtaken
    with weather(world, delay_s=0.02, jitter_s=0.08):
        time.sleep(seconds)
    assert world.wire.overtaken > overtaken, "nobody felt it"


@contextlib.contextmanager
def weather(world, **what):
    world.wire.weather = netns.Weather(**what)
    yield
    world.wire.weather = netns.Weather()


def cut(world, seconds):
    """Two addresses are gone for longer than the server waits, then they are back."""
    lost = world.addresses()[:2]
    for a in lost:
        world.wire.cut(a)
    time.sleep(seconds)
    world.server.books(lambda st: not any(host(r) in lost for r in st["list"]), 60)
    for a in lost:
        world.wire.mend(a)


def host(row):
    return row["address"].rpartition(":")[0]


def move(world, seconds):
    """An address is taken away under those who have it (a phone that walks from one network to
    the next); they come back from another and resume."""
    old, new = world.addresses()[2], world.addresses()[-1]
    moved = [p for p in world.peers if p.source == old]
    resumed = [p.resumed for p in moved]
    far = world.wire.far
    far.call(far.ip, "addr", "del", f"{old}/24", "dev", "wire0")
    for p in moved:
        p.source = new
        socket.socket.shutdown(p.ws.sock, socket.SHUT_RDWR)
    time.sleep(seconds)
    world.all_open()
    far.call(far.ip, "addr", "add", f"{old}/24", "dev", "wire0")
    assert all(p.resumed > n for p, n in zip(moved, resumed)), "somebody did not resume"
    assert all(p.ws.sock.getsockname()[0] == new for p in moved), "from where?"


def stop(world, seconds):
    """Stopped by a signal as if the machine stood still: nobody is charged with it."""
    del seconds
    os.kill(world.server.pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.kill(world.server.pid, signal.SIGCONT)
    world.server.books()


def descriptors(world, seconds):
    """None is left, whoever of the visitors goes: who is in stays, who comes is refused."""
    with limit(world.server.pid, "nofile", world.server.fds() // 2):
        time.sleep(seconds)
    assert "event=connection_refused" in world.server.log(), "nobody felt it"


def memory(world, seconds):
    """The address space may not grow by a page: handshakes fail, viewers do not."""
    with limit(world.server.pid, "as", address_space(world.server.pid)):
        ends = time.monotonic() + seconds
        handshakes(world)
        time.sleep(max(0, ends - time.monotonic()))


def handshakes(world, most=40):
    """Holds connections in the middle of a TLS handshake, some 40 kB each, until there is no
    memory for one more: that one is hung up on."""
    hello = wsraw.client_hello()
    with contextlib.ExitStack() as held:
        for _ in range(most):
            try:
                st = held.enter_context(world.far(wsraw.connect, world.server.where(True)[0],
                                                  source=world.addresses()[-1]))  # fmt: skip
                st.send(hello)
                st.need(lambda: st.buf or None)
            except (OSError, wsraw.Eof):
                return
        raise AssertionError("nobody felt it")


def disk(world, seconds):
    """History cannot be written; it is again when there is room."""
    with world.disk.full():
        time.sleep(seconds)
        srv.until(lambda: "event=history_not_saved" in world.server.log(), 10, "nobody felt it")
    srv.until(lambda: "event=history_saved" in world.server.log(), 10, "it is never written again")


def clock(world, seconds):
    """A day forward, two days back, and home again. Samples show the new time, nothing else
    changes: every deadline is on the monotonic clock."""
    for day in (1, -1, 0):
        set_clock(world, day * DAY_S)
        shown = world.server.near(told_time, world)
        assert abs(shown - (time.time() + day * DAY_S)) < 60, (day, shown)
        time.sleep(seconds / 3)


def set_clock(world, seconds):
    with open(world.shift, "r+b") as f:
        f.write(struct.pack("q", int(seconds)))


def told_time(world):
    """Of a sample that was taken after we asked."""
    first = telemetry(world)["seq"]
    while True:
        t = telemetry(world)
        if t["seq"] > first + 1:
            return t["t"] / 1000
        time.sleep(0.05)


def telemetry(world):
    return json.loads(wsraw.http(world.server.addr, "/api/v1/telemetry").body)


CUT_OFF = ("heartbeat_lost", "peer_reset")
CUT_OFF_SAID = r"level=info event=session_closed .*cause=heartbeat_lost"
REFUSED = r"level=warn event=(connection_refused|tls_handshake_failed) "
NOT_SAVED = r"level=notice event=history_(not_)?saved "

ACTS = [
    Act("loss", loss, "wire"),
    Act("delay", delay, "wire"),
    Act("reorder", reorder, "wire"),
    Act("cut", cut, "wire", CUT_OFF, (CUT_OFF_SAID,)),
    Act("address", move, "wire", CUT_OFF, (CUT_OFF_SAID,)),
    Act("stopped", stop),
    Act("descriptors", descriptors, may_say=(REFUSED, NOT_SAVED)),
    Act("memory", memory, may_say=(REFUSED, NOT_SAVED)),
    Act("disk", disk, "disk", may_say=(NOT_SAVED,)),
]
CLOCK = [Act("clock", clock)]
