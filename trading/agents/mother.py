"""Mother AI: which of the agents that want to buy may, by what they said and by what became of it before.

score = alpha * confidence + beta * shrunk win rate of the agent's own closed trades (`trading.rules.combined_score`).
Wishes are judged one by one, the best first; equal scores go by the order of the symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Protocol

from trading.domain import Verdict
from trading.errors import BadInput
from trading.ranking import BY_DEFAULT, Mother, Ranking
from trading.rules import WEIGHTS, Weights, combined_score, shrunk_rate
from trading.scoring import PASS_CORRELATION, PASS_EXPOSURE, PASS_NAMES, PASS_NOT, PASS_SCORE, UNKNOWN, passed_over

TRADES_TOP_N, TRADES_MIN_SCORE = 1, 0.7
PORTFOLIO_TOP_N, PORTFOLIO_MIN_SCORE = 3, 0.75


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that wants to buy: how sure it is, and how many of its closed trades made money after costs.

    Raises
    ------
    BadInput
        More wins than trades, or less than none.
    """

    symbol: str
    agent: str
    confidence: float
    wins: int = 0
    n_trades: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.wins <= self.n_trades:
            raise BadInput(f"{self.agent} on {self.symbol}: {self.wins} wins of {self.n_trades} trades cannot be")

    @property
    def raw_win_rate(self) -> float | None:
        """Wins per trade, None without trades."""
        return self.wins / self.n_trades if self.n_trades else None

    def shrunk_win_rate(self, weights: Weights = WEIGHTS) -> float:
        """Win rate drawn towards the prior, which it is without trades."""
        return float(shrunk_rate(self.wins, self.n_trades, weights.prior_wins, weights.prior_losses))

    def score(self, weights: Weights = WEIGHTS) -> float:
        """What ranks it."""
        return float(combined_score(weights, self.confidence, self.wins, self.n_trades))


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a wish: its place among all (from 1), its score, and the verdict that let it pass or not."""

    candidate: Candidate
    place: int
    score: float
    verdict: Verdict

    @property
    def chosen(self) -> bool:
        """Whether it may buy."""
        return self.verdict.passed


class Account(Protocol):
    """What Mother AI must know of the account; asked anew for each wish, for an earlier one may have changed it."""

    def holds(self, symbol: str) -> bool:
        """Return whether a position or an entry order of a symbol is open."""
        ...

    def room_units(self) -> int:
        """Return what the exposure limit leaves for new positions, in units."""
        ...

    def moves_with(self, symbol: str, window: int) -> tuple[float, str]:
        """Return the highest correlation with a symbol that is held, and which; `UNKNOWN` where there is none."""
        ...


class EmptyAccount:
    """Holds nothing and has room for everything."""

    def holds(self, symbol: str) -> bool:
        """Return False."""
        return False

    def room_units(self) -> int:
        """Return more than nothing."""
        return 1

    def moves_with(self, symbol: str, window: int) -> tuple[float, str]:
        """Return that there is nothing to move with."""
        return UNKNOWN, ""


def decide_trades(candidates: Iterable[Candidate], top_n: int = TRADES_TOP_N, min_score: float = TRADES_MIN_SCORE,
                  weights: Weights = WEIGHTS) -> tuple[Choice, ...]:
    """Rank candidates by score alone; the `top_n` best that reach `min_score` are chosen."""
    return tuple(choices(candidates, Ranking(top_n, min_score, Mother(weights)), EmptyAccount()))


def make_portfolio_decision(candidates: Iterable[Candidate], account: Account, top_n: int = PORTFOLIO_TOP_N,
                            min_score: float = PORTFOLIO_MIN_SCORE, mother: Mother = BY_DEFAULT) -> tuple[Choice, ...]:
    """Rank candidates for an account: what is held, what the exposure limit leaves, and what moves together count."""
    return tuple(choices(candidates, Ranking(top_n, min_score, mother), account))


def ordered(candidates: Iterable[Candidate], weights: Weights) -> list[tuple[float, Candidate]]:
    """Return (score, candidate), the best first; equals keep their order, what is no number comes last."""
    scored = [(candidate.score(weights), candidate) for candidate in candidates]
    return sorted(scored, key=lambda pair: (isnan(pair[0]), -pair[0]))


def choices(candidates: Iterable[Candidate], ranking: Ranking, account: Account) -> Iterator[Choice]:
    """Judge one candidate after the other; the account is looked at when the next one is asked for."""
    mother = ranking.mother or BY_DEFAULT
    n_chosen = 0
    chosen: list[str] = []
    for place, (score, candidate) in enumerate(ordered(candidates, mother.weights), 1):
        held = account.holds(candidate.symbol) or candidate.symbol in chosen
        room = account.room_units()
        code = passed_over(score, ranking.min_score, held, ranking.top_n - n_chosen, room)
        moves, other = account.moves_with(candidate.symbol, mother.window) if code == PASS_NOT else (nan, "")
        if code == PASS_NOT and mother.max_correlation < moves <= 1.0:
            code = PASS_CORRELATION
        if code == PASS_NOT:
            n_chosen += 1
            chosen.append(candidate.symbol)
        words = _words(code, ranking, (place, score, candidate), (moves, other))
        yield Choice(candidate, place, score, Verdict(PASS_NAMES[code], code == PASS_NOT, words))


def _words(code: int, ranking: Ranking, judged: tuple[int, float, Candidate], moves: tuple[float, str]) -> str:
    place, score, candidate = judged
    mother = ranking.mother or BY_DEFAULT
    if code == PASS_SCORE:
        least = ranking.min_score
        needed = f"of {least:.3f} needed" if least < inf else "but no score has earned money yet"
        return f"score {score:.3f} {needed}: {made_of(candidate, mother.weights)}"
    if code == PASS_EXPOSURE:
        return f"place {place} with score {score:.3f}, but the exposure limit leaves no room"
    if code == PASS_CORRELATION:
        return f"moves with {moves[1]}, which is held: correlation {moves[0]:.2f}, at most {mother.max_correlation:.2f}"
    if PASS_NAMES[code] == "one_position":
        return f"place {place} with score {score:.3f}, but a position or an entry is open already"
    return f"place {place}, the best {ranking.top_n} may buy: score {score:.3f} = {made_of(candidate, mother.weights)}"


def made_of(candidate: Candidate, weights: Weights) -> str:
    """Return a score's parts in words."""
    rate = candidate.shrunk_win_rate(weights)
    return (f"{weights.alpha:g} x confidence {candidate.confidence:.3f} + {weights.beta:g} x win rate {rate:.3f} "
            f"({candidate.wins} of {candidate.n_trades} trades)")
