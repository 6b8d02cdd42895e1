"""The array kernel: the walk of a bar over columns, many symbols on one clock and one wallet, compiled.

Calls the same rule book as the engine. `tests/parity` holds it equal to engine and paper broker, trade for trade and
unit for unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading import rules
from trading.arithmetic import ppm_floor
from trading.book import (
    ATOMS,
    ATR,
    BUY_LOTS,
    CASH,
    COOL,
    DAY_MS,
    DAY_START,
    ENTRY_LOTS,
    HIGH,
    KILL_GAP,
    KILLED,
    LEAVE,
    MARK,
    NEXT_DAY,
    PEAK,
    PROTECT,
    STOP,
    TARGET,
    TRIGGERED,
    Desk,
    equity,
    market_at,
    revalue,
)
from trading.compiled import lean_njit as njit
from trading.domain.market import FloatArray, IntArray
from trading.walk import (
    BUYS,
    DENIED_RANK,
    DENIED_SCORE,
    Bars,
    buy,
    decide,
    sell_all,
    trade_bar,
    whole,
)

EXACT_FLOAT = 2**52  # whole numbers up to here are exact as floats, quotients within one


class Advice(NamedTuple):
    """What the strategy says of each row: direction (1 buy, -1 sell, 0) and the score that ranks wishes.

    `wishes` `(n_symbols, 2)` is room for those of one moment.
    """

    direction: NDArray[np.int8]
    score: FloatArray
    top_n: int
    min_score: float
    wishes: IntArray


class Curve(NamedTuple):
    """What comes out, in units.

    `equity` and `peak` a moment, `(n_moments,)` (`run_one` leaves out the peak: it is the highest equity so far);
    `cash` from moment `changed` on, the first `n_changes[0]` of `(n_moments,)`; `outcome` of each row, `(n_rows,)`.
    """

    equity: IntArray
    peak: IntArray
    changed: IntArray
    cash: IntArray
    n_changes: IntArray
    outcome: NDArray[np.int8]


@njit
def keep(desk: Desk, curve: Curve, moment: int) -> None:
    """Write the account's worth at a moment, and its cash where that changed."""
    curve.equity[moment] = equity(desk)
    n = curve.n_changes[0]
    if n == 0 or curve.cash[n - 1] != desk.account[CASH]:
        curve.changed[n], curve.cash[n] = moment, desk.account[CASH]
        curve.n_changes[0] = n + 1


@njit
def finish_flat(desk: Desk, curve: Curve, time: int) -> None:
    """Sell every position at the last prices and write the last moment anew."""
    for s in range(len(desk.book)):
        sell_all(desk, s, time)
    keep(desk, curve, len(curve.equity) - 1)


@njit
def run_many(desk: Desk, bars: Bars, advice: Advice, order: NDArray[np.int32], curve: Curve) -> None:
    """Trade several symbols; `order` `(n_rows, 3)` lists (moment, symbol, row), rising in the first two."""
    n_rows, wishes = len(order), advice.wishes
    n_wishes = 0
    for place in range(n_rows):
        moment, s, row = order[place]
        trade_bar(desk, s, bars, row)
        if advice.top_n > 0 and advice.direction[row] == BUYS:
            wishes[n_wishes] = s, row
            n_wishes += 1
        else:
            curve.outcome[row] = decide(desk, s, bars, row, advice.direction[row])
        if place + 1 == n_rows or order[place + 1, 0] != moment:
            grant(desk, bars, advice, n_wishes, curve)
            n_wishes = 0
            keep(desk, curve, moment)
            curve.peak[moment] = desk.account[PEAK]


@njit
def grant(desk: Desk, bars: Bars, advice: Advice, n_wishes: int, curve: Curve) -> None:
    """Let the `top_n` best wishes of a moment buy, the best first; equals keep the order of the symbols."""
    wishes = advice.wishes
    for rank in range(n_wishes):
        best = rank
        for place in range(rank + 1, n_wishes):
            if better(advice.score[wishes[place, 1]], advice.score[wishes[best, 1]]):
                best = place
        s, row = wishes[best, 0], wishes[best, 1]
        for place in range(best, rank, -1):  # the others move up in their order
            wishes[place, 0], wishes[place, 1] = wishes[place - 1, 0], wishes[place - 1, 1]
        if not advice.score[row] >= advice.min_score:
            curve.outcome[row] = DENIED_SCORE
        elif rank >= advice.top_n:
            curve.outcome[row] = DENIED_RANK
        else:
            curve.outcome[row] = buy(desk, s, bars.time[row] + bars.step - 1)


@njit
def better(one: float, other: float) -> bool:
    """Whether a score ranks before another; what is no number ranks last."""
    return one > other or (np.isnan(other) and not np.isnan(one))


@njit
def run_one(desk: Desk, bars: Bars, direction: NDArray[np.int8], curve: Curve) -> None:
    """Trade one symbol: rows on which nothing can happen but a new price take the short way."""
    row, n_rows = 0, len(direction)
    while row < n_rows:
        row = pass_quiet_rows(desk, bars, direction, curve, row)
        if row < n_rows:
            trade_bar(desk, 0, bars, row)
            curve.outcome[row] = decide(desk, 0, bars, row, direction[row])
            keep(desk, curve, row)
            row += 1


