"""A board in files: boot partition, two slots, keys, and the helper that writes them."""

import json
import os
import random
import signal
import socket
import subprocess
from pathlib import Path

from server import PULSEBOARD, SANITIZER, SLOWER, TOP, sanitizer_env, until

BOARD, VERSION, BUILT = "test-board", "1.2.0+gaaaaaaa", 1000
SLOT_BYTES = 4 << 20
AB_TEXTS = {
    f"pending={p}\nslot={s}\ntries={t}\n": (s, p, t) for p in (0, 1) for s in "ab" for t in range(10)
}


class Refused(Exception):
    """An answer that is not OK: its kind, and its sentence."""

    def __init__(self, kind, why):
        super().__init__(f"{kind}: {why}")
        self.kind, self.why = kind, why


class Talk:
    """One connection to the helper, message by message."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(30 * SLOWER)
        self.s.connect(str(path))

    def ask(self, kind, payload=b""):
        self.s.send(kind + payload)
        got = self.s.recv(4096)
        if not got:
            raise ConnectionResetError("it hung up")
        if got[:1] != b"K":
            raise Refused(got[:1], got[1:].decode())
        return got[1:]

    def status(self):
        return json.loads(self.ask(b"S"))

    def begin(self, pbu, force=False):
        """Sends the head of an update file; returns its image."""
        n = 16 + int.from_bytes(pbu[12:14]) + int.from_bytes(pbu[14:16])
        self.ask(b"B", bytes([force]) + pbu[:n])
        return pbu[n:]

    def send(self, pbu, force=False, part=32768):
        image = self.begin(pbu, force)
        for at in range(0, len(image), part):
            self.ask(b"D", image[at : at + part])
        self.ask(b"E")

    def close(self):
        self.s.close()


class Board:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.boot, self.slots = self.folder / "boot", {}
        self.boot.mkdir()
        self.socket, self.state = self.folder / "updater.sock", self.folder / "update.state"
        self.images = {s: random.Random(s).randbytes(SLOT_BYTES) for s in "ab"}
        for s in "ab":
            self.slots[s] = self.folder / f"slot-{s}"
            self.slots[s].write_bytes(self.images[s])
        self.set_ab("a", 0, 0)
        self.release = self.folder / "release.txt"
        self.runs(VERSION, BUILT)
        self.keys = self.key("keys")
        self.reboots = self.folder / "reboots"
        self.reboots.touch()
        self.reboot = self.folder / "reboot"
        self.reboot.write_text(f"#!/bin/sh\necho reboot >>{self.reboots}\n")
        self.reboot.chmod(0o755)
        self.proc, self.running, self.logs, self.talks = None, "a", 0, []

    def runs(self, version, built):
        self.release.write_text(f"board={BOARD}\nversion={version}\narch=any\nbuilt={built}\n")

    def key(self, name):
        folder = self.folder / name
        subprocess.run([TOP / "firmware/keys", "--dir", folder], check=True, capture_output=True)
        return folder

    def set_ab(self, slot, pending, tries):
        (self.boot / "ab.txt").write_text(f"pending={pending}\nslot={slot}\ntries={tries}\n")

    def ab(self):
        """(slot, pending, tries). Whatever happened, the text is one of those it may be."""
        return AB_TEXTS[(self.boot / "ab.txt").read_text()]

    def update(self, image, version="1.3.0+gbbbbbbb", built=2000, board=BOARD, keys=None):
        """An update file, as firmware/sign makes it."""
        at, out = self.folder / "image", self.folder / "update.pbu"
        at.write_bytes(image)
        subprocess.run(
            [TOP / "firmware/sign", "--board", board, "--version", version, "--built", str(built),
             "--key", (keys or self.keys) / "update.key", at, out],
            check=True, capture_output=True,
        )  # fmt: skip
        return out.read_bytes()

    # The helper.

    def start(self, *more, keys=None, probe="http://127.0.0.1:1", slots=None, healthy=1, limit=600):
        self.logs += 1
        self.log = self.folder / f"updater-{self.logs}.log"
        slots = slots or self.slots
        argv = [PULSEBOARD, "updater", "--socket", self.socket, "--boot", self.boot,
                "--slot-a", slots["a"], "--slot-b", slots["b"], "--running", self.running,
                "--image", self.release, "--state", self.state, "--reboot", self.reboot,
                "--probe", probe, "--healthy", str(healthy), "--limit", str(limit)]  # fmt: skip
        for k in keys or [self.keys]:
            argv += ["--key", k / "update.pub"]
        with open(self.log, "wb") as err:
            self.proc = subprocess.Popen(
                [str(a) for a in (*argv, *more)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=err, env={**os.environ, **sanitizer_env()},
            )  # fmt: skip
        line = self.proc.stdout.readline()
        assert line.startswith(b"ready updater="), self.log.read_text()

    def talk(self):
        t = Talk(self.socket)
        self.talks.append(t)
        return t

    def status(self):
        t = self.talk()
        try:
            return t.status()
        finally:
            t.close()

    def until_state(self, state, timeout=30.0):
        return until(lambda: (s := self.status())["state"] == state and s, timeout,
                     lambda: f"not {state} but {self.status()}\n{self.log.read_text()}")  # fmt: skip

    def until_reboot(self, n=1):
        until(lambda: self.reboots.read_text().count("reboot") >= n, 30.0, self.log.read_text)

    def stop(self):
        if self.proc is None:
            return
        self.proc.send_signal(signal.SIGTERM)
        rc = self.proc.wait(15 * SLOWER)
        self._gone()
        assert rc == 0, f"{rc}\n{self.log.read_text()}"

    def kill(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            self._gone()

    def _gone(self):
        self.proc.stdout.close()
        self.proc = None
        for t in self.talks:
            t.close()
        self.talks = []
        log = self.log.read_text()
        assert not SANITIZER.search(log), log

    # What the boot loader does.

    def boots(self):
        """A boot as the boot script does it: one trial, then back. Which slot runs now?"""
        slot, pending, tries = self.ab()
        if pending and tries >= 1:
            slot = "b" if slot == "a" else "a"
            self.set_ab(slot, 0, 0)
        elif pending:
            self.set_ab(slot, 1, tries + 1)
        self.running = slot
        # Another boot has another id; this machine's does not change.
        if self.state.exists():
            text = self.state.read_text().splitlines()
            text = ["boot=another" if line.startswith("boot=") else line for line in text]
            self.state.write_text("\n".join(text) + "\n")
        return slot

    def runs_untouched(self, slot="a"):
        assert self.slots[slot].read_bytes() == self.images[slot], f"slot {slot} was written to"
