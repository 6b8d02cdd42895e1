"""A strategy bar by bar: what its rules make of each, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.domain import Action, Candle, Candles
from trading.strategies.columns import View, truth
from trading.strategies.plan import Plan
from trading.strategies.reasons import BOTH, BUY, JOIN, SELL, Speaker, Voice
from trading.strategies.sources import Cell
from trading.strategies.streaming import Tracks

Directions = NDArray[np.int8]
ACTIONS = {1: Action.BUY, 0: Action.HOLD, -1: Action.SELL}
DIRECTIONS = {action: direction for direction, action in ACTIONS.items()}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules make of one bar."""

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
        votes = {voice.name: voice.vote(now, before) for voice in self._voices}
        cast_votes = votes.values()
        buy, sell = BUY in cast_votes, SELL in cast_votes
        if BOTH in cast_votes:
            buy = sell = True
        acts = buy is not sell
        said = [voice.why(vote, now, before) for voice, vote in zip(self._voices, cast_votes, strict=True)
                if not acts or vote in (BUY, SELL)]
        reason = JOIN.join(said)
        inputs = {key: now[slot] for key, slot in self._shown if now[slot] == now[slot]}
        inputs["close"] = candle.close
        if acts:
            return Ruling(Action.BUY if buy else Action.SELL, votes, reason, inputs)
        return Ruling(Action.HOLD, votes, f"votes conflict: {reason}" if buy else reason, inputs)

    def value(self, cell: Cell) -> float:
        """Return a number as it stands after the last bar."""
        return self.tracks.now[self._plan.cells[cell]]


def directions_of(plan: Plan, view: View) -> Directions:
    """Return 1, -1 or 0 for every row of a view."""
    return truth(plan.entry, view).astype(np.int8) - truth(plan.exit, view).astype(np.int8)
