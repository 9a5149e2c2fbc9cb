"""The certificate that a device makes for itself: every kind of client that trusts its CA
connects, and it follows the device's names without a restart."""

import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from xml.etree import ElementTree

import netns
import pytest
import server as srv
from server import until

CLONE_NEWUTS = 0x04000000
TLS = ("--tls-listen", "127.0.0.1:0")


def run(*argv, env=None, timeout=60):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})  # fmt: skip


@pytest.fixture(scope="module")
def own(start_module):
    """A board with a CA of its own; its clients trust that CA and no other."""
    b = start_module.pulseboard(*TLS)
    b.ca = start_module.folder / "ca.pem"
    b.ca.write_bytes(b.http("/ca.crt?format=pem").body)
    b.tls = srv.ssl_context(b.ca)
    b.folder_of_data = start_module.folder
    return b


def leaf(b, name="localhost"):
    """What it shows to a client that asks for nothing: a dict, as python has it."""
    with srv.wsraw.tcp(b.tls_addr) as raw:
        context = ssl.create_default_context(cafile=str(b.ca))
        with context.wrap_socket(raw, server_hostname=name) as s:
            return s.getpeercert()


def test_ca_is_offered(own):
    der = own.http("/ca.crt")
    assert der.status == 200 and der["Content-Type"] == "application/x-x509-ca-cert"
    pem = own.http("/ca.crt?format=pem").body.decode()
    assert ssl.PEM_cert_to_DER_cert(pem) == der.body
    shown = json.loads(own.http("/api/v1/certificate", secure=True).body)
    assert shown["kind"] == "own"
    assert shown["ca"]["sha256"] == hashlib.sha256(der.body).hexdigest()
    assert {"localhost", "127.0.0.1", "::1"} <= set(shown["names"])


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_python_trusts_it(own, name):
    got = leaf(own, name)
    days = (ssl.cert_time_to_seconds(got["notAfter"])
            - ssl.cert_time_to_seconds(got["notBefore"])) / 86400  # fmt: skip
    assert 396 < days <= 397
    assert any(kind == "DNS" and v.endswith(".local") for kind, v in got["subjectAltName"])
    with pytest.raises(ssl.SSLCertVerificationError):
        leaf(own, "example.com")
    with own.ws(secure=True) as ws:
        assert json.loads(ws.next().payload)["method"] == "hello"


def test_curl_trusts_it(own):
    url = "https://localhost:%d/healthz" % own.tls_addr[1]
    r = run("curl", "-sS", "--cacert", own.ca, url)
    assert r.returncode == 0 and json.loads(r.stdout) == {"status": "ok"}, r
    assert run("curl", "-sS", url).returncode == 60  # nobody else does


NODE = """
const https = require('https');
const at = {host: 'localhost', port: +process.argv[1], family: 4, agent: false,
            ALPNProtocols: ['http/1.1']};
https.get({...at, path: '/healthz'}, r => {
  console.log(r.statusCode, r.socket.authorized, r.socket.alpnProtocol);
  const q = https.request({...at, path: '/ws', headers: {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}});
  q.on('upgrade', (r, s, head) => { console.log(r.statusCode); s.destroy(); });
  q.end();
});
"""


def test_node_trusts_it(own):
    r = run("node", "-e", NODE, own.tls_addr[1], env={"NODE_EXTRA_CA_CERTS": str(own.ca)})
    assert r.stdout.split() == ["200", "true", "http/1.1", "101"], r
    assert "unable to verify" in run("node", "-e", NODE, own.tls_addr[1]).stderr
    own.settled()


