"""How a strategy fares: figures of its last trades, and a light that compares them with its backtest.

The light answers one question: if the edge were still the backtest's, how often would so many trades look as bad as
these by chance? Two looks, because an edge can go in two ways:

- The average return, against a bootstrap (Efron 1979, The Annals of Statistics 7): runs of as many trades, drawn with
  replacement from the backtest's. The backtest is a sample too, so each run draws from a resample of it; without that
  the band of a short backtest is too narrow (predictive bootstrap, Davison and Hinkley 1997, section 2.2 and 3.9).
- The number of wins, against the beta-binomial distribution: binomial, with the win rate known only as well as the
  backtest's trades tell it (Jeffreys prior; Gelman et al., Bayesian Data Analysis, chapter 2).

The smaller chance, doubled for having looked twice (Bonferroni), is the light's: amber below 5 %, red below 1 %. A loss
within the band is what the backtest itself does now and then; it is no proof that the edge is there.

What it cannot do. Trades that come in clusters (several symbols at once, one regime) are treated as independent, which
makes the band too narrow. A backtest that was chosen as the best of many promises too much, so paper trades fall below
it without anything having changed. And a light that is looked at after every trade is amber at some time for almost
every strategy (measured: 7 in 10 within 200 trades, red 2 in 10): read it as "look", not as a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from math import lgamma
from typing import Any

import numpy as np

from trading.domain import FloatArray
from trading.domain.strategies import HealthLight, StrategyHealth
from trading.errors import BadInput

LAST = 20
MIN_SEEN, MIN_EXPECTED = 10, 30
AMBER, RED = 0.05, 0.01
GREEN_STATE, AMBER_STATE, RED_STATE, FEW_STATE = "green", "amber", "red", "too few to tell"
N_RUNS = 4_000
CERTAIN = 2_000
"""From so many trades on, what the backtest does not know of itself is small beside the chance in a run of `LAST`."""


def health_of(trades: Iterable[Any], last: int = LAST) -> StrategyHealth:
    """Return the figures of the last trades."""
    rates = returns_of_trades(trades)[-_positive(last):]
    if not len(rates):
        return StrategyHealth(None, None, None, 0)
    percent = 100 * rates
    worst = min(0.0, float(percent.min()))
    win_rate, average, loss = (round(float(x), 3) for x in ((rates > 0).mean(), percent.mean(), worst))
    return StrategyHealth(win_rate, average, loss, len(rates))


def returns_of_trades(trades: Iterable[Any]) -> FloatArray:
    """Return each trade's return after costs on what it invested, by the time of exit, `(n_trades,)`.

    Trades are `TradeView`, `BacktestTrade`, or rows with `pnl`, `entry_price`, `quantity` and `exit_time` as the
    database and `--json` have them.

    Raises
    ------
    BadInput
        A row without these fields, or with one that is no number.
    """
    try:
        found = sorted((_exit_time(trade), number, _rate(trade)) for number, trade in enumerate(trades))
    except (KeyError, AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise BadInput(f"a trade has no usable pnl, entry_price, quantity and exit_time ({error!r}); correct the "
                       "file") from None
    rates = np.array([rate for _, _, rate in found], dtype="float64")
    if not np.isfinite(rates).all():
        raise BadInput("a trade's return is no number; correct the file")
    return rates


def light_of(expected: Iterable[Any], seen: Iterable[Any], last: int = LAST, seed: int = 0) -> HealthLight:
    """Compare the last paper or live trades with those of the backtest."""
    reference, recent = returns_of_trades(expected), returns_of_trades(seen)[-_positive(last):]
    n_seen, n_expected = len(recent), len(reference)
    if n_seen < MIN_SEEN or n_expected < MIN_EXPECTED:
        return HealthLight(FEW_STATE, _too_few(n_seen, n_expected), n_seen, n_expected)
    averages = run_averages(reference, n_seen, np.random.default_rng(seed))
    low, high = (100 * float(x) for x in np.quantile(averages, [AMBER / 2, 1 - AMBER / 2]))
    average, n_wins = 100 * float(recent.mean()), int((recent > 0).sum())
    chances = wins_below(int((reference > 0).sum()), n_expected, n_seen)
    by_average = (1 + int((averages <= recent.mean()).sum())) / (1 + len(averages))
    p_value = min(1.0, 2 * min(by_average, float(chances[n_wins])))
    least = int(np.searchsorted(chances, AMBER / 2))
    state = RED_STATE if p_value < RED else AMBER_STATE if p_value < AMBER else GREEN_STATE
    found = HealthLight(state, "", n_seen, n_expected, round(average, 3), round(n_wins / n_seen, 3),
                        (round(low, 3), round(high, 3)), least, p_value)
    return _with_words(found, n_wins, 100 * float(reference.mean()))


def run_averages(reference: FloatArray, n: int, draw: np.random.Generator) -> FloatArray:
    """Return the average return of many runs of n trades, `(N_RUNS,)`, each from a resample of the reference."""
    size = len(reference)
    if size >= CERTAIN:
        return reference[draw.integers(0, size, (N_RUNS, n))].mean(axis=1)
    found = np.empty(N_RUNS)
    for run in range(N_RUNS):
        resample = draw.integers(0, size, size)
        found[run] = reference[resample[draw.integers(0, size, n)]].mean()
    return found


def wins_below(n_wins: int, n_expected: int, n: int) -> FloatArray:
    """Return the chance of at most 0, 1 ... n wins in n trades, `(n + 1,)`, after so many wins in the backtest."""
    a, b = n_wins + 0.5, n_expected - n_wins + 0.5
    each = [lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + lgamma(k + a) + lgamma(n - k + b) - lgamma(n + a + b)
            + lgamma(a + b) - lgamma(a) - lgamma(b) for k in range(n + 1)]
    return np.minimum(np.cumsum(np.exp(each)), 1.0)


def _with_words(found: HealthLight, n_wins: int, promised: float) -> HealthLight:
    low, high = found.band or (0.0, 0.0)
    seen = (f"the last {found.n_seen} trades made {found.average:+.2f} % on average with {n_wins} wins; the backtest "
            f"made {promised:+.2f} %, and 19 of 20 such runs lie between {low:+.2f} % and {high:+.2f} % with "
            f"{found.least_wins} wins or more")
    return replace(found, words=f"{_VERDICTS[found.state]}: {seen}." + (_NO_EDGE if promised <= 0 else ""))


_VERDICTS = {
    GREEN_STATE: "Within the band", AMBER_STATE: "Worse than 19 of 20 runs of the backtest, look at it",
    RED_STATE: "Worse than 99 of 100 runs of the backtest, the edge is probably gone or never was"}
_NO_EDGE = " The backtest itself earned nothing, so there is no edge to lose."


def _too_few(n_seen: int, n_expected: int) -> str:
    if n_expected < MIN_EXPECTED:
        return (f"Too few to tell: the backtest has {n_expected} trades, {MIN_EXPECTED} are needed; test it on more "
                "candles.")
    return f"Too few to tell: {n_seen} trades so far, {MIN_SEEN} are needed."


def _positive(last: int) -> int:
    if last < 1:
        raise BadInput(f"last: {last} is not allowed; use a whole number of trades from 1 on")
    return last


def _exit_time(trade: Any) -> int:
    return int(trade["exit_time"] if isinstance(trade, Mapping) else trade.exit_time)


def _rate(trade: Any) -> float:
    if not isinstance(trade, Mapping):
        return float(trade.pnl_rate)
    invested = Decimal(str(trade["entry_price"])) * Decimal(str(trade["quantity"]))
    return float(Decimal(str(trade["pnl"])) / invested)
