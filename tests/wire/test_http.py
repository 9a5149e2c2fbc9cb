"""What the front door answers: RFC 9110 and 9112, and RFC 9457 for errors."""

import ctypes
import gzip
import ipaddress
import json
from pathlib import Path

import pytest
from wsraw import Torn, request, take_response

VIEWS = ["/", "/history", "/stats", "/events", "/device"]
PAGES = VIEWS + ["/stats.txt", "/ws/stats", "/metrics", "/healthz", "/readyz", "/api/v1/info"]
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def raw(server, data, secure=False, method="GET"):
    with server.stream(secure) as st:
        st.send(data)
        return take_response(st, method)


def problem(r, status):
    assert r.status == status, r
    assert r["Content-Type"] == "application/problem+json"
    body = json.loads(r.body)
    assert body["status"] == status and body["type"] == "about:blank" and body["title"]
    return r


@pytest.mark.parametrize("path", PAGES)
def test_page(board, secure, path):
    r = board.http(path, secure=secure)
    assert r.status == 200
    assert r.body
    for name, value in SECURITY.items():
        assert r[name] == value
    assert r["Content-Security-Policy"]
    assert r["Cache-Control"]
    assert r["Server"] is None, "nobody needs to know"


@pytest.mark.parametrize("path", PAGES)
def test_head_is_get_without_body(board, path):
    get, head = board.http(path), board.http(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head["Content-Type"] == get["Content-Type"]
    assert {k for k, _ in head.headers} == {k for k, _ in get.headers}
    if path in VIEWS:
        assert head["Content-Length"] == get["Content-Length"]


@pytest.mark.parametrize("path", PAGES)
def test_query_is_no_part_of_the_path(board, path):
    assert board.http(path + "?x=1&y=%20").status == 200


def test_types(board):
    kinds = {
        "/": "text/html",
        "/stats": "text/html",
        "/stats.txt": "text/plain",
        "/messages/de.json": "application/json",
        "/ws/stats": "application/json",
        "/api/v1/info": "application/json",
        "/metrics": "text/plain",
    }
    for path, kind in kinds.items():
        assert board.http(path)["Content-Type"].startswith(kind), path


def test_languages(board):
    words = [json.loads(board.http(f"/messages/{code}.json").body) for code in ("de", "fr")]
    assert words[0].keys() == words[1].keys() and words[0] != words[1]
    problem(board.http("/messages/xx.json"), 404)


GZIP = ("Accept-Encoding", "gzip, deflate, br")


def test_dashboard_compressed_and_not(board):
    small = board.http("/", headers=[GZIP])
    assert small["Content-Encoding"] == "gzip"
    assert "accept-encoding" in small["Vary"].lower()
    page = gzip.decompress(small.body)
    assert b"<html" in page.lower()
    plain = board.http("/")
    assert plain["Content-Encoding"] is None
    assert plain.body == page
    assert "accept-encoding" in plain["Vary"].lower()


@pytest.mark.parametrize(
    "accept", ["gzip;q=0", "identity", "br", "*;q=0, identity", "gzip;q=0, *", ""]
)
def test_gzip_not_wanted(board, accept):
    assert board.http("/", headers=[("Accept-Encoding", accept)])["Content-Encoding"] is None


@pytest.mark.parametrize("accept", ["gzip", "GZIP", "gzip;q=0.5", "br, gzip", "*"])
def test_gzip_wanted(board, accept):
    assert board.http("/", headers=[("Accept-Encoding", accept)])["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("encoding", [(), (GZIP,)], ids=["identity", "gzip"])
def test_not_modified(board, encoding):
    r = board.http("/", headers=encoding)
    tag = r["ETag"]
    assert tag
    for match in (tag, f'"x", {tag}', f"W/{tag.removeprefix('W/')}", "*"):
        again = board.http("/", headers=[*encoding, ("If-None-Match", match)])
        assert (again.status, again.body) == (304, b""), match
        assert again["ETag"] == tag
        assert again["Vary"] == r["Vary"]
        assert again["Cache-Control"] == r["Cache-Control"]
    for other in ('"x"', tag[:-1], tag.strip('"')):
        assert board.http("/", headers=[*encoding, ("If-None-Match", other)]).status == 200, other


def test_tags_of_encodings_differ(board):
    """RFC 9110 8.8.1: a strong validator names one representation."""
    a, b = board.http("/")["ETag"], board.http("/", headers=[GZIP])["ETag"]
    assert a != b or a.startswith("W/")


def test_head_not_modified(board):
    tag = board.http("/")["ETag"]
    assert board.http("/", "HEAD", headers=[("If-None-Match", tag)]).status == 304


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/index.html", "/ws/", "/ws/stats/", "//", "/api/v1", "/api/v1/nothing",
        "/../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/etc/passwd", "/WS", "/stats.html",
        "/" + "x" * 3000,
    ],
)  # fmt: skip
def test_unknown_path(board, path):
    problem(board.http(path), 404)


