"""A symbol agent runs one voting strategy on one symbol."""

from __future__ import annotations

from math import isfinite, nan

import numpy as np

from trading.agents.quality import HitCounter
from trading.domain import Candle, Candles, FloatArray, Signal, SignalQuality
from trading.errors import BrokenInvariant
from trading.indicators import IndicatorStream
from trading.strategies import DIRECTIONS, Moment, VotingStrategy


class SymbolAgent:
    """Implements `trading.ports.SignalSource`. Bars must rise strictly in time.

    A signal's confidence is the share of this rule's past firings in the same direction whose next close moved that
    way, shrunk towards a half while there are few; a hold claims nothing and has confidence 0.
    """

    def __init__(self, strategy: VotingStrategy) -> None:
        self.strategy = strategy
        self.name = strategy.name
        self.symbol = strategy.symbol
        self._keys = strategy.keys
        self._streams = [IndicatorStream(r.name, {"period": r.period}) for r in strategy.rules]
        self._values = [nan] * len(self._streams)
        self._close = nan
        self._time = -1
        self._counter = HitCounter()

    @property
    def quality(self) -> SignalQuality:
        """How often the signals so far were right on the next bar, both directions together."""
        return self._counter.quality

    def warm_up(self, candles: Candles) -> None:
        """Take in earlier bars at once; leaves exactly the state that `on_candle` over them would have left.

        Raises
        ------
        BrokenInvariant
            Bars of another symbol, or bars that do not come after what was taken in before.
        """
        if len(candles) == 0:
            return
        times = candles.open_time
        if len(times) > 1 and not (times[1:] > times[:-1]).all():
            raise BrokenInvariant(f"agent {self.name} on {self.symbol}: warm-up bars do not rise in time")
        self._accept(candles.symbol, int(times[0]), int(times[-1]))
        closes_before = _led_by(self._close, candles.close)
        columns = [next(iter(stream.warm_up(candles).values())) for stream in self._streams]
        moments = [Moment(column, candles.close, _led_by(value, column), closes_before)
                   for column, value in zip(columns, self._values, strict=True)]
        self._counter.count(self.strategy.direction(moments), candles.close)
        self._values = [float(column[-1]) for column in columns]
        self._close = float(candles.close[-1])

    def on_candle(self, candle: Candle) -> Signal:
        """Take in one closed bar and advise.

        Raises
        ------
        BrokenInvariant
            A bar of another symbol, or one that does not come after the last.
        """
        self._accept(candle.symbol, candle.open_time, candle.open_time)
        close = candle.close
        values = [stream.push(candle)[0] for stream in self._streams]
        moments = [Moment(value, close, before, self._close)
                   for value, before in zip(values, self._values, strict=True)]
        self._values, self._close = values, close
        self._counter.settle(close)
        ruling = self.strategy.decide(moments)
        direction = DIRECTIONS[ruling.action]
        self._counter.expect(direction, close)
        confidence = self._counter.confidence(direction) if direction else 0.0
        inputs = {key: value for key, value in zip(self._keys, values, strict=True) if isfinite(value)}
        return Signal(self.symbol, candle.close_time, self.name, ruling.action, confidence, ruling.reason,
                      ruling.votes, inputs | {"close": close})

    def _accept(self, symbol: str, first: int, last: int) -> None:
        if symbol != self.symbol or first <= self._time:
            raise BrokenInvariant(f"agent {self.name} on {self.symbol} got a bar of {symbol} at {first}; "
                                  f"it stands at {self._time}")
        self._time = last


def _led_by(first: float, column: FloatArray) -> FloatArray:
    """Return the column one bar late, beginning with the value before it."""
    return np.concatenate(([first], column[:-1]))
