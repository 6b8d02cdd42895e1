"""Figures of finished round trips. A win made money after fees, a loss lost some; a trade at exactly 0 is neither."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trading.domain import FloatArray, IntArray
from trading.errors import BadInput
from trading.metrics.columns import DAY_MS, floats, is_units, same_length, to_quote

MONEY = ("pnl", "entry_units", "fees", "exit_units", "risk_units")


@dataclass(frozen=True, eq=False)
class TradeColumns:
    """Finished trades as columns `(n_trades,)`.

    Money is either all integers (1e-8 quote units) or all floats (quote units); `pnl` is net of `fees`. `entry_units`
    and `exit_units` are what was traded at each end, `risk_units` what the first stop put at stake; the last two may be
    None. Times are UTC ms.

    Raises
    ------
    BadInput
        On columns of different lengths, numbers that are not finite, a negative entry, or an exit before its entry.
    """

    pnl: NDArray[Any]
    entry_units: NDArray[Any]
    entry_time: IntArray
    exit_time: IntArray
    fees: NDArray[Any]
    exit_units: NDArray[Any] | None = None
    risk_units: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        columns = {name: np.asarray(value) for name, value in vars(self).items() if value is not None}
        if same_length(columns) == 0:
            return
        units = is_units(self.pnl)
        money = {name: to_quote(columns[name], units, name) for name in MONEY if name in columns}
        if (money["entry_units"] < 0.0).any():
            raise BadInput("entry_units holds a negative value: give what was paid or received at entry")
        late = np.flatnonzero(columns["exit_time"] < columns["entry_time"])
        if late.size:
            raise BadInput(f"exit_time is before entry_time in row {int(late[0])}: give both in UTC ms")

    def __len__(self) -> int:
        return len(self.pnl)

    @classmethod
    def none(cls) -> TradeColumns:
        """Return no trades."""
        return cls(np.zeros(0), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))

    @cached_property
    def money(self) -> FloatArray:
        """Profit or loss of each trade in quote units."""
        return self._quote("pnl")

    @cached_property
    def rates(self) -> FloatArray:
        """Profit or loss of each trade as a fraction of its entry value; 0 where nothing was paid."""
        entry = self._quote("entry_units")
        return np.divide(self.money, entry, out=np.zeros(len(entry)), where=entry > 0.0)

    @cached_property
    def paid(self) -> float:
        """Fees of all trades in quote units."""
        return float(self._quote("fees").sum())

    @cached_property
    def traded(self) -> float:
        """Value bought and sold in quote units; without `exit_units` an exit is entry + pnl + fees."""
        entry = float(self._quote("entry_units").sum())
        if self.exit_units is None:
            return 2.0 * entry + float(self.money.sum()) + self.paid
        return entry + float(self._quote("exit_units").sum())

    def _quote(self, name: str) -> FloatArray:
        return to_quote(getattr(self, name), is_units(self.pnl), name)


def win_rate(pnl: ArrayLike) -> float | None:
    """Return wins over all trades; None without trades."""
    column = floats(pnl, "pnl")
    return float(np.count_nonzero(column > 0.0)) / column.size if column.size else None


def profit_factor(pnl: ArrayLike) -> float | None:
    """Return the sum of wins over the sum of losses; None without a loss."""
    column = floats(pnl, "pnl")
    lost = -float(np.minimum(column, 0.0).sum())
    return float(np.maximum(column, 0.0).sum()) / lost if lost > 0.0 else None


def expectancy(pnl: ArrayLike) -> float | None:
    """Return the mean result of a trade: win rate * average win + loss rate * average loss; None without trades."""
    column = floats(pnl, "pnl")
    return float(column.mean()) if column.size else None


def average_win(pnl: ArrayLike) -> float | None:
    """Return the mean of the wins; None without one."""
    column = floats(pnl, "pnl")
    return expectancy(column[column > 0.0])


def average_loss(pnl: ArrayLike) -> float | None:
    """Return the mean of the losses, below 0; None without one."""
    column = floats(pnl, "pnl")
    return expectancy(column[column < 0.0])


def payoff_ratio(pnl: ArrayLike) -> float | None:
    """Return the average win over the size of the average loss; None without one of each."""
    win, loss = average_win(pnl), average_loss(pnl)
    return None if win is None or loss is None else win / -loss


def system_quality(results: ArrayLike) -> float | None:
    """Return sqrt(n) * mean / standard deviation (n - 1) of trade results: Van Tharp's System Quality Number.

    Tharp (2008) "The Definitive Guide to Position Sizing" takes results in multiples of the initial risk (R); where no
    risk is known, profits in money stand for them, as if every trade risked the same. No cap at 100 trades. None with
    fewer than two trades or without variation.
    """
    column = floats(results, "results")
    if column.size < 2:
        return None
    deviation = float(column.std(ddof=1))
    mean = float(column.mean())
    return sqrt(column.size) * mean / deviation if deviation > 1e-12 * abs(mean) else None


def risk_multiples(trades: TradeColumns) -> FloatArray:
    """Return each result in multiples of its initial risk, or in money unless every trade's risk is known."""
    if trades.risk_units is None:
        return trades.money
    risk = to_quote(trades.risk_units, is_units(trades.pnl), "risk_units")
    return trades.money / risk if (risk > 0.0).all() else trades.money


def losing_streak(trades: TradeColumns) -> int:
    """Return the most losses in a row, in the order of exits."""
    lost = trades.money[np.argsort(trades.exit_time, kind="stable")] < 0.0
    others = np.concatenate(([-1], np.flatnonzero(~lost), [len(lost)]))
    return int(np.max(np.diff(others))) - 1


def average_hold_days(trades: TradeColumns) -> float | None:
    """Return the mean time from entry to exit in days; None without trades."""
    return float(np.mean(trades.exit_time - trades.entry_time)) / DAY_MS if len(trades) else None


def time_in_market(trades: TradeColumns, elapsed_ms: int) -> float | None:
    """Return the fraction of a span with at least one of the trades open; None for an empty span.

    Overlapping trades count once. Positions still open at the end are no trades yet and are not seen.
    """
    if elapsed_ms <= 0:
        return None
    if len(trades) == 0:
        return 0.0
    order = np.argsort(trades.entry_time, kind="stable")
    entries, exits = trades.entry_time[order], np.maximum.accumulate(trades.exit_time[order])
    fresh = np.maximum(entries[1:], exits[:-1])
    covered = exits[0] - entries[0] + np.maximum(exits[1:] - fresh, 0).sum()
    return min(1.0, float(covered) / elapsed_ms)


def distribution(results: ArrayLike, n_bins: int = 20) -> tuple[FloatArray, IntArray]:
    """Return (edges, counts) of about `n_bins` equal bins; 0 is an edge, so that no bin mixes wins and losses."""
    column = floats(results, "results")
    if n_bins < 1:
        raise BadInput(f"{n_bins} bins: give at least one")
    if column.size == 0:
        return np.zeros(0), np.zeros(0, np.int64)
    low, high = min(0.0, float(column.min())), max(0.0, float(column.max()))
    width = (high - low) / n_bins or 0.01
    first = min(int(np.floor(low / width)), -1 if low < 0.0 else 0)
    last = max(int(np.ceil(high / width)), 1 if float(column.max()) >= 0.0 else 0)
    edges: FloatArray = width * np.arange(first, last + 1, dtype=np.float64)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges, np.histogram(column, edges)[0].astype(np.int64)
