"""What images must show, each a function of the folder that it may use. See README.md."""
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys

from board import BUILD, DATA_AT, MIB, SLOT, TOP, Board, until

sys.path.insert(0, str(TOP / "tests/wire"))
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


def orangepi_pc_serves_from_its_card(folder):
    serves(folder, "orangepi-pc")


def a_broken_boot_file_is_reported(folder):
    """Bad JSON; then a wrong key, an impossible address, and what this image does not have:
    reachable, and told why."""
    board = Board("virt-armhf", folder)
    wrong = json.dumps({"hostnam": "x", "network": {"address": "10.0.2.0/24"},
                        "wifi": {"ssid": "here"}, "ssh_key": "ssh-ed25519 AAAA"})
    try:
        for text, reasons in (('{ "hostname": ', ["this is not JSON"]),
                              (wrong, ["hostnam: is no setting", "address of a whole network",
                                      "has no Wi-Fi", "has no SSH"])):
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
    done = subprocess.run([TOP / "firmware/build", "virt-armhf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert total.read_text() == first


CASES = [virt_armhf_serves_in_64_mb, a_broken_boot_file_is_reported, a_sound_boot_file_is_applied,
         a_spoilt_data_partition_is_rebuilt, a_spoilt_slot_gives_way_to_the_other,
         a_trial_that_does_not_confirm_ends, power_cuts_harm_nothing,
         kernel_tls_carries_sessions, orangepi_pc_serves_from_its_card, two_builds_are_the_same_bits]
