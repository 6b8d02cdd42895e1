"""The array kernel: the walk of a bar over columns, many symbols on one clock and one wallet, compiled.

Calls the same rule book as the engine. `tests/parity` holds it equal to engine and paper broker, trade for trade and
unit for unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading import rules
from trading.arithmetic import MAX_UNITS, ppm_floor
from trading.book import (
    ATOMS,
    ATR,
    BUY_LOTS,
    CASH,
    COOL,
    DAY_MS,
    DAY_START,
    ENTRY_LOTS,
    EXPOSURE,
    HIGH,
    KILL_GAP,
    KILLED,
    LAST_OPEN,
    LEAVE,
    MARK,
    N_CLOSED,
    N_WON,
    NEXT_DAY,
    PEAK,
    PROTECT,
    RESERVED,
    STOP,
    TARGET,
    TRIGGERED,
    Desk,
    equity,
    market_at,
    revalue,
)
from trading.compiled import fetch
from trading.compiled import lean_njit as njit
from trading.domain.market import FloatArray, IntArray
from trading.scoring import (
    PASS_EXPOSURE,
    PASS_HELD,
    PASS_RANK,
    PASS_SCORE,
    Closes,
    correlation,
    passed_over,
    ranks_before,
)
from trading.walk import (
    BUYS,
    DENIED_CAP,
    DENIED_CORRELATION,
    DENIED_POSITION,
    DENIED_RANK,
    DENIED_SCORE,
    ENTRY,
    Bars,
    buy,
    decide,
    sell_all,
    trade_bar,
    whole,
)

LOOK_AHEAD = 512  # rows from a signal's fetching to its walk: longer than memory takes
STRETCH = 256  # rows that are looked at, then marked, while they are in the cache
EXACT_FLOAT = 2**52  # whole numbers up to here are exact as floats, quotients within one


class Advice(NamedTuple):
    """What the strategy says of each row: direction (1 buy, -1 sell, 0) and the score that ranks wishes.

    `wishes` `(n_symbols, 2)` is room for those of one moment. With `is_mother` the score is the confidence, and Mother
    AI's own one is written to `ranked` `(n_rows,)` (else the same array as `score`); `rows` `(n_symbols, 2)` holds the
    first and the newest row of each symbol.
    """

    direction: NDArray[np.int8]
    score: FloatArray
    top_n: int
    min_score: float
    wishes: IntArray
    is_mother: bool
    weights: rules.Weights
    max_correlation: float
    window: int
    ranked: FloatArray
    rows: IntArray


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
        advice.rows[s, 1] = row
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
    wishes, n_chosen = advice.wishes, 0
    if advice.is_mother:
        put_scores(desk, advice, n_wishes)
    for rank in range(n_wishes):
        bring_forward(advice, rank, n_wishes)
        s, row = wishes[rank, 0], wishes[rank, 1]
        time = bars.time[row] + bars.step - 1
        if advice.is_mother:
            outcome = judge(desk, bars, advice, rank, advice.top_n - n_chosen)
            n_chosen += 1 if outcome == ENTRY else 0
            curve.outcome[row] = buy(desk, s, time) if outcome == ENTRY else outcome
        elif not advice.score[row] >= advice.min_score:
            curve.outcome[row] = DENIED_SCORE
        elif rank >= advice.top_n:
            curve.outcome[row] = DENIED_RANK
        else:
            curve.outcome[row] = buy(desk, s, time)


@njit
def bring_forward(advice: Advice, rank: int, n_wishes: int) -> None:
    """Put the best of the wishes from `rank` on there; the others move up in their order."""
    wishes, best = advice.wishes, rank
    for place in range(rank + 1, n_wishes):
        if ranks_before(advice.ranked[wishes[place, 1]], advice.ranked[wishes[best, 1]]):
            best = place
    s, row = wishes[best, 0], wishes[best, 1]
    for place in range(best, rank, -1):
        wishes[place, 0], wishes[place, 1] = wishes[place - 1, 0], wishes[place - 1, 1]
    wishes[rank, 0], wishes[rank, 1] = s, row


@njit
def put_scores(desk: Desk, advice: Advice, n_wishes: int) -> None:
    """Make each wish's score of its confidence and of the trades that its agent has closed."""
    for place in range(n_wishes):
        s, row = advice.wishes[place, 0], advice.wishes[place, 1]
        won, closed = desk.book[s, N_WON], desk.book[s, N_CLOSED]
        advice.ranked[row] = rules.combined_score(advice.weights, advice.score[row], won, closed)


@njit
def judge(desk: Desk, bars: Bars, advice: Advice, rank: int, places: int) -> int:
    """Return what Mother AI says to a wish: ENTRY, or the outcome of the rule that passes it over."""
    s, row = advice.wishes[rank, 0], advice.wishes[rank, 1]
    account = desk.account
    room = ppm_floor(equity(desk), desk.limits.max_exposure) - (account[EXPOSURE] + account[RESERVED])
    code = passed_over(advice.ranked[row], advice.min_score, is_held(desk, s), places, room)
    if code == PASS_SCORE:
        return DENIED_SCORE
    if code == PASS_HELD:
        return DENIED_POSITION
    if code == PASS_RANK:
        return DENIED_RANK
    if code == PASS_EXPOSURE:
        return DENIED_CAP + rules.CAP_EXPOSURE
    for other in range(len(desk.book)):
        if other != s and is_held(desk, other):
            moves = correlation(closes_at(bars, advice, s), closes_at(bars, advice, other), advice.window)
            if advice.max_correlation < moves <= 1.0:
                return DENIED_CORRELATION
    return ENTRY


@njit
def is_held(desk: Desk, s: int) -> bool:
    """Whether a symbol has a position or a working entry."""
    return bool(desk.book[s, ENTRY_LOTS] > 0 or desk.book[s, BUY_LOTS] > 0)


