"""What images must show, each a function of the folder that it may use. See README.md."""
import json
import lzma
import os
import random
import re
import socket
import ssl
import struct
import subprocess
import sys

from board import BOOT_S, BUILD, DATA_AT, MIB, SLOT, TOP, Board, until
from radio import AT, AccessPoint, Air
from wire import PTR, SRV, A, Wire, claim

sys.path.append(str(TOP / "tests/wire"))
import wsraw  # noqa: E402


def serves(folder, name):
    """From power to the page in a browser; a browser that is killed leaves its cause there."""
    board = Board(name, folder)
    try:
        seconds = board.start().up()
        print(f"     {name}: first page {seconds:.1f} s after power")
        board.said("http://10.0.2.15/")
        seen = subprocess.run(["node", TOP / "tests/firmware/tab.mjs", str(board.port)],
                              capture_output=True, text=True, timeout=900)
        assert seen.returncode == 0, seen.stdout + seen.stderr
        ended = until("both sessions have a cause", lambda: (
            s := board.stats()) and s["sessions"]["live"] == 0 and s["closed"])
        assert sum(ended.values()) == 2 and ended["internal_error"] == 0, ended
    finally:
        board.remove()


def virt_armhf_serves_in_64_mb(folder):
    serves(folder, "virt-armhf")


def virt_arm64_serves(folder):
    board = Board("virt-arm64", folder)
    try:
        board.start().up()
        board.said("http://10.0.2.15/")
        assert board.stats()["sessions"]["live"] == 0
    finally:
        board.remove()


def raspberrypi_serves_from_its_card(folder):
    """U-Boot's script takes the slot on trial; a network adapter that is plugged in later
    leads to the page."""
    board = Board("raspberrypi", folder)
    try:
        board.put("ab.txt", "pending=1\nslot=b\ntries=0\n")
        board.start().said("started, slot b")
        board.plug_in("usb-net,netdev=n")
        board.up()
        board.said("http://10.0.2.15/")
        assert board.stats()["sessions"]["live"] == 0
        all_modules_load(board)
        board.cut()
        assert board.get("ab.txt") == "pending=1\nslot=b\ntries=1\n"
    finally:
        board.remove()


def all_modules_load(board):
    """But for the one that the emulator is kept from."""
    left = re.findall(r"module (\S+) does not load", board.console())
    assert left == ["bcm2835_wdt.ko"], left


def raspberrypi_armhf_serves_from_its_card(folder):
    """As a Pi 2, without its loaders."""
    board = Board("raspberrypi-armhf", folder)
    try:
        board.start().said("started, slot a")
        board.plug_in("usb-net,netdev=n")
        board.up()
        board.said("http://10.0.2.15/")
        all_modules_load(board)
    finally:
        board.remove()


def has_what_a_pis_loader_names(folder, name, own):
    """No emulator has that loader: what config.txt and the models ask for is there, and of which
    kind."""
    board = Board(name, folder)
    config = board.get("config.txt")
    assert {w.split("=")[1] for w in config.split() if w.startswith("kernel=")} <= own, config
    for file in own | {"bootcode.bin", "start.elf", "fixup.dat", "LICENCE.txt", "boot.scr",
                       "bcm2837-rpi-3-b.dtb", "bcm2837-rpi-zero-2-w.dtb"}:
        board.mtools("mcopy", "-n", f"::{file}", str(folder / file))
        data = (folder / file).read_bytes()
        assert len(data) > 1000, file
        assert not file.endswith(".dtb") or data.startswith(b"\xd0\x0d\xfe\xed"), file
    release = dict(line.split("=") for line in (BUILD / name / "release.txt").read_text().split())
    assert release["arch"] == ("armhf" if name.endswith("armhf") else "arm64"), release
    magic = b"\x18\x28\x6f\x01" if name.endswith("armhf") else b"\x1f\x8b"  # a zImage, or packed
    assert magic in (BUILD / name / "slot/vmlinuz").read_bytes()[:0x28], magic
    initramfs = lzma.decompress((BUILD / name / "slot/initrd.img").read_bytes())
    assert b"modules/bcm2835.ko\0" in initramfs and b"modules/sdhci-iproc.ko\0" in initramfs
    root = BUILD / name / "root"
    for chip in ("43430-sdio.bin", "43455-sdio.bin", "43430-sdio.raspberrypi,3-model-b.txt"):
        assert (root / "lib/firmware/brcm" / f"brcmfmac{chip}").stat().st_size > 500, chip
    order = (root / "lib/modules/order").read_text().split()
    assert order.index("cfg80211.ko") < order.index("brcmfmac.ko") < order.index("brcmfmac-wcc.ko")
    board.remove()


