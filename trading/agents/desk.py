"""Asks every source of a symbol on each closed bar; one that raises abstains, with the error in its place.

Rules and a model vote together (`combined`): either may open or close a position while the other says nothing against
it. A source with `is_silent` true (a market without a model) has no say: records are as if it were not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from trading.domain import Action, Candle, Candles, Signal
from trading.errors import BrokenInvariant
from trading.events import SignalGenerated
from trading.ports import SignalSource

log = logging.getLogger(__name__)


class SignalDesk:
    """Inline when `executor` is None (replays: same thread, same order), else on a thread beside the engine's."""

    def __init__(self, agents: Iterable[SignalSource], executor: Executor | None = None) -> None:
        self.agents = tuple(agents)
        self._executor = executor
        self.is_inline = executor is None
        self._by_symbol: dict[str, list[SignalSource]] = {}
        for agent in self.agents:
            self._by_symbol.setdefault(agent.symbol, []).append(agent)
        self._may_be_silent = any(hasattr(agent, "is_silent") for agent in self.agents)

    def warm_up(self, candles: Candles) -> None:
        """Show the agents of a symbol its earlier bars."""
        for agent in self._by_symbol.get(candles.symbol, ()):
            agent.warm_up(candles)

    def ask(self, candle: Candle, live: bool, answer: Callable[[SignalGenerated], None],
            answer_later: Callable[[SignalGenerated], None]) -> None:
        """Collect advice and hand it to `answer` (now) or `answer_later` (from the other thread)."""
        if self._executor is None:
            answer(self._collect(candle, live))
        else:
            self._executor.submit(lambda: answer_later(self._collect(candle, live)))

    def _collect(self, candle: Candle, live: bool) -> SignalGenerated:
        time = candle.close_time
        agents = self._by_symbol.get(candle.symbol, ())
        signals = [_advice(agent, candle, time) for agent in agents]
        if self._may_be_silent:
            pairs = zip(agents, signals, strict=True)
            signals = [signal for agent, signal in pairs if not getattr(agent, "is_silent", False)]
        return SignalGenerated(candle, tuple(signals), live)


def _advice(agent: SignalSource, candle: Candle, time: int) -> Signal:
    try:
        advice = agent.on_candle(candle)
        if not isinstance(advice, Signal) or advice.symbol != candle.symbol or advice.time != time:
            raise BrokenInvariant(f"no advice on this bar: {advice!r}")
        return advice
    except Exception as error:
        log.exception("agent %s on %s failed", agent.name, candle.symbol)
        reason = f"abstains: {type(error).__name__}: {error}"
        return Signal(candle.symbol, time, agent.name, Action.HOLD, 0.0, reason)


def combined(signals: tuple[Signal, ...]) -> Action:
    """Return what a symbol's sources, rules and model alike, say together.

    One side wins only when nobody says the other; a hold says nothing. So a model that buys enters alone where the
    rules are silent, and a rule's sell against a model's buy is a hold.
    """
    if len(signals) == 1:
        return signals[0].action
    actions = {signal.action for signal in signals}
    if Action.BUY in actions and Action.SELL not in actions:
        return Action.BUY
    if Action.SELL in actions and Action.BUY not in actions:
        return Action.SELL
    return Action.HOLD