@pytest.mark.slow
def test_chromium_trusts_it(own, tmp_path):
    """With the CA where a user would import it, and nothing told to look away."""
    home = tmp_path / "home"
    db = home / ".pki" / "nssdb"
    db.mkdir(parents=True)
    url = "https://localhost:%d/trust" % own.tls_addr[1]

    def page(*more):
        argv = ["chromium", *more, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules="
                "MAP * ~NOTFOUND, EXCLUDE localhost", url]  # fmt: skip
        return run(*argv, env={"HOME": str(home)}, timeout=120).stdout

    assert run("certutil", "-N", "-d", f"sql:{db}", "--empty-password").returncode == 0
    assert "CA of this device" not in page()
    r = run("certutil", "-A", "-d", f"sql:{db}", "-n", "pulseboard", "-t", "C,,", "-i", own.ca)
    assert r.returncode == 0, r
    assert "CA of this device" in page()
    # And the WebSocket of the dashboard, which knows no "proceed".
    url = url.removesuffix("trust")
    before = own.stats()["sessions"]["opened"]
    page("--virtual-time-budget=20000")
    assert own.stats()["sessions"]["opened"] > before
    own.settled()


def test_it_stays_over_a_restart(start):
    first = start.pulseboard(*TLS)
    first.ca = start.folder / "ca.pem"
    first.ca.write_bytes(first.http("/ca.crt?format=pem").body)
    serial = leaf(first)["serialNumber"]
    first.stop()
    second = start.pulseboard(*TLS)
    second.ca = first.ca
    assert second.http("/ca.crt?format=pem").body == first.ca.read_bytes()
    assert leaf(second)["serialNumber"] == serial


def test_the_owner_installs_and_takes_away(own, tmp_path):
    """Over the device's own socket, which needs no login; who is here stays."""
    theirs = srv.pem(tmp_path / "theirs.pem")

    def ask(*argv):
        r = run("curl", "-sS", "--unix-socket", own.folder_of_data / "pulseboard.sock", *argv,
                "-w", "\n%{http_code}", "http://device/api/v1/certificate")  # fmt: skip
        body, _, status = r.stdout.rpartition("\n")
        return int(status), json.loads(body)

    with own.ws(secure=True) as ws:
        ws.next()
        status, body = ask("--data-binary", "@%s" % theirs.with_suffix(".key"))
        assert status == 422 and "certificate" in body["detail"]
        status, body = ask("--data-binary", f"@{theirs}")
        assert status == 200 and body["kind"] == "installed"
        with pytest.raises(ssl.SSLCertVerificationError):
            leaf(own)
        status, body = ask("-X", "DELETE")
        assert status == 200 and body["kind"] == "own"
        assert leaf(own)
        assert ask("-X", "DELETE")[0] == 404
        ws.next()
        ws.end()
    own.settled()
    own.allow("event=certificate_(installed|removed)")