def raspberrypi_card_has_what_its_loader_names(folder):
    has_what_a_pis_loader_names(folder, "raspberrypi", {"u-boot.bin", "start4.elf", "fixup4.dat",
                                                        "bcm2711-rpi-4-b.dtb"})


def raspberrypi_armhf_card_has_what_its_loader_names(folder):
    has_what_a_pis_loader_names(folder, "raspberrypi-armhf", {"u-boot-2.bin", "u-boot-3.bin",
                                                              "bcm2836-rpi-2-b.dtb"})


def orangepi_pc_serves_from_its_card(folder):
    serves(folder, "orangepi-pc")


def beaglebone_image_is_laid_out_for_its_rom(folder):
    """No emulator has this board. Its ROM wants an active FAT partition with MLO in it; U-Boot
    wants the rest."""
    board = Board("beaglebone", folder)
    with open(board.disk, "rb") as disk:
        mbr = disk.read(512)
        slots = [(disk.seek(at), disk.read(32 * MIB))[1] for at in SLOT]
    assert mbr[440:444] == b"PULB" and mbr[510:] == b"\x55\xaa"
    assert (mbr[446], mbr[450]) == (0x80, 0x0C) and int.from_bytes(mbr[454:458], "little") == 8192
    for name, at, magic in (("MLO", 0x14, b"CHSETTINGS"), ("u-boot.img", 0, b"\xd0\x0d\xfe\xed"),
                            ("boot.scr", 0, b"\x27\x05\x19\x56")):
        board.mtools("mcopy", "-n", f"::{name}", str(folder / name))
        assert (folder / name).read_bytes()[at:at + len(magic)] == magic, name
    assert slots[0] == slots[1]
    (folder / "slot").write_bytes(slots[0])
    for name, at, magic in (("vmlinuz", 0x24, b"\x18\x28\x6f\x01"), ("initrd.img", 0, b"\xfd7zXZ\0"),
                            ("am335x-boneblack.dtb", 0, b"\xd0\x0d\xfe\xed"),
                            ("am335x-bone.dtb", 0, b"\xd0\x0d\xfe\xed"),
                            ("root.squashfs", 0, b"hsqs")):
        subprocess.run(["debugfs", "-R", f"dump {name} {folder / name}", folder / "slot"], check=True,
                       capture_output=True)
        assert (folder / name).read_bytes()[at:at + len(magic)] == magic, name
    initramfs = lzma.decompress((folder / "initrd.img").read_bytes())
    assert b"modules/sdhci-omap.ko\0" in initramfs and b"modules/ext4.ko\0" in initramfs
    board.remove()


def a_broken_boot_file_is_reported(folder):
    """Bad JSON; then a wrong key, an impossible address, and what this image does not have:
    reachable, and told why."""
    board = Board("virt-armhf", folder)
    wrong = json.dumps({"hostnam": "x", "network": {"address": "10.0.2.0/24"},
                        "wifi": {"ssid": "here"}, "ssh_key": "rsa AAAA"})
    try:
        for text, reasons in (('{ "hostname": ', ["this is not JSON"]),
                              (wrong, ["hostnam: is no setting", "address of a whole network",
                                      "has no Wi-Fi", "wants one public key"])):
            board.put("pulseboard.json", text)
            board.start().up()
            board.said("pulseboard: started")
            board.cut()
            report = board.get("pulseboard-report.txt")
            for reason in reasons:
                assert reason in report, report
    finally:
        board.remove()


