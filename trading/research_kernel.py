"""The compiled loop of `trading.research`: floats, long and short, FOR RESEARCH ONLY.

Nothing that this loop does can be traded on Binance spot, and no figure of it enters an account. It shares no code with
the rule book on purpose: the money there is whole numbers, here it is float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.compiled import lean_njit as njit
from trading.domain.market import FloatArray

STAY, GO_LONG, GO_SHORT, GO_FLAT = range(4)
AS_PRICES, AS_DISTANCES, AS_RATES = range(3)
BY_SIGNAL, BY_STOP, BY_TARGET, BY_END, BY_RUIN = range(5)
REASONS = ("signal", "stop", "target", "end", "ruin")

CASH, SIZE, ENTRY, STOP, TARGET, ENTRY_ROW, FEES, RUINED, N_TRADES, N_STATE = range(10)
T_ENTRY_ROW, T_EXIT_ROW, T_SIZE, T_ENTRY, T_EXIT, T_FEES, T_PNL, T_REASON, N_TRADE = range(9)


class Prices(NamedTuple):
    """Columns of bars, `(n_bars,)`."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


class Wishes(NamedTuple):
    """What the strategy wants after each row: STAY or GO_..., and stop and target of an entry (NaN: none)."""

    goal: NDArray[np.int8]
    stop: FloatArray
    target: FloatArray


class Switches(NamedTuple):
    """`trading.research.Semantics` as numbers and truth values."""

    fraction: float
    whole_units: bool
    fee_inside: bool
    commission: float
    slippage: float
    at_open: bool
    levels: int
    entry_bar: bool
    stop_first: bool
    target_touch: bool
    gap_at_open: bool
    re_entry: bool
    close_at_end: bool


class Sheet(NamedTuple):
    """What is written to: `state` `(N_STATE,)`, `trades` `(n_most, N_TRADE)`, `equity` `(n_bars,)`."""

    state: FloatArray
    trades: FloatArray
    equity: FloatArray


@njit
def run(prices: Prices, wishes: Wishes, switches: Switches, sheet: Sheet) -> None:
    """Trade the bars: open, range, close."""
    state, n_bars = sheet.state, len(prices.close)
    for row in range(n_bars):
        if switches.at_open and row > 0:
            pursue(prices.open[row], row, row - 1, wishes, switches, sheet)
        stopped = meet_range(prices, row, switches, sheet)
        if not switches.at_open and (switches.re_entry or not stopped):
            pursue(prices.close[row], row, row, wishes, switches, sheet)
        if switches.close_at_end and row == n_bars - 1 and state[SIZE] != 0.0:
            close(away(prices.close[row], -state[SIZE], switches), row, BY_END, switches, sheet)
        sheet.equity[row] = worth(state, prices.close[row])
        if sheet.equity[row] <= 0.0 and state[SIZE] != 0.0:
            close(prices.close[row], row, BY_RUIN, switches, sheet)
            sheet.equity[row], state[RUINED] = state[CASH], 1.0


@njit
def worth(state: FloatArray, price: float) -> float:
    """Return the account's value with the position at a price."""
    value: float = state[CASH] + state[SIZE] * (price - state[ENTRY])
    return value


@njit
def away(price: float, side: float, switches: Switches) -> float:
    """Return what a market order pays (side above 0) or gets (below)."""
    return price * (1.0 + (switches.slippage if side > 0.0 else -switches.slippage))


@njit
def pursue(price: float, row: int, asked: int, wishes: Wishes, switches: Switches, sheet: Sheet) -> None:
    """Fill at `price` what the strategy asked for after row `asked`; a reversal closes first."""
    state, goal = sheet.state, wishes.goal[asked]
    if goal == STAY or state[RUINED] > 0.0:
        return
    side = 1.0 if goal == GO_LONG else (-1.0 if goal == GO_SHORT else 0.0)
    if side * state[SIZE] > 0.0:
        return
    if state[SIZE] != 0.0:
        close(away(price, -state[SIZE], switches), row, BY_SIGNAL, switches, sheet)
    if side != 0.0:
        enter(away(price, side, switches), side, row, switches, sheet)
        if state[SIZE] != 0.0:
            state[STOP] = level(state[ENTRY], -side, wishes.stop[asked], switches.levels)
            state[TARGET] = level(state[ENTRY], side, wishes.target[asked], switches.levels)


@njit
def level(entry: float, side: float, value: float, kind: int) -> float:
    """Return a protective price: given itself, as a distance, or as a part of the entry price."""
    if kind == AS_PRICES:
        return value
    return entry + side * (value if kind == AS_DISTANCES else value * entry)


@njit
def enter(price: float, side: float, row: int, switches: Switches, sheet: Sheet) -> None:
    """Open a position for a part of the account; nothing when that does not pay for it."""
    state = sheet.state
    stake = state[CASH] * switches.fraction
    unit = price * (1.0 + switches.commission) if switches.fee_inside else price
    size = stake // unit if switches.whole_units else stake / unit
    if not 0.0 < size < np.inf:
        return
    fee = size * price * switches.commission
    state[CASH] -= fee
    state[SIZE], state[ENTRY], state[ENTRY_ROW], state[FEES] = side * size, price, row, fee


@njit
def close(price: float, row: int, reason: int, switches: Switches, sheet: Sheet) -> None:
    """Close the position and write the trade down."""
    state = sheet.state
    trade = sheet.trades[int(state[N_TRADES])]
    fee = abs(state[SIZE]) * price * switches.commission
    gain = state[SIZE] * (price - state[ENTRY])
    trade[T_ENTRY_ROW], trade[T_EXIT_ROW], trade[T_SIZE] = state[ENTRY_ROW], row, state[SIZE]
    trade[T_ENTRY], trade[T_EXIT], trade[T_REASON] = state[ENTRY], price, reason
    trade[T_FEES], trade[T_PNL] = state[FEES] + fee, gain - fee - state[FEES]
    state[CASH] += gain - fee
    state[SIZE] = state[FEES] = state[ENTRY] = 0.0
    state[N_TRADES] += 1.0


@njit
def meet_range(prices: Prices, row: int, switches: Switches, sheet: Sheet) -> bool:
    """Let stop and target meet a bar's range; return whether one of them ended the position."""
    state = sheet.state
    if state[SIZE] == 0.0 or (state[ENTRY_ROW] == row and not switches.entry_bar):
        return False
    up = state[SIZE] > 0.0
    open_, stop, target = prices.open[row], state[STOP], state[TARGET]
    worst, best = (prices.low[row], prices.high[row]) if up else (prices.high[row], prices.low[row])
    stop_hit = worst <= stop if up else worst >= stop
    target_hit = best > target if up else best < target
    target_hit |= (best == target and switches.target_touch) or (open_ >= target if up else open_ <= target)
    if not (stop_hit or target_hit):
        return False
    if stop_hit and (switches.stop_first or not target_hit):
        gapped = open_ < stop if up else open_ > stop
        price = open_ if gapped and switches.gap_at_open else stop
        close(away(price, -state[SIZE], switches), row, BY_STOP, switches, sheet)
    else:
        close(max(open_, target) if up else min(open_, target), row, BY_TARGET, switches, sheet)
    return True