def test_root_is_given_up(tmp_path_factory):
    """Started by root with a folder of its own, it is nobody, with no powers, and sees as
    much of the machine as before."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        argv = [srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", *TLS, "--data",
                f"{folder}/data"]  # fmt: skip
        b = srv.Server(argv, f"{folder}/log")
        try:
            status = (srv.Path("/proc") / str(b.pid) / "task").iterdir()
            for task in status:  # threads, all of them
                text = (task / "status").read_text()
                assert re.search(r"^Uid:(\s+[1-9]\d*){4}$", text, re.M), text
                assert "CapEff:\t0000000000000000" in text and "CapBnd:\t0000000000000000" in text
                assert "NoNewPrivs:\t1" in text
            assert os.stat(f"{folder}/data/tls/ca.key").st_uid != 0
            assert re.search(r"event=sandbox user=\S+ capabilities=none no_new_privs=yes", b.log())
            until(lambda: b.http("/readyz").status == 200)
            seen = b.http("/metrics").body.decode()
            assert "cpu" in seen and "mem" in seen
            b.stop()
        finally:
            b.kill()


def test_no_data_no_certificate(tmp_path):
    r = run(srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", *TLS)
    assert r.returncode == 1 and "data folder" in r.stderr and r.stderr.count("\n") == 1, r


def test_no_tls_no_ca(start):
    b = start.pulseboard()
    assert b.http("/ca.crt").status == 404
    assert b.http("/api/v1/certificate").status == 404


def test_own_pem_has_no_ca(start):
    b = start.pulseboard(secure=True)
    assert b.http("/ca.crt").status == 404
    assert json.loads(b.http("/api/v1/certificate").body)["kind"] == "file"


@pytest.mark.netns
def test_it_follows_names_and_addresses(start):
    """A new address, a new host name: another leaf, no restart, and who is here stays."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    ns = netns.Namespace()
    libc = netns.libc

    def of_its_own():
        assert libc.unshare(CLONE_NEWUTS) == 0
        subprocess.run(["hostname", "first"], check=True)

    b = ns.call(start.pulseboard, *TLS, preexec=of_its_own)
    b.ca = start.folder / "ca.pem"
    b.ca.write_bytes(ns.call(b.http, "/ca.crt?format=pem").body)
    b.tls = srv.ssl_context(b.ca)

    def names():
        return {v for _, v in ns.call(leaf, b)["subjectAltName"]}

    assert {"first.local", "first", "127.0.0.1"} <= names()
    with ns.call(b.ws, True) as ws:
        ws.next()
        ns.call(ns.ip, "addr", "add", "10.77.1.2/24", "dev", "lo")
        until(lambda: "10.77.1.2" in names(), what="no new leaf for a new address")
        subprocess.run(["nsenter", "-t", str(b.pid), "-u", "hostname", "second"], check=True)
        until(lambda: "second.local" in names(), what="no new leaf for a new name")
        assert "10.77.1.2" in names()
        # "second" itself is no name that this CA may sign for.
        assert "second" not in names()
        # The name counts for Host at once.
        assert ns.call(b.http, "/healthz", host="second").status == 200
        assert json.loads(ws.next().payload)["method"] == "telemetry"
    ns.call(b.settled)
    ns.call(b.stop)


# What sslscan may find. Anything else is weak, or new and to be judged.
PROTOCOLS = {"tls1.2", "tls1.3"}
SUITES = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}  # fmt: skip
GROUPS = {"X25519", "secp256r1 (NIST P-256)", "x25519", "prime256v1 (NIST P-256)"}


@pytest.mark.slow
def test_scanner_finds_nothing_weak(own, tmp_path, figure):
    if not shutil.which("sslscan"):
        pytest.fail("sslscan is missing: toolchain/setup --for test")
    report = tmp_path / "scan.xml"
    r = run("sslscan", "--no-colour", f"--xml={report}", "127.0.0.1:%d" % own.tls_addr[1],
            timeout=240)  # fmt: skip
    assert r.returncode == 0, r
    scan = ElementTree.parse(report).getroot().find("ssltest")
    on = {p.get("type") + p.get("version") for p in scan.iter("protocol")
          if p.get("enabled") == "1"}  # fmt: skip
    suites = {c.get("cipher") for c in scan.iter("cipher")}
    groups = {g.get("name") for g in scan.iter("group")}
    figure("protocols", sorted(on))
    figure("suites", sorted(suites))
    figure("groups", sorted(groups))
    assert on == PROTOCOLS
    assert suites == SUITES
    assert groups and groups <= GROUPS
    # Debian's OpenSSL cannot compress; python's neither: see the tickets below.
    assert all(c.get("supported") == "0" for c in scan.iter("compression"))
    assert scan.find("renegotiation").get("supported") == "0"
    assert all(h.get("vulnerable") == "0" for h in scan.iter("heartbleed"))