def a_sound_boot_file_is_applied(folder):
    board = Board("virt-armhf", folder)
    try:
        board.put("pulseboard.json", json.dumps({
            "hostname": "boiler-room",
            "network": {"address": "10.0.2.77/24", "gateway": "10.0.2.2"}}))
        board.start()
        board.said("http://10.0.2.77/")
    finally:
        board.remove()


def its_name_leads_to_it(folder):
    """On a cable where nobody gives addresses. A neighbour then claims the same name, and
    defends it: the board takes another one."""
    wire = Wire()
    board = Board("virt-armhf", folder, wire=wire)
    name = "boiler-room"

    def defend(asked):
        if asked == f"{name}.local":
            wire.say(claim(asked, "169.254.77.7"))

    try:
        board.put("pulseboard.json", json.dumps({"hostname": name}))
        board.start().up()
        found = wire.ask(f"{name}.local", A, BOOT_S)
        assert found[0].startswith("169.254."), found
        assert wire.ask("_http._tcp.local", PTR, 60) == [f"{name}._http._tcp.local"]
        assert wire.ask(f"{name}._http._tcp.local", SRV, 60)[0] == (80, f"{name}.local")
        board.said(f"or by name: http://{name}.local/")
        wire.say(claim(f"{name}.local", "169.254.77.7"))
        wire.ask(f"{name}-2.local", A, 120, defend)
        assert wire.ask("_http._tcp.local", PTR, 60, defend) == [f"{name}-2._http._tcp.local"]
        board.said(f"this board is {name}-2")
        assert "<html" in board.fetch("/", host=f"{name}-2.local").lower()
    finally:
        board.remove()
        wire.close()


