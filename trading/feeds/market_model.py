"""A seeded market: stochastic volatility, fat tails, one common factor, prices and quantities on the venue's grids.

Each draw is a hash of (key, counter), so the path depends on nothing but its keys: not on the size of the steps it is
generated in, nor on how often it is resumed. Nothing here predicts anything: returns are independent given volatility,
apart from a pull towards the start price that takes months (it keeps a year-long path within reason).

Sources: the facts to imitate are those of Cont (2001), "Empirical properties of asset returns"; log-volatility as a sum
of a slow and a fast mean-reverting part is that of Alizadeh, Brandt and Diebold (2002); the hash is SplitMix64 (Steele,
Lea and Flood 2014).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trading.compiled import njit
from trading.domain import FloatArray, IntArray

N_SUBSTEPS = 60
MINUTES_PER_DAY = 1440
MINUTES_PER_YEAR = 525_600
BAR_FIELDS = 8
"""Open, high, low, close in ticks; volume in lots; quote volume in ticks x lots; trades; taker buys in lots."""

# Log-volatility: half-lives in minutes and standard deviations, chosen for a kurtosis near 10 at one minute.
_SLOW_DECAY, _FAST_DECAY = 0.5 ** (1 / 2880), 0.5 ** (1 / 45)
_SLOW_SD, _FAST_SD, _SPIKE_SD = 0.30, 0.30, 0.30
_SLOW_STEP, _FAST_STEP = _SLOW_SD * math.sqrt(1 - _SLOW_DECAY**2), _FAST_SD * math.sqrt(1 - _FAST_DECAY**2)
_FACTOR_VARIANCE = _SLOW_SD**2 + _FAST_SD**2 + _SPIKE_SD**2
_SHARED_VARIANCE = _SLOW_SD**2 + _FAST_SD**2
_OWN = 0.7
_PULL = math.log(2) / 0.5 / MINUTES_PER_YEAR
_JUMP_RATE = 1 / 2880
_SEASON = 0.3
_PEAK_MINUTE = 14 * 60 + 30

KeyArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S16, _S27, _S30, _S31, _S32, _S48 = (np.uint64(n) for n in (16, 27, 30, 31, 32, 48))
_LOW16 = np.uint64(0xFFFF)
_COUNTERS_PER_MINUTE = 256


@njit
def draw(key: np.uint64, counter: int) -> np.uint64:
    """Return 64 random bits: SplitMix64's `counter`-th output from `key`."""
    bits = key + np.uint64(counter) * _GOLDEN
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    return bits ^ (bits >> _S31)


@njit
def uniform(bits: np.uint64) -> float:
    """Return a number in [0, 1) from the upper 48 bits."""
    return float(np.int64(bits >> _S16)) / 2.0**48


@njit
def bell(bits: np.uint64) -> float:
    """Return a nearly normal draw, mean 0, variance 1, within 3.5: the sum of four 16-bit uniforms."""
    total = (bits & _LOW16) + ((bits >> _S16) & _LOW16) + ((bits >> _S32) & _LOW16) + (bits >> _S48)
    return (float(np.int64(total)) - 131_070.0) / 37_837.227


@njit
def season(minute_of_day: int) -> float:
    """Return activity by the time of day (UTC), mean square 1, highest when Europe and America both trade."""
    wave = 1 + _SEASON * math.cos(2 * math.pi * (minute_of_day - _PEAK_MINUTE) / MINUTES_PER_DAY)
    return float(wave / math.sqrt(1 + _SEASON**2 / 2))


@njit
def step_volatility(state: FloatArray, key: np.uint64, counter: int) -> float:
    """Advance slow and fast log-volatility in `state[:2]`; return their sum with this minute's own surprise."""
    state[0] = _SLOW_DECAY * state[0] + _SLOW_STEP * bell(draw(key, counter))
    state[1] = _FAST_DECAY * state[1] + _FAST_STEP * bell(draw(key, counter + 1))
    return float(state[0] + state[1] + _SPIKE_SD * bell(draw(key, counter + 2)))


