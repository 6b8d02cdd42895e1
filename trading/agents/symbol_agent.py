"""A symbol agent runs one strategy on one symbol."""

from __future__ import annotations

from trading.agents.quality import HitCounter
from trading.domain import Action, Candle, Candles, Signal, SignalQuality
from trading.errors import BadInput, BrokenInvariant
from trading.indicators import IndicatorStream
from trading.shadow import Shadow, Terms
from trading.strategies import DIRECTIONS, RuleStrategy

HOLD = Action.HOLD


class SymbolAgent:
    """Implements `trading.ports.SignalSource`. Bars must rise strictly in time.

    A signal's confidence is the share of this rule's past firings in the same direction that made money after costs,
    shrunk towards a half while there are few; it counts those whose hypothetical trade (`trading.shadow`, under
    `terms`) closed before this bar. A hold claims nothing and has confidence 0.

    Raises
    ------
    BadInput
        A short strategy: what is held can be sold, no more.
    """

    def __init__(self, strategy: RuleStrategy, terms: Terms | None = None) -> None:
        if strategy.side != "long":
            raise BadInput(f"strategy {strategy.name}: side {strategy.side!r} is for backtests only; "
                           'the account can only hold what it bought, use "long"')
        self.strategy = strategy
        self.name = strategy.name
        self.symbol = strategy.symbol
        self._stream = strategy.stream()
        self._rank = strategy.rank_cell
        self._time = -1
        self._counter = HitCounter()
        self._shadow = Shadow(terms)
        self._atr = IndicatorStream("atr")

    @property
    def quality(self) -> SignalQuality:
        """How often the signals so far were right on the next bar, both directions together."""
        return self._counter.quality

    @property
    def record(self) -> tuple[int, int]:
        """How many hypothetical buys are closed, and how many of them made money after costs."""
        return self._shadow.record

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
        directions = self._stream.warm_up(candles)
        self._counter.count(directions, candles.close)
        self._shadow.take(candles, self._atr.warm_up(candles)["atr"], directions)

    def on_candle(self, candle: Candle) -> Signal:
        """Take in one closed bar and advise.

        Raises
        ------
        BrokenInvariant
            A bar of another symbol, or one that does not come after the last.
        """
        self._accept(candle.symbol, candle.open_time, candle.open_time)
        action, votes, reason, inputs = self._stream.push(candle)
        counter, close = self._counter, candle.close
        counter.settle(close)
        direction = 0 if action is HOLD else DIRECTIONS[action]
        counter.expect(direction, close)
        confidence = self._shadow.confidence(direction)
        self._shadow.push(candle, self._atr.push(candle)[0], direction)
        score = self._stream.value(self._rank) if self._rank is not None else 0.0
        return Signal(self.symbol, candle.close_time, self.name, action, confidence, reason, votes, inputs, score)

    def _accept(self, symbol: str, first: int, last: int) -> None:
        if symbol != self.symbol or first <= self._time:
            raise BrokenInvariant(f"agent {self.name} on {self.symbol} got a bar of {symbol} at {first}; "
                                  f"it stands at {self._time}")
        self._time = last
