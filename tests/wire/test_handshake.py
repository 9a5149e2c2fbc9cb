"""RFC 6455 section 4: the opening handshake, valid and not, and who may open one."""

import json

import pytest
import wsraw
from wsraw import KEY, TEXT, UPGRADE, Refused, accept_key, frame, request, take_head


def fields(**changes):
    """The fields of a valid handshake with changes; None leaves one out."""
    got = {k.replace("-", "_"): (k, v) for k, v in UPGRADE}
    for name, value in changes.items():
        if value is None:
            got.pop(name)
        else:
            got[name] = (name.replace("_", "-"), value)
    return list(got.values())


def shake(server, headers=None, path="/ws", secure=False, greeted=True, **how):
    """The response to a handshake with these fields. A session is reset again, once it was
    greeted and so counted, or at once."""
    with server.stream(secure) as st:
        st.send(request(path, headers=fields() if headers is None else headers, **how))
        status, reason, got = take_head(st)
        r = wsraw.Response(status, reason, got, b"")
        if status == 101:
            if greeted:
                st.need(lambda: st.buf or None)
            st.rst()
        else:
            n = int(r["Content-Length"])
            r.body = st.need(lambda: bytes(st.buf[:n]) if len(st.buf) >= n else None)
        return r


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Upgrade": "WebSocket"},
        {"Upgrade": "WEBSOCKET"},
        {"Upgrade": "h2c, websocket"},
        {"Connection": "upgrade"},
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "keep-alive,UPGRADE"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"},
        {"Sec_WebSocket_Protocol": "chat, superchat"},
        {"User_Agent": "x" * 2000},
        {"sec_websocket_key": KEY, "Sec_WebSocket_Key": None},
    ],
    ids=lambda c: ",".join(f"{k}={v[:24]}" if v else k for k, v in c.items()) or "plain",
)
def test_accepted(board, secure, changes):
    with board.ends(peer_reset=1):
        r = shake(board, fields(**changes), secure=secure, greeted=False)
        assert r.status == 101
        assert r["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert r["Upgrade"].lower() == "websocket"
        assert r["Connection"].lower() == "upgrade"
        assert r["Sec-WebSocket-Extensions"] is None
        assert r["Sec-WebSocket-Protocol"] is None


@pytest.mark.parametrize("offer", ["pulseboard.v1", "chat, pulseboard.v1", "pulseboard.v1,other"])
def test_subprotocol(board, offer):
    r = shake(board, fields(Sec_WebSocket_Protocol=offer))
    assert (r.status, r["Sec-WebSocket-Protocol"]) == (101, "pulseboard.v1")


def test_subprotocol_in_two_fields(board):
    name = "Sec-WebSocket-Protocol"
    r = shake(board, [*UPGRADE, (name, "chat"), (name, "pulseboard.v1")])
    assert (r.status, r["Sec-WebSocket-Protocol"]) == (101, "pulseboard.v1")


@pytest.mark.parametrize(
    "changes",
    [
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ"},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=A"},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZSE="},
        {"Sec_WebSocket_Key": "AAAA"},
        {"Sec_WebSocket_Key": "*" * 24},
        {"Sec_WebSocket_Key": "A" * 4000},
    ],
    ids=lambda c: str(next(iter(c.values())))[:30],
)
def test_bad_key(board, changes):
    r = shake(board, fields(**changes))
    assert r.status == 400
    assert r["Content-Type"] == "application/problem+json"


def test_two_keys(board):
    assert shake(board, [*UPGRADE, ("Sec-WebSocket-Key", KEY)]).status == 400


@pytest.mark.parametrize("version", ["8", "7", "0", "12", "14", "113", "13, 8"])
def test_other_version(board, version):
    """4.2.2: 426 and the version that we speak."""
    r = shake(board, fields(Sec_WebSocket_Version=version))
    assert (r.status, r["Sec-WebSocket-Version"]) == (426, "13")


@pytest.mark.parametrize("version", ["x", "-13", ""])
def test_nonsense_version(board, version):
    assert shake(board, fields(Sec_WebSocket_Version=version)).status in (400, 426)


