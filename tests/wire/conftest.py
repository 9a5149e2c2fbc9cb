"""Fixtures: servers per test or per module, a certificate per run."""

import itertools
import pytest
import server as srv


def pytest_sessionstart(session):
    if not srv.PULSEBOARD.exists():
        pytest.exit(f"{srv.PULSEBOARD} is not built: toolchain/build release", 2)


def pytest_collection_modifyitems(config, items):
    """Instrumented builds leave out what is slow, unless -m says otherwise."""
    if srv.SLOWER == 1 or config.option.markexpr:
        return
    slow = [i for i in items if i.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [i for i in items if not i.get_closest_marker("slow")]


def pytest_make_parametrize_id(val):
    """Long values make no readable names."""
    text = val if isinstance(val, str) else repr(val) if isinstance(val, (dict, list)) else None
    return text[:40] if text is not None else None


FIGURES = []


@pytest.fixture
def figure(request):
    """figure("what", value) is printed with the summary: measured, for people to compare."""

    def note(what, value):
        FIGURES.append(f"{request.node.name}: {what}: {value}")

    return note


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    return srv.pem(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(scope="session")
def tls(pem):
    return srv.ssl_context(pem)


class Starter:
    """Starts servers and stops, that is judges, each of them at the end."""

    def __init__(self, folder, pem, tls):
        self.folder, self.pem, self.tls = folder, pem, tls
        self.running = []
        self.numbers = itertools.count()  # tests start from several threads at once

    def _start(self, argv, how):
        log = self.folder / f"server-{next(self.numbers)}.log"
        s = srv.Server(argv, log, tls=self.tls, **how)
        self.running.append(s)
        return s

    def listen(self, secure):
        args = ["--listen", "127.0.0.1:0"]
        if secure:
            args += ["--tls-listen", "127.0.0.1:0", "--tls-pem", self.pem]
        return args

    def pulseboard(self, *args, secure=False, config=None, **how):
        if config is not None:
            path = self.folder / f"config-{next(self.numbers)}.json"
            path.write_text(srv.json.dumps(config))
            args = (*args, "--config", path)
        args = ("--data", self.own_folder(), *args)
        return self._start([srv.PULSEBOARD, "serve", *self.listen(secure), *args], how)

    def own_folder(self):
        """One folder serves one board at a time."""
        taken = any(not s.stopped and s.proc.args[0] == str(srv.PULSEBOARD) for s in self.running)
        return self.folder / f"data-{next(self.numbers)}" if taken else self.folder

    def ws_echo(self, *args, secure=False, **how):
        return self._start([srv.WS_ECHO, *self.listen(secure), *args], how)

    def finish(self, ok=True):
        try:
            for s in self.running:
                if ok and not s.stopped:
                    s.calm_down()
                    s.stop()
        finally:
            for s in self.running:
                s.kill()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures see whether the test itself failed: its servers are then not judged."""
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed


@pytest.fixture
def start(request, tmp_path, pem, tls):
    st = Starter(tmp_path, pem, tls)
    yield st
    st.finish(ok=not getattr(request.node, "failed", True))


@pytest.fixture(scope="module")
def start_module(tmp_path_factory, pem, tls):
    st = Starter(tmp_path_factory.mktemp("module"), pem, tls)
    yield st
    st.finish()


@pytest.fixture(scope="module")
def echo(start_module):
    """The echo server that a module's tests share, plain and TLS."""
    return start_module.ws_echo(secure=True)


@pytest.fixture(scope="module")
def board(start_module):
    """The appliance itself, plain and TLS, shared by a module."""
    return start_module.pulseboard(secure=True)


@pytest.fixture(params=["ws", "wss"])
def secure(request):
    return request.param == "wss"
