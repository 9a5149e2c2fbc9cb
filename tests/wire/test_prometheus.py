"""/metrics before the tools people run: promtool finds nothing to say, and a Prometheus from
Debian (unpacked by toolchain/setup, never installed) scrapes it and answers a query."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest
from server import TOP, until
from test_own import send, values

TOOLS = TOP / "build" / "prometheus"


@pytest.fixture
def own(start):
    own = start.pulseboard("--statsd", "127.0.0.1:0", "--sample-ms", "100", "--probe-root",
                           TOP / "tests/trees/nas/0")  # fmt: skip
    send(own, "tank:7.5|g|#unit:L,label:Tank", 'odd:1|g|#unit:"\\x', "boiler:61|g|#unit:°C",
         "req:20|ms", "hits:3|c")  # fmt: skip
    until(lambda: len(values(own)) == 6)
    return own


def test_promtool_finds_nothing(own):
    assert (TOOLS / "promtool").exists(), "toolchain/setup --for test"
    text = own.http("/metrics").body
    r = subprocess.run([TOOLS / "promtool", "check", "metrics"], input=text, capture_output=True,
                       timeout=120)  # fmt: skip
    assert r.returncode == 0 and r.stdout == b"" and r.stderr == b"", r


def test_base_units(own):
    lines = own.http("/metrics").body.decode().splitlines()
    for line in (
        'pulseboard_temperature_celsius{id="temp.k10temp-tctl",group="temperature"} 46.5',
        'pulseboard_fan_rpm{id="fan.nct6798-cpu-fan",group="sensors"} 612',
        'pulseboard_voltage_volts{id="volt.nct6798-vcore",group="power"} 1.072',
        'pulseboard_usage_ratio{id="humidity.sht3x",group="sensors"} 0.412',
        'pulseboard_size_bytes{id="mem.total",group="memory"} 512000000',
        'pulseboard_temperature_celsius{id="own.boiler",group="own"} 61',
        'pulseboard_duration_seconds{id="own.req",group="own"} 0.02',
        'pulseboard_value{id="own.tank",group="own",unit="L"} 7.5',
        'pulseboard_value{id="own.odd",group="own",unit="\\"\\\\x"} 1',
    ):
        assert line in lines, line


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def prometheus(folder, target):
    """Serves on a port of its own until the end; yields query(text) -> list of results."""
    port = free_port()
    (folder / "prometheus.json").write_text(json.dumps({  # YAML takes JSON
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "pulseboard", "static_configs": [{"targets": [target]}]}
        ],
    }))  # fmt: skip
    log = open(folder / "prometheus.log", "wb")
    proc = subprocess.Popen(
        [TOOLS / "prometheus", f"--config.file={folder}/prometheus.json",
         f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=log, stderr=log, cwd=folder, env={**os.environ, "GOMAXPROCS": "1"},
    )  # fmt: skip

    def query(text):
        assert proc.poll() is None, (folder / "prometheus.log").read_text()
        where = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        with contextlib.suppress(OSError), urllib.request.urlopen(where, timeout=10) as r:
            return json.load(r)["data"]["result"]
        return []

    try:
        yield query
    finally:
        proc.send_signal(signal.SIGTERM)
        try:
            proc.wait(30)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
        log.close()


def test_a_prometheus_scrapes_it_and_answers(own, tmp_path):
    target = "%s:%d" % own.addr
    with prometheus(tmp_path, target) as query:
        up = until(lambda: [r for r in query("up") if r["value"][1] == "1"], timeout=90)
        assert up[0]["metric"]["instance"] == target
        tank = until(lambda: query('pulseboard_value{id="own.tank"}'), timeout=30)
        assert tank[0]["value"][1] == "7.5" and tank[0]["metric"]["unit"] == "L"
        assert query('pulseboard_value{unit="\\"\\\\x"}')[0]["metric"]["id"] == "own.odd"
        hottest = query('max(pulseboard_temperature_celsius{group="temperature"})')
        assert float(hottest[0]["value"][1]) == 46.5
        assert query('pulseboard_temperature_celsius{id="own.boiler"}')[0]["value"][1] == "61"
