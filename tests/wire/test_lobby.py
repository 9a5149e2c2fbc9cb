"""Those who connect and say nothing, or say it slowly, or are too many: pages are answered,
no core is kept busy, sessions go on."""

import contextlib
import ssl
import time

import pytest
import wsraw
from rpc import Rpc
from server import SLOWER, until
from wsraw import Refused, UPGRADE, request, take_head, tcp

HEAD_S = 5.0  # a whole request head must have arrived, TLS handshake included


@pytest.fixture
def board(start):
    return start.pulseboard(secure=True)


def quickest_page(board, secure=False):
    began = time.monotonic()
    assert board.http("/", secure=secure).status == 200
    return time.monotonic() - began


@pytest.mark.parametrize("n", [4, 60])
def test_silent_connections(board, secure, figure, n):
    """They cost nothing, and pages are answered as ever."""
    addr, _ = board.where(secure)
    silent = [tcp(addr) for _ in range(n)]
    quickest_page(board, secure)
    cpu, began = board.cpu_s(), time.monotonic()
    took = []
    while time.monotonic() - began < 3:
        took.append(quickest_page(board, secure))
        time.sleep(0.3)
    used = (board.cpu_s() - cpu) / (time.monotonic() - began)
    figure(f"{n} silent, CPU", f"{100 * used:.1f} % with pages every 0.3 s")
    figure(f"{n} silent, slowest page", f"{max(took) * 1000:.0f} ms")
    assert used < 0.1 * SLOWER
    assert max(took) < 1.0 * SLOWER
    for s in silent:
        s.close()


def test_silent_connections_cost_no_cpu(board, figure):
    """Nobody asks for anything: 4 silent TLS and 4 silent plain connections, 3 s."""
    silent = [tcp(board.where(secure)[0]) for secure in (True, False) for _ in range(4)]
    quickest_page(board)
    cpu, began = board.cpu_s(), time.monotonic()
    time.sleep(3)
    used = (board.cpu_s() - cpu) / (time.monotonic() - began)
    figure("4 silent TLS and 4 plain, CPU", f"{100 * used:.1f} %")
    assert used < 0.02 * SLOWER
    for s in silent:
        s.close()


def test_silent_connections_are_hung_up(board, secure):
    """Within the deadline; a silent client hears nothing but the end."""
    addr, _ = board.where(secure)
    began = time.monotonic()
    with contextlib.closing(tcp(addr, timeout=30)) as s:
        assert s.recv(100) == b""
    assert time.monotonic() - began < HEAD_S + 2 + SLOWER


def test_silent_within_tls(board):
    """The handshake is done, the request never comes."""
    began = time.monotonic()
    with board.stream(secure=True) as st:
        assert quickest_page(board) < 2 * SLOWER
        st.wait_eof(timeout=30)
    assert time.monotonic() - began < HEAD_S + 2 + SLOWER


@pytest.mark.parametrize("n", [1, 4, 12])
def test_slow_heads(board, n, figure):
    """A byte now and then, for ever: cut at the deadline of the whole head, sooner while
    others wait; pages are answered meanwhile."""
    began = time.monotonic()
    slow = [board.stream() for _ in range(n)]
    head = request("/", headers=[("X-Slow", "x" * 5000)])
    left = set(slow)
    at = 0
    took = []
    while left and time.monotonic() - began < 60:
        for st in list(left):
            try:
                st.send(head[at : at + 1])
                st._pull()
            except (OSError, wsraw.Eof):
                st.eof = True
            if st.eof or st.buf:
                left.discard(st)
        at += 1
        took.append(quickest_page(board))
        time.sleep(0.2)
    lasted = time.monotonic() - began
    figure(f"{n} slow heads, cut after", f"{lasted:.1f} s; slowest page {max(took):.2f} s")
    assert not left and lasted < 3 * (HEAD_S + 1) * SLOWER
    assert max(took) < 1.0 * SLOWER  # they wait in the lobby, and hold no worker
    for st in slow:
        assert not st.buf or st.buf.startswith(b"HTTP/1.1 408 ")
        st.close()


