"""The programs that are compared: ours, what people would use instead, and the yardstick. All of
them are built or unpacked below build/bench; nothing is installed and no service is started."""

import contextlib
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "wire"))
import server as srv  # noqa: E402
import wsraw  # noqa: E402

PLACE = srv.TOP / "build" / "bench"
SOURCES = srv.TOP / "build" / "deps" / "src"
CC = ["cc", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-D_GNU_SOURCE"]
# As CivetWeb and mbedTLS come; only what cannot be built without is switched.
CIVET = ["-DUSE_WEBSOCKET", "-DUSE_MBEDTLS", "-DNO_SSL", "-DNO_CGI", "-DNDEBUG"]
# The libraries that the two web servers need besides what every Debian has.
WEB_SERVERS = ["nginx", "lighttpd", "libpcre2-8-0", "libxxhash0", "libnettle8", "libcrypt1"]
MAX_SESSIONS = 1200


def newer(made, *of):
    return made.exists() and all(made.stat().st_mtime >= f.stat().st_mtime for f in of)


def compile_c(name, sources, *flags):
    made = PLACE / name
    if not newer(made, *sources, *sources[0].parent.glob("*.h")):
        subprocess.run([*CC, "-o", made, *sources, *flags], check=True)
    return made


def build_civet():
    """With the TLS that it is released with: mod_mbedtls over a plain mbedTLS."""
    lib, tls = PLACE / "libcivetweb.o", PLACE / "mbedtls"
    source = SOURCES / "civetweb/src/civetweb.c"
    include = [f"-I{SOURCES}/civetweb/include", f"-I{SOURCES}/mbedtls/include"]
    if not newer(lib, source):
        tls.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-w", "-c", include[1],
                        *sorted((SOURCES / "mbedtls/library").glob("*.c"))],
                       cwd=tls, check=True)  # fmt: skip
        subprocess.run(["cc", "-O2", "-w", "-D_GNU_SOURCE", *CIVET, *include,
                        "-c", source, "-o", lib], check=True)  # fmt: skip
    return compile_c("civet", [HERE / "peers/civet.c"], lib, *sorted(tls.glob("*.o")),
                     include[0], "-lpthread", "-ldl")  # fmt: skip


def unpack_web_servers():
    """As Debian built them, below build/bench: installing them would start them."""
    at = PLACE / "debian"
    if (at / "usr/sbin/nginx").exists() and (at / "usr/sbin/lighttpd").exists():
        return at
    debs = PLACE / "debs"
    debs.mkdir(exist_ok=True)
    # Unprivileged downloads (apt-get's user _apt) cannot reach every folder.
    subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *WEB_SERVERS],
                   cwd=debs, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, at], check=True)
    shutil.rmtree(debs)
    return at


def said(p, seconds):
    """A line of the generator. It says one at a time, so nothing is left in a buffer."""
    assert select.select([p.stdout], [], [], seconds)[0], f"no word within {seconds} s"
    return p.stdout.readline()


class Web:
    """A web server with no ready line: it is up when its port answers."""

    def __init__(self, argv, port, folder, libs):
        with open(folder / "server.log", "wb") as log:
            self.proc = subprocess.Popen([str(a) for a in argv], cwd=folder, stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL,
                                         env={"LD_LIBRARY_PATH": libs})  # fmt: skip
        self.addr, self.pid = ("127.0.0.1", port), self.proc.pid
        srv.until(self.answers, 10, lambda: (folder / "server.log").read_text())

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(self.addr, 1):
            return True
        assert self.proc.poll() is None, "it ended at once"
        return False

    cpu_ns = srv.Server.cpu_ns
    wakeups = srv.Server.wakeups
    memory_kb = srv.Server.memory_kb
    threads = srv.Server.threads

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Field:
    """Everybody who takes part, ready to be started."""

    def __init__(self, folder, full):
        PLACE.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pem = srv.pem(folder / "server.pem")
        self.load = compile_c("load", sorted((HERE / "load").glob("*.c")), "-lssl", "-lcrypto")
        self.bare = compile_c("bare", [HERE / "bare.c"])
        self.lws = compile_c("lws", [HERE / "peers/lws.c"], "-lwebsockets", "-lpthread")
        self.civet = build_civet()
        self.debian = unpack_web_servers() if full else None
        self.page = self.page_of_ours()

    def page_of_ours(self):
        """The dashboard as others would serve it: the same bytes in a file."""
        s = self.pulseboard()
        try:
            r = wsraw.http(s.addr, "/", headers=[("Accept-Encoding", "gzip")])
        finally:
            s.kill()
        assert r.status == 200 and len(r.body) > 1000
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        (root / "page.gz").write_bytes(r.body)
        return len(r.body)

    def program(self, *argv):
        return srv.Server(argv, self.folder / "server.log")

    def pulseboard(self, *args):
        return self.program(srv.PULSEBOARD, "serve", "--listen", "127.0.0.1:0", *args)

    def ws_echo(self, *args, tls=False, sessions=MAX_SESSIONS):
        how = ["--tls-listen", "127.0.0.1:0", "--tls-pem", self.pem] if tls else []
        return self.program(srv.WS_ECHO, "--listen", "127.0.0.1:0",
                            "--max-sessions", sessions, *how, *args)  # fmt: skip

    def of_lws(self, *args, tls=False, sessions=0):
        return self.program(self.lws, *args, *(["--tls-pem", self.pem] if tls else []))

    def of_civet(self, *args, tls=False, sessions=64):
        return self.program(self.civet, "--sessions", sessions, "--root", self.folder / "root",
                            *args, *(["--tls-pem", self.pem] if tls else []))  # fmt: skip

    def of_python(self, *args, tls=False, sessions=0):
        return self.program(HERE / "peers/py_websockets", *args,
                            *(["--tls-pem", self.pem] if tls else []))  # fmt: skip

    def of_bare(self, *args, tls=False, sessions=0):
        return self.program(self.bare, "--page", self.page, *args)

    def nginx(self):
        port, f = free_port(), self.folder
        (f / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {f}/nginx.pid; error_log {f}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
open_file_cache max=16; client_body_temp_path {f}/b; proxy_temp_path {f}/p;
fastcgi_temp_path {f}/f; uwsgi_temp_path {f}/u; scgi_temp_path {f}/s;
server {{ listen 127.0.0.1:{port}; root {f}/root; }} }}
""")
        return Web([self.debian / "usr/sbin/nginx", "-c", f / "nginx.conf"], port, f, self.libs())

    def lighttpd(self):
        port, f = free_port(), self.folder
        (f / "lighttpd.conf").write_text(f"""
server.document-root = "{f}/root"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 1000000000
server.modules = ()
""")
        lib = next((self.debian / "usr/lib").glob("lighttpd"), self.debian / "usr/lib/lighttpd")
        return Web([self.debian / "usr/sbin/lighttpd", "-D", "-f", f / "lighttpd.conf", "-m", lib],
                   port, f, self.libs())  # fmt: skip

    def libs(self):
        return ":".join(str(p) for p in sorted(self.debian.glob("**/*-linux-gnu*")) if p.is_dir())

    @contextlib.contextmanager
    def clients(self, s, mode, *args, tls=False):
        """A running generator whose sessions are all open."""
        host, port = s.tls_addr if tls else s.addr
        argv = [self.load, mode, "--to", f"{host}:{port}", *args, *(["--tls"] if tls else [])]
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
        try:
            line = said(p, 60)
            assert line == "up\n", f"the generator did not come up: {line!r}"
            yield p
        finally:
            p.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(5)
            p.kill()
            p.wait()
            p.stdout.close()

