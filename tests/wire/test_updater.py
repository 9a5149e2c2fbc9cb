"""The half of an update that has rights, on a board made of files: what it refuses, what it
writes, what it believes after a boot, and that a kill at any moment leaves a board that boots."""

import os
import random
import socket
import threading
import time

import netns
import pytest
from server import SLOWER, until
from updater import BUILT, VERSION, Board, Refused

NEW = random.Random(1).randbytes(700_001)


@pytest.fixture
def b(tmp_path):
    board = Board(tmp_path)
    yield board
    board.kill()


def refused(board, pbu, kind, words, force=False):
    with pytest.raises(Refused) as e:
        board.talk().send(pbu, force)
    assert e.value.kind == kind and words in e.value.why, e.value
    s = board.status()
    assert s["state"] == "failed" and words in s["why"], s
    assert board.ab() == ("a", 0, 0)
    board.runs_untouched("a")


def untouched(board):
    board.runs_untouched("a")
    board.runs_untouched("b")


# --- a good one ---


def test_a_good_update_is_written_and_switched_to(b):
    b.start()
    b.talk().send(b.update(NEW))
    s = b.until_state("reboot")
    assert s["update"] == "1.3.0+gbbbbbbb" and s["from"] == VERSION and s["slot"] == "a"
    assert b.ab() == ("b", 1, 0)
    got = b.slots["b"].read_bytes()
    assert got[: len(NEW)] == NEW and got[len(NEW) :] == b.images["b"][len(NEW) :]
    b.runs_untouched("a")
    b.until_reboot()
    b.stop()


def test_it_is_confirmed_once_it_has_served(b, start):
    page = start.pulseboard()
    b.start()
    b.talk().send(b.update(NEW))
    b.until_reboot()
    b.stop()
    assert b.boots() == "b"
    b.runs("1.3.0+gbbbbbbb", 2000)
    b.start(probe=f"http://127.0.0.1:{page.addr[1]}")
    assert b.ab() == ("b", 1, 1)
    s = b.until_state("confirmed")
    assert s["version"] == s["update"] == "1.3.0+gbbbbbbb" and "served" in s["why"], s
    assert b.ab() == ("b", 0, 0)
    b.stop()
    assert b.boots() == "b"
    b.start()
    assert b.status()["state"] == "confirmed"


@pytest.mark.skipif(not netns.possible(), reason="needs root")
@pytest.mark.parametrize("same", [True, False], ids=["as before", "gone"])
def test_one_that_lost_the_network_goes_back(b, start, same):
    """The new system serves, but nobody outside could ask: its kernel lacks the driver. One that
    never had a network lacks none."""
    page = start.pulseboard("--socket", b.folder / "page.sock")
    reachable, lonely = netns.Namespace(), netns.Namespace()
    reachable.call(reachable.ip, "link", "add", "out", "type", "veth", "peer", "name", "in")
    reachable.call(reachable.ip, "addr", "add", "192.0.2.1/24", "dev", "out")
    for end in ("out", "in"):
        reachable.call(reachable.ip, "link", "set", end, "up")
    (lonely if same else reachable).call(b.start)
    b.talk().send(b.update(NEW))
    b.until_reboot()
    b.stop()
    assert b.boots() == "b"
    b.runs("1.3.0+gbbbbbbb", 2000)
    lonely.call(b.start, probe=f"unix:{b.folder}/page.sock", limit=6)
    if same:
        b.until_state("confirmed")
    else:
        assert "no network" in b.until_state("rolled_back")["why"]
        assert b.ab() == ("a", 0, 0)
    assert page.http("/").status == 200


