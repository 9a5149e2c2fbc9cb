"""What images must show, each a function of the folder that it may use. See README.md."""
import json
import random
import subprocess

from board import BUILD, DATA_AT, MIB, SLOT, TOP, Board, until


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


def two_builds_are_the_same_bits(_folder):
    total = (BUILD / "virt-armhf/disk.img").resolve().with_suffix(".img.sha256")
    first = total.read_text()
    done = subprocess.run([TOP / "firmware/build", "virt-armhf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert total.read_text() == first


CASES = [virt_armhf_serves_in_64_mb, a_broken_boot_file_is_reported, a_sound_boot_file_is_applied,
         a_spoilt_data_partition_is_rebuilt, a_spoilt_slot_gives_way_to_the_other,
         a_trial_that_does_not_confirm_ends, power_cuts_harm_nothing,
         orangepi_pc_serves_from_its_card, two_builds_are_the_same_bits]
