"""A board in QEMU: an image on a copy of its own, its console, its ports, its power switch."""
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build" / "firmware"
MIB = 1 << 20
FAT_AT, SLOT, DATA_AT = 4 * MIB, (20 * MIB, 52 * MIB), 84 * MIB
# A machine that does nothing else takes 7 s for virt and 45 s for the Orange Pi.
BOOT_S = 600

MACHINES = {
    "virt-armhf": ["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-m", "64"],
    "virt-wifi": ["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-m", "128"],
    "virt-arm64": ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "256"],
    "orangepi-pc": ["qemu-system-arm", "-M", "orangepi-pc", "-m", "1G"],
    "raspberrypi-armhf": ["qemu-system-arm", "-M", "raspi2b", "-m", "1G"],
    "raspberrypi": ["qemu-system-aarch64", "-M", "raspi3b", "-m", "1G"],
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, probe, timeout=BOOT_S):
    """The first truthy answer of probe()."""
    end, last = time.monotonic() + timeout, None
    while time.monotonic() < end:
        try:
            if last := probe():
                return last
        except (OSError, ValueError) as error:
            last = error
        time.sleep(0.1)  # between two looks
    raise AssertionError(f"not within {timeout} s: {what} (last: {last})")


class Board:
    def __init__(self, name, folder, memory=None, wire=None):
        """wire: what is plugged into a second network socket (wire.py)."""
        self.name, self.folder, self.wire = name, folder, wire
        folder.mkdir(parents=True, exist_ok=True)
        self.disk = folder / "disk.img"
        subprocess.run(["cp", "--sparse=always", BUILD / name / "disk.img", self.disk], check=True)
        self.memory, self.child, self.starts = memory, None, 0
        if name == "orangepi-pc":
            # Four processors that wait for each other take minutes where this machine has
            # fewer; QEMU's machine cannot have less.
            self.put("kernel.txt", "args=maxcpus=1\n")
        if name == "raspberrypi":
            # The emulated watchdog bites at the moment when it is started.
            self.put("kernel.txt", "args=module_blacklist=bcm2835_wdt\n")

    # The disk, while the power is off.

    def put(self, name, text):
        source = self.folder / "put"
        source.write_text(text)
        self.mtools("mcopy", "-o", str(source), f"::{name}")

    def get(self, name):
        return self.mtools("mtype", f"::{name}")

    def mtools(self, tool, *args):
        return subprocess.run([tool, "-i", f"{self.disk}@@{FAT_AT}", *args], check=True, text=True,
                              capture_output=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout

    def spoil(self, at, length):
        with open(self.disk, "r+b") as disk:
            disk.seek(at)
            disk.write(os.urandom(length))

    # The power switch.

    def start(self):
        assert not self.child
        self.port, self.tls_port, self.ssh_port = free_port(), free_port(), free_port()
        self.starts += 1
        self.log = self.folder / f"console-{self.starts}.log"
        machine = list(MACHINES[self.name])
        if self.memory:
            machine[machine.index("-m") + 1] = str(self.memory)
        net = "user" + "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in (
            (self.port, 80), (self.tls_port, 443), (self.ssh_port, 22)))
        machine += self.devices(net)
        machine += self.wire.qemu() if self.wire else []
        self.began = time.monotonic()
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen([str(w) for w in machine], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=subprocess.STDOUT)
        return self

    def devices(self, net):
        """Disk, network and console of the machine, as QEMU's options."""
        if self.name.startswith("virt"):
            return ["-nographic", "-bios", BUILD / self.name / "u-boot.bin",
                    "-drive", f"if=none,id=d,format=raw,file={self.disk}",
                    "-device", "virtio-blk-device,drive=d", "-device", "virtio-rng-device",
                    "-netdev", f"{net},id=n", "-device", "virtio-net-device,netdev=n"]
        card = ["-drive", f"if=sd,format=raw,file={self.disk}"]
        if self.name == "raspberrypi":
            # The emulator is the Pi's own boot loader: it starts what config.txt names. The
            # console is the second serial line; the network is an adapter on USB (plug_in()).
            return [*card, "-kernel", self.taken("u-boot.bin"), "-dtb", self.taken("bcm2837-rpi-3-b.dtb"),
                    "-serial", "null", *self.console_and_usb(net)]
        if self.name == "raspberrypi-armhf":
            # U-Boot does not find the emulated card. What it would start is started without it.
            slot = BUILD / self.name / "slot"
            return [*card, "-kernel", slot / "vmlinuz", "-initrd", slot / "initrd.img",
                    "-dtb", self.taken("bcm2836-rpi-2-b.dtb"),
                    "-append", f"panic=10 quiet pulseboard.board={self.name} pulseboard.slot=a "
                               "module_blacklist=bcm2835_wdt", *self.console_and_usb(net)]
        return [*card, "-nographic", "-nic", net]

    def taken(self, name):
        """A file of the boot partition, for the emulator."""
        self.mtools("mcopy", "-n", f"::{name}", str(self.folder / name))
        return self.folder / name

    def console_and_usb(self, net):
        return ["-display", "none", "-serial", "stdio",
                "-monitor", f"unix:{self.folder}/monitor,server=on,wait=off", "-netdev", f"{net},id=n"]

    def plug_in(self, device):
        """Into a port of the board that runs, where its machine has a monitor."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.folder / "monitor"))
            monitor.sendall(f"device_add {device}\n".encode())
            until("the monitor has taken it", lambda: b"device_add" in monitor.recv(4096), 30)

    def cut(self):
        """The power goes: nothing is flushed, nothing is told."""
        self.child.kill()
        self.child.wait()
        self.child = None

    def console(self):
        return self.log.read_text(errors="replace")

    # Talking to it.

    def fetch(self, path="/", host=None, port=None):
        assert self.child.poll() is None, f"QEMU ended:\n{self.console()[-2000:]}"
        ask = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}",
                                     headers={"Host": host} if host else {})
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return answer.read().decode()

    def stats(self):
        return json.loads(self.fetch("/ws/stats"))

    def up(self, timeout=BOOT_S):
        """Waits for the first page; seconds since the power came."""
        try:
            until("the page is served", lambda: "<html" in self.fetch("/").lower(), timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.console()[-3000:]}") from None
        return time.monotonic() - self.began

    def said(self, text):
        return until(f"the console says {text!r}", lambda: text in self.console())

    def remove(self):
        if self.child:
            self.cut()
        shutil.rmtree(self.folder)
