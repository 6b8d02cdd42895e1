"""Mother AI in a running engine: what she remembers, and what she says to the wishes of one moment.

The array kernel does the same on its columns (`trading.kernel.judge`); `tests/parity` holds both equal.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from trading.agents.mother import Candidate, choices, ordered
from trading.arithmetic import ppm_floor
from trading.domain import Action, Candle, Candles, Side, Signal, Trade, Verdict
from trading.events import SignalGenerated
from trading.orders import OrderManager
from trading.portfolio import Portfolio
from trading.ranking import BY_DEFAULT, Ranking
from trading.risk import Risk
from trading.scoring import UNKNOWN, Closes, correlation


class Judged(NamedTuple):
    """A wish, the agent in whose name it would trade, and what Mother AI says of it."""

    event: SignalGenerated
    agent: str
    verdict: Verdict


class MotherAI:
    """Keeps each agent's record of closed trades and the latest closes of each symbol. On the engine's thread."""

    def __init__(self, ranking: Ranking, portfolio: Portfolio, orders: OrderManager, risk: Risk) -> None:
        self.ranking = ranking
        self._mother = ranking.mother or BY_DEFAULT
        self._portfolio, self._orders, self._risk = portfolio, orders, risk
        self._places = {symbol: place for place, symbol in enumerate(portfolio.specs)}
        self._records: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._bars: dict[str, deque[tuple[int, float]]] = {
            symbol: deque(maxlen=self._mother.window) for symbol in portfolio.specs}

    def count(self, trades: Iterable[Trade]) -> None:
        """Add closed trades to the records of the agents that opened them."""
        for trade in trades:
            record = self._records[trade.symbol, trade.opened_by]
            record[0] += trade.pnl > 0
            record[1] += 1

    def record(self, symbol: str, agent: str) -> tuple[int, int]:
        """Return an agent's wins and closed trades."""
        wins, n = self._records.get((symbol, agent), (0, 0))
        return wins, n

    def see(self, candle: Candle) -> None:
        """Take notice of a closed bar."""
        self._bars[candle.symbol].append((candle.open_time, candle.close))

    def warm_up(self, candles: Candles) -> None:
        """Take notice of earlier bars."""
        last = candles[-self._mother.window:]
        self._bars[candles.symbol].extend(zip(last.open_time.tolist(), last.close.tolist(), strict=True))

    def judge(self, wishes: Iterable[SignalGenerated]) -> Iterator[Judged]:
        """Judge the wishes of a moment, the best first; one that passes must be acted on before the next is judged."""
        in_order = sorted(wishes, key=lambda wish: self._places[wish.candle.symbol])
        found = {event.candle.symbol: event for event in in_order}
        for choice in choices([self._best(event) for event in found.values()], self.ranking, self):
            yield Judged(found[choice.candidate.symbol], choice.candidate.agent, choice.verdict)

    def _best(self, event: SignalGenerated) -> Candidate:
        """Return the best among a symbol's agents that want to buy."""
        wanting = [self._candidate(signal) for signal in event.signals if signal.action is Action.BUY]
        return ordered(wanting, self._mother.weights)[0][1]

    def _candidate(self, signal: Signal) -> Candidate:
        return Candidate(signal.symbol, signal.source, signal.confidence, *self.record(signal.symbol, signal.source))

    def holds(self, symbol: str) -> bool:
        """Return whether a position or an entry order of a symbol is open."""
        return self._portfolio.holdings[symbol].is_open or bool(self._orders.of(symbol, Side.BUY))

    def room_units(self) -> int:
        """Return what the exposure limit leaves for new positions, in units."""
        portfolio = self._portfolio
        limit = ppm_floor(portfolio.equity(), self._risk.limits.max_exposure)
        return int(limit - (portfolio.exposure() + self._orders.reserved_units()))

    def moves_with(self, symbol: str, window: int) -> tuple[float, str]:
        """Return the highest correlation with a symbol that is held, and which; `UNKNOWN` where there is none."""
        found = (UNKNOWN, "")
        own = self._closes(symbol)
        for other in self._places:
            if other != symbol and self.holds(other):
                moves = correlation(own, self._closes(other), window)
                if moves <= 1.0 and (found[0] == UNKNOWN or moves > found[0]):
                    found = (float(moves), other)
        return found

    def _closes(self, symbol: str) -> Closes:
        bars = self._bars[symbol]
        times = np.fromiter((time for time, _ in bars), np.int64, len(bars))
        return Closes(times, np.fromiter((close for _, close in bars), np.float64, len(bars)), 0, len(bars) - 1)

    def snapshot(self) -> Sequence[Any]:
        """Return the records; the bars come back with the warm-up."""
        return [[*key, *record] for key, record in sorted(self._records.items())]

    def restore(self, rows: Sequence[Any]) -> None:
        """Continue with the records of a snapshot."""
        self._records.clear()
        for symbol, agent, wins, n in rows:
            self._records[symbol, agent] = [wins, n]
