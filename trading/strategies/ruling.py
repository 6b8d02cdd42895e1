"""A strategy bar by bar: what its rules make of each, and why."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.domain import Action, Candle, Candles
from trading.strategies.columns import View, truth
from trading.strategies.plan import Plan
from trading.strategies.reasons import BOTH, BUY, JOIN, SELL, SILENT, WARMING, Speaker, Voice
from trading.strategies.sources import Cell
from trading.strategies.streaming import Numbers, Tracks

Directions = NDArray[np.int8]
BUYING, HOLD, SELLING = Action.BUY, Action.HOLD, Action.SELL  # looking a member up costs more than a comparison
ACTIONS = {1: BUYING, 0: HOLD, -1: SELLING}
DIRECTIONS = {action: direction for direction, action in ACTIONS.items()}


class Ruling(NamedTuple):
    """What the rules make of one bar (one a bar: a NamedTuple is made in a third of a dataclass's time)."""

    action: Action
    votes: dict[str, str]
    reason: str
    inputs: dict[str, float]


class RuleStream:
    """One strategy on one symbol, bar by bar. Not to be shared between threads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.tracks = Tracks(plan.cells)
        speaker = Speaker(plan)
        self._voices = [Voice(voter, speaker) for voter in plan.voters]
        self._votes = [(voice.name, voice.vote) for voice in self._voices]
        quiet = [voice.quiet for voice in self._voices]
        self._quiet = [words for words in quiet if words is not None] if None not in quiet else []
        self._shown = plan.shown

    def warm_up(self, candles: Candles) -> Directions:
        """Take in bars at once and return the direction of each; leaves the state that `push` would have left."""
        if len(candles) == 0:
            return np.empty(0, np.int8)
        return directions_of(self._plan, self.tracks.warm_up(candles))

    def push(self, candle: Candle) -> Ruling:
        """Take in one closed bar and rule on it."""
        tracks = self.tracks
        tracks.push(candle)
        now, before = tracks.now, tracks.before
        total = sum(now) + sum(before)
        warm = total == total  # noqa: PLR0124 (one sum sees a NaN among all numbers)
        votes, loud = {}, False
        for name, vote in self._votes:
            votes[name] = cast = vote(now, before, warm)
            loud = loud or cast != SILENT
        action, reason = (HOLD, "") if not loud and self._quiet else self._joined(votes, now, before)
        if not reason:
            reason = JOIN.join([words(now) for words in self._quiet])
        inputs = {key: now[slot] for key, slot in self._shown if warm or not isnan(now[slot])}
        inputs["close"] = candle.close
        return Ruling(action, votes, reason, inputs)

    def _joined(self, votes: dict[str, str], now: Numbers, before: Numbers) -> tuple[Action, str]:
        """Return the action of votes that differ, and the reason of those who decided it."""
        said = set(votes.values())
        buy, sell = bool(said & {BUY, BOTH}), bool(said & {SELL, BOTH})
        wanted = {BUY, SELL, BOTH, SILENT, WARMING} if buy is sell else {BUY} if buy else {SELL}
        reason = JOIN.join(voice.why(votes[voice.name], now, before) for voice in self._voices
                           if votes[voice.name] in wanted)
        if buy and sell:
            return HOLD, f"votes conflict: {reason}"
        return BUYING if buy else SELLING if sell else HOLD, reason

    def value(self, cell: Cell) -> float:
        """Return a number as it stands after the last bar."""
        return self.tracks.now[self._plan.cells[cell]]


def directions_of(plan: Plan, view: View) -> Directions:
    """Return 1, -1 or 0 for every row of a view."""
    return truth(plan.entry, view).view(np.int8) - truth(plan.exit, view).view(np.int8)