def test_slow_readers_of_pages(board):
    """They ask for the page and do not take it: others get theirs."""
    slow = [board.stream(rcvbuf=2048) for _ in range(8)]
    for st in slow:
        st.send(request("/"))
    for _ in range(5):
        assert quickest_page(board) < 4.0 * SLOWER
    for st in slow:
        st.close()


def test_sessions_do_not_notice(board, secure):
    """Whatever besets the front door, open sessions go on."""
    with Rpc(board, secure) as ws:
        crowd = [tcp(board.where(i % 2 == 0)[0]) for i in range(100)]
        for s in crowd[::3]:
            s.sendall(b"GET / HT")
        for s in crowd[1::3]:
            s.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        for _ in range(3):
            before = time.monotonic()
            ws.notification("telemetry")
            assert ws.result("ping")
            assert time.monotonic() - before < 2.5 * SLOWER
        ws.end()
        for s in crowd:
            s.close()
    until(lambda: board.http("/healthz").status == 200)


def test_garbage_instead_of_tls(board):
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 500, b"\x16\x03\x01\xff\xff" + b"x" * 300,
                 b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x28"):  # fmt: skip
        with contextlib.closing(tcp(board.tls_addr, timeout=15)) as s:
            s.sendall(junk)
            with contextlib.suppress(ConnectionResetError):
                while s.recv(1000):
                    pass
    with Rpc(board, secure=True) as ws:
        ws.end()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(board, pem):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        old = ssl.create_default_context(cafile=str(pem))
        old.minimum_version = old.maximum_version = version
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, OSError)):
            wsraw.connect(board.tls_addr, old)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        new = ssl.create_default_context(cafile=str(pem))
        new.minimum_version = new.maximum_version = version
        assert wsraw.http(board.tls_addr, "/healthz", tls=new).status == 200
        wsraw.Ws(board.tls_addr, new).end()


def test_out_of_descriptors(board, figure):
    """No descriptor is left: sessions go on, the rest is refused, nothing spins; when there
    are some again, so are pages."""
    board.allow("event=connection_refused")
    with Rpc(board) as ws, Rpc(board, secure=True) as wss:
        had = board.limit_fds(board.fds())
        tried = []
        for _ in range(10):
            s = tcp(board.addr)
            s.sendall(request("/ws", headers=UPGRADE))
            tried.append(s)
        for s in tried:
            with contextlib.suppress(ConnectionResetError):
                assert s.recv(100) == b"", "somebody was let in"
            s.close()
        cpu, began = board.cpu_s(), time.monotonic()
        for _ in range(3):
            for session in (ws, wss):
                assert session.result("ping") and session.notification("telemetry")
        used = (board.cpu_s() - cpu) / (time.monotonic() - began)
        figure("CPU without descriptors", f"{100 * used:.1f} %")
        assert used < 0.2 * SLOWER
        board.limit_fds(had)
        until(lambda: served(board), what="it does not recover")
        with Rpc(board) as again:
            assert again.result("ping")
            again.end()
        ws.end()
        wss.end()
    board.settled()


def served(board):
    try:
        return board.http("/healthz").status == 200
    except (OSError, wsraw.Eof):
        return False


def test_more_than_the_table_holds(start):
    """A crowd far beyond the capacity: those who sit are served, the others get 503."""
    b = start.pulseboard("--max-sessions", "8")
    with contextlib.ExitStack() as stack:
        seated = [stack.enter_context(Rpc(b)) for _ in range(8)]
        for _ in range(100):
            with pytest.raises(Refused) as e:
                b.ws()
            assert e.value.response.status == 503
        for ws in seated:
            assert ws.result("ping")
            ws.end()
    st = b.settled()
    assert st["sessions"]["rejected"]["full"] == 100 and st["sessions"]["peak"] == 8


def test_head_arrives_after_the_server_looked(board, secure):
    """A pause in the middle of an honest request is no crime."""
    with board.stream(secure) as st:
        data = request("/healthz")
        st.send(data[:20])
        time.sleep(0.7)
        st.send(data[20:])
        assert take_head(st)[0] == 200
