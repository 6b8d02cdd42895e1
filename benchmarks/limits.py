"""What one core can do: loops written for the measurement, on floats, with no rule but the strategy's own.

`generic` takes a column of directions, as any backtester must; `fused_sma` and `fused_rsi` have their
strategy baked in.
"""

from __future__ import annotations

import numba
import numpy as np

lean = numba.njit(nogil=True, error_model="numpy")


@lean
def sma(close, period):
    out = np.full(len(close), np.nan)
    total = 0.0
    for row in range(len(close)):
        total += close[row]
        if row >= period:
            total -= close[row - period]
        if row >= period - 1:
            out[row] = total / period
    return out


@lean
def crosses(fast, slow):
    out = np.zeros(len(fast), np.int8)
    for row in range(1, len(fast)):
        if fast[row - 1] <= slow[row - 1] and fast[row] > slow[row]:
            out[row] = 1
        elif fast[row - 1] >= slow[row - 1] and fast[row] < slow[row]:
            out[row] = -1
    return out


@lean
def rsi(close, period):
    out = np.full(len(close), np.nan)
    gain = loss = 0.0
    alpha = 1.0 / period
    for row in range(1, len(close)):
        change = close[row] - close[row - 1]
        gain += alpha * (max(change, 0.0) - gain)
        loss += alpha * (max(-change, 0.0) - loss)
        if row >= period:
            out[row] = 100.0 - 100.0 / (1.0 + gain / loss)
    return out


@lean
def atr(high, low, close, period):
    out = np.full(len(close), np.nan)
    mean = high[0] - low[0]
    alpha = 1.0 / period
    for row in range(1, len(close)):
        true_range = max(high[row], close[row - 1]) - min(low[row], close[row - 1])
        mean += alpha * (true_range - mean)
        if row >= period:
            out[row] = mean
    return out


@lean
def passes(value, low, high):
    """1 where a column falls below `low`, -1 where it rises above `high`."""
    out = np.zeros(len(value), np.int8)
    for row in range(1, len(value)):
        if value[row] < low <= value[row - 1]:
            out[row] = 1
        elif value[row] > high >= value[row - 1]:
            out[row] = -1
    return out


@lean
def generic(prices, direction, ranges, share, fee, equity):
    """Trade directions at the next open, long or short by the sign of `share`; `ranges` are stop and target."""
    opens, high, low, close = prices
    cash, size, stop, target, n_trades = 10_000.0, 0.0, 0.0, np.inf, 0
    for row in range(len(close)):
        wish = direction[row - 1] if row > 0 else 0
        if wish > 0 and size == 0.0:
            size = cash * share / opens[row]
            cash -= size * opens[row] + abs(size) * opens[row] * fee
            if len(ranges[0]) > 0:
                stop, target = opens[row] - ranges[0][row - 1], opens[row] + ranges[1][row - 1]
        elif wish < 0 and size != 0.0:
            cash += size * opens[row] - abs(size) * opens[row] * fee
            size = 0.0
            n_trades += 1
        if size != 0.0 and (low[row] <= stop or high[row] > target):
            price = min(opens[row], stop) if low[row] <= stop else max(opens[row], target)
            cash += size * price - abs(size) * price * fee
            size = 0.0
            n_trades += 1
        equity[row] = cash + size * close[row]
    return n_trades


@lean
def fused_sma(opens, close, fast, slow, share, fee, equity):
    one = two = size = 0.0
    cash, above, wish = 10_000.0, False, 0
    for row in range(len(close)):
        if wish > 0 and size == 0.0:
            size = cash * share / opens[row]
            cash -= size * opens[row] * (1.0 + fee)
        elif wish < 0 and size != 0.0:
            cash += size * opens[row] * (1.0 - fee)
            size = 0.0
        one += close[row] - (close[row - fast] if row >= fast else 0.0)
        two += close[row] - (close[row - slow] if row >= slow else 0.0)
        is_above = one * slow > two * fast
        wish = int(is_above) - int(above) if row >= slow else 0
        above = is_above
        equity[row] = cash + size * close[row]


@lean
def fused_rsi(prices, low_rsi, high_rsi, share, fee, equity):
    opens, high, low, close = prices
    cash, size, stop, target, wish = 10_000.0, 0.0, 0.0, 0.0, 0
    gain = loss = mean = 0.0
    last, alpha = 50.0, 1.0 / 14.0
    for row in range(1, len(close)):
        if wish > 0 and size == 0.0:
            size = cash * share / opens[row]
            cash -= size * opens[row] * (1.0 + fee)
            stop, target = opens[row] - 2.0 * mean, opens[row] + 3.0 * mean
        elif wish < 0 and size != 0.0:
            cash += size * opens[row] * (1.0 - fee)
            size = 0.0
        if size != 0.0 and (low[row] <= stop or high[row] > target):
            price = min(opens[row], stop) if low[row] <= stop else max(opens[row], target)
            cash += size * price * (1.0 - fee)
            size = 0.0
        change = close[row] - close[row - 1]
        gain += alpha * (max(change, 0.0) - gain)
        loss += alpha * (max(-change, 0.0) - loss)
        mean += alpha * (max(high[row], close[row - 1]) - min(low[row], close[row - 1]) - mean)
        value = 100.0 - 100.0 / (1.0 + gain / loss)
        wish = int(value < low_rsi <= last) - int(value > high_rsi >= last) if row >= 14 else 0
        last = value
        equity[row] = cash + size * close[row]
