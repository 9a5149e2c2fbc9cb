"""RFC 6455 section 5 against the echo server: framing, fragments, control frames, reserved
bits and opcodes. Every case in one piece and byte by byte, and its cause in /ws/stats."""

import pytest
from rfc import Case, each, play
from wsraw import BINARY, CONT, PING, PONG, TEXT, frame

BAD = ("close", 1002)
HELLO = b"Hello, world!"


@pytest.fixture(scope="module", autouse=True)
def peers_fault(echo):
    echo.allow("cause=protocol_error")


def sizes():
    for n in (0, 1, 124, 125, 126, 127, 128, 65535, 65536, 65537, 100000):
        yield Case(f"text-{n}", frame(TEXT, b"*" * n), [(TEXT, b"*" * n)])
        yield Case(f"binary-{n}", frame(BINARY, b"\xfe" * n), [(BINARY, b"\xfe" * n)])
    yield Case("mask-zero", frame(TEXT, HELLO, mask=b"\0\0\0\0"), [(TEXT, HELLO)])
    yield Case("mask-ones", frame(BINARY, HELLO, mask=b"\xff" * 4), [(BINARY, HELLO)])
    every_byte = bytes(range(256)) * 5
    yield Case("binary-all-bytes", frame(BINARY, every_byte), [(BINARY, every_byte)])
    many = [(TEXT, f"message {i}".encode()) for i in range(50)]
    yield Case("many-at-once", b"".join(frame(*m) for m in many), many)


@each(sizes(), chops=(0, 997))
def test_messages(echo, case):
    play(echo, case)


@each([c for c in sizes() if len(c.wire) < 300], chops=(1, 2, 7))
def test_messages_in_small_pieces(echo, case):
    play(echo, case)


def lengths():
    """5.2: the minimal number of bytes must be used; the top bit of 64 must be 0."""
    for n in (0, 1, 125):
        yield Case(f"16-bit-for-{n}", frame(TEXT, b"*" * n, form=16), [BAD])
        yield Case(f"64-bit-for-{n}", frame(TEXT, b"*" * n, form=64), [BAD])
    yield Case("64-bit-for-65535", frame(BINARY, b"*" * 65535, form=64), [BAD])
    yield Case("top-bit", frame(BINARY, length=1 << 63, form=64), [BAD])
    yield Case("all-ones", frame(BINARY, length=(1 << 64) - 1, form=64), [BAD])
    yield Case("ping-16-bit", frame(PING, b"*", form=16), [BAD])


@each(lengths(), chops=(0, 1))
def test_lengths(echo, case):
    play(echo, Case(case.name, case.wire[:64], case.expect, case.chop))


def unmasked():
    for op in (TEXT, BINARY, PING, PONG, 8):
        yield Case(f"first-{op}", frame(op, b"", mask=None), [BAD])
        yield Case(
            f"second-{op}", frame(TEXT, HELLO) + frame(op, b"", mask=None), [(TEXT, HELLO), BAD]
        )
    yield Case("with-payload", frame(TEXT, HELLO, mask=None), [BAD])
    fragment = frame(TEXT, HELLO, fin=False)
    yield Case("continuation", fragment + frame(CONT, HELLO, mask=None), [BAD])


@each(unmasked(), chops=(0, 1))
def test_unmasked(echo, case):
    play(echo, case)


def pings():
    yield Case("empty", frame(PING), [(PONG, b"")])
    yield Case("text", frame(PING, HELLO), [(PONG, HELLO)])
    binary = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
    yield Case("binary", frame(PING, binary), [(PONG, binary)])
    yield Case("125", frame(PING, b"\xfe" * 125), [(PONG, b"\xfe" * 125)])
    yield Case("126", frame(PING, b"\xfe" * 126), [BAD])
    yield Case("announces-126", frame(PING, length=126), [BAD])
    yield Case("announces-64k", frame(PING, length=65536), [BAD])
    yield Case("pong-126", frame(PONG, b"\xfe" * 126), [BAD])
    yield Case("pong-empty", frame(PONG) + frame(PING, b"x"), [(PONG, b"x")])
    yield Case("pong-unasked", frame(PONG, b"nobody asked") + frame(PING, b"x"), [(PONG, b"x")])
    ten = [f"payload-{i}".encode() for i in range(10)]
    yield Case("ten", b"".join(frame(PING, p) for p in ten), [(PONG, p) for p in ten])
    for op in (PING, PONG):
        yield Case(f"fragmented-{op}", frame(op, b"one", fin=False) + frame(CONT, b"two"), [BAD])


@each(pings(), chops=(0, 1))
def test_ping_pong(echo, case):
    play(echo, case)


