"""What the soak judges by: growth, untold errors, the order of the faults."""

from __future__ import annotations

import re
import socket
from itertools import islice

import psutil
import pytest

from tests.soak.meters import Sample, sample, weigh
from tests.soak.stage import ROOT
from tests.soak.told import JOURNAL, errors_of, untold
from tests.soak.weather import LEFT_OUT, strikes
from trading.simulation.exchange.faults import FAULTS

LOG = """2026-11-21 17:00:00,123 INFO trading.engine: all is well
2026-11-21 17:00:01,000 ERROR trading.brokers.binance_desk: the desk of BTCUSDT failed
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: x
2026-11-21 17:00:02,000 WARNING trading.feeds: market stream lost
2026-11-21 17:00:03,000 ERROR asyncio: Task exception was never retrieved
Exception in thread Thread-1:
"""


@pytest.mark.parametrize(("late", "flat"), [(100, True), (105, True), (106, False)])
def test_memory_may_grow_by_a_twentieth(late: int, flat: bool) -> None:
    grown = [Sample(at, 100 if at < 1500 else late, 40, 10, 20) for at in range(0, 3600, 10)]
    assert weigh(grown, 3600).is_flat is flat
    warmed_up = [Sample(at, 50 if at < 600 else 100, 40, 10, 20) for at in range(0, 3600, 10)]
    assert weigh(warmed_up, 3600).is_flat


def test_descriptors_must_not_grow() -> None:
    samples = [Sample(at, 100, 40 + at // 600, 10, 20) for at in range(0, 3600, 10)]
    assert not weigh(samples, 3600).is_flat


@pytest.mark.parametrize(("late", "flat"), [(12, True), (13, False)])
def test_connections_to_the_exchange_come_and_go_within_a_bound(late: int, flat: bool) -> None:
    assert weigh([Sample(at, 100, 40, 5 if at < 1500 else late, 20) for at in range(0, 3600, 10)], 3600).is_flat is flat


def test_a_connection_that_the_exchange_has_closed_and_we_have_not_is_a_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil.Process, "num_fds", lambda _: 50)
    with socket.create_server(("127.0.0.1", 0)) as exchange:
        url = f"http://127.0.0.1:{exchange.getsockname()[1]}"
        with socket.create_connection(exchange.getsockname()) as ours:
            theirs, _ = exchange.accept()
            held_by_both = sample(psutil.Process(), 0, url)
            theirs.close()
            assert ours.recv(1) == b""
            held_by_us = sample(psutil.Process(), 0, url)
    assert (held_by_both.fds, held_by_both.connections) == (49, 1)
    assert (held_by_us.fds, held_by_us.connections) == (50, 0)


def test_an_error_must_be_told_by_the_words_that_belong_to_it() -> None:
    errors = errors_of(LOG.splitlines())
    assert [error.text for error in errors] == ["the desk of BTCUSDT failed", "Task exception was never retrieved"]
    told = [(errors[0].time + 500, "BTC/USDT is in quarantine, nothing is entered: internal error: ValueError: x")]
    assert [error.text for error in untold(errors, told)] == ["Task exception was never retrieved"]
    late = [(errors[0].time + 61_000, told[0][1])]
    assert len(untold(errors, late)) == 2


def test_what_the_way_of_orders_logs_as_an_error_is_known() -> None:
    logged = [words for folder in ("trading/brokers", "trading/orders.py", "trading/engine.py")
              for path in sorted((ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / folder])
              for words in re.findall(r'log\.(?:exception|error)\(\s*"([^"]+)"', path.read_text())]
    unknown = [words for words in logged if not words.startswith(tuple(JOURNAL))]
    assert len(logged) > 5 and unknown == []


def test_every_fault_strikes_before_one_strikes_again() -> None:
    wanted = set(FAULTS) - set(LEFT_OUT)
    assert {strike.name for strike in islice(strikes(3), len(wanted))} == wanted
    assert list(islice(strikes(3), 50)) == list(islice(strikes(3), 50)) != list(islice(strikes(4), 50))
    assert all(5 <= strike.seconds <= 20 for strike in islice(strikes(3), 100))