@pytest.mark.parametrize("path", ["/%", "/%zz", "/%0", "/a%00b", "/%0d%0aX: y"])
def test_badly_encoded_path(board, path):
    assert raw(board, request(path)).status in (400, 404)


@pytest.mark.parametrize("path", [*PAGES, "/ws"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_wrong_method(board, path, method):
    r = problem(board.http(path, method), 405)
    assert set(r["Allow"].split(", ")) >= {"GET", "HEAD"}


def test_options(board):
    r = board.http("/", "OPTIONS")
    assert r.status == 204
    assert "GET" in r["Allow"]
    assert raw(board, request("*", "OPTIONS")).status == 204


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "get"])
def test_unknown_method(board, method):
    assert board.http("/", method).status in (400, 405, 501)


def test_head_too_large(board, secure):
    for extra in ([("X-Long", "x" * 20000)], [(f"X-{i}", "y" * 100) for i in range(300)]):
        with board.stream(secure) as st:
            try:
                st.send(request("/", headers=extra))
            except OSError:
                pass
            problem(take_response(st), 431)
    with board.stream(secure) as st:
        try:
            st.send(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        except OSError:
            pass
        assert take_response(st).status in (414, 431)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: local host\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTX/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\r\nHost: localhost\r\n\r\n",
        b"GET noslash HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\0Y: z\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=range(18),
)
def test_malformed(board, data):
    problem(raw(board, data), 400)


