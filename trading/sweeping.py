"""Many parameter sets over one tape of one symbol: the walk of `trading.kernel`, its columns used again each time.

A set costs no Python object a bar or a trade, and leaves one row of figures and a thinned-out curve of equity; each
equals what `trading.backtest.simulate` says of the same directions. Memory does not grow with the length of the
candles times the number of sets. Indicator columns belong to whoever makes the directions: compute them once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading import book, kernel, rules
from trading.arithmetic import MAX_UNITS, PPM, ppm_floor
from trading.backtest import Directions, Setup, Tape, new_curve, new_desk, trade_alone
from trading.compiled import lean_njit as njit
from trading.domain import INTERVAL_MS, FloatArray, IntArray
from trading.errors import BadInput, BrokenInvariant
from trading.metrics import periods_per_year, returns_of, sharpe_ratio
from trading.portfolio import UNITS

S_EQUITY, S_DRAWDOWN, S_TRADES, S_WINS, S_FEES, N_SWEPT = range(6)
BLOCK = 64
N_POINTS = 250


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Figures of many runs, a row each.

    `table` `(n_sets, N_SWEPT)` holds whole numbers in the columns `S_...` (money in 1e-8 of the quote asset, drawdown
    in ppm); `curves` `(n_sets, n_points)` the equity after every `every` bars, for ratios and tests for overfitting.
    """

    start_units: int
    interval_ms: int
    every: int
    table: IntArray
    curves: IntArray

    @property
    def total_return(self) -> FloatArray:
        """End over start less 1, `(n_sets,)`."""
        return _floats(self.table[:, S_EQUITY] / self.start_units - 1.0)

    @property
    def max_drawdown(self) -> FloatArray:
        """Largest loss from a peak as a fraction, `(n_sets,)`."""
        return _floats(self.table[:, S_DRAWDOWN] / PPM)

    @property
    def n_trades(self) -> IntArray:
        """Finished round trips, `(n_sets,)`."""
        return self.table[:, S_TRADES].copy()

    @property
    def win_rate(self) -> FloatArray:
        """Round trips that made money, as a fraction, `(n_sets,)`; NaN without any."""
        n_trades = self.table[:, S_TRADES].astype(np.float64)
        return _floats(np.divide(self.table[:, S_WINS], n_trades, out=np.full(len(n_trades), np.nan),
                                 where=n_trades > 0))

    @property
    def fees(self) -> FloatArray:
        """Commissions in the quote asset, `(n_sets,)`."""
        return _floats(self.table[:, S_FEES] / UNITS)

    @property
    def sharpe(self) -> FloatArray:
        """Sharpe ratio a year of the thinned-out curves' returns, `(n_sets,)`; NaN where it is not defined."""
        periods = periods_per_year(self.interval_ms * self.every)
        curves = np.column_stack((np.full(len(self.curves), self.start_units), self.curves)) / UNITS
        ratios = [sharpe_ratio(returns_of(curve), periods) for curve in curves]
        return np.array([np.nan if ratio is None else ratio for ratio in ratios])


def sweep(setup: Setup, tape: Tape, directions: Iterable[Directions], n_points: int = N_POINTS) -> Sweep:
    """Trade one symbol's tape by each of many columns of directions, which may be made on the way, in one buffer.

    Raises
    ------
    BadInput
        A tape of several symbols, or directions that do not fit the bars.
    BrokenInvariant
        An account came to figures that cannot be.
    """
    if tape.order is not None:
        raise BadInput(f"sweep: a tape of {len(tape.candles)} symbols; give one, or call simulate for each set")
    n_bars = len(tape.time)
    every = max(1, -(-n_bars // max(1, n_points)))
    desk, curve = new_desk(setup, tape, n_bars), new_curve(n_bars, n_bars)
    rows, curves = [], []
    for direction in directions:
        if len(direction) != n_bars:
            raise BadInput(f"sweep: directions of {len(direction)} rows do not fit bars of {n_bars} rows")
        _start_over(desk, curve, setup.capital_units)
        trade_alone(setup, tape, desk, np.ascontiguousarray(direction, np.int8), curve)
        rows.append(_figures(desk, curve, setup.capital_units))
        curves.append(curve.equity[every - 1:: every].copy())
    interval = INTERVAL_MS[tape.candles[0].interval]
    table = np.array(rows, np.int64).reshape(-1, N_SWEPT)
    kept = np.array(curves, np.int64).reshape(len(rows), n_bars // every)
    return Sweep(setup.capital_units, interval, every, table, kept)


def crossing_pairs(columns: Mapping[int, FloatArray], pairs: Sequence[tuple[int, int]]) -> Iterator[Directions]:
    """Yield the directions of each pair's cross: 1 where the first rises above the second, -1 where it falls below.

    All are written to one buffer: use each before the next.
    """
    out = np.zeros(len(next(iter(columns.values()))), np.int8)
    for first, second in pairs:
        cross(columns[first], columns[second], out)
        yield out


@njit
def cross(one: FloatArray, other: FloatArray, out: NDArray[np.int8]) -> None:
    """Write where a column crosses another; nothing on the first row and next to what is no number."""
    step = np.uintp(1)
    out[0] = 0
    for row in range(step, np.uintp(len(out))):  # unsigned: numba looks at signed places for being negative
        up = (one[row - step] <= other[row - step]) & (one[row] > other[row])
        down = (one[row - step] >= other[row - step]) & (one[row] < other[row])
        out[row] = np.int8(up) - np.int8(down)


@njit
def extremes(equity: IntArray, start: int) -> tuple[int, int]:
    """Return the lowest equity and the largest loss from a peak in ppm, rounded up as `rules.loss_ppm` does."""
    lowest, peak, worst, room = MAX_UNITS, start, 0, 0
    for first in range(0, len(equity), BLOCK):
        end = min(first + BLOCK, len(equity))
        low, high = MAX_UNITS, 0
        for place in range(np.uintp(first), np.uintp(end)):
            low, high = min(low, equity[place]), max(high, equity[place])
        lowest = min(lowest, low)
        if high <= peak and peak - low <= room:
            continue
        for place in range(np.uintp(first), np.uintp(end)):
            worth = equity[place]
            if worth > peak:
                peak, room = worth, ppm_floor(worth, worst)
            elif peak - worth > room:
                worst = rules.loss_ppm(peak, worth)
                room = ppm_floor(peak, worst)
    return lowest, worst


def _start_over(desk: book.Desk, curve: kernel.Curve, start: int) -> None:
    desk.book[:] = 0
    desk.account[:] = book.new_account(start, desk.limits)
    curve.n_changes[0] = 0


def _figures(desk: book.Desk, curve: kernel.Curve, start: int) -> list[int]:
    """Return a row of `Sweep.table`."""
    account, (lowest, drawdown) = desk.account, extremes(curve.equity, start)
    if lowest < 0:
        raise BrokenInvariant(f"equity fell to {lowest} units: more than can be counted")
    counted = (book.N_TRADES, book.N_WINS, book.ALL_FEES)
    return [int(curve.equity[-1]), max(drawdown, int(account[book.WORST])), *(int(account[name]) for name in counted)]


def _floats(column: NDArray[np.float64]) -> FloatArray:
    return column
