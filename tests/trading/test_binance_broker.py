"""The order protocol in sentences, engine and all, against the exchange core on a clock that jumps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trading.live_bench import LiveBench


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    made = LiveBench().start()
    yield made
    made.close()


def test_entry_brings_its_stop_and_target_to_the_venue_in_one_request(bench: LiveBench):
    bench.buy()
    assert [call.path for call in bench.venue.posts()] == ["orderList/opoco"]
    holding = bench.portfolio.holdings["BTCUSDT"]
    assert holding.is_open
    bench.check()
