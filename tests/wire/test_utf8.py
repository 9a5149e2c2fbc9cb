"""RFC 6455 8.1: text is UTF-8 (RFC 3629), in whatever frames and pieces it comes, and fails
at the first byte that cannot be right."""

import pytest
from rfc import Case, each, play
from wsraw import BINARY, CONT, TEXT, frame

BAD = ("close", 1007)

GOOD = {
    "greek": "κόσμε".encode(),
    "hello": "Hello-µ@ßöäüàá-UTF-8!!".encode(),
    "first-1": b"\x00",
    "first-2": b"\xc2\x80",
    "first-3": b"\xe0\xa0\x80",
    "first-4": b"\xf0\x90\x80\x80",
    "last-1": b"\x7f",
    "last-2": b"\xdf\xbf",
    "last-3": b"\xef\xbf\xbf",
    "last-4": b"\xf4\x8f\xbf\xbf",
    "before-surrogates": b"\xed\x9f\xbf",
    "after-surrogates": b"\xee\x80\x80",
    "replacement": b"\xef\xbf\xbd",
    "nonchar-bmp": b"\xef\xb7\x90\xef\xbf\xbe\xef\xbf\xbf",
    **{
        f"nonchar-plane-{p}": "".join(chr(p << 16 | x) for x in (0xFFFE, 0xFFFF)).encode()
        for p in range(1, 17)
    },
}

LONE = bytes([*range(0x80, 0xC0)])
BROKEN = {
    "edited": "κόσμε".encode() + b"\xed\xa0\x80" + b"edited",
    "lone-80": b"\x80",
    "lone-bf": b"\xbf",
    **{f"lone-x{n}": (b"\x80\xbf" * 4)[:n] for n in range(2, 8)},
    "lone-all": LONE,
    "two-byte-starts": b"".join(bytes([b, 0x20]) for b in range(0xC0, 0xE0)),
    "three-byte-starts": b"".join(bytes([b, 0x20]) for b in range(0xE0, 0xF0)),
    "four-byte-starts": b"".join(bytes([b, 0x20]) for b in range(0xF0, 0xF8)),
    "five-byte-starts": b"\xf8 \xf9 \xfa \xfb ",
    "six-byte-starts": b"\xfc \xfd ",
    "cut-2": b"\xc2",
    "cut-3a": b"\xe0\xa0",
    "cut-3b": b"\xef\xbf",
    "cut-4a": b"\xf0\x90\x80",
    "cut-4b": b"\xf4\x8f\xbf",
    "cut-all": b"\xc2\xe0\xa0\xf0\x90\x80",
    "impossible-fe": b"\xfe",
    "impossible-ff": b"\xff",
    "impossible-both": b"\xfe\xfe\xff\xff",
    "overlong-2": b"\xc0\xaf",
    "overlong-3": b"\xe0\x80\xaf",
    "overlong-4": b"\xf0\x80\x80\xaf",
    "overlong-5": b"\xf8\x80\x80\x80\xaf",
    "overlong-6": b"\xfc\x80\x80\x80\x80\xaf",
    "overlong-2-max": b"\xc1\xbf",
    "overlong-3-max": b"\xe0\x9f\xbf",
    "overlong-4-max": b"\xf0\x8f\xbf\xbf",
    "overlong-nul-2": b"\xc0\x80",
    "overlong-nul-3": b"\xe0\x80\x80",
    "overlong-nul-4": b"\xf0\x80\x80\x80",
    "above-10ffff": b"\xf4\x90\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "six-bytes": b"\xfc\x84\x80\x80\x80\x80",
    "surrogate-first": b"\xed\xa0\x80",
    "surrogate-last": b"\xed\xbf\xbf",
    "surrogate-mid": b"\xed\xad\xbf",
    "surrogate-pair": b"\xed\xa0\x80\xed\xb0\x80",
    "surrogate-pair-last": b"\xed\xaf\xbf\xed\xbf\xbf",
}


@pytest.fixture(scope="module", autouse=True)
def peers_fault(echo):
    echo.allow("cause=protocol_error")


def fragments_of_one(payload):
    """A frame for every byte."""
    last = len(payload) - 1
    return b"".join(
        frame(CONT if i else TEXT, payload[i : i + 1], fin=i == last) for i in range(len(payload))
    )


@each([Case(n, frame(TEXT, p), [(TEXT, p)]) for n, p in GOOD.items()], chops=(0, 1))
def test_good(echo, case):
    play(echo, case)


@each([Case(n, fragments_of_one(p), [(TEXT, p)]) for n, p in GOOD.items()])
def test_good_in_fragments_of_a_byte(echo, case):
    play(echo, case)


@each([Case(n, frame(TEXT, p), [BAD]) for n, p in BROKEN.items()], chops=(0, 1))
def test_broken(echo, case):
    play(echo, case)


@each([Case(n, fragments_of_one(p), [BAD]) for n, p in BROKEN.items()])
def test_broken_in_fragments_of_a_byte(echo, case):
    play(echo, case)


@each([Case(n, frame(TEXT, b"x" * 300 + p), [BAD]) for n, p in BROKEN.items()])
def test_broken_after_ascii(echo, case):
    play(echo, case)


def earliest():
    """The frame is never finished: the answer must come at the byte that is wrong."""
    greek = "κόσμε".encode()
    for name, upto in {
        "surrogate": b"\xed\xa0",
        "above-10ffff": b"\xf4\x90",
        "overlong-2": b"\xc0",
        "overlong-3": b"\xe0\x80",
        "overlong-4": b"\xf0\x8f",
        "f5": b"\xf5",
        "lone": b"\x80",
        "ascii-in-sequence": b"\xe2\x82A",
    }.items():
        payload = greek + upto
        whole = frame(TEXT, payload + b"\x80" * 100)
        yield Case(name, whole[: len(whole) - 100], [BAD])
        # The same in the second of two fragments, and a third that never comes.
        two = frame(TEXT, greek, fin=False) + frame(CONT, upto, fin=False)
        yield Case(f"{name}-fragment", two, [BAD])


@each(earliest(), chops=(0, 1))
def test_fails_at_the_first_wrong_byte(echo, case):
    play(echo, case)


@each(
    [
        Case("binary-is-free", frame(BINARY, b"\xff\xfe\x80"), [(BINARY, b"\xff\xfe\x80")]),
        Case(
            "ends-within-a-character",
            frame(TEXT, b"\xce", fin=False) + frame(CONT),
            [BAD],
        ),
        Case(
            "state-does-not-leak",
            frame(BINARY, b"\xce") + frame(TEXT, b"ok") + frame(BINARY, b"\xba"),
            [(BINARY, b"\xce"), (TEXT, b"ok"), (BINARY, b"\xba")],
        ),
    ],
    chops=(0, 1),
)
def test_what_is_text(echo, case):
    play(echo, case)