def test_no_version(board):
    assert shake(board, fields(Sec_WebSocket_Version=None)).status in (400, 426)


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": None},
        {"Connection": None},
        {"Upgrade": "h2c"},
        {"Upgrade": "websocketx"},
        {"Connection": "keep-alive"},
        {"Connection": "notupgrade"},
    ],
    ids=str,
)
def test_no_upgrade(board, changes):
    """RFC 9110 15.5.22: 426 names what to upgrade to."""
    r = shake(board, fields(**changes))
    assert (r.status, r["Upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_get_opens(board, method):
    r = shake(board, method=method)
    assert r.status == 405
    assert "GET" in r["Allow"]


def test_http_1_0_cannot_upgrade(board):
    assert shake(board, version="1.0").status in (400, 426)


def test_frames_behind_the_head(board, secure):
    """A client that does not wait for the 101 loses nothing."""
    ask = frame(TEXT, b'{"jsonrpc":"2.0","id":"early","method":"ping"}')
    with board.ends(peer_closed=1), board.ws(secure, behind=ask * 3) as ws:
        got = 0
        while got < 3:
            got += b'"early"' in ws.next().payload
        ws.end()


def test_many_frames_behind_the_head(echo, secure):
    """More than fits beside the head, and more is sent while the 101 is on its way."""
    messages = [(TEXT, b"%05d" % i * 20) for i in range(400)]
    wire = b"".join(frame(*m) for m in messages)
    with echo.ends(peer_closed=1), echo.ws(secure, behind=wire) as ws:
        for m in messages:
            assert ws.message() == m
        ws.end()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_head_in_small_pieces(board, secure, size):
    with board.stream(secure) as st:
        st.chop(request("/ws", headers=UPGRADE), size)
        status, _, got = take_head(st)
        assert status == 101
        assert dict(got)["Sec-WebSocket-Accept"] == accept_key(KEY)


def port(server, secure):
    return server.where(secure)[0][1]


def test_own_origin(board, secure):
    scheme, p = "https" if secure else "http", port(board, secure)
    for name in ("localhost", "127.0.0.1", "[::1]", "board.local", "LocalHost"):
        r = shake(
            board, fields(Origin=f"{scheme}://{name}:{p}"), host=f"{name}:{p}", secure=secure
        )
        assert r.status == 101, name


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example",
        "http://localhost",
        "http://localhost:1",
        "http://127.0.0.1:{port}",
        "http://localhost.evil.example:{port}",
        "http://evil.example/localhost:{port}",
        "http://localhost:{port}@evil.example",
        "http://evil@localhost:{port}",
        "ftp://localhost:{port}",
        "null",
        "",
        "localhost:{port}",
        "http://localhost:{port}, http://evil.example",
    ],
)
def test_foreign_origin(board, origin):
    """A page from elsewhere gets no WebSocket: 403, counted, and no session."""
    p = port(board, False)
    before = board.settled()
    r = shake(board, fields(Origin=origin.format(port=p)), host=f"localhost:{p}")
    assert r.status == 403
    assert r["Content-Type"] == "application/problem+json"
    after = board.stats()
    assert after["sessions"]["rejected"]["origin"] == before["sessions"]["rejected"]["origin"] + 1
    assert after["sessions"]["opened"] == before["sessions"]["opened"]


def test_two_origins(board):
    p = port(board, False)
    good = ("Origin", f"http://localhost:{p}")
    assert shake(board, [*UPGRADE, good, good], host=f"localhost:{p}").status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_foreign_host(board, host):
    """DNS rebinding: the browser believes that we are evil.example, origin and all."""
    p = port(board, False)
    before = board.stats()["sessions"]["rejected"]["host"]
    r = shake(board, fields(Origin=f"http://{host}:{p}"), host=f"{host}:{p}")
    assert r.status == 403
    assert board.stats()["sessions"]["rejected"]["host"] == before + 1
    assert board.http("/", host=host).status == 403
    assert board.http("/ws/stats", host=host).status == 403


def test_allowed_host(start):
    b = start.pulseboard("--allow-host", "board.example")
    origin = f"http://board.example:{b.addr[1]}"
    host = f"board.example:{b.addr[1]}"
    assert shake(b, fields(Origin=origin), host=host).status == 101
    assert b.http("/", host="other.example").status == 403


def test_table_full(start):
    """503 with Retry-After before any 101; a place that comes free is given again."""
    b = start.pulseboard("--max-sessions", "3")
    seats = [b.ws() for _ in range(3)]
    for _ in range(5):
        with pytest.raises(Refused) as e:
            b.ws()
        assert e.value.response.status == 503
        assert int(e.value.response["Retry-After"]) > 0
        assert json.loads(e.value.response.body)["status"] == 503
    st = b.books()
    assert st["sessions"]["rejected"]["full"] == 5
    assert (st["sessions"]["live"], st["sessions"]["capacity"], st["sessions"]["peak"]) == (3, 3, 3)
    assert b.http("/").status == 200
    seats.pop().end()
    b.books(lambda st: st["sessions"]["live"] == 2)
    seats.append(b.ws())
    for ws in seats:
        ws.end()
    assert b.settled()["closed"]["peer_closed"] == 4


def test_table_full_of_echo(start):
    e = start.ws_echo("--max-sessions", "2")
    seats = [e.ws() for _ in range(2)]
    with pytest.raises(Refused) as refused:
        e.ws()
    assert refused.value.response.status == 503
    for ws in seats:
        ws.rst()
    e.settled()
