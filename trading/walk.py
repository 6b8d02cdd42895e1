"""The walk of a bar over the compiled account: the engine's stages, in its order.

Working orders meet the open, then protection the range, then the account is marked, limits act, stops rise, and what
the strategy said becomes an order or the name of the rule that said no.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trading import rules
from trading.book import (
    ATR,
    BUY_BUDGET,
    BUY_LOTS,
    BY_END,
    BY_SIGNAL,
    BY_STOP,
    BY_TARGET,
    BY_TIME,
    CASH,
    COOL,
    DAY_START,
    ENTRY_ATR,
    ENTRY_LOTS,
    ENTRY_TICKS,
    EXPOSURE,
    HIGH,
    KILLED,
    LAST_OPEN,
    LEAVE,
    LEAVE_REASON,
    LEFT,
    MARK,
    N_BARS,
    N_RECENT,
    OPENED,
    PROTECT,
    RECENT,
    RESERVED,
    STOP,
    STOP_KIND,
    TARGET,
    TRIGGERED,
    VALUE,
    VOLUME,
    Desk,
    book_buy,
    book_sale,
    drop_buy,
    equity,
    leave,
    mark,
    market_at,
    n_others_busy,
    n_recent_orders,
    note_costs,
    protect,
    sellable,
    set_dust_aside,
)
from trading.compiled import lean_njit as njit
from trading.domain.market import FloatArray, IntArray

(
    HOLD, ENTRY, EXIT, EXIT_WORKING, NO_POSITION, DENIED_KILL, DENIED_ATR, DENIED_POSITION, DENIED_COOL,
    DENIED_POSITIONS, DENIED_DAY, DENIED_RATE, DENIED_RANK, DENIED_SCORE, DENIED_CORRELATION, DENIED_CAP,
) = range(16)
OUTCOMES = (
    "hold", "entry", "exit", "exit is working", "no position", "denied: kill_switch", "denied: atr",
    "denied: one_position", "denied: cool_down", "denied: max_positions", "denied: daily_loss", "denied: order_rate",
    "denied: rank", "denied: min_score", "denied: correlation", *(f"denied: {name}" for name in rules.CAP_NAMES),
)
BUYS, SELLS = 1, -1


class Bars(NamedTuple):
    """Columns of bars as the feed gave them, `(n_rows,)`: open times in ms, prices, base volume, ATR (NaN until warm).

    `tick` and `lot` are the sizes of one tick and one lot, `(n_symbols,)`; `step` is a bar's length in ms. Rows of
    several symbols follow one another, symbol by symbol.
    """

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    atr: FloatArray
    tick: FloatArray
    lot: FloatArray
    step: int


@njit
def whole(value: float, step: float) -> int:
    """Return the nearest whole number of steps, halves to even, as the feed's edge rounds."""
    return int(np.rint(value / step))


@njit
def meet_open(desk: Desk, s: int, bars: Bars, row: int) -> None:
    """Let the working buy and the working sale trade at the open, in the order in which they were sent."""
    book, costs = desk.book, desk.costs
    price = whole(bars.open[row], bars.tick[s])
    volume = whole(bars.volume[row], bars.lot[s])
    book[s, LAST_OPEN], book[s, VOLUME], book[s, OPENED] = price, volume, bars.time[row]
    left = rules.fillable_lots(costs, volume, volume)
    time = bars.time[row]
    bought = paid = sold = got = 0
    if book[s, BUY_LOTS] > 0:
        wanted = min(book[s, BUY_LOTS], left)
        paid = rules.buy_price(costs, price, book[s, ATR], rules.volume_taken(wanted, volume))
        affordable = rules.affordable_lots(market_at(desk, s), book[s, BUY_BUDGET], paid)
        bought = min(wanted, affordable)
        if affordable == 0:
            drop_buy(desk, s)
        left -= bought
    working = book[s, PROTECT] if book[s, TRIGGERED] > 0 else book[s, LEAVE]
    if working > 0:
        sold = min(working, left)
        got = rules.sell_price(costs, price, book[s, ATR], rules.volume_taken(sold, volume))
        left -= sold
    book[s, LEFT] = left
    if bought > 0:
        note_costs(desk, market_at(desk, s), price, paid, bought)
        book_buy(desk, s, bought, paid, time)
    if sold > 0:
        note_costs(desk, market_at(desk, s), price, got, sold)
        sell_working(desk, s, sold, got, sold == working)
    set_dust_aside(desk, s, time)