def test_version_of_the_future(board):
    assert raw(board, b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n").status == 505


def test_http_1_0(board):
    assert raw(board, b"GET /healthz HTTP/1.0\r\n\r\n").status == 200


def test_absolute_target(board):
    target = "http://localhost:%d/healthz" % board.addr[1]
    assert raw(board, request(target)).status == 200
    evil = b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert raw(board, evil).status in (403, 421)


def test_body_nobody_asked_for(board):
    """It is read or refused, and the answer still arrives whole."""
    for n in (10, 100000, 5000000):
        with board.stream() as st:
            try:
                st.send(request("/", "POST", [("Content-Length", str(n))], body=b"x" * n))
            except (OSError, Exception):
                pass
            assert take_response(st).status in (405, 413)


def test_answers_are_bounded(board):
    """Each says where it ends: by a length, behind which the next one begins."""
    with board.stream() as st:
        for path in PAGES:
            st.send(request(path))
            try:
                take_response(st)
            except Torn as e:
                pytest.fail(f"{path}: {e}")
            assert not st.buf
        st.send(request("/", headers=[("Connection", "close")]))
        assert take_response(st)["Connection"] == "close"
        assert st.wait_eof() == b""


def test_pipelined_requests_are_answered_in_order(board, secure):
    """RFC 9112 9.3.2: one send, from the lobby's thread and from workers in turns."""
    paths = ["/healthz", "/", "/nothing", "/api/v1/info", "/stats", "/readyz"] * 5
    with board.stream(secure) as st:
        st.send(b"".join(request(p) for p in paths))
        for path in paths:
            r = take_response(st)
            assert r.status == (404 if path == "/nothing" else 200), path
            assert r["Content-Type"].startswith(
                {"/": "text/html", "/stats": "text/html"}.get(path, "application/")
            ), path
            assert r["Connection"] is None


@pytest.mark.parametrize(
    "version, fields, kept",
    [
        ("1.1", [], True),
        ("1.1", [("Connection", "keep-alive")], True),
        ("1.1", [("Connection", "x, Close")], False),
        ("1.1", [("Connection", "x"), ("Connection", "close")], False),
        ("1.1", [("X-Connection", "close")], True),
        ("1.0", [], False),
        ("1.0", [("Connection", "keep-alive")], False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing"])
def test_whether_a_connection_is_kept(board, path, version, fields, kept):
    """RFC 9112 9.3."""
    with board.stream() as st:
        for _ in range(3 if kept else 1):
            st.send(request(path, headers=fields, version=version))
            r = take_response(st)
            assert r.status in (200, 404)
            assert r["Connection"] == (None if kept else "close")
        if not kept:
            assert st.wait_eof() == b""


def test_a_body_nobody_read_does_not_become_a_request(board, secure):
    """RFC 9112 9.3: what lies behind an answer is either skipped by its length or not at
    all."""
    smuggled = request("/metrics")
    with board.stream(secure) as st:
        st.send(request("/", "POST", [("Content-Length", str(len(smuggled)))], body=smuggled))
        assert take_response(st).status == 405
        st.send(request("/readyz"))
        assert take_response(st)["Content-Type"] == "application/json"
    with board.stream(secure) as st:
        st.send(request("/", "POST", [("Content-Length", "100000")], body=smuggled))
        r = take_response(st)
        assert r.status == 405 and r["Connection"] == "close"
        assert st.wait_eof() == b""


def test_idle_connections_end(board, secure):
    """Sooner or later, without a word, so that a client can tell that nothing was lost."""
    with board.stream(secure) as st:
        st.send(request("/healthz"))
        assert take_response(st).status == 200
        assert st.wait_eof(timeout=40) == b""


def test_info(board):
    info = json.loads(board.http("/api/v1/info").body)
    assert info["server"]["name"] and info["server"]["version"] and info["server"]["epoch"]
    assert info["device"]["kernel"] and info["device"]["cpus"] >= 1
    ids = [m["id"] for m in info["metrics"]]
    assert len(ids) == len(set(ids))
    assert {"cpu.total", "mem.total", "load.1", "sys.uptime"} <= set(ids)
    for m in info["metrics"]:
        assert m["kind"] in ("gauge", "rate", "counter", "timing"), m
        assert m["unit"] in (
            "%", "°C", "B", "B/s", "Hz", "s", "1", "1/s", "bit", "RPM", "V", "A", "W", "dBm", "hPa",
            "lx", "ppm"), m
        assert m["group"] in ("cpu", "memory", "temperature", "network", "disk", "power", "sensors",
                              "system", "own"), m
        assert m["label"]


def kernel_tells_of_its_clock():
    """A container may forbid the question, adjtimex(2)."""
    timex = ctypes.create_string_buffer(512)
    return ctypes.CDLL(None, use_errno=True).adjtimex(timex) >= 0


def test_info_tells_about_the_device(start):
    """On the machine itself: what a page shows about it."""
    board = start.pulseboard()
    d = json.loads(board.http("/api/v1/info").body)["device"]
    assert d["hostname"] == Path("/proc/sys/kernel/hostname").read_text().strip()
    assert d["firmware"]["version"]
    assert d["firmware"]["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert abs(d["uptime_s"] - float(Path("/proc/uptime").read_text().split()[0])) < 600
    if kernel_tells_of_its_clock():
        assert isinstance(d["clock"]["synced"], bool)
    for at in d["addresses"]:
        ip = ipaddress.ip_address(at["addr"])
        assert at["if"] and not ip.is_loopback and not ip.is_link_local
    for disk in d["storage"]:
        assert disk["mount"].startswith("/") and 0 <= disk["free"] <= disk["total"]


def test_metrics_text(board):
    """Prometheus text format 0.0.4: every line is a comment or a sample."""
    seen = set()
    for line in board.http("/metrics").body.decode().splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, value = line.rpartition(" ")
        float(value)
        assert name not in seen, f"twice: {name}"
        seen.add(name)
    assert seen


def test_stats_shape(board):
    st = board.books()
    assert st["version"] == 1
    assert set(st["sessions"]) >= {
        "active", "closing", "live", "peak", "capacity", "reserved", "opened", "rejected",
    }  # fmt: skip
    assert {"full", "origin", "auth"} <= set(st["sessions"]["rejected"])
    assert set(st["heartbeat"]) >= {"sent", "answered", "missed", "lost", "interval_ms", "rtt_ms"}
    assert set(st["heartbeat"]["interval_ms"]) == {"min", "avg", "max"}
    assert set(st["heartbeat"]["rtt_ms"]) == {"p50", "p95", "max"}
    assert set(st["traffic"]) >= {
        "frames_in", "frames_out", "bytes_in", "bytes_out", "conflated", "resumed", "replayed",
    }  # fmt: skip
    assert set(st["hub"]) >= {"tick_max_us", "loop_late", "queue_bytes"}
    assert st["memory"]["table_bytes"] > 0 and st["memory"]["rss_bytes"] > 0
    assert st["uptime_s"] >= 0


def test_stats_row(board, secure):
    with board.ws(secure) as ws:
        ws.next()
        st = board.books(lambda st: st["sessions"]["active"] == 1)
        (row,) = st["list"]
        assert row["transport"] == ("wss" if secure else "ws")
        assert row["address"] == "%s:%d" % ws.sock.getsockname()
        assert row["state"] == "open" and row["role"] == "viewer"
        assert row["rtt_ms"] is None and row["missed"] == 0
        assert row["messages"] >= 1 and row["age_s"] >= 0 and row["last_heard_ms"] >= 0
        ws.end()
    assert board.settled()["list"] == []
