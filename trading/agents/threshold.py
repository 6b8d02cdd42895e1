"""From which score on Mother AI's decisions made money after costs, learnt from earlier bars only.

Calibrated confidences and shrunk win rates live near a half, so a score of 0.7 is hardly ever reached. The threshold
that a market allows is the lowest score from which on the decisions gained on average; the caller sees to it that the
bars it was learnt from lie before those it is used on.

Scores are those of agents without a record of trades, as an account's are at first. Learnt from records that had grown,
the threshold could lie above all that such an agent can reach: nobody would trade, so no record would ever grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from trading import book, walk
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.domain import FloatArray, IntArray
from trading.errors import BadInput
from trading.ranking import BY_DEFAULT
from trading.rules import combined_score

WIDEST = 0.999
LEAST = 30
"""Decisions below which an average is chance: the error of a mean shrinks with the root of their number."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What was learnt.

    Attributes
    ----------
    min_score : the lowest score whose decisions, with all that score higher, gained on average; None: no score did.
    expectancy : their average return after costs, a fraction; without such a score that of all decisions, None of none.
    n_above : how many they were.
    n : decisions that were looked at.
    best_score : the highest score that was seen, None without decisions.
    note : what of the running cockpit it does not know, for a person.
    """

    min_score: float | None
    expectancy: float | None
    n_above: int
    n: int
    best_score: float | None
    note: str = ""

    @property
    def floor(self) -> float:
        """The score that a wish must reach: infinite where none has earned."""
        return inf if self.min_score is None else self.min_score

    @property
    def words(self) -> str:
        """The same for a person."""
        return f"{self._found}; {self.note}" if self.note else self._found

    @property
    def _found(self) -> str:
        if self.best_score is None:
            return "no earlier decision to learn a threshold from"
        if self.min_score is None:
            return (f"no score made money after costs on {self.n} earlier decisions; the best score was "
                    f"{self.best_score:.3f}")
        return (f"{self.n_above} of {self.n} earlier decisions scored {self.min_score:.3f} or more and gained "
                f"{self.expectancy or 0.0:+.3%} on average after costs")


def threshold_of(scores: FloatArray, gains: FloatArray, least: int = LEAST) -> Threshold:
    """Return the lowest score whose decisions gained on average.

    Parameters
    ----------
    scores, gains : of each decision, `(n_decisions,)`; gains after costs, fractions.
    least : decisions that must lie at or above a score before their average counts.

    Raises
    ------
    BadInput
        Columns that do not fit each other, or hold what is no number.
    """
    if scores.shape != gains.shape or not (np.isfinite(scores).all() and np.isfinite(gains).all()):
        raise BadInput(f"{len(scores)} scores and {len(gains)} gains: they must be as many, and numbers")
    if len(scores) == 0:
        return Threshold(None, None, 0, 0, None)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    means = np.cumsum(gains[order]) / np.arange(1, len(order) + 1)
    ends = np.append(ranked[1:] < ranked[:-1], True)  # the last of equal scores: all of them count
    earning = np.flatnonzero(ends & (means > 0.0) & (np.arange(1, len(order) + 1) >= least))
    if len(earning) == 0:
        return Threshold(None, float(means[-1]), 0, len(order), float(ranked[0]))
    last = int(earning[-1])
    return Threshold(float(ranked[last]), float(means[last]), last + 1, len(order), float(ranked[0]))


def decisions_of(run: Simulation) -> tuple[IntArray, FloatArray]:
    """Return the row that decided each closed trade of a run, and its return after costs, both `(n_trades,)`."""
    entries = np.flatnonzero(run.curve.outcome == walk.ENTRY)
    ends = np.cumsum([len(candles) for candles in run.tape.candles])
    symbols = np.searchsorted(ends, entries, "right")
    rows = np.empty(run.n_trades, np.int64)
    columns = run.trade_columns
    for symbol in range(len(ends)):
        own, mine = entries[symbols == symbol], columns[:, book.T_SYMBOL] == symbol
        opened = np.searchsorted(run.tape.bars.time[own], columns[mine, book.T_ENTRY_TIME], "left") - 1
        rows[mine] = own[opened]
    gains: FloatArray = columns[:, book.T_PNL] / columns[:, book.T_ENTRY_UNITS]
    return rows, gains


def learnt_threshold(setup: Setup, tape: Tape, directions: Sequence[NDArray[np.int8]],
                     confidences: Sequence[FloatArray], least: int = LEAST) -> Threshold:
    """Let everybody trade on earlier bars and see from which score on it paid.

    The limits that end trading (kill switch, daily loss) are off: they would cut the lesson short. `confidences` are
    those of every row, one column a symbol.
    """
    free = replace(setup.ranking, top_n=len(tape.candles), min_score=-inf)
    profile = replace(setup.profile, max_drawdown_rate=WIDEST, daily_loss_rate=WIDEST)
    run = simulate(replace(setup, ranking=free, profile=profile, ends_flat=True), tape, directions, confidences)
    rows, gains = decisions_of(run)
    weights = (free.mother or BY_DEFAULT).weights
    scores = [combined_score(weights, said, 0, 0) for said in np.concatenate(confidences)[rows].tolist()]
    return threshold_of(np.array(scores, np.float64), gains, least)