@njit
def sell_working(desk: Desk, s: int, lots: int, price: int, complete: bool) -> None:
    """Book a fill of the triggered stop or of the market exit; a complete stop leaves later lots unprotected."""
    book, time = desk.book, desk.book[s, OPENED]
    if book[s, TRIGGERED] > 0:
        book[s, PROTECT] = 0 if complete else book[s, PROTECT] - lots
        book[s, TRIGGERED] = 0 if complete else 1
        book_sale(desk, s, lots, price, time, BY_STOP)
    else:
        book[s, LEAVE] -= lots
        book_sale(desk, s, lots, price, time, book[s, LEAVE_REASON])


@njit
def meet_range(desk: Desk, s: int, bars: Bars, row: int) -> None:
    """Let the protective order meet the bar's range; the stop is assumed to come first."""
    book, costs, tick = desk.book, desk.costs, bars.tick[s]
    if book[s, PROTECT] == 0 or book[s, TRIGGERED] > 0:
        return
    leg, price = rules.protective_exit(whole(bars.open[row], tick), whole(bars.high[row], tick),
                                       whole(bars.low[row], tick), book[s, STOP], book[s, TARGET])
    if leg == rules.EXIT_NONE:
        return
    lots = min(book[s, PROTECT], book[s, LEFT])
    if leg == rules.EXIT_STOP:
        book[s, TRIGGERED] = 1
    time = bars.time[row] + bars.step - 1
    if lots > 0:
        got = price
        if leg == rules.EXIT_STOP:
            got = rules.sell_price(costs, price, book[s, ATR], rules.volume_taken(lots, book[s, VOLUME]))
            note_costs(desk, market_at(desk, s), price, got, lots)
        book[s, LEFT] -= lots
        book[s, PROTECT] -= lots
        book_sale(desk, s, lots, got, time, BY_STOP if leg == rules.EXIT_STOP else BY_TARGET)
    set_dust_aside(desk, s, time)


@njit
def finish_bar(desk: Desk, s: int, bars: Bars, row: int) -> None:
    """Mark the account, trip the kill switch, raise the stop, and end a position whose time is over."""
    book, account = desk.book, desk.account
    time, tick = bars.time[row] + bars.step - 1, bars.tick[s]
    reached = mark(desk, s, whole(bars.close[row], tick), time)
    if reached and account[KILLED] == 0:
        account[KILLED] = time
        for other in range(len(book)):
            drop_buy(desk, other)
            set_dust_aside(desk, other, time)
    book[s, ATR] = whole(bars.atr[row], tick) if np.isfinite(bars.atr[row]) else 0
    book[s, COOL] = max(0, book[s, COOL] - 1)
    if account[KILLED] > 0 or book[s, ENTRY_LOTS] == 0:
        return
    raise_stop(desk, s, whole(bars.high[row], tick))
    book[s, N_BARS] += 1
    limit = desk.limits.time_stop_bars
    if limit > 0 and book[s, N_BARS] >= limit:
        leave(desk, s, BY_TIME, time)


@njit
def raise_stop(desk: Desk, s: int, high: int) -> None:
    """Let the stop follow a bar's high."""
    book = desk.book
    book[s, HIGH] = max(book[s, HIGH], high)
    position = rules.Position(book[s, ENTRY_TICKS], book[s, ENTRY_ATR], book[s, STOP], book[s, STOP_KIND])
    stop, book[s, STOP_KIND] = rules.raised_stop(desk.limits, position, book[s, HIGH])
    if stop > book[s, STOP]:
        book[s, STOP] = stop
        protect(desk, s, 0)


