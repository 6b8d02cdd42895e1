"""The contract of every signal source: a newcomer supplies `make_source`, this class supplies the tests."""

import math

import numpy as np
import pytest

from trading.domain import Action, Candles, Signal
from trading.errors import BrokenInvariant

MINUTE = 60_000
START = 1_651_363_200_000


def random_candles(n_bars: int, seed: int = 7, symbol: str = "BTCUSDT") -> Candles:
    """A seeded random walk of one-minute bars."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.004, n_bars)))
    open_ = np.concatenate(([100.0], close[:-1]))[:n_bars]
    spread = rng.uniform(0, 0.2, (2, n_bars))
    times = START + MINUTE * np.arange(n_bars, dtype=np.int64)
    volume = rng.uniform(1, 50, n_bars)
    zeros = np.zeros(n_bars, np.int64)
    return Candles(symbol, "1m", times, open_, np.maximum(open_, close) + spread[0],
                   np.minimum(open_, close) - spread[1], close, volume, volume * close, zeros, volume / 2)


def advise(source, candles: Candles) -> list[Signal]:
    return [source.on_candle(candles.candle(row)) for row in range(len(candles))]


class SignalSourceContract:
    """Inherit, and define `make_source(self, symbol) -> SignalSource`, a fresh one each time."""

    n_bars = 400

    def make_source(self, symbol: str):
        raise NotImplementedError

    @pytest.fixture(scope="class")
    def candles(self) -> Candles:
        return random_candles(self.n_bars)

    def test_source_says_its_name_and_its_symbol(self):
        source = self.make_source("ETHUSDT")
        assert source.name
        assert source.symbol == "ETHUSDT"

    def test_signals_are_about_the_bar_that_was_given(self, candles):
        source = self.make_source("BTCUSDT")
        for row, signal in enumerate(advise(source, candles)):
            assert (signal.symbol, signal.source) == ("BTCUSDT", source.name)
            assert signal.time == candles.candle(row).close_time

    def test_signals_have_an_action_a_reason_and_a_confidence_between_0_and_1(self, candles):
        for signal in advise(self.make_source("BTCUSDT"), candles):
            assert signal.action in Action
            assert signal.reason
            assert 0.0 <= signal.confidence <= 1.0

    def test_inputs_are_finite_numbers(self, candles):
        for signal in advise(self.make_source("BTCUSDT"), candles):
            assert all(math.isfinite(value) for value in signal.inputs.values())

    def test_first_bar_of_a_cold_source_is_a_hold(self, candles):
        assert self.make_source("BTCUSDT").on_candle(candles.candle(0)).action is Action.HOLD

    def test_same_bars_give_the_same_signals(self, candles):
        assert advise(self.make_source("BTCUSDT"), candles) == advise(self.make_source("BTCUSDT"), candles)

    @pytest.mark.parametrize("split", [0, 1, 2, 13, 200])
    def test_warm_up_leaves_the_state_that_bar_by_bar_would_have_left(self, candles, split):
        warmed = self.make_source("BTCUSDT")
        warmed.warm_up(candles[:split])
        assert advise(warmed, candles[split:]) == advise(self.make_source("BTCUSDT"), candles)[split:]

    def test_warm_up_in_pieces_equals_warm_up_at_once(self, candles):
        at_once, in_pieces = self.make_source("BTCUSDT"), self.make_source("BTCUSDT")
        at_once.warm_up(candles[:300])
        for low, high in ((0, 7), (7, 7), (7, 150), (150, 300)):
            in_pieces.warm_up(candles[low:high])
        assert advise(in_pieces, candles[300:]) == advise(at_once, candles[300:])

    def test_later_bars_do_not_change_earlier_signals(self, candles):
        other = candles[:300].then(random_candles(self.n_bars, seed=8)[300:])
        assert advise(self.make_source("BTCUSDT"), other)[:300] == advise(self.make_source("BTCUSDT"), candles)[:300]

    def test_sources_do_not_share_state(self, candles):
        advise(self.make_source("BTCUSDT"), candles)
        assert self.make_source("BTCUSDT").on_candle(candles.candle(0)).action is Action.HOLD

    def test_bar_of_another_symbol_is_refused(self, candles):
        with pytest.raises(BrokenInvariant, match="BTCUSDT"):
            self.make_source("ETHUSDT").on_candle(candles.candle(0))
        with pytest.raises(BrokenInvariant, match="BTCUSDT"):
            self.make_source("ETHUSDT").warm_up(candles)

    def test_bar_that_does_not_come_after_the_last_is_refused(self, candles):
        source = self.make_source("BTCUSDT")
        source.warm_up(candles[:10])
        with pytest.raises(BrokenInvariant, match=str(candles.open_time[9])):
            source.on_candle(candles.candle(9))