def reserved_bits():
    for rsv in range(1, 8):
        yield Case(f"text-rsv{rsv}", frame(TEXT, HELLO, rsv=rsv), [BAD])
        yield Case(f"ping-rsv{rsv}", frame(PING, HELLO, rsv=rsv), [BAD])
        yield Case(f"close-rsv{rsv}", frame(8, b"", rsv=rsv), [BAD])
        good = frame(TEXT, HELLO)
        yield Case(
            f"after-text-rsv{rsv}",
            good + frame(BINARY, HELLO, rsv=rsv) + frame(PING),
            [(TEXT, HELLO), BAD],
        )
    yield Case("continuation", frame(TEXT, HELLO, fin=False) + frame(CONT, b"", rsv=4), [BAD])


@each(reserved_bits(), chops=(0, 1))
def test_reserved_bits(echo, case):
    play(echo, case)


def reserved_opcodes():
    for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f"{op}", frame(op), [BAD])
        yield Case(f"{op}-payload", frame(op, HELLO), [BAD])
        yield Case(
            f"{op}-after-text",
            frame(TEXT, HELLO) + frame(op, HELLO) + frame(PING),
            [(TEXT, HELLO), BAD],
        )
        yield Case(f"{op}-in-fragments", frame(TEXT, HELLO, fin=False) + frame(op), [BAD])


@each(reserved_opcodes(), chops=(0, 1))
def test_reserved_opcodes(echo, case):
    play(echo, case)


def fragments(op, payload, size, between=b""):
    """A message in frames of `size`, with something after each but the last."""
    parts = [payload[i : i + size] for i in range(0, len(payload), size)] or [b""]
    out = b""
    for i, p in enumerate(parts):
        last = i == len(parts) - 1
        out += frame(CONT if i else op, p, fin=last) + (b"" if last else between)
    return out


def fragmentation():
    for op in (TEXT, BINARY):
        for size in (1, 2, 5, 12):
            yield Case(f"{op}-by-{size}", fragments(op, HELLO, size), [(op, HELLO)])
        ping = frame(PING, b"mid")
        yield Case(
            f"{op}-ping-between", fragments(op, HELLO, 7, ping), [(PONG, b"mid"), (op, HELLO)]
        )
        yield Case(
            f"{op}-pongs-between",
            fragments(op, HELLO, 1, frame(PONG, b"x" * 125)),
            [(op, HELLO)],
        )
    ping = frame(PING, b"x" * 125)
    yield Case(
        "pings-between-all",
        fragments(TEXT, HELLO, 1, ping),
        [(PONG, b"x" * 125)] * (len(HELLO) - 1) + [(TEXT, HELLO)],
    )
    empty = frame(TEXT, fin=False) + frame(CONT, fin=False) + frame(CONT)
    yield Case("all-empty", empty, [(TEXT, b"")])
    middle = frame(TEXT, fin=False) + frame(CONT, b"middle", fin=False) + frame(CONT)
    yield Case("empty-ends", middle, [(TEXT, b"middle")])
    two = fragments(TEXT, HELLO, 4) + fragments(BINARY, HELLO, 3)
    yield Case("one-after-another", two, [(TEXT, HELLO), (BINARY, HELLO)])


@each(fragmentation(), chops=(0, 1))
def test_fragmentation(echo, case):
    play(echo, case)


def out_of_order():
    """5.4: a continuation needs a beginning, and a beginning needs the last one's end."""
    for fin in (True, False):
        yield Case(f"continuation-first-{fin}", frame(CONT, HELLO, fin=fin), [BAD])
        yield Case(f"continuation-empty-{fin}", frame(CONT, fin=fin), [BAD])
        yield Case(
            f"continuation-after-whole-{fin}",
            frame(TEXT, HELLO) + frame(CONT, HELLO, fin=fin),
            [(TEXT, HELLO), BAD],
        )
        yield Case(
            f"continuation-after-last-{fin}",
            fragments(TEXT, HELLO, 7) + frame(CONT, HELLO, fin=fin) + frame(PING),
            [(TEXT, HELLO), BAD],
        )
        for first in (TEXT, BINARY):
            for second in (TEXT, BINARY):
                yield Case(
                    f"{first}-then-{second}-{fin}",
                    frame(first, HELLO, fin=False) + frame(second, HELLO, fin=fin),
                    [BAD],
                )


@each(out_of_order(), chops=(0, 1))
def test_out_of_order(echo, case):
    play(echo, case)


@each(list(fragmentation())[:6] + list(reserved_bits())[:2] + list(sizes())[8:12], chops=(0, 1000))
def test_over_tls(echo, case):
    play(echo, case, secure=True)