def new_key(folder, name):
    """A pair of keys for SSH; the public one's text."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return (folder / f"{name}.pub").read_text().strip()


def ssh_into(board, key, *words, data=b""):
    """What became of a command on a board, by one of the keys in its folder."""
    done = subprocess.run(
        ["ssh", "-F", "none", "-i", board.folder / key, "-p", str(board.ssh_port), "-o", "BatchMode=yes",
         "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new",
         "-o", f"UserKnownHostsFile={board.folder}/known", "-o", "ConnectTimeout=60",
         "root@127.0.0.1", *words], input=data, capture_output=True, timeout=300)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def ssh_takes_the_owners_key_alone(folder):
    """Nothing listens; then, with a key in the boot file, that key opens a shell and another
    one and passwords do not."""
    board = Board("virt-armhf", folder)
    keys = {name: new_key(folder, name) for name in ("owner", "other")}

    def ssh(key, *words):
        return ssh_into(board, key, *words)

    try:
        board.start().up()
        board.said("pulseboard: started")
        assert not greeting(board.ssh_port)
        board.cut()
        board.put("pulseboard.json", json.dumps({"ssh_key": keys["owner"]}))
        board.start().up()
        until("SSH answers", lambda: greeting(board.ssh_port).startswith(b"SSH-2.0"), 120)
        done = ssh("owner", "cat /run/report; id -u")
        assert done.returncode == 0 and done.stdout.endswith("0\n"), done
        assert "all is well" in done.stdout, done.stdout
        refused = ssh("other", "id -u")
        assert refused.returncode == 255 and "(publickey)" in refused.stderr, refused
        host_key = (folder / "known").read_text().split()[-1]
        board.cut()
        board.start().up()
        until("SSH answers", lambda: greeting(board.ssh_port).startswith(b"SSH-2.0"), 120)
        (folder / "known").unlink()
        assert ssh("owner", "true").returncode == 0
        assert (folder / "known").read_text().split()[-1] == host_key
    finally:
        board.remove()


def virt_wifi_joins_leaves_and_returns(folder):
    """With a wrong passphrase it says so, and nowhere what it was; with the right one the page
    comes through the air, and again after the access point, or the board's own part, was gone."""
    air = Air()
    board = Board("virt-wifi", folder, wire=air)
    key = new_key(folder, "owner")
    name, wrong, right = "Boiler \u00fc room", "it's \"wrong\" $HOME", "it's \"right\" \\ $HOME"

    def ssh(command, data=b""):
        done = ssh_into(board, "owner", command, data=data)
        assert not done.stderr, done.stderr
        return done.stdout

    def start(password):
        board.put("pulseboard.json", json.dumps({
            "ssh_key": key, "wifi": {"ssid": name, "password": password, "country": "DE"}}))
        board.start().up()
        until("SSH answers", lambda: greeting(board.ssh_port).startswith(b"SSH-2.0"), 120)
        return AccessPoint(board, ssh)

    def page_through_the_air():
        return "<html" in board.fetch("/", port=air.port).lower()

    try:
        point = start(wrong)
        point.start(name, right)
        board.said("wifi: the access point does not accept the passphrase: see wifi.password")
        until("the report says so", lambda: "accept the passphrase" in ssh("cat /boot/pulseboard-report.txt"))
        assert ssh("stat -c %a /run/wifi/conf /run/settings") == "600\n600\n"
        everything = ssh("logread; ps; cat /run/report /run/banner") + board.console()
        assert "CTRL-EVENT-SSID-TEMP-DISABLED" in everything, everything
        assert "wrong\"" not in everything, everything
        board.cut()

        point = start(right)
        point.start(name, right)
        board.said("wifi: wlan0 has joined its network")
        board.said(f"http://{AT}/")
        until("the page comes through the air", page_through_the_air, 120)
        telemetry = json.loads(board.fetch("/api/v1/telemetry", port=air.port))
        assert any(n.startswith("net.wlan0.") for n in telemetry["values"]), telemetry
        until("all is well", lambda: "all is well" in ssh("cat /boot/pulseboard-report.txt"))
        assert "init=USER type=COUNTRY alpha2=DE" in ssh("logread")

        point.stop()
        board.said("wifi: wlan0 has lost its network")
        try:
            assert not page_through_the_air()
        except OSError:
            pass
        point.start(name, right)
        until("it has joined again", lambda: board.console().count("wlan0 has joined") == 2)
        until("the page comes again", page_through_the_air, 120)
        ssh("kill -9 $(pidof wpa_supplicant)")
        until("it was started again", lambda: board.console().count("wlan0 has joined") == 3)
        until("the page comes once more", page_through_the_air, 120)
    finally:
        board.remove()