@njit
def closes_at(bars: Bars, advice: Advice, s: int) -> Closes:
    """Return a symbol's closes as far as they are known."""
    return Closes(bars.time, bars.close, advice.rows[s, 0], advice.rows[s, 1])


@njit
def run_one(desk: Desk, bars: Bars, direction: NDArray[np.int8], curve: Curve) -> None:
    """Trade one symbol: rows on which nothing can happen but a new price, or advice on it, take the short way."""
    row, ahead, n_rows = 0, 0, len(direction)
    while row < n_rows:
        ahead = fetch_walks(bars, direction, max(row, ahead), min(n_rows, row + LOOK_AHEAD))
        first, row = row, pass_quiet_rows(desk, bars, direction, curve, row)
        if row > first and direction[row - 1] != 0:
            desk.book[0, LAST_OPEN] = whole(bars.open[row - 1], bars.tick[0])
        elif row < n_rows:
            trade_bar(desk, 0, bars, row)
            keep(desk, curve, row)
            row += 1
        else:
            return
        curve.outcome[row - 1] = decide(desk, 0, bars, row - 1, direction[row - 1])


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
    """Mark rows from `first` on up to the first with a direction, or until one needs the whole walk; return the next.

    Such a row has an order that could fill, a stop to raise, a bar to count, or a limit that is reached. The
    comparisons here may ask for the whole walk too often, never too seldom.
    """
    if is_busy(desk):
        return first
    row, n_rows, quiet = first, len(direction), quiet_range(desk, bars.tick[0])
    while row < n_rows:
        limit = min(n_rows, row + STRETCH)
        row = mark_rows(desk, bars, curve, row, n_quiet_rows(bars, direction, quiet, row, limit))
        if row < limit or direction[row - 1] != 0:
            break
    if row > first:
        catch_up(desk, bars, curve, first, row)
    return row


@njit
def n_quiet_rows(bars: Bars, direction: NDArray[np.int8], quiet: Quiet, first: int, end: int) -> int:
    """Return the end of the rows from `first` on that are quiet, at most `end`; one with a direction is the last."""
    for row in range(np.uintp(first), np.uintp(end)):  # unsigned: numba looks at signed places for being negative
        if quiet.held and (bars.low[row] <= quiet.floor or bars.high[row] >= quiet.ceiling):
            return int(np.int64(row))
        if direction[row] != 0:
            return int(np.int64(row)) + 1
    return end


@njit
def fetch_walks(bars: Bars, direction: NDArray[np.int8], first: int, end: int) -> int:
    """Have what the walks of rows with a direction read on its way, long before their turn; return `end`."""
    for row in range(np.uintp(first), np.uintp(end)):
        if direction[row] != 0:
            place = int(np.int64(row))
            fetch_row(bars, place)
            fetch_row(bars, min(place + 1, len(direction) - 1))
    return end


@njit
def fetch_row(bars: Bars, row: int) -> None:
    """Have the columns of a row that are not read in order on their way."""
    fetch(bars.time, row)
    fetch(bars.open, row)
    fetch(bars.volume, row)
    fetch(bars.atr, row)


@njit
def mark_rows(desk: Desk, bars: Bars, curve: Curve, first: int, end: int) -> int:
    """Write the account's worth for rows from `first` to before `end`; return the row that trips the kill switch."""
    account = desk.account
    lowest, highest = value_rows(desk, bars, curve, first, end)
    if highest <= account[PEAK] and account[PEAK] - lowest <= account[KILL_GAP]:
        return end
    killed = account[KILLED] > 0
    for row in range(first, end):
        worth = curve.equity[row]
        if worth > account[PEAK]:
            account[PEAK], account[KILL_GAP] = worth, ppm_floor(worth, desk.limits.max_drawdown - 1)
        elif account[PEAK] - worth > account[KILL_GAP] and not killed:
            return row
    return end


@njit
def value_rows(desk: Desk, bars: Bars, curve: Curve, first: int, end: int) -> tuple[int, int]:
    """Write cash and holding's value for rows from `first` to before `end`; return the lowest and the highest.

    A loop that the compiler can turn into vector code: `rules.holding_value` on floats that are whole numbers below
    `EXACT_FLOAT`, the estimate of the quotient corrected by at most one. Other numbers take the rule itself.
    """
    grid, cash, tick, atoms = desk.grid, desk.account[CASH], bars.tick[0], desk.book[0, ATOMS]
    lots, parts = atoms // grid[0, 2], float(grid[0, 1] * grid[0, 2])
    per_tick, per_rest = grid[0, 0] * lots, float(grid[0, 0] * (atoms - lots * grid[0, 2]))
    inverse, lowest, highest, most = 1.0 / parts, MAX_UNITS, 0, 0
    for row in range(np.uintp(first), np.uintp(end)):
        price = np.rint(bars.close[row] / tick)
        part = price * per_rest
        quotient = np.floor(part * inverse)
        left = part - quotient * parts
        quotient += (1.0 if left >= parts else 0.0) - (1.0 if left < 0.0 else 0.0)
        ticks = int(price)
        worth = cash + ticks * per_tick + int(quotient)
        curve.equity[row] = worth
        lowest, highest, most = min(lowest, worth), max(highest, worth), max(most, ticks)
    if grid[0, 1] == 1 and most * per_rest < EXACT_FLOAT:
        return lowest, highest
    lowest, highest, market = MAX_UNITS, 0, market_at(desk, 0)
    for row in range(first, end):
        worth = cash + rules.holding_value(market, whole(bars.close[row], tick), atoms)
        curve.equity[row] = worth
        lowest, highest = min(lowest, worth), max(highest, worth)
    return lowest, highest


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
