"""20,000 sessions come and go: nothing is left of them, and no word of one reaches another."""

import time

import pytest
from churn import Churn
from server import SLOWER, ring_kb, until


@pytest.mark.parametrize(
    "visits", [pytest.param(20000, marks=pytest.mark.slow), 1000], ids=["20000", "1000"]
)
def test_connects_and_ends(start, pem, figure, visits):
    """A small table, so that slots are reused at once; under broadcast; some over TLS."""
    hz, size = 100, 500
    e = start.ws_echo(
        "--max-sessions", "6", "--broadcast", hz, "--size", size, secure=True
    )
    workers = 8
    # Until what is taken from the pools once has been taken: a leak goes on with every visit.
    Churn(e, workers, max(100, visits // workers // 5), pem=pem).join()
    began = time.monotonic()
    before = e.settled()
    seen = e.rss_kb(), e.fds(), e.threads()
    crowd = Churn(e, workers, visits // workers, pem=pem)
    while crowd.alive():
        e.books()
        crowd.workers[0].join(0.5)
    made, refused, faults = crowd.join()
    assert not faults, faults
    assert made == visits
    after = e.settled()
    now = e.rss_kb(), e.fds(), e.threads()
    grown = now[0] - seen[0] - ring_kb(hz, size, time.monotonic() - began)
    figure("RSS beyond the ring's", f"{grown:+} kB")
    figure("RSS, descriptors, threads", f"{seen} -> {now}")
    figure("refused for want of a place", refused)
    opened = after["sessions"]["opened"] - before["sessions"]["opened"]
    assert opened == made
    assert after["sessions"]["reserved"] == 0
    assert after["hub"]["queue_bytes"] == 0
    until(lambda: e.fds() <= seen[1], what=lambda: f"{e.fds()} descriptors, {seen[1]} before")
    assert now[2] == seen[2]
    assert set(k for k, v in after["closed"].items() if v) <= {
        "peer_closed", "peer_gone", "peer_reset",
    }  # fmt: skip
    if SLOWER == 1:
        assert grown < 200