def greeting(port):
    """What a server says first; nothing where nobody listens behind the emulator's port."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        try:
            return s.recv(64)
        except ConnectionResetError:
            return b""


def a_spoilt_data_partition_is_rebuilt(folder):
    board = Board("virt-armhf", folder)
    try:
        board.spoil(DATA_AT, 16 * MIB)
        board.start().up()
        board.said("pulseboard: started")
        board.cut()
        report = board.get("pulseboard-report.txt")
        assert report.count("was made anew") == 1, report
        board.start().up()
        board.said("pulseboard: started")
        board.cut()
        assert "all is well" in board.get("pulseboard-report.txt")
    finally:
        board.remove()


def a_spoilt_slot_gives_way_to_the_other(folder):
    board = Board("virt-armhf", folder)
    try:
        board.spoil(SLOT[0], MIB)
        board.start().up()
        board.said("started, slot b")
    finally:
        board.remove()


def a_trial_that_does_not_confirm_ends(folder):
    """Slot b on trial; the power goes; slot a comes back, and ab.txt says so."""
    board = Board("virt-armhf", folder)
    try:
        board.put("ab.txt", "pending=1\nslot=b\ntries=0\n")
        board.start().said("started, slot b")
        board.cut()
        assert board.get("ab.txt") == "pending=1\nslot=b\ntries=1\n"
        board.start().said("started, slot a")
        board.cut()
        assert board.get("ab.txt") == "pending=0\nslot=a\ntries=0\n"
    finally:
        board.remove()


def power_cuts_harm_nothing(folder, times=3):
    """At random moments of starting, growing, writing: it always comes up, as the same board."""
    board = Board("virt-armhf", folder)
    dice = random.Random()
    try:
        seconds = board.start().up()
        board.said("pulseboard: started")
        board.cut()
        for number in range(times):
            board.start()
            moment = dice.uniform(0, 1.3 * seconds)
            try:
                until("the moment of the cut", lambda: False, moment)
            except AssertionError:
                board.cut()
            print(f"     cut {number + 1} of {times} after {moment:.1f} of {seconds:.1f} s", flush=True)
        board.start().up()
        board.said("pulseboard: started")
        assert "was made anew" not in board.console(), board.console()
    finally:
        board.remove()


# In /bin of a board -> what the account calls it.
ACCOUNTED = {"pulseboard": "pulseboard", "grow": "pulseboard", "busybox": "busybox",
             "e2fsck": "e2fsck-static", "announce": "avahi", "dropbearmulti": "dropbear"}


def accounted(name, programs, offers):
    """By name, version and licence in the SPDX document of a board, and with the licence's text on
    it; offers: beginnings of what the offer of sources lists."""
    root = BUILD / name / "root"
    told = {p["name"]: p for p in json.loads(
        (BUILD / name / "disk.img").resolve().with_suffix(".spdx.json").read_text())["packages"]}
    found = {p.name for p in (root / "bin").iterdir() if not p.is_symlink()}
    scripts = {p.name for p in (TOP / "firmware/system/root/bin").iterdir()}
    assert found - scripts == set(programs), found
    for package in [*programs.values(), *(o.split(" ")[0] for o in offers)]:
        assert told[package]["versionInfo"], told[package]
        assert told[package]["licenseDeclared"] != "NOASSERTION", told[package]
        assert (root / "usr/share/licenses" / package).stat().st_size > 500, package
    for licence in ("GPL-2.0-only", "LGPL-2.1-or-later"):
        assert "GNU" in (root / "usr/share/licenses" / licence).read_text(), licence
    offer = (root / "usr/share/licenses/SOURCE-OFFER").read_text()
    assert all(o in offer for o in offers), offer
    return told


def every_program_is_accounted_for(_folder):
    told = accounted("virt-armhf", ACCOUNTED, ["busybox (1.", "avahi (0."])
    assert "wpa" not in told and "libnl3" not in told, told


def virt_wifi_accounts_for_what_radios_need(_folder):
    told = accounted("virt-wifi", {**ACCOUNTED, "wpa_supplicant": "wpa"},
                     ["busybox (1.", "avahi (0.", "libnl3 (3."])
    law = BUILD / "virt-wifi/root/lib/firmware/regulatory.db"
    assert law.read_bytes()[:4] == b"RGDB" and told["wireless-regdb"]["licenseDeclared"] == "ISC"


# What a client of python can ask for: the suite of 1.3 is the server's first choice.
SUITES = [(ssl.TLSVersion.TLSv1_3, None),
          (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
          (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
          (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305")]


def secure_session(board, version, suite):
    """An open session, greeted."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.minimum_version = tls.maximum_version = version
    if suite:
        tls.set_ciphers(suite)
    ws = wsraw.Ws(("127.0.0.1", board.tls_port), tls)
    assert b'"hello"' in ws.message(60)[1]
    return ws


def ask(ws, method, number):
    ws.text(json.dumps({"jsonrpc": "2.0", "id": number, "method": method}))
    while (said := json.loads(ws.message(60)[1])).get("id") != number:
        assert "method" in said, said
    return said["result"]


class Other:
    """A suite of 1.3 that python cannot ask for, by openssl."""

    def __init__(self, board, suite):
        self.child = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-tls1_3", "-ciphersuites", suite,
             "-connect", f"127.0.0.1:{board.tls_port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.heard = b""
        self.say(wsraw.request("/ws", headers=wsraw.UPGRADE), b'"hello"')

    def say(self, what, awaited):
        self.child.stdin.write(what)
        self.child.stdin.flush()
        while awaited not in self.heard:
            part = os.read(self.child.stdout.fileno(), 65536)
            assert part, self.heard
            self.heard += part

    def end(self):
        self.say(wsraw.frame(wsraw.TEXT, b'{"jsonrpc":"2.0","id":77,"method":"info"}'), b'"id":77')
        self.say(wsraw.frame(wsraw.CLOSE, wsraw.close_payload(1000)), b"\x88\x02\x03\xe8")
        self.child.stdin.close()
        self.child.wait(60)
        self.child.stdout.close()


