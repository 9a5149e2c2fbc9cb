"""After start-up the hub allocates nothing: not for a message, a heartbeat, an answer or a TLS
record (DESIGN.md 7). The counted build of the program says so itself (tests/steady)."""

import os
import struct
import time

import pytest
import server as srv
from clients import Viewers, crowd
from wsraw import TEXT, frame

# STEADY_S=60 for the whole minute.
SECONDS = float(os.environ.get("STEADY_S", "8"))
NAMES = 32
ASKED = [b'{"jsonrpc":"2.0","id":1,"method":"%s"}' % m for m in (b"ping", b"stats", b"info")]


def counts(path):
    """Allocations so far, by the name of the thread."""
    told = {}
    raw = path.read_bytes()
    for name, n in (struct.unpack_from("16sQ", raw, 24 * i) for i in range(NAMES)):
        if n:
            name = name.split(b"\0")[0].decode()
            told[name] = told.get(name, 0) + n
    return told


@pytest.mark.slow
def test_the_hub_allocates_nothing_while_sessions_stream(tmp_path, pem, figure):
    path = tmp_path / "counts"
    path.write_bytes(bytes(24 * NAMES))
    argv = [srv.BUILD / "tests" / "pulseboard_counted", "serve", "--listen", "127.0.0.1:0",
            "--tls-listen", "127.0.0.1:0", "--tls-pem", pem, "--sample-ms", "100",
            "--heartbeat-start-ms", "2000", "--heartbeat-min-ms", "2000"]  # fmt: skip
    s = srv.Server(argv, tmp_path / "log", tls=srv.ssl_context(pem),
                   env={"ALLOC_COUNTS": str(path)})  # fmt: skip
    try:
        with crowd(s, 32) as plain, crowd(s, 32, secure=True) as secure:
            viewers = Viewers(plain + secure)
            # Everybody has been told something, and the first answers have been given.
            for ws in plain + secure:
                for text in ASKED:
                    ws.send(frame(TEXT, text))
            srv.until(lambda: min(viewers.count.values()) >= 8, 20, "not everybody was told")
            before, told = counts(path), sum(viewers.count.values())
            assert before, "nothing was counted: the count itself does not work"
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                for ws in plain + secure:
                    ws.send(frame(TEXT, ASKED[0]))
                viewers.join(0.5)
            after, told = counts(path), sum(viewers.count.values()) - told
            viewers.stop()
        figure("messages while allocations were counted", told)
        gained = {t: after[t] - before.get(t, 0) for t in after if after[t] != before.get(t, 0)}
        figure("allocations by thread meanwhile", gained or "none")
        assert told > 64 * SECONDS
        assert "hub" not in gained, gained
        s.stop()
    finally:
        s.kill()
