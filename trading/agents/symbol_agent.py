"""A symbol agent runs one strategy on one symbol."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from trading.agents.quality import HitCounter
from trading.domain import Action, Candle, Candles, FloatArray, Signal, SignalQuality
from trading.errors import BadInput, BrokenInvariant
from trading.indicators import IndicatorStream
from trading.shadow import Kept, Shadow, Terms
from trading.strategies import DIRECTIONS, RuleStrategy

HOLD = Action.HOLD


class SymbolAgent:
    """Implements `trading.ports.SignalSource`. Bars must rise strictly in time.

    A signal's confidence is the share of this rule's past firings in the same direction that made money after costs,
    shrunk towards a half while there are few; it counts those whose hypothetical trade (`trading.shadow`, under
    `terms`) closed before this bar, also those of earlier runs (`remind`). A hold claims nothing and has confidence 0.

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
        self._reminded: Sequence[Kept] = ()
        self.kept: tuple[Kept, ...] = ()
        """The record after each of the last two bars; swapped whole, for other threads."""

    @cached_property
    def fingerprint(self) -> str:
        """What the record counts: the conditions with their numbers, and what trading costs and is limited to."""
        plan, terms = self.strategy.plan, self._shadow.terms
        said = repr((plan.entry, plan.exit, self.strategy.interval, terms.tick, terms.numbers.tolist()))
        return sha256(said.encode()).hexdigest()[:16]

    def remind(self, kept: Sequence[Kept]) -> None:
        """Hear what an earlier run counted: the warm-up counts only the bars after it."""
        self._reminded = kept

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
        self._count(candles, self._atr.warm_up(candles)["atr"], directions)

    def _count(self, candles: Candles, atr: FloatArray, directions: NDArray[np.int8]) -> None:
        """Go on with the newest record that these bars reach; without one all of them are counted."""
        times = candles.open_time
        known = max((kept for kept in self._reminded if kept.time <= times[-1]), default=None)
        start = 0
        if known is not None:
            self._shadow.restore(known)
            start = int(np.searchsorted(times, known.time, "right"))
        self._shadow.take(candles[start:], atr[start:], directions[start:])
        self._reminded, self.kept = (), (self._shadow.kept(int(times[-1])),)

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
        self.kept = (*self.kept[-1:], self._shadow.kept(candle.open_time))
        score = self._stream.value(self._rank) if self._rank is not None else 0.0
        return Signal(self.symbol, candle.close_time, self.name, action, confidence, reason, votes, inputs, score)

    def _accept(self, symbol: str, first: int, last: int) -> None:
        if symbol != self.symbol or first <= self._time:
            raise BrokenInvariant(f"agent {self.name} on {self.symbol} got a bar of {symbol} at {first}; "
                                  f"it stands at {self._time}")
        self._time = last
