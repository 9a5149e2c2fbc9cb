"""Two simulated radios (the kernel's mac80211_hwsim) in a board that runs: one is the board's
wlan0, the other an access point. What they take, none of which is in an image, comes by SSH.

The access point is bridged to the board's second network socket, and that is a network of its
own here: whoever asks for the page at `port` is answered through the air, or not at all."""
import subprocess
import sys

from board import BUILD, TOP, free_port, until

sys.path.append(str(TOP / "firmware/lib"))
import programs  # noqa: E402
from kernel import Kernel  # noqa: E402
from packages import Archive  # noqa: E402

MAC = "02:55:00:00:00:02"
AT = "10.0.3.16"  # the second that asks in that network; the first is the cable itself
HERE = "/run/air"  # on the board


class Air:
    def __init__(self):
        self.port = free_port()

    def qemu(self):
        return ["-netdev", f"user,id=air,net=10.0.3.0/24,hostfwd=tcp:127.0.0.1:{self.port}-{AT}:80",
                "-device", f"virtio-net-device,netdev=air,mac={MAC}"]


def access_point(arch):
    """The program, made as the boards' own is, with more options."""
    folder = BUILD / "programs" / arch / "access-point"
    folder.mkdir(parents=True, exist_ok=True)
    made, stamp = folder / "wpa_supplicant", folder / "stamp"
    inputs = [TOP / "firmware/system/build-wpa_supplicant", TOP / "tests/firmware/access-point.config",
              TOP / "firmware/system/wpa_supplicant.config"]
    asked = "".join(p.read_text() for p in inputs) + programs.versions()["wpa"]
    if not stamp.exists() or stamp.read_text() != asked:
        subprocess.run([inputs[0], BUILD / "deps/src/wpa", TOP / f"build/deps/musl-{arch}/cc", folder,
                        programs.CROSS[arch], inputs[1]], check=True)
        stamp.write_text(asked)
    return made


def modules(arch, package, here):
    """[(name, bytes)] of what simulates radios and a bridge, in order, but for those of the image."""
    kernel = Kernel(Archive(arch).kernel(package))
    plain = [kernel.plain(p) for p in kernel.in_order(["mac80211_hwsim", "bridge"])]
    return [(name, data) for name, data in plain if name not in here]


class AccessPoint:
    """On a board that has started; ssh(command, data): what a command on it says."""

    def __init__(self, board, ssh):
        self.ssh, self.starts = ssh, 0
        ssh(f"mkdir -m 700 {HERE}")
        ssh(f"cat >{HERE}/ap && chmod 700 {HERE}/ap", access_point("armhf").read_bytes())
        here = ssh("cat /lib/modules/order").split()
        loads = []
        for name, data in modules("armhf", "linux-image-armmp", here):
            ssh(f"cat >{HERE}/{name}", data)
            loads.append(f"insmod {HERE}/{name}" + " radios=2" * name.startswith("mac80211_hwsim"))
        until("the cable has its address", lambda: "10.0.3.15/" in ssh("ip -o addr"))
        # The second radio is none of the board's: while that does not look, it gets another
        # name. The bridge answers for nobody but itself.
        ssh(f"""set -e
            kill -STOP $(pidof wifi)
            {'; '.join(loads)}
            ip link set wlan1 name ap0
            kill -CONT $(pidof wifi)
            eth=$(grep -l {MAC} /sys/class/net/eth*/address | sed 's|/address||; s|.*/||')
            kill $(cat /run/net/$eth/udhcpc)
            ip addr flush dev $eth
            ip link add br0 type bridge
            ip link set $eth master br0
            ip link set br0 up
            sysctl -q -w net.ipv4.conf.br0.arp_ignore=1
            rm {HERE}/*.ko""")

    def start(self, name, password):
        lines = [f'ssid="{name}"', "mode=2", "frequency=2412", f'psk="{password}"',
                 "key_mgmt=WPA-PSK", "proto=RSN", "pairwise=CCMP", "group=CCMP"]
        text = "network={\n" + "\n".join(lines) + "\n}\n"
        self.ssh(f"cat >{HERE}/conf", text.encode())
        self.ssh(f"(cd {HERE}; exec ./ap -i ap0 -b br0 -D nl80211 -c conf) >{HERE}/log 2>&1 </dev/null &"
                 f" echo $! >{HERE}/pid")
        try:
            until("the access point is in the bridge and sends", lambda: "up\n" == self.ssh(
                "ip link set ap0 master br0 2>/dev/null; cat /sys/class/net/ap0/operstate"), 120)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.ssh(f'cat {HERE}/log')}") from None

    def stop(self):
        self.ssh(f"kill $(cat {HERE}/pid)")