@njit
def sell(desk: Desk, s: int, time: int) -> int:
    """Follow advice to sell; return the outcome."""
    if desk.book[s, ENTRY_LOTS] == 0:
        return NO_POSITION
    if desk.account[KILLED] > 0:
        return DENIED_KILL
    return EXIT if leave(desk, s, BY_SIGNAL, time) else EXIT_WORKING


@njit
def gate(desk: Desk, s: int, time: int) -> int:
    """Return the first rule that denies an entry, in the order of `trading.risk`; ENTRY when none does."""
    book, account, limits = desk.book, desk.account, desk.limits
    if account[KILLED] > 0:
        return DENIED_KILL
    if book[s, ATR] <= 0 or book[s, MARK] <= 0:
        return DENIED_ATR
    if book[s, BUY_LOTS] > 0 or book[s, ENTRY_LOTS] > 0:
        return DENIED_POSITION
    if book[s, COOL] > 0:
        return DENIED_COOL
    if n_others_busy(desk, s) >= limits.max_positions:
        return DENIED_POSITIONS
    if rules.loss_ppm(account[DAY_START], equity(desk)) >= limits.daily_loss:
        return DENIED_DAY
    if n_recent_orders(desk, time) >= rules.ORDERS_A_MINUTE:
        return DENIED_RATE
    return ENTRY


@njit
def buy(desk: Desk, s: int, time: int) -> int:
    """Follow advice to buy through the rules; return the outcome."""
    book, account = desk.book, desk.account
    outcome = gate(desk, s, time)
    if outcome != ENTRY:
        return outcome
    market = market_at(desk, s)
    reserved = account[RESERVED]
    wallet = rules.Wallet(equity(desk), account[CASH] - reserved, account[EXPOSURE] + reserved)
    entry = rules.Entry(book[s, MARK], book[s, ATR], book[s, VALUE] + book[s, BUY_BUDGET], sellable(desk, s))
    lots, budget, cap = rules.approved_entry(market, desk.limits, desk.costs, wallet, entry)
    if lots == 0:
        return DENIED_CAP + cap
    account[RECENT + account[N_RECENT] % rules.ORDERS_A_MINUTE] = time
    account[N_RECENT] += 1
    if rules.notional_floor(market, book[s, LAST_OPEN], lots) >= market.min_notional:  # else the venue rejects it
        book[s, BUY_LOTS], book[s, BUY_BUDGET] = lots, budget
        account[RESERVED] += budget
    return ENTRY


@njit
def sell_all(desk: Desk, s: int, time: int) -> None:
    """Sell a position at the last price, whatever the limits say, with the costs of a market order."""
    drop_buy(desk, s)
    lots, price = sellable(desk, s), desk.book[s, MARK]
    if desk.book[s, ENTRY_LOTS] == 0 or lots == 0:
        return
    got = rules.sell_price(desk.costs, price, desk.book[s, ATR], 0)
    desk.book[s, PROTECT] = desk.book[s, TRIGGERED] = desk.book[s, LEAVE] = 0
    note_costs(desk, market_at(desk, s), price, got, lots)
    book_sale(desk, s, lots, got, time, BY_END)


@njit
def trade_bar(desk: Desk, s: int, bars: Bars, row: int) -> None:
    """Walk one bar up to the decision."""
    meet_open(desk, s, bars, row)
    meet_range(desk, s, bars, row)
    finish_bar(desk, s, bars, row)


@njit
def decide(desk: Desk, s: int, bars: Bars, row: int, direction: int) -> int:
    """Turn one row's direction into an order or the reason against it."""
    time = bars.time[row] + bars.step - 1
    if direction == BUYS:
        return buy(desk, s, time)
    if direction == SELLS:
        return sell(desk, s, time)
    return HOLD