@pytest.mark.parametrize("serves", ["nothing", "no_session"])
def test_one_that_does_not_serve_goes_back(b, serves):
    """Nobody listens, or somebody who has pages but no sessions."""
    port, ends = web_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    b.start()
    b.talk().send(b.update(NEW))
    b.until_reboot()
    b.stop()
    assert b.boots() == "b"
    b.runs("1.3.0+gbbbbbbb", 2000)
    b.start(probe=f"http://127.0.0.1:{port if serves == 'no_session' else 1}", limit=2)
    b.until_reboot(2)
    s = b.status()
    ends()
    word = "no session" if serves == "no_session" else "no page"
    assert s["state"] == "rolled_back" and word in s["why"], s
    assert b.ab() == ("a", 0, 0)
    b.stop()
    assert b.boots() == "a"
    b.runs(VERSION, BUILT)
    b.start()
    s = b.status()
    assert s["state"] == "rolled_back" and s["version"] == VERSION, s
    assert s["update"] == "1.3.0+gbbbbbbb" and word in s["why"], s
    b.runs_untouched("a")


def test_one_that_does_not_come_up_is_told_of(b):
    b.start()
    b.talk().send(b.update(NEW))
    b.until_reboot()
    b.stop()
    assert b.boots() == "b"  # and hangs: its watchdog bites
    assert b.boots() == "a"
    b.start()
    s = b.status()
    assert s["state"] == "rolled_back" and "did not come up" in s["why"], s
    assert b.ab() == ("a", 0, 0)


def test_a_trial_can_be_ended(b):
    b.set_ab("a", 1, 1)
    b.start()
    with pytest.raises(Refused, match="on trial"):
        b.talk().begin(b.update(NEW))
    with pytest.raises(Refused, match="on trial"):
        b.talk().ask(b"X")
    b.talk().ask(b"R")
    b.until_reboot()
    assert b.ab() == ("b", 0, 0)
    untouched(b)


def test_it_works_in_both_directions(b):
    b.set_ab("b", 0, 0)
    b.running = "b"
    b.start()
    b.talk().send(b.update(NEW))
    b.until_state("reboot")
    assert b.ab() == ("a", 1, 0)
    assert b.slots["a"].read_bytes()[: len(NEW)] == NEW
    b.runs_untouched("b")


# --- what is refused ---


def test_another_key(b):
    b.start()
    refused(b, b.update(NEW, keys=b.key("theirs")), b"r", "signature")
    untouched(b)


def test_any_of_several_keys_will_do(b):
    second = b.key("second")
    b.start(keys=[b.keys, second])
    b.talk().send(b.update(NEW, keys=second))
    b.until_state("reboot")


@pytest.mark.parametrize("at", [16, 40, 100, -1])
def test_a_changed_head(b, at):
    """One bit in the manifest, or in the signature."""
    pbu = bytearray(b.update(NEW))
    n = 16 + int.from_bytes(pbu[12:14]) + int.from_bytes(pbu[14:16])
    pbu[at if at > 0 else n - 1] ^= 1
    b.start()
    refused(b, bytes(pbu), b"r", "signature")
    untouched(b)


def test_another_board(b):
    b.start()
    refused(b, b.update(NEW, board="other-board"), b"r", "another board", force=True)
    untouched(b)


@pytest.mark.parametrize("version,built", [("1.1.9", 9000), (VERSION, BUILT - 1), ("1", 9000)])
def test_an_older_version_unless_forced(b, version, built):
    pbu = b.update(NEW, version, built)
    b.start()
    refused(b, pbu, b"r", "older")
    untouched(b)
    b.talk().send(pbu, force=True)
    b.until_state("reboot")


def test_the_same_version_again(b):
    b.start()
    b.talk().send(b.update(NEW, VERSION, BUILT))
    b.until_state("reboot")


def test_truncated(b):
    b.start()
    refused(b, b.update(NEW)[:-1], b"r", "shorter")
    assert b.boots() == "a"


def test_too_long(b):
    b.start()
    refused(b, b.update(NEW) + b"x", b"r", "longer")


def test_an_image_that_is_not_the_signed_one(b):
    pbu = bytearray(b.update(NEW))
    pbu[-300_000] ^= 1
    b.start()
    refused(b, bytes(pbu), b"r", "not the one that was signed")


def test_larger_than_the_slot(b):
    b.start()
    refused(b, b.update(bytes(len(b.images["b"]) + 1)), b"r", "larger than the slot")
    untouched(b)