@njit
def step_returns(returns: FloatArray, scale: float, key: np.uint64, counter: int) -> None:
    """Add one factor's returns over a minute's sub-steps, `(n_substeps,)`; rarely one of them is a jump."""
    n = len(returns)
    step = scale / math.sqrt(n)
    for k in range(n):
        returns[k] += step * bell(draw(key, counter + k))
    bits = draw(key, counter + n)
    if uniform(bits) < _JUMP_RATE:
        size = 4 + 6 * uniform(draw(key, counter + n + 1))
        side = 1.0 if draw(key, counter + n + 2) & np.uint64(1) else -1.0
        returns[int(np.int64(bits & _LOW16)) % n] += side * size * scale


@njit
def trade_minute(
    returns: FloatArray, price: float, listing: FloatArray, quote_rate: float, key: np.uint64, counter: int,
    bar: IntArray, substeps: IntArray,
) -> None:
    """Trade at each sub-step: fill `bar` `(8,)` and `substeps` `(n_substeps, 2)` (ticks, lots).

    `quote_rate` is the quote volume to expect in a sub-step; volume rises with the size of the move.
    """
    n, moved = len(returns), 0.0
    typical = 1e-12
    for k in range(n):
        typical += abs(returns[k]) / n
    bar[:] = 0
    for k in range(n):
        moved += returns[k]
        now = price * (1 + moved * (1 + moved * (0.5 + moved / 6)))
        ticks = max(1, int(now * listing[1] + 0.5))
        bits = draw(key, counter + k)
        noise = uniform(bits)
        push = returns[k] / typical
        quote = quote_rate * 4 * noise**3 * (0.5 + 0.5 * min(abs(push), 6.0))
        lots = max(1, int(quote / now * listing[2]))
        buys = 0.5 + 0.2 * push / (1 + abs(push)) + 0.2 * (float(np.int64(bits & _LOW16)) / 65_536 - 0.5)
        substeps[k, 0], substeps[k, 1] = ticks, lots
        if k == 0:
            bar[0], bar[1], bar[2] = ticks, ticks, ticks
        bar[1], bar[2], bar[3] = max(bar[1], ticks), min(bar[2], ticks), ticks
        bar[4] += lots
        bar[5] += ticks * lots
        bar[6] += 1 + int(quote / 700)
        bar[7] += int(lots * buys)


@njit
def simulate(
    state: FloatArray, listings: FloatArray, keys: KeyArray, start: tuple[int, int], bars: IntArray, substeps: IntArray
) -> None:
    """Advance the market by `bars.shape[1]` minutes.

    `state` is `(n_symbols + 1, 3)`: slow and fast log-volatility and log(price / start price), row 0 for the common
    factor. `listings` is `(n_symbols, 6)`: start price, ticks a unit, lots a unit, common and own volatility a minute,
    quote volume a minute. `keys` is `(n_symbols + 1,)`. `start` holds the number of the first minute since genesis and
    genesis' minute of the day. Filled are `bars` `(n_symbols, n_minutes, 8)` and, with the last minute,
    `substeps` `(n_symbols, n_substeps, 2)`.
    """
    n_symbols, n_minutes, n = bars.shape[0], bars.shape[1], substeps.shape[1]
    common, own = np.zeros(n), np.zeros(n)
    for m in range(n_minutes):
        minute = start[0] + m
        counter = minute * _COUNTERS_PER_MINUTE
        activity = season((start[1] + minute) % MINUTES_PER_DAY)
        shared = step_volatility(state[0], keys[0], counter)
        common[:] = 0.0
        step_returns(common, activity * math.exp(shared - _FACTOR_VARIANCE), keys[0], counter + 3)
        climate = state[0, 0] + state[0, 1]
        for i in range(n_symbols):
            key, listing, mine = keys[i + 1], listings[i], state[i + 1]
            mood = climate + _OWN * step_volatility(mine, key, counter)
            own[:] = -_PULL * mine[2] / n
            for k in range(n):
                own[k] += listing[3] * common[k]
            variance = _SHARED_VARIANCE + _OWN**2 * _FACTOR_VARIANCE
            step_returns(own, listing[4] * activity * math.exp(mood - variance), key, counter + 3)
            price = listing[0] * math.exp(mine[2])
            quote_rate = listing[5] / n * activity**2 * math.exp(mood - variance / 2)
            trade_minute(own, price, listing, quote_rate, key, counter + 3 + n + 3, bars[i, m], substeps[i])
            mine[2] += own.sum()
