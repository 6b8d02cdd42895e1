"""The compiled account of the array kernel: orders, fills and positions of many symbols on one wallet.

Does what `portfolio`, `execution` and `brokers.paper` do together, on whole numbers in two arrays: `book` has a row of
fields a symbol, `account` the fields of the wallet. Units are those of `trading.rules`. A symbol has at most a working
buy (`BUY_...`), a protective order (`PROTECT`, with `TRIGGERED` once its stop was hit) and a market exit (`LEAVE`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trading import rules
from trading.arithmetic import PPM, mul_div, ppm_floor
from trading.compiled import lean_njit as njit
from trading.domain.market import IntArray
from trading.rules import MINUTE_MS, ORDERS_A_MINUTE, Costs, Limits, Market

DAY_MS = 86_400_000
UNITS = 10**8

(
    MARK, VALUE, OPENED, LAST_OPEN, ATR, LEFT, VOLUME,
    ATOMS, COST, ENTRY_TIME, ENTRY_LOTS, ENTRY_UNITS, EXIT_LOTS, EXIT_UNITS, FEES, PNL,
    ENTRY_TICKS, ENTRY_ATR, HIGH, STOP, STOP_KIND, TARGET, N_BARS, COOL,
    BUY_LOTS, BUY_BUDGET, PROTECT, TRIGGERED, LEAVE, LEAVE_REASON,
    N_CLOSED, N_WON,
    N_BOOK,
) = range(33)

(
    CASH, EXPOSURE, RESERVED, PEAK, KILL_GAP, DAY_START, NEXT_DAY, KILLED, WORST, N_TRADES, N_WINS,
    ALL_FEES, SPREAD_COST, SLIPPAGE_COST, TURNOVER, TURNOVER_REST, N_RECENT, RECENT,
) = range(18)
N_ACCOUNT = RECENT + ORDERS_A_MINUTE

(
    T_SYMBOL, T_ENTRY_TIME, T_EXIT_TIME, T_ENTRY_LOTS, T_ENTRY_UNITS, T_EXIT_LOTS,
    T_EXIT_UNITS, T_FEES, T_PNL, T_REASON, N_TRADE,
) = range(11)

BY_STOP, BY_BREAKEVEN, BY_TRAILING, BY_TARGET, BY_SIGNAL, BY_TIME, BY_DUST, BY_END = range(8)
REASONS = (*rules.STOP_NAMES, "target", "signal", "time", "dust", "end")


class Desk(NamedTuple):
    """What the compiled account works on.

    `book` `(n_symbols, N_BOOK)`, `account` `(N_ACCOUNT,)` and `trades` `(n_most, N_TRADE)` are written to; `grid`
    `(n_symbols, 6)` holds the fields of each symbol's `Market`.
    """

    book: IntArray
    account: IntArray
    trades: IntArray
    grid: IntArray
    costs: Costs
    limits: Limits


@njit
def market_at(desk: Desk, s: int) -> Market:
    """Return a symbol's arithmetic."""
    grid = desk.grid
    return Market(grid[s, 0], grid[s, 1], grid[s, 2], grid[s, 3], grid[s, 4], grid[s, 5])


@njit
def sellable(desk: Desk, s: int) -> int:
    """Return whole lots that are held."""
    lots: int = desk.book[s, ATOMS] // desk.grid[s, 2]
    return lots


@njit
def revalue(desk: Desk, s: int) -> None:
    """Bring a holding's value, and the sum of all, up to its last price."""
    atoms = desk.book[s, ATOMS]
    value = rules.holding_value(market_at(desk, s), desk.book[s, MARK], atoms) if atoms > 0 else 0
    desk.account[EXPOSURE] += value - desk.book[s, VALUE]
    desk.book[s, VALUE] = value


@njit
def equity(desk: Desk) -> int:
    """Return cash and holdings at the last prices."""
    worth: int = desk.account[CASH] + desk.account[EXPOSURE]
    return worth