def kernel_tls_carries_sessions(folder):
    """Of every suite: mbedTLS's heap holds nothing of them, they ask, answer and close like
    others, and what is no TLS ends them."""
    board = Board("virt-armhf", folder)
    try:
        board.start().up()
        board.said("pulseboard: started")
        began = board.stats()
        held = [secure_session(board, *s) for s in SUITES for _ in range(4)]
        here = until("all sit", lambda: (s := board.stats())["sessions"]["live"] == 16 and s)
        others = [Other(board, s) for s in ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")]
        each = (here["memory"]["tls_bytes"] - began["memory"]["tls_bytes"]) / 16
        print(f"     mbedTLS's heap: {each:.0f} bytes a session", flush=True)
        for number, ws in enumerate(held):
            assert ask(ws, "stats", number)["sessions"]["live"] == 18
            assert b'"telemetry"' in ws.message(60)[1]
        for other in others:
            other.end()
        # More than sockets hold, and only then read: nothing is lost, nothing torn.
        for ws in held[0::4]:
            for number in range(100, 200):
                ws.text(json.dumps({"jsonrpc": "2.0", "id": number, "method": "stats"}))
        for ws in held[0::4]:
            ids = []
            while len(ids) < 100:
                said = json.loads(ws.message(120)[1])
                ids += [said["id"]] if "id" in said else []
            assert ids == list(range(100, 200)), ids
        # In order: both say close_notify, or python complains.
        for ws in held[0::4]:
            assert ws.end() == 1000
        for ws in held[1::4]:
            ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            ws.close()
        for ws in held[2::4]:
            os.write(ws.sock.fileno(), b"\x17\x03\x03\x00\x20" + b"?" * 32)
        for ws in held[3::4]:
            ws.sock.shutdown(socket.SHUT_WR)  # FIN, and no close_notify
        left = until("all have a cause", lambda: (s := board.stats())["sessions"]["live"] == 0 and s)
        more = {why: n - began["closed"][why] for why, n in left["closed"].items()
                if n > began["closed"][why]}
        assert more == {"peer_closed": 6, "peer_reset": 12}, more
        assert each < 200, each
    finally:
        board.remove()


def two_builds_are_the_same_bits(_folder):
    total = (BUILD / "virt-armhf/disk.img").resolve().with_suffix(".img.sha256")
    first = total.read_text()
    (BUILD / "programs/armhf/announce.stamp").unlink()
    done = subprocess.run([TOP / "firmware/build", "virt-armhf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert total.read_text() == first


CASES = [virt_armhf_serves_in_64_mb, a_broken_boot_file_is_reported, a_sound_boot_file_is_applied,
         its_name_leads_to_it, ssh_takes_the_owners_key_alone,
         virt_wifi_joins_leaves_and_returns,
         a_spoilt_data_partition_is_rebuilt, a_spoilt_slot_gives_way_to_the_other,
         a_trial_that_does_not_confirm_ends, power_cuts_harm_nothing,
         kernel_tls_carries_sessions, orangepi_pc_serves_from_its_card,
         every_program_is_accounted_for, virt_wifi_accounts_for_what_radios_need, two_builds_are_the_same_bits]
# 64-bit programs and kernels are built for these: when they are asked for.
OTHER_BOARDS = [virt_arm64_serves, raspberrypi_serves_from_its_card,
                raspberrypi_armhf_serves_from_its_card,
                raspberrypi_card_has_what_its_loader_names,
                raspberrypi_armhf_card_has_what_its_loader_names,
                beaglebone_image_is_laid_out_for_its_rom]
