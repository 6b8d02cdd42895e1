"""What must be true before a search's champion may be promoted. Success inside the search is not enough.

The deflated Sharpe ratio (Bailey & Lopez de Prado 2014) asks how good the best of N candidates without any skill would
look. Its variance is that of the estimate of a Sharpe ratio of 0 over T returns, 1 / (T - 1) (Lo 2002), and N counts
every candidate that was evaluated. docs/adr/009-evolution.md says why not the variance across the trials.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from services.automl.before import NOTHING, Before
from services.automl.figures import LEAST_INSIDE, LEAST_OUTSIDE, Figures
from trading.domain.studies import Gate
from trading.metrics import deflated_sharpe, expected_max_sharpe, periods_per_year, probabilistic_sharpe

SURE = 0.95
Line = tuple[str, str, bool]


def gate_of(inside: Figures, outside: Figures, n_trials: int, interval_ms: int,
            held: tuple[Figures, Figures] | None = None, *, before: Before = NOTHING) -> Gate:
    """Judge a champion by its own search, and by all that was tried `before` on its candles.

    `held` are the figures of buy and hold inside and outside, reported and not required.
    """
    year = sqrt(periods_per_year(interval_ms))
    needed = (_luck(inside, n_trials, year), _untouched(outside, year), _enough(inside, outside),
              *_again(inside, outside, n_trials, before))
    told = (_benchmark(outside, held[1], year),) if held else ()
    return Gate(all(passed for *_, passed in needed), (*needed, *told))


def null_variance(n_returns: int) -> float:
    """Return the variance of the Sharpe ratio of `n_returns` returns without skill."""
    return 1.0 / max(1, n_returns - 1)


def deflated(inside: Figures, n_trials: int) -> float | None:
    """Return the deflated Sharpe ratio of the best of `n_trials` candidates; None without variation."""
    sample = inside.sample
    return None if sample is None else deflated_sharpe(sample, max(1, n_trials), null_variance(sample.n))


def _luck(inside: Figures, n_trials: int, year: float) -> Line:
    question = "Is it better than the luckiest of all candidates tried?"
    value = deflated(inside, n_trials)
    if value is None:
        return question, "its returns do not vary: there is no Sharpe ratio to judge", False
    bar = expected_max_sharpe(max(1, n_trials), null_variance(inside.n)) * year
    return (question, f"deflated Sharpe {value:.3f} (needs {SURE:.2f}): {inside.sharpe * year:.2f} a year, the best of "
            f"{n_trials:,} without skill would show {bar:.2f} over {inside.n:,} bars", value >= SURE)


def _again(inside: Figures, outside: Figures, n_trials: int, before: Before) -> Iterator[Line]:
    """Ask again with every other search on these candles; a first search is not asked."""
    if before.n_candidates:
        value, n_all = deflated(inside, n_trials + before.n_candidates) or 0.0, n_trials + before.n_candidates
        yield ("Is it so with all other searches on these candles counted?",
               f"deflated Sharpe {value:.3f} (needs {SURE:.2f}) as the best of {n_all:,}: {before.n_candidates:,} "
               f"candidates of {before.n_searches:,} other searches count as well", value >= SURE)
    if before.n_openings:
        value = deflated(outside, before.n_openings + 1) or 0.0
        yield ("Does it hold there although that window was opened before?",
               f"deflated Sharpe {value:.3f} (needs {SURE:.2f}) as the best of {before.n_openings + 1:,} champions: "
               f"this untouched window was opened {before.n_openings:,} times before", value >= SURE)


def _untouched(outside: Figures, year: float) -> Line:
    question = "Does it hold on candles that the search never saw?"
    sample = outside.sample
    if sample is None:
        return question, f"no returns that vary in {outside.n:,} untouched bars", False
    value = probabilistic_sharpe(sample)
    return (question, f"probability of a Sharpe ratio above 0: {value:.3f} (needs {SURE:.2f}): "
            f"{outside.sharpe * year:.2f} a year over {outside.n:,} untouched bars", value >= SURE)


def _enough(inside: Figures, outside: Figures) -> Line:
    return ("Did it trade often enough to say so?", f"{inside.n_trades:,} trades inside (needs {LEAST_INSIDE}), "
            f"{outside.n_trades:,} outside (needs {LEAST_OUTSIDE})",
            inside.n_trades >= LEAST_INSIDE and outside.n_trades >= LEAST_OUTSIDE)


def _benchmark(outside: Figures, held: Figures, year: float) -> Line:
    return ("Did it beat buy and hold there? (told, not required)",
            f"Sharpe {outside.sharpe * year:.2f} against {held.sharpe * year:.2f} a year, return "
            f"{outside.total_return:+.1%} against {held.total_return:+.1%}, largest drawdown "
            f"{outside.max_drawdown:.1%} against {held.max_drawdown:.1%}", outside.sharpe > held.sharpe)
