"""Two network namespaces and a wire between them that this process holds in its hands: it can
drop, delay, repeat and shuffle a peer's packets. No tc(8): its netem is a module that many
kernels do not have. Needs root and /dev/net/tun; nothing of it is visible to
the rest of the machine, and all of it is gone when the process ends."""

import ctypes
import fcntl
import heapq
import os
import queue
import random
import select
import struct
import subprocess
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
libc = ctypes.CDLL(None, use_errno=True)


class Namespace(threading.Thread):
    """A thread that lives in a network namespace of its own. Sockets and processes that it
    makes belong there, and stay there when others use them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.jobs = queue.Queue()
        self.start()
        self.call(self._leave)

    def _leave(self):
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.ip("link", "set", "lo", "up")

    def enter(self):
        """The calling thread is here from now on."""
        fd = os.open(f"/proc/self/task/{self.native_id}/ns/net", os.O_RDONLY)
        try:
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(fd)

    def run(self):
        while job := self.jobs.get():
            future, fn = job
            try:
                future.set_result(fn())
            except BaseException as e:
                future.set_exception(e)

    def call(self, fn, *args, **how):
        future = Future()
        self.jobs.put((future, lambda: fn(*args, **how)))
        return future.result()

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def tun(self, *addresses):
        """A point-to-point interface; returns its other end, a packet per read."""

        def make():
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"wire0", IFF_TUN | IFF_NO_PI))
            for a in addresses:
                self.ip("addr", "add", f"{a}/24", "dev", "wire0")
            self.ip("link", "set", "wire0", "up")
            return fd

        return self.call(make)

    def stop(self):
        self.jobs.put(None)
        self.join()


def possible():
    try:
        ns = Namespace()
        os.close(ns.tun("10.99.0.1"))
        ns.stop()
        return True
    except (OSError, subprocess.SubprocessError):
        return False


SERVER = "10.99.0.1"
PEERS = [f"10.99.0.{i}" for i in range(2, 10)]


@dataclass(frozen=True)
class Weather:
    """What befalls every packet, whoever's it is."""

    loss: float = 0.0  # of so many packets, each way
    repeat: float = 0.0  # of so many, a second one
    delay_s: float = 0.0  # each way
    jitter_s: float = 0.0  # on top, a time of its own for each packet: they overtake


class Wire(threading.Thread):
    """Moves packets between the server's namespace and that of its peers."""

    def __init__(self):
        super().__init__(daemon=True)
        self.near, self.far = Namespace(), Namespace()
        self.near_fd = self.near.tun(SERVER)
        self.far_fd = self.far.tun(*PEERS)
        self.drop_to, self.drop_from = set(), set()
        self.delay_s = {}
        self.weather = Weather()
        self.chance = random.Random(1)
        self.lost = self.overtaken = 0  # packets, so far
        self.over = threading.Event()
        self.start()

    def cut(self, peer):
        """From now on no packet of this peer's arrives anywhere."""
        self.drop_to.add(peer)
        self.drop_from.add(peer)

    def mend(self, peer):
        self.drop_to.discard(peer)
        self.drop_from.discard(peer)

    def run(self):
        waiting, count, newest = [], 0, {}
        p = select.poll()
        p.register(self.near_fd, select.POLLIN)
        p.register(self.far_fd, select.POLLIN)
        while not self.over.is_set():
            left = min(waiting[0][0] - time.monotonic(), 0.05) if waiting else 0.05
            for fd, _ in p.poll(max(0, left * 1000)):
                for packet in packets(fd):
                    to = self.far_fd if fd == self.near_fd else self.near_fd
                    for due in self._dues(packet, fd == self.near_fd):
                        count += 1
                        heapq.heappush(waiting, (due, count, to, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, number, to, packet = heapq.heappop(waiting)
                self.overtaken += number < newest.get(to, 0)
                newest[to] = max(number, newest.get(to, 0))
                try:
                    os.write(to, packet)
                except OSError:
                    pass  # that side is down

    def _dues(self, packet, outward):
        """When it arrives: never, once or twice."""
        if packet[0] >> 4 != 4:
            return []  # IPv6 greets its neighbours; there are none
        at = 16 if outward else 12
        peer = ".".join(map(str, packet[at : at + 4]))
        if peer in (self.drop_to if outward else self.drop_from):
            return []
        w = self.weather
        times = (self.chance.random() >= w.loss) * (1 + (self.chance.random() < w.repeat))
        self.lost += not times
        due = time.monotonic() + self.delay_s.get(peer, 0) + w.delay_s
        return [due + w.jitter_s * self.chance.random() for _ in range(times)]

    def stop(self):
        self.over.set()
        self.join()
        os.close(self.near_fd)
        os.close(self.far_fd)
        self.near.stop()
        self.far.stop()


def packets(fd):
    for _ in range(256):
        try:
            yield os.read(fd, 65536)
        except OSError:
            return