@pytest.mark.parametrize("pbu", [b"", b"PULSEUPD", bytes(2000), b"PULSEUPD\x01\0\0\0\xff\xff\0\x46"])
def test_no_update_file_at_all(b, pbu):
    b.start()
    with pytest.raises(Refused, match="not an update file"):
        b.talk().ask(b"B", b"\0" + pbu)
    untouched(b)


def test_a_slot_that_cannot_be_written(b):
    gone = {**b.slots, "b": b.folder / "nothing"}
    b.start(slots=gone)
    refused(b, b.update(NEW), b"i", "the slot")
    untouched(b)


def test_a_slot_that_keeps_something_else(b):
    """Somebody spoils the last byte all the time: what is read back is not what was written."""
    size, over = 3 << 20, threading.Event()
    wrong = bytes([random.Random(2).randbytes(size)[-1] ^ 1])

    def spoil():
        fd = os.open(b.slots["b"], os.O_WRONLY)
        while not over.is_set():
            os.pwrite(fd, wrong, size - 1)
        os.close(fd)

    b.start()
    pbu = b.update(random.Random(2).randbytes(size))
    t = threading.Thread(target=spoil)
    t.start()
    try:
        refused(b, pbu, b"i", "does not hold what was written")
    finally:
        over.set()
        t.join()


# --- who may speak, and when ---


def test_one_update_at_a_time(b):
    b.start()
    pbu = b.update(NEW)
    first = b.talk()
    image = first.begin(pbu)
    first.ask(b"D", image[:1000])
    with pytest.raises(Refused) as e:
        b.talk().begin(pbu)
    assert e.value.kind == b"b"
    with pytest.raises(Refused):
        b.talk().ask(b"D", image[1000:2000])  # not its own
    with pytest.raises(Refused, match="under way"):
        b.talk().ask(b"X")
    s = b.status()
    assert s["state"] == "receiving" and 0 < s["progress"] < 0.01, s
    first.ask(b"D", image[1000:2000])
    first.close()
    s = b.until_state("failed")
    assert f"after 2000 of {len(NEW)}" in s["why"], s
    b.talk().send(pbu)


def test_many_clients_do_not_push_the_owner_out(b):
    b.start()
    pbu = b.update(NEW)
    first = b.talk()
    image = first.begin(pbu)
    for _ in range(20):
        assert b.talk().status()["state"] == "receiving"
    for at in range(0, len(image), 32768):
        first.ask(b"D", image[at : at + 32768])
    first.ask(b"E")


def test_leaving_after_the_end_does_not_stop_it(b):
    b.start()
    t = b.talk()
    image = t.begin(b.update(NEW))
    for at in range(0, len(image), 32768):
        t.ask(b"D", image[at : at + 32768])
    t.s.send(b"E")
    t.close()
    b.until_state("reboot")
    assert b.ab() == ("b", 1, 0)


@pytest.mark.parametrize("message", [b"", b"?", b"D", b"Dxx", b"E", b"R", b"B", b"B\x02", b"S" * 33000])
def test_nonsense(b, message):
    b.start()
    t = b.talk()
    t.s.send(message)
    got = t.s.recv(4096)
    assert not got or got[:1] in b"rwK", got
    assert b.status()["state"] in ("idle", "failed")
    untouched(b)


def test_strangers_are_not_heard(b):
    if os.geteuid() != 0:
        pytest.skip("takes root")
    b.start()
    assert b.socket.stat().st_mode & 0o777 == 0o600
    b.socket.chmod(0o666)  # as if somebody had: the peer is looked at all the same
    for parent in (b.folder, *b.folder.parents):
        if str(parent).startswith("/tmp/pytest"):
            parent.chmod(0o755)
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(str(b.socket))
            s.send(b"S")
            os._exit(1 if s.recv(4096) else 0)
        except OSError:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    until(lambda: "update_stranger" in b.log.read_text())


