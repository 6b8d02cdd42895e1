"""Voting rules (strategy form 1): each indicator votes on each bar; one side's votes without the other's decide.

The comparisons are written so that the same code takes one bar (floats) and whole columns (arrays).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.domain import Action, Candles, FloatArray
from trading.errors import BadInput
from trading.indicators import INDICATORS, format_key, key_label

BUY, SELL, SILENT, WARMING = "buy", "sell", "-", "warming up"
ACTIONS = {1: Action.BUY, 0: Action.HOLD, -1: Action.SELL}
DIRECTIONS = {action: direction for direction, action in ACTIONS.items()}


class Moment(NamedTuple):
    """What a rule sees: an indicator's value and the close, now and one bar earlier (floats or `(n_bars,)`)."""

    value: Any
    close: Any
    value_before: Any = nan
    close_before: Any = nan


@dataclass(frozen=True, slots=True)
class RsiRule:
    """Buy below one level of the relative strength index, sell above another."""

    name: ClassVar[str] = "rsi"
    period: int = 14
    buy_below: float = 30.0
    sell_above: float = 70.0

    def ready(self, moment: Moment) -> Any:
        """Whether the index is a number."""
        return abs(moment.value) < inf

    def buys(self, moment: Moment) -> Any:
        """Whether this votes to buy."""
        return self.ready(moment) & (moment.value < self.buy_below)

    def sells(self, moment: Moment) -> Any:
        """Whether this votes to sell."""
        return self.ready(moment) & (moment.value > self.sell_above)

    def explain(self, moment: Moment, vote: str) -> str:
        """Say in plain words what was seen."""
        if vote == WARMING:
            return f"RSI {self.period} is warming up"
        if vote == BUY:
            return f"RSI {_apart(moment.value, self.buy_below)} < {self.buy_below:g}"
        if vote == SELL:
            return f"RSI {_apart(moment.value, self.sell_above)} > {self.sell_above:g}"
        return f"RSI {moment.value:.1f} between {self.buy_below:g} and {self.sell_above:g}"


@dataclass(frozen=True, slots=True)
class EmaRule:
    """Buy when the close crosses above its exponential average, sell when it crosses below, each if switched on.

    A crossing needs both bars: on or below before and above now (TradingView Pine, ta.crossover / ta.crossunder).
    """

    name: ClassVar[str] = "ema"
    period: int = 20
    buy_crosses_above: bool = True
    sell_crosses_below: bool = True

    def ready(self, moment: Moment) -> Any:
        """Whether the average is a number on both bars."""
        return (abs(moment.value) < inf) & (abs(moment.value_before) < inf)

    def buys(self, moment: Moment) -> Any:
        """Whether this votes to buy."""
        crossed = (moment.close > moment.value) & (moment.close_before <= moment.value_before)
        return self.ready(moment) & crossed & self.buy_crosses_above

    def sells(self, moment: Moment) -> Any:
        """Whether this votes to sell."""
        crossed = (moment.close < moment.value) & (moment.close_before >= moment.value_before)
        return self.ready(moment) & crossed & self.sell_crosses_below

    def explain(self, moment: Moment, vote: str) -> str:
        """Say in plain words what was seen."""
        average = f"EMA {self.period}"
        if vote == WARMING:
            return f"{average} is warming up"
        if vote in (BUY, SELL):
            return f"close crossed {'above' if vote == BUY else 'below'} {average}"
        side = "above" if moment.close > moment.value else "below" if moment.close < moment.value else "on"
        return f"close {side} {average}, no crossing to act on"


Rule = RsiRule | EmaRule


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules make of one bar."""

    action: Action
    votes: dict[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class VotingStrategy:
    """A symbol and at least one rule, at most one of each kind.

    Raises
    ------
    BadInput
        No rule, or two of a kind.
    """

    symbol: str
    rules: tuple[Rule, ...]
    name: str = "voting"

    def __post_init__(self) -> None:
        kinds = [rule.name for rule in self.rules]
        if not kinds or len(set(kinds)) < len(kinds):
            raise BadInput(f"strategy {self.name}: one or more different rules are needed, not {kinds}")

    @property
    def keys(self) -> tuple[str, ...]:
        """Indicator keys, one a rule: `rsi_14`."""
        return tuple(format_key(rule.name, {"period": rule.period}) for rule in self.rules)

    @property
    def label(self) -> str:
        """What a person reads: `RSI 14 + EMA 20`."""
        return " + ".join(key_label(key) for key in self.keys)

    @property
    def warm_up_bars(self) -> int:
        """Bars after which every rule can vote (a crossing needs one bar more than its average)."""
        return max(INDICATORS[r.name].warm_up(period=r.period) + isinstance(r, EmaRule) for r in self.rules)

    def for_symbol(self, symbol: str) -> VotingStrategy:
        """Return the same rules on another symbol."""
        return replace(self, symbol=symbol)

    def direction(self, moments: list[Moment]) -> Any:
        """Return 1 (buy), -1 (sell) or 0 (conflict or silence), one moment a rule; int8 `(n_bars,)` for columns."""
        buy: Any = False
        sell: Any = False
        for rule, moment in zip(self.rules, moments, strict=True):
            buy = buy | rule.buys(moment)
            sell = sell | rule.sells(moment)
        if isinstance(buy, np.ndarray):
            return buy.astype(np.int8) - sell.astype(np.int8)
        return int(buy) - int(sell)

    def decide(self, moments: list[Moment]) -> Ruling:
        """Return action, votes and reason on one bar, one moment a rule."""
        cast = [_vote(rule, m) for rule, m in zip(self.rules, moments, strict=True)]
        action = ACTIONS[(BUY in cast) - (SELL in cast)]
        votes = {rule.name: vote for rule, vote in zip(self.rules, cast, strict=True)}
        decisive = (BUY, SELL) if action is not Action.HOLD else (BUY, SELL, SILENT, WARMING)
        reason = " · ".join(rule.explain(moment, vote) for rule, moment, vote
                            in zip(self.rules, moments, cast, strict=True) if vote in decisive)
        conflict = BUY in cast and SELL in cast
        return Ruling(action, votes, f"votes conflict: {reason}" if conflict else reason)

    def directions(self, candles: Candles) -> NDArray[np.int8]:
        """Return `direction` for every bar, `(n_bars,)`, from cold indicators."""
        columns = [INDICATORS[r.name].compute(candles, period=r.period)[r.name] for r in self.rules]
        before = _shifted(candles.close)
        moments = [Moment(column, candles.close, _shifted(column), before) for column in columns]
        result: NDArray[np.int8] = self.direction(moments)
        return result


def _vote(rule: Rule, moment: Moment) -> str:
    if not rule.ready(moment):
        return WARMING
    return BUY if rule.buys(moment) else SELL if rule.sells(moment) else SILENT


def _apart(value: float, level: float) -> str:
    """Return the value with as few decimals as keep it on its side of the level."""
    for decimals in range(1, 10):
        text = f"{value:.{decimals}f}"
        if (float(text) < level) == (value < level) and (float(text) > level) == (value > level):
            return text
    return repr(value)


def _shifted(column: FloatArray) -> FloatArray:
    return np.concatenate(([nan], column))[:-1]