def test_tickets_resume_and_outlive_a_renewal(own):
    """RFC 8446 2.2: the second connection is resumed, on both versions."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(own.ca))
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])

        def once(session=None):
            with srv.wsraw.tcp(own.tls_addr) as raw:
                with context.wrap_socket(raw, server_hostname="localhost", session=session) as s:
                    assert s.selected_alpn_protocol() == "http/1.1"
                    assert s.compression() is None
                    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                              b"Connection: close\r\n\r\n")
                    deadline = time.monotonic() + 20
                    while s.recv(4096) and time.monotonic() < deadline:
                        pass
                    return s.session, s.session_reused

        session, reused = once()
        assert not reused
        assert once(session)[1]


def test_trust_page(own):
    """The same over both, strict, with the fingerprint that the log has."""
    print_ = re.search(r"event=certificate kind=own ca_sha256=(\S+)", own.log())[1]
    assert print_.replace(":", "").lower() == hashlib.sha256(own.http("/ca.crt").body).hexdigest()
    for secure in (False, True):
        r = own.http("/trust", secure=secure)
        assert r.status == 200 and r["Content-Type"] == "text/html; charset=utf-8"
        page = r.body.decode()
        assert print_ in page and "https://localhost:%d/" % own.tls_addr[1] in page
        style = re.search("<style>(.*)</style>", page, re.S)[1].encode()
        want = base64.b64encode(hashlib.sha256(style).digest()).decode()
        assert f"style-src 'sha256-{want}'" in r["Content-Security-Policy"]
        assert "default-src 'none'" in r["Content-Security-Policy"]


def test_plain_view_is_the_default_beside_https(own):
    assert own.http("/").status == 200
    assert own.http("/ws/stats").status == 200
    with own.ws() as ws:
        assert json.loads(ws.next().payload)["params"]["role"] == "viewer"
        ws.end()
    r = own.http("/api/v1/certificate", "POST", body=b"x")
    assert r.status == 403 and b"HTTPS" in r.body
    assert own.http("/api/v1/certificate", "POST", secure=True, body=b"x").status in (401, 403)
    told = json.loads(own.http("/api/v1/session", host="pulse.local:80").body)
    assert told["password_at"] == f"https://pulse.local:{own.tls_addr[1]}/"
    assert json.loads(own.http("/api/v1/session", secure=True).body)["password_at"] is None
    own.settled()


def test_plain_redirect(start):
    b = start.pulseboard(*TLS, "--http", "redirect")
    port = b.tls_addr[1]
    for path in ("/", "/stats", "/ws/stats?a=b", "/ws", "/api/v1/info?x=%2F"):
        r = b.http(path, host="pulse.local:80")
        assert r.status == 307 and r["Location"] == f"https://pulse.local:{port}{path}"
        assert r["Cache-Control"] == "no-store"
    assert b.http("/", host="[::1]:80")["Location"] == f"https://[::1]:{port}/"
    for path in ("/ca.crt", "/trust", "/healthz"):
        assert b.http(path).status == 200
    assert b.http("/readyz").status in (200, 503)  # there may be no sample yet
    assert b.http("/", host="evil.example").status == 403  # no open redirector
    assert b.http("/api/v1/certificate", "DELETE").status == 403


def test_well_known(start, own):
    assert own.http("/.well-known/security.txt").status == 404
    r = own.http("/.well-known/change-password")
    assert r.status == 303 and r["Location"] == "/device#password"
    b = start.pulseboard("--security-contact", "mailto:security@example.org",
                         "--security-expires", "2030-01-01T00:00:00Z")  # fmt: skip
    r = b.http("/.well-known/security.txt")
    assert r.status == 200 and r["Content-Type"] == "text/plain; charset=utf-8"
    assert r.body == (b"Contact: mailto:security@example.org\n"
                      b"Expires: 2030-01-01T00:00:00Z\n")  # fmt: skip


def test_plain_off(start):
    r = run(srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", "--http", "off")
    assert r.returncode == 1 and "tls_listen" in r.stderr, r
    argv = [srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", *TLS, "--http", "off",
            "--data", start.folder]  # fmt: skip
    with subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as p:  # fmt: skip
        try:
            assert re.fullmatch(r"ready https=127\.0\.0\.1:\d+\n", p.stdout.readline())
        finally:
            p.terminate()
        assert p.wait(20 * srv.SLOWER) == 0
