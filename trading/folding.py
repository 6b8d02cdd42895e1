"""Fold bars of a short interval into a longer one, merge two stretches, and find the holes."""

from __future__ import annotations

import numpy as np

from trading.domain.market import INTERVAL_MS, Candles, FloatArray, IntArray
from trading.errors import BadInput

Gap = tuple[int, int]

_GRAIN = 10**10  # sums are kept in whole units and this many parts of a unit
_EXACT_1E8 = 2.0**26  # from here on neighbouring floats lie further apart than 1e-8
_EXACT_16_DIGITS = 2.0**53 / 1e8  # from here on 8 decimals do not fit a float, 7 do up to ten times as much
_SUMMED = ("volume", "quote_volume", "taker_buy_base")


def step_ms(interval: str) -> int:
    """Return the length of an interval in milliseconds.

    Raises
    ------
    BadInput
        The interval is not one that the cockpit knows.
    """
    if interval not in INTERVAL_MS:
        raise BadInput(f"interval {interval!r} is not known: use one of {', '.join(INTERVAL_MS)}")
    return INTERVAL_MS[interval]


def divides(short: str, long: str) -> bool:
    """Say whether bars of `short` fold into bars of `long`."""
    return step_ms(long) % step_ms(short) == 0


def fold(candles: Candles, interval: str, complete_only: bool = False) -> Candles:
    """Fold bars into a longer interval, equal to Binance's own bars of that interval.

    Buckets are aligned to the Unix epoch. A bucket with at least one bar exists, one without any does not. Volumes
    are summed as decimals of 8 places, so that folding Binance's 1m bars gives its 1h bars bit by bit (a sum of floats
    does not). Volumes above 2**53 / 1e8 (9.0e7) arrive already rounded by float64 and may be two ulp off.

    Parameters
    ----------
    candles
        Bars `(n_bars,)` on the grid of their interval, rising.
    interval
        The longer interval; the same interval returns the bars themselves.
    complete_only
        Drop a last bucket whose end the last bar does not reach.

    Raises
    ------
    BadInput
        The interval is unknown or not a whole multiple of the bars' own.
    """
    if not divides(candles.interval, interval):
        raise BadInput(f"{candles.symbol}: bars of {candles.interval} do not fold into {interval}")
    if candles.interval == interval or len(candles) == 0:
        return Candles(candles.symbol, interval, *(getattr(candles, c) for c in Candles.columns()))
    step = step_ms(interval)
    open_time = candles.open_time // step * step
    starts = np.flatnonzero(np.concatenate(([True], open_time[1:] != open_time[:-1])))
    folded = _fold_at(candles, interval, open_time[starts], starts)
    ended = int(candles.open_time[-1]) + step_ms(candles.interval) >= int(open_time[-1]) + step
    return folded[:-1] if complete_only and not ended else folded


def _fold_at(candles: Candles, interval: str, open_time: IntArray, starts: IntArray) -> Candles:
    ends = np.append(starts[1:], len(candles)) - 1
    return Candles(
        symbol=candles.symbol,
        interval=interval,
        open_time=open_time,
        open=candles.open[starts],
        high=np.maximum.reduceat(candles.high, starts),
        low=np.minimum.reduceat(candles.low, starts),
        close=candles.close[ends],
        trades=np.add.reduceat(candles.trades, starts),
        **{name: _decimal_sums(getattr(candles, name), starts) for name in _SUMMED},
    )


def _decimal_sums(amounts: FloatArray, starts: IntArray) -> FloatArray:
    """Sum stretches of decimal amounts exactly: whole units and parts of a unit apart."""
    whole = np.floor(amounts)
    part = amounts - whole
    parts = np.rint(part * 1e8) * (_GRAIN // 10**8)
    large = np.flatnonzero(amounts >= _EXACT_1E8)
    parts[large] = _parts_of_large(amounts[large], part[large])
    sums = np.add.reduceat(whole, starts)
    carried, rest = np.divmod(np.add.reduceat(parts.astype(np.int64), starts), _GRAIN)
    sums += carried
    return np.where(sums < _EXACT_1E8, np.rint(sums * 1e8 + rest / 100) / 1e8, sums + rest / _GRAIN)


def _parts_of_large(amounts: FloatArray, part: FloatArray) -> FloatArray:
    """Return parts of amounts that 8 decimals do not fit: 7 decimals where those fit, else the float as it is."""
    seven = (amounts >= _EXACT_16_DIGITS) & (amounts < 10 * _EXACT_16_DIGITS)
    return np.where(seven, np.rint(part * 1e7) * (_GRAIN // 10**7), np.rint(part * _GRAIN))


def merge(stored: Candles, new: Candles) -> Candles:
    """Return the bars of both in order of time; a bar that both hold is taken from `new`."""
    if len(stored) == 0 or len(new) == 0:
        return new if len(stored) == 0 else stored
    if stored.open_time[-1] < new.open_time[0]:
        return stored.then(new)
    open_time = np.concatenate((stored.open_time, new.open_time))
    order = np.argsort(open_time, kind="stable")
    last_of_time = np.append(open_time[order][1:] != open_time[order][:-1], True)
    rows = order[last_of_time]
    columns = (np.concatenate((getattr(stored, c), getattr(new, c)))[rows] for c in Candles.columns())
    return Candles(stored.symbol, stored.interval, *columns)


def gaps(candles: Candles) -> list[Gap]:
    """Return `(first missing open_time, number of missing bars)` of every hole between the first and the last bar."""
    return gaps_in(candles.open_time, step_ms(candles.interval))


def gaps_in(open_time: IntArray, step: int, start: int | None = None, end: int | None = None) -> list[Gap]:
    """Return the holes in rising open times `(n_bars,)` ms that lie `step` ms apart.

    With `start` or `end` (exclusive) the stretch before the first and after the last bar counts as well.
    """
    edges = [] if start is None else [-(-start // step) * step - step]
    closing = [] if end is None else [-(-end // step) * step]
    times = np.concatenate((np.array(edges, np.int64), open_time, np.array(closing, np.int64)))
    missing = np.diff(times) // step - 1
    return [(int(times[i]) + step, int(missing[i])) for i in np.flatnonzero(missing > 0)]
