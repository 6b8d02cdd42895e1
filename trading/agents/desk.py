"""Asks every source of a symbol on each closed bar; one that raises or is too slow abstains, with the reason.

Rules and a model vote together (`combined`): either may open or close a position while the other says nothing against
it. A source with `is_silent` true (a market without a model) has no say: records are as if it were not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial

from trading.agents.lanes import Lanes
from trading.domain import Action, Candle, Candles, Signal
from trading.errors import BrokenInvariant
from trading.events import SignalGenerated
from trading.ports import SignalSource

ABSTAINS = "abstains"
PATIENCE_S = 60.0
log = logging.getLogger(__name__)


class SignalDesk:
    """Inline when `executor` is None (replays: same thread, same order), else on threads beside the engine's.

    With `Lanes` each agent has a thread of its own, and one that has not answered `deadline_s` after a bar was asked
    about abstains (None: it is waited for). Bars that fill a gap come in bursts and have `PATIENCE_S`, but no longer
    than until the deadline of a live bar that was asked about after them. Agents that were paused are asked, so that
    they stay warm, and abstain.
    """

    def __init__(self, agents: Iterable[SignalSource], executor: Executor | Lanes | None = None,
                 deadline_s: float | None = None) -> None:
        self.agents = tuple(agents)
        self._executor, self._deadline_s = executor, deadline_s
        self.is_inline = executor is None
        self.paused: Mapping[tuple[str, str], str] = {}
        """Why an agent has no say, by symbol and name; swapped whole, from any thread."""
        self._by_symbol: dict[str, list[SignalSource]] = {}
        for agent in self.agents:
            self._by_symbol.setdefault(agent.symbol, []).append(agent)

    def warm_up(self, candles: Candles) -> None:
        """Show the agents of a symbol its earlier bars."""
        for agent in self._by_symbol.get(candles.symbol, ()):
            agent.warm_up(candles)

    def ask(self, candle: Candle, live: bool, answer: Callable[[SignalGenerated], None],
            answer_later: Callable[[SignalGenerated], None]) -> None:
        """Collect advice and hand it to `answer` (now) or `answer_later` (from the other thread)."""
        agents = self._by_symbol.get(candle.symbol, ())
        if self._executor is None:
            answer(self._collect(agents, candle, live))
        elif isinstance(self._executor, Lanes):
            limit = self._deadline_s if live or self._deadline_s is None else max(PATIENCE_S, self._deadline_s)
            asked = [(id(agent), partial(self._said, agent, candle), partial(_too_late, agent, candle))
                     for agent in agents]
            self._executor.ask(asked, lambda signals: answer_later(SignalGenerated(candle, signals, live)), limit)
        else:
            self._executor.submit(lambda: answer_later(self._collect(agents, candle, live)))

    def remind(self, act: Callable[[], None]) -> None:
        """Do something short when the deadline of bars asked about now is over; never where there is no deadline."""
        if isinstance(self._executor, Lanes) and self._deadline_s is not None:
            self._executor.after(self._deadline_s, act)

    def hand_over(self, successor: SignalDesk) -> None:
        """End the threads of agents that the desk which asks from now on does not have."""
        if isinstance(self._executor, Lanes):
            kept = {id(agent) for agent in successor.agents}
            self._executor.drop(id(agent) for agent in self.agents if id(agent) not in kept)

    def _collect(self, agents: Iterable[SignalSource], candle: Candle, live: bool) -> SignalGenerated:
        said = [self._said(agent, candle) for agent in agents]
        return SignalGenerated(candle, tuple([signal for signal in said if signal is not None]), live)

    def _said(self, agent: SignalSource, candle: Candle) -> Signal | None:
        """Return an agent's advice, None when it has no say."""
        signal = _advice(agent, candle, candle.close_time)
        if getattr(agent, "is_silent", False):
            return None
        why = self.paused.get((agent.symbol, agent.name)) if self.paused else None
        return signal if why is None else _abstention(agent, candle, why)


def _advice(agent: SignalSource, candle: Candle, time: int) -> Signal:
    try:
        advice = agent.on_candle(candle)
        if not isinstance(advice, Signal) or advice.symbol != candle.symbol or advice.time != time:
            raise BrokenInvariant(f"no advice on this bar: {advice!r}")
        return advice
    except Exception as error:
        log.exception("agent %s on %s failed", agent.name, candle.symbol)
        return _abstention(agent, candle, f"{type(error).__name__}: {error}")


def _too_late(agent: SignalSource, candle: Candle, waited_s: float) -> Signal:
    log.warning("agent %s on %s has not answered within %.2f s", agent.name, candle.symbol, waited_s)
    return _abstention(agent, candle, f"no answer within {round(waited_s, 2):g} s")


def _abstention(agent: SignalSource, candle: Candle, why: str) -> Signal:
    return Signal(candle.symbol, candle.close_time, agent.name, Action.HOLD, 0.0, f"{ABSTAINS}: {why}")


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