def test_it_sleeps_when_there_is_nothing_to_do(b):
    b.start()
    b.status()

    def switches():
        text = open(f"/proc/{b.proc.pid}/status").read()
        return int(text.split("nonvoluntary_ctxt_switches:")[0].split()[-1])

    until(lambda: open(f"/proc/{b.proc.pid}/stat").read().split()[2] == "S")
    before = switches()
    time.sleep(1)
    assert switches() == before


# --- power cuts ---


def survives(board):
    """After whatever happened: ab.txt is whole, what runs was not written to, and when the other
    slot is to be tried it holds all of the new image."""
    slot, pending, _ = board.ab()
    board.runs_untouched("a")
    if slot == "b":
        assert pending == 1
        assert board.slots["b"].read_bytes()[: len(NEW)] == NEW
    return slot


# Instrumented builds are killed less often.
KILLS = [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 30))]


@pytest.mark.parametrize("seed", KILLS)
def test_killed_at_any_moment(b, seed):
    rng = random.Random(seed)
    pbu = b.update(NEW)
    b.start()
    kill = threading.Timer(rng.uniform(0, 0.12) * SLOWER, b.proc.kill)
    t = b.talk()
    kill.start()
    try:
        t.send(pbu)
    except OSError:
        pass
    b.proc.wait(30)
    b.kill()
    slot = survives(b)
    # It comes again in the same boot: the switch is gone through with, or there was none.
    b.start()
    s = b.status()["state"]
    if slot == "b":
        b.until_reboot()
        assert s == "reboot" and b.ab() == ("b", 1, 0)
    else:
        assert s in ("idle", "failed"), s
        b.talk().send(pbu)
        b.until_state("reboot")
    survives(b)
    b.stop()
    assert b.boots() == "b"
    assert b.boots() == "a"  # it proved nothing: back


@pytest.mark.parametrize("seed", range(6))
def test_killed_on_trial(b, seed, start):
    """The helper dies during the trial, the board goes on: confirmed in the end. The power fails:
    the old one returns."""
    rng = random.Random(seed)
    page = start.pulseboard()
    b.set_ab("b", 1, 1)
    b.running = "b"
    b.images["b"] = b.slots["b"].read_bytes()
    probe = f"http://127.0.0.1:{page.addr[1]}"
    b.start(probe=probe)
    time.sleep(rng.uniform(0, 1.3))
    b.kill()
    assert b.ab() in (("b", 1, 1), ("b", 0, 0))
    if seed % 2 and b.ab()[1]:
        assert b.boots() == "a"
    else:
        b.start(probe=probe)
        until(lambda: b.ab() == ("b", 0, 0), 30.0)
    untouched(b)


def test_without_boot_state_it_makes_one(b):
    (b.boot / "ab.txt").write_text("garbage")
    b.start()
    assert b.ab() == ("a", 0, 0)
    b.stop()
    (b.boot / "ab.txt").unlink()
    b.start()
    assert b.ab() == ("a", 0, 0)


def test_padding_is_kept(b):
    """The boot loader may end the text with a NUL: its length, and so the directory, stays."""
    (b.boot / "ab.txt").write_bytes(b"pending=0\nslot=a\ntries=0\n\0")
    b.start()
    b.talk().send(b.update(NEW))
    b.until_state("reboot")
    assert (b.boot / "ab.txt").read_bytes() == b"pending=1\nslot=b\ntries=0\n\n"


def test_what_it_cannot_start_with(b):
    with pytest.raises(AssertionError, match="public key"):
        (b.folder / "rsa").mkdir()
        (b.folder / "rsa/update.pub").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n")
        b.start(keys=[b.folder / "rsa"])
    b.proc.wait()
    b.proc.stdout.close()
    b.proc = None


def web_server(answer):
    """Says the same to everybody; (port, how to end it)."""
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            with c:
                c.recv(4096)
                c.sendall(answer)

    t = threading.Thread(target=serve, daemon=True)
    t.start()

    def end():
        s.shutdown(socket.SHUT_RDWR)
        s.close()
        t.join()

    return s.getsockname()[1], end