class Quiet(NamedTuple):
    """When a row is quiet: without direction, its low above `floor`, its high below `ceiling` (prices)."""

    held: bool
    floor: float
    ceiling: float


@njit
def is_busy(desk: Desk) -> bool:
    """Whether every row needs the whole walk: an order works at the market, bars are counted, a rest is unprotected."""
    book, counted = desk.book, desk.limits.time_stop_bars > 0 and desk.account[KILLED] == 0
    unprotected = book[0, ENTRY_LOTS] > 0 and (book[0, PROTECT] == 0 or counted)
    orders = book[0, BUY_LOTS] > 0 or book[0, LEAVE] > 0 or book[0, TRIGGERED] > 0
    return bool(orders or unprotected or book[0, COOL] > 0)


@njit
def quiet_range(desk: Desk, tick: float) -> Quiet:
    """Return the range in which neither stop nor target is met nor the stop raised, a tick to the safe side."""
    book, limits = desk.book, desk.limits
    if book[0, ENTRY_LOTS] == 0:
        return Quiet(False, 0.0, np.inf)
    ceiling = np.inf
    if book[0, TARGET] > 0:
        ceiling = (book[0, TARGET] - 1) * tick * (1.0 - 1e-12)
    if (limits.trail_atr > 0 or limits.breakeven_atr > 0) and desk.account[KILLED] == 0:
        ceiling = min(ceiling, (book[0, HIGH] - 1) * tick * (1.0 - 1e-12))
    return Quiet(True, (book[0, STOP] + 1) * tick * (1.0 + 1e-12), ceiling)


@njit
def pass_quiet_rows(desk: Desk, bars: Bars, direction: NDArray[np.int8], curve: Curve, first: int) -> int:
    """Mark rows from `first` on until one needs the whole walk; return that row.

    Such a row has a direction to act on, an order that could fill, a stop to raise, a bar to count, or a limit that is
    reached. The comparisons here may ask for the whole walk too often, never too seldom.
    """
    if is_busy(desk):
        return first
    account, n_rows, tick = desk.account, len(direction), bars.tick[0]
    quiet = quiet_range(desk, tick)
    atoms, cash, killed = desk.book[0, ATOMS], account[CASH], account[KILLED] > 0
    peak, gap = account[PEAK], account[KILL_GAP]
    lots, rest = atoms // desk.grid[0, 2], atoms % desk.grid[0, 2]
    parts = desk.grid[0, 1] * desk.grid[0, 2]
    per_tick, per_rest, inverse = desk.grid[0, 0] * lots, desk.grid[0, 0] * rest, 1.0 / parts
    simple = desk.grid[0, 1] == 1
    row = first
    while row < n_rows and direction[row] == 0:
        if quiet.held and (bars.low[row] <= quiet.floor or bars.high[row] >= quiet.ceiling):
            break
        worth = cash
        if atoms > 0:
            price = whole(bars.close[row], tick)
            part = price * per_rest
            if simple and part < EXACT_FLOAT:  # division by `parts`, corrected by at most one
                quotient = int(part * inverse)
                left = part - quotient * parts
                quotient += (1 if left >= parts else 0) - (1 if left < 0 else 0)
                worth += price * per_tick + quotient
            else:
                worth += rules.holding_value(market_at(desk, 0), price, atoms)
            if worth > peak:
                peak, gap = worth, -1
            elif peak - worth > gap:
                gap = ppm_floor(peak, desk.limits.max_drawdown - 1)
                if peak - worth > gap and not killed:
                    break
        curve.equity[row] = worth
        row += 1
    account[PEAK], account[KILL_GAP] = peak, ppm_floor(peak, desk.limits.max_drawdown - 1)
    if row > first:
        catch_up(desk, bars, curve, first, row)
    return row


@njit
def catch_up(desk: Desk, bars: Bars, curve: Curve, first: int, end: int) -> None:
    """Bring the account to where the whole walk of the rows from `first` to before `end` would have left it."""
    book, account, last, offset = desk.book, desk.account, end - 1, bars.step - 1
    if bars.time[last] + offset >= account[NEXT_DAY]:
        midnight = (bars.time[last] + offset) // DAY_MS * DAY_MS
        low, high = first, last  # the first row whose close lies in the last row's day
        while low < high:
            middle = (low + high) // 2
            if bars.time[middle] + offset >= midnight:
                high = middle
            else:
                low = middle + 1
        account[DAY_START] = curve.equity[low - 1] if low > first else equity(desk)
        account[NEXT_DAY] = midnight + DAY_MS
    book[0, MARK] = whole(bars.close[last], bars.tick[0])
    book[0, ATR] = whole(bars.atr[last], bars.tick[0]) if np.isfinite(bars.atr[last]) else 0
    revalue(desk, 0)
