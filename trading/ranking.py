"""Which of several wishes to buy at one moment come first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf, isfinite, isnan
from typing import Any

from trading.domain import Action, Candle, Signal, Verdict
from trading.errors import BadInput
from trading.events import SignalGenerated
from trading.rules import WEIGHTS, Weights


@dataclass(frozen=True, slots=True)
class Mother:
    """By what Mother AI ranks.

    Attributes
    ----------
    weights : of confidence and record.
    max_correlation : a wish is passed over when its symbol's returns move with those of a symbol that is held or was
        chosen before it by more than this; 1 switches the rule off.
    window : bars that the correlation looks at.

    Raises
    ------
    BadInput
        Weights or figures that make no score.
    """

    weights: Weights = WEIGHTS
    max_correlation: float = 0.9
    window: int = 240

    def __post_init__(self) -> None:
        alpha, beta, *prior = self.weights
        if not all(isfinite(x) and x >= 0.0 for x in self.weights) or alpha + beta <= 0.0 or sum(prior) <= 0.0:
            raise BadInput(f"weights {tuple(self.weights)}: use numbers from 0 up, alpha or beta and the prior above 0")
        if not -1.0 <= self.max_correlation <= 1.0 or self.window < 2:
            raise BadInput(f"correlation {self.max_correlation} over {self.window} bars: use -1 to 1 over 2 or more")


BY_DEFAULT = Mother()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Of all wishes of a moment the `top_n` best scores may buy, if they reach `min_score` (`top_n` 0: no ranking).

    The score is the strategy's own number (`Signal.score`); with `mother` it is made of confidence and record.
    """

    top_n: int = 0
    min_score: float = -inf
    mother: Mother | None = None


UNRANKED = Ranking()
TOO_LATE = Verdict("rank", False, "the advice came after the wishes of its moment were ranked")


class Round:
    """Collects the wishes of one moment until every symbol was heard, its deadline is over or a later one begins."""

    def __init__(self, ranking: Ranking, symbols: frozenset[str]) -> None:
        self.ranking = ranking
        self._symbols = symbols
        self.absent: frozenset[tuple[str, int]] = frozenset()
        """Bars (symbol, open time) without which their moments were ranked by the record that a replay obeys."""
        self._opened = self._expired = -1
        self._given_up: frozenset[str] = frozenset()
        self._heard: set[str] = set()
        self.wishes: list[SignalGenerated] = []
        self.time = -1
        self._ranked = False

    def opens(self, open_time: int) -> bool:
        """Return whether a bar that is asked about is the first of a moment whose wishes will compete."""
        is_first = self.ranking.top_n > 0 and open_time > self._opened
        self._opened = max(self._opened, open_time)
        return is_first

    def is_late(self, bar: Candle) -> bool:
        """Return whether the wishes of a bar's moment were ranked already, or are by the record without it."""
        return self._is_over(bar.open_time) or (bar.symbol, bar.open_time) in self.absent

    def _is_over(self, open_time: int) -> bool:
        return open_time < self.time or (open_time == self.time and self._ranked)

    def expire(self, open_time: int, asked: frozenset[str]) -> bool:
        """End the wait for symbols of a moment that are neither heard nor asked; return whether wishes are complete."""
        if self._is_over(open_time):
            return False
        heard = self._heard if open_time == self.time else frozenset[str]()
        self._expired, self._given_up = open_time, self._symbols - heard - asked
        return open_time == self.time and bool(self.wishes) and self._is_complete()

    def missing(self) -> tuple[str, ...]:
        """Return the symbols that were not heard by the deadline of the moment whose wishes wait."""
        return tuple(sorted(self._given_up - self._heard)) if self.wishes and self._expired == self.time else ()

    def _is_complete(self) -> bool:
        return self._heard | (self._given_up if self._expired == self.time else set()) >= self._symbols

    def begins(self, open_time: int) -> bool:
        """Return whether a bar belongs to a later moment than the wishes do."""
        return open_time > self.time

    def hear(self, event: SignalGenerated, wants: bool) -> bool:
        """Take in one symbol's advice; return whether the moment is complete."""
        if self._is_over(event.candle.open_time):
            return False
        if self.begins(event.candle.open_time):
            self.time, self._heard, self._ranked = event.candle.open_time, set(), False
        self._heard.add(event.candle.symbol)
        if wants:
            self.wishes.append(event)
        return self._is_complete()

    def take(self) -> list[tuple[SignalGenerated, Verdict]]:
        """Return the wishes, best first, each with what the ranking says of it; equals keep their order."""
        ranked = sorted(self.wishes, key=lambda wish: -score_of(wish) if not isnan(score_of(wish)) else inf)
        self.wishes, self._ranked = [], True
        return [(wish, self._verdict(place, score_of(wish))) for place, wish in enumerate(ranked, 1)]

    def _verdict(self, place: int, score: float) -> Verdict:
        if not score >= self.ranking.min_score:
            return Verdict("min_score", False, f"score {score:.3g} of {self.ranking.min_score:.3g} needed")
        return Verdict("rank", place <= self.ranking.top_n, f"place {place}, the best {self.ranking.top_n} may buy")

    def release(self) -> list[SignalGenerated]:
        """Return the wishes unranked, in the order in which they came: Mother AI judges them."""
        released, self.wishes, self._ranked = self.wishes, [], True
        return released

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {"time": self.time, "heard": sorted(self._heard), "ranked": self._ranked,
                "wishes": [asdict(wish) for wish in self.wishes]}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.time, self._heard, self._ranked = snapshot["time"], set(snapshot["heard"]), snapshot.get("ranked", False)
        self.wishes = [_wish(row) for row in snapshot["wishes"]]


def score_of(event: SignalGenerated) -> float:
    """Return the best score among those who advise to buy."""
    return max((signal.score for signal in event.signals if signal.action is Action.BUY), default=-inf)


def _wish(row: dict[str, Any]) -> SignalGenerated:
    signals = tuple(Signal(**{**signal, "action": Action(signal["action"])}) for signal in row["signals"])
    return SignalGenerated(Candle(**row["candle"]), signals, row["live"])