@njit
def roll_day(desk: Desk, time: int) -> None:
    """Remember equity at the first sign of a new UTC day."""
    if time >= desk.account[NEXT_DAY]:
        desk.account[DAY_START] = equity(desk)
        desk.account[NEXT_DAY] = (time // DAY_MS + 1) * DAY_MS


@njit
def set_peak(desk: Desk, peak: int) -> None:
    """Move the peak, and with it the gap below it from which on the kill switch trips (see `rules.loss_ppm`)."""
    desk.account[PEAK] = peak
    desk.account[KILL_GAP] = ppm_floor(peak, desk.limits.max_drawdown - 1)


@njit
def mark(desk: Desk, s: int, ticks: int, time: int) -> bool:
    """Move a symbol's price and follow peak and worst drawdown; return whether the drawdown limit is reached."""
    roll_day(desk, time)
    desk.book[s, MARK] = ticks
    revalue(desk, s)
    worth, account = equity(desk), desk.account
    if worth > account[PEAK]:
        set_peak(desk, worth)
    if (account[PEAK] - worth) * 1e6 > (account[WORST] - 1.0) * account[PEAK]:  # else it cannot be the worst
        account[WORST] = max(account[WORST], rules.loss_ppm(account[PEAK], worth))
    reached: bool = account[PEAK] - worth > account[KILL_GAP]
    return reached


@njit
def note_costs(desk: Desk, market: Market, reference: int, price: int, lots: int) -> None:
    """Add what spread and slippage cost a market order, apart from each other."""
    away = abs(price - reference)
    spread = min(away, rules.spread_ticks(desk.costs, reference))
    desk.account[SPREAD_COST] += rules.notional_floor(market, spread, lots)
    desk.account[SLIPPAGE_COST] += rules.notional_floor(market, away - spread, lots)


@njit
def pay(desk: Desk, s: int, fee: int, quote: int) -> None:
    """Book a commission's value and what was traded."""
    desk.book[s, FEES] += fee
    desk.account[ALL_FEES] += fee
    # Whole units of the quote asset and what is left of one: their sum of 1e-8 would not fit after many fills.
    desk.account[TURNOVER] += quote // UNITS
    desk.account[TURNOVER_REST] += quote % UNITS


@njit
def book_buy(desk: Desk, s: int, lots: int, price: int, time: int) -> None:
    """Book a fill of the working buy at a time: cash, holding, and the open trade with its protection."""
    book, market = desk.book, market_at(desk, s)
    quote = rules.notional_ceil(market, price, lots)
    fee = rules.commission_atoms(market, desk.costs, lots)
    if book[s, ENTRY_LOTS] == 0:
        book[s, ENTRY_TIME] = time
        book[s, HIGH] = book[s, ENTRY_TICKS] = price
    desk.account[CASH] -= quote
    book[s, ATOMS] += lots * market.lot_atoms - fee
    book[s, COST] += quote
    book[s, ENTRY_LOTS] += lots
    book[s, ENTRY_UNITS] += quote
    pay(desk, s, rules.holding_value(market, price, fee), quote)
    spend(desk, s, lots, quote)
    if book[s, STOP] == 0:
        atr, limits = book[s, ATR], desk.limits
        book[s, ENTRY_ATR], book[s, STOP_KIND] = atr, rules.STOP_FIXED
        book[s, STOP] = rules.stop_price(price, atr, limits.stop_atr)
        book[s, TARGET] = rules.target_price(price, atr, limits.target_atr)
    revalue(desk, s)
    protect(desk, s, 0)


@njit
def spend(desk: Desk, s: int, lots: int, quote: int) -> None:
    """Take a fill out of the working buy; what a complete one had reserved is free again."""
    book = desk.book
    book[s, BUY_LOTS] -= lots
    used = quote if book[s, BUY_LOTS] > 0 else book[s, BUY_BUDGET]
    book[s, BUY_BUDGET] -= used
    desk.account[RESERVED] -= used


@njit
def drop_buy(desk: Desk, s: int) -> None:
    """Take the working buy out of the market."""
    desk.account[RESERVED] -= desk.book[s, BUY_BUDGET]
    desk.book[s, BUY_LOTS] = desk.book[s, BUY_BUDGET] = 0


@njit
def book_sale(desk: Desk, s: int, lots: int, price: int, time: int, reason: int) -> None:
    """Book a sale at a time: a part of the cost leaves with it; the last lot closes the trade."""
    book, market = desk.book, market_at(desk, s)
    atoms = lots * market.lot_atoms
    quote = rules.notional_floor(market, price, lots)
    fee = rules.commission_units(desk.costs, quote)
    cost = mul_div(book[s, COST], atoms, book[s, ATOMS], False)
    desk.account[CASH] += quote - fee
    book[s, ATOMS] -= atoms
    book[s, COST] -= cost
    book[s, PNL] += quote - fee - cost
    book[s, EXIT_LOTS] += lots
    book[s, EXIT_UNITS] += quote
    pay(desk, s, fee, quote)
    if sellable(desk, s) == 0:
        close(desk, s, time, book[s, STOP_KIND] if reason == BY_STOP else reason)
    drop_buy(desk, s)
    revalue(desk, s)
    protect(desk, s, 0)


@njit
def close(desk: Desk, s: int, time: int, reason: int) -> None:
    """Write the finished trade down and forget it."""
    book, account = desk.book, desk.account
    trade = desk.trades[account[N_TRADES]]
    trade[T_SYMBOL], trade[T_REASON] = s, reason
    trade[T_ENTRY_TIME], trade[T_EXIT_TIME] = book[s, ENTRY_TIME], time
    trade[T_ENTRY_LOTS], trade[T_ENTRY_UNITS] = book[s, ENTRY_LOTS], book[s, ENTRY_UNITS]
    trade[T_EXIT_LOTS], trade[T_EXIT_UNITS] = book[s, EXIT_LOTS], book[s, EXIT_UNITS]
    trade[T_FEES], trade[T_PNL] = book[s, FEES], book[s, PNL]
    account[N_TRADES] += 1
    won = 1 if book[s, PNL] > 0 else 0
    account[N_WINS] += won
    book[s, N_CLOSED] += 1
    book[s, N_WON] += won
    cool = desk.limits.cool_down_bars
    book[s, COOL] = cool + 1 if cool > 0 else 0
    forget(desk, s)


@njit
def forget(desk: Desk, s: int) -> None:
    """Begin without a trade; what is left of the holding stays, with its cost."""
    book = desk.book
    for field in range(ENTRY_TIME, PNL + 1):
        book[s, field] = 0
    for field in range(ENTRY_TICKS, N_BARS + 1):
        book[s, field] = 0


@njit
def protect(desk: Desk, s: int, leaving: int) -> None:
    """Make the protective order cover all that is held and not on its way out; too few lots cannot be protected."""
    book = desk.book
    free = sellable(desk, s) - book[s, LEAVE] - leaving
    if free <= 0:
        book[s, PROTECT] = book[s, TRIGGERED] = 0
    elif book[s, PROTECT] > 0:
        book[s, PROTECT] = free
    elif book[s, ENTRY_LOTS] > 0 and free >= desk.grid[s, 3]:
        book[s, PROTECT], book[s, TRIGGERED] = free, 0


@njit
def set_dust_aside(desk: Desk, s: int, time: int) -> None:
    """Let go of a position that no order could sell."""
    book = desk.book
    if book[s, ENTRY_LOTS] == 0 or book[s, BUY_LOTS] > 0 or book[s, PROTECT] > 0 or book[s, LEAVE] > 0:
        return
    if sellable(desk, s) >= desk.grid[s, 3]:
        return
    if book[s, EXIT_LOTS] > 0:
        close(desk, s, time, BY_DUST)
    else:
        forget(desk, s)


@njit
def leave(desk: Desk, s: int, reason: int, time: int) -> bool:
    """Send a market exit for all that is free; False when it is too little. Entries are cancelled either way."""
    book = desk.book
    drop_buy(desk, s)
    lots = sellable(desk, s) - book[s, LEAVE]
    if lots < desk.grid[s, 3]:
        set_dust_aside(desk, s, time)
        return False
    protect(desk, s, lots)
    book[s, LEAVE], book[s, LEAVE_REASON] = book[s, LEAVE] + lots, reason
    return True


@njit
def n_others_busy(desk: Desk, s: int) -> int:
    """Return how many other symbols have a position or a working order."""
    busy = 0
    for other in range(len(desk.book)):
        if other != s and (desk.book[other, ENTRY_LOTS] > 0 or desk.book[other, BUY_LOTS] > 0):
            busy += 1
    return busy


@njit
def n_recent_orders(desk: Desk, time: int) -> int:
    """Return how many of the last entries were approved within the last minute."""
    count = 0
    for slot in range(min(desk.account[N_RECENT], ORDERS_A_MINUTE)):
        if desk.account[RECENT + slot] > time - MINUTE_MS:
            count += 1
    return count


def new_book(n_symbols: int) -> IntArray:
    """Return the fields of symbols that nothing happened to yet."""
    return np.zeros((n_symbols, N_BOOK), np.int64)


def new_account(start_units: int, limits: Limits) -> IntArray:
    """Return the fields of a wallet that holds cash only."""
    account = np.zeros(N_ACCOUNT, np.int64)
    account[CASH] = account[PEAK] = account[DAY_START] = start_units
    account[KILL_GAP] = start_units * (limits.max_drawdown - 1) // PPM
    return account
