"""What would have become of a rule's firings: hypothetical trades of one unit under the rule book, compiled.

A buy opens at the next bar's open and is over where the account's own trade would be: at its stop or target, at the
open after the exit signal, or after its time; entry, exit and both commissions cost what the settings say. While one is
open further buys are the same trade, so that a condition that holds for an hour is one firing and not sixty. A sell is
the mirror: sold at the next open, bought back at the open after the next buy, and right when that was cheaper.

What only the wallet knows (limits, cool down, liquidity) is not looked at. One step serves columns and live bars.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading import rules
from trading.arithmetic import PPM
from trading.compiled import lean_njit as njit
from trading.domain import Candle, Candles, FloatArray, IntArray, RiskProfile, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.indicators import INDICATORS
from trading.portfolio import costs_of
from trading.risk import PROFILES, limits_of
from trading.rules import Costs, Limits, Position
from trading.walk import whole

PRIOR_WINS = PRIOR_LOSSES = 5.0
N_COSTS, N_LIMITS = len(Costs._fields), len(Limits._fields)

(
    OPENING, LONG, LEAVING, PAID, GOT, ENTRY_ATR, STOP, STOP_KIND, TARGET, N_BARS, ATR,
    SELLING, OUT, RETURNING, SOLD, BACK, N, WINS, N_OUT, WINS_OUT, N_STATE,
) = range(21)
FIRED, CLOSED, CONFIDENCE, GAIN, N_FIRING = range(5)


class Terms(NamedTuple):
    """Under what a firing would have traded: size of a tick, and costs and limits as `(18,)` whole numbers."""

    tick: float
    numbers: IntArray


class Firings(NamedTuple):
    """Closed hypothetical buys, `(n_firings,)`: row that fired and row that closed it, what was said, what it gained.

    `confidence` is what the rule said when it fired, `gain` the return after costs.
    """

    fired: IntArray
    closed: IntArray
    confidence: FloatArray
    gain: FloatArray


class Kept(NamedTuple):
    """A record after the bar that opened at `time`: all that a `Shadow` counts, `(21,)` whole numbers."""

    time: int
    state: tuple[int, ...]


def terms_of(spec: SymbolSpec, costs: Costs, profile: RiskProfile) -> Terms:
    """Return the terms of a symbol under an account's costs and profile."""
    return Terms(float(spec.tick_size), np.array([*costs, *limits_of(profile)], np.int64))


def default_terms() -> Terms:
    """Return the terms of the shipped costs and the balanced profile, for prices in steps of 1e-8."""
    return Terms(1e-8, np.array([*costs_of(CostSettings()), *limits_of(PROFILES[1])], np.int64))


@njit
def costs_in(n: IntArray) -> Costs:
    """Return the costs among the numbers."""
    return Costs(n[0], n[1], n[2], n[3], n[4], n[5])


@njit
def limits_in(numbers: IntArray) -> Limits:
    """Return the limits among the numbers."""
    n = numbers[N_COSTS:]
    return Limits(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11])


@njit
def gain_of(costs: Costs, paid: int, got: int) -> float:
    """Return what buying at one price and selling at another leaves of what was put in, less one; both fees are in."""
    kept = 1.0 - costs.commission / PPM
    return got * kept * kept / paid - 1.0


@njit
def settle(state: IntArray, costs: Costs, got: int) -> None:
    """Close the hypothetical buy."""
    state[GOT] = got
    state[N] += 1
    state[WINS] += 1 if gain_of(costs, state[PAID], got) > 0.0 else 0
    state[LONG] = state[LEAVING] = 0


@njit
def at_open(state: IntArray, costs: Costs, limits: Limits, price: int) -> None:
    """Let what was said on the bar before trade at this bar's open."""
    if state[LEAVING] > 0:
        settle(state, costs, rules.sell_price(costs, price, state[ATR], 0))
    if state[OPENING] > 0:
        paid, atr = rules.buy_price(costs, price, state[ATR], 0), state[ATR]
        state[OPENING], state[LONG], state[PAID], state[ENTRY_ATR], state[N_BARS] = 0, 1, paid, atr, 0
        state[STOP], state[STOP_KIND] = rules.stop_price(paid, atr, limits.stop_atr), rules.STOP_FIXED
        state[TARGET] = rules.target_price(paid, atr, limits.target_atr)
    if state[RETURNING] > 0:
        state[BACK] = rules.buy_price(costs, price, state[ATR], 0)
        state[N_OUT] += 1
        state[WINS_OUT] += 1 if gain_of(costs, state[BACK], state[SOLD]) > 0.0 else 0
        state[OUT] = state[RETURNING] = 0
    if state[SELLING] > 0:
        state[SELLING], state[OUT], state[SOLD] = 0, 1, rules.sell_price(costs, price, state[ATR], 0)


@njit
def in_range(state: IntArray, costs: Costs, limits: Limits, bar: tuple[int, int, int]) -> None:
    """Let stop and target meet the bar's range, then raise the stop and count the bar."""
    price, high, low = bar
    leg, reached = rules.protective_exit(price, high, low, state[STOP], state[TARGET])
    if leg == rules.EXIT_STOP:
        settle(state, costs, rules.sell_price(costs, reached, state[ATR], 0))
    elif leg == rules.EXIT_TARGET:
        settle(state, costs, reached)
    else:
        position = Position(state[PAID], state[ENTRY_ATR], state[STOP], state[STOP_KIND])
        state[STOP], state[STOP_KIND] = rules.raised_stop(limits, position, high)
        state[N_BARS] += 1
        if 0 < limits.time_stop_bars <= state[N_BARS]:
            state[LEAVING] = 1


@njit
def step(terms: Terms, state: IntArray, prices: tuple[float, float, float], atr: float, direction: int) -> bool:
    """Take in one closed bar (open, high, low), its ATR and what the rule says on it; True: the next bar matters.

    A bar on which this is False and the direction is 0 may be left out.
    """
    costs, limits, tick = costs_in(terms.numbers), limits_in(terms.numbers), terms.tick
    price = whole(prices[0], tick)
    at_open(state, costs, limits, price)
    if state[LONG] > 0:
        in_range(state, costs, limits, (price, whole(prices[1], tick), whole(prices[2], tick)))
    state[ATR] = whole(atr, tick) if np.isfinite(atr) else 0
    if direction > 0:
        state[OPENING] = 1 if state[LONG] == 0 and state[ATR] > 0 else 0
        state[RETURNING] = state[OUT]
    elif direction < 0:
        state[LEAVING] = state[LONG]
        state[SELLING] = 1 - state[OUT]
    return matters(state)


@njit
def matters(state: IntArray) -> bool:
    """Whether the next bar can change anything, whatever the rule says on it."""
    return bool(state[OPENING] + state[LONG] + state[SELLING] + state[RETURNING] > 0)


@njit
def rate(state: IntArray, direction: int) -> float:
    """Return the shrunk share of a direction's closed firings that made money; 0 for a hold."""
    if direction == 0:
        return 0.0
    n, wins = (state[N], state[WINS]) if direction > 0 else (state[N_OUT], state[WINS_OUT])
    return rules.shrunk_rate(wins, n, PRIOR_WINS, PRIOR_LOSSES)


@njit
def walk(terms: Terms, state: IntArray, bars: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
         directions: NDArray[np.int8], out: tuple[FloatArray, FloatArray]) -> int:
    """Step over columns (open, high, low, ATR); fill `out`: confidence a row, and the closed buys; return their number.

    What a row says counts only what closed before that row began.
    """
    open_, high, low, atr = bars
    said, firings = out
    fired, n_firings = -1, 0
    for row in range(len(open_)):
        said[row] = rate(state, directions[row])
        n_closed = state[N]
        step(terms, state, (open_[row], high[row], low[row]), atr[row], directions[row])
        if state[N] > n_closed:
            if fired >= 0:
                firing = firings[n_firings]
                firing[FIRED], firing[CLOSED], firing[CONFIDENCE] = fired, row, said[fired]
                firing[GAIN] = gain_of(costs_in(terms.numbers), state[PAID], state[GOT])
                n_firings += 1
            fired = -1
        if state[OPENING] > 0:
            fired = row
    return n_firings


class Shadow:
    """The hypothetical trades of one rule on one symbol, bar by bar."""

    def __init__(self, terms: Terms | None = None) -> None:
        self._terms = terms or default_terms()
        self._state = np.zeros(N_STATE, np.int64)
        self._matters = False

    def confidence(self, direction: int) -> float:
        """Return the shrunk share of a direction's closed firings that made money; 0 for a hold."""
        return float(rate(self._state, direction)) if direction else 0.0

    @property
    def record(self) -> tuple[int, int]:
        """Closed hypothetical buys, and how many of them made money."""
        return int(self._state[N]), int(self._state[WINS])

    @property
    def terms(self) -> Terms:
        """Under what a firing would have traded."""
        return self._terms

    def kept(self, time: int) -> Kept:
        """Return all that was counted up to the bar that opened at `time`."""
        return Kept(time, tuple(self._state.tolist()))

    def restore(self, kept: Kept) -> None:
        """Go on from what was counted before."""
        self._state[:] = kept.state
        self._matters = matters(self._state)

    def push(self, candle: Candle, atr: float, direction: int) -> None:
        """Take in one closed bar."""
        if direction or self._matters:
            prices = (candle.open, candle.high, candle.low)
            self._matters = step(self._terms, self._state, prices, atr, direction)

    def take(self, candles: Candles, atr: FloatArray, directions: NDArray[np.int8]) -> tuple[FloatArray, Firings]:
        """Take in columns; leave the state that `push` over them would have left, return what each row said.

        A firing from before these columns is counted, but not among the `Firings`.
        """
        said = np.zeros(len(candles))
        found = np.empty((int(np.count_nonzero(directions > 0)) + 1, N_FIRING))
        bars = candles.open, candles.high, candles.low, atr
        n = walk(self._terms, self._state, bars, directions, (said, found))
        self._matters = matters(self._state)
        found = found[:n]
        fired, closed = found[:, FIRED].astype(np.int64), found[:, CLOSED].astype(np.int64)
        return said, Firings(fired, closed, found[:, CONFIDENCE].copy(), found[:, GAIN].copy())


def earned(candles: Candles, directions: NDArray[np.int8], terms: Terms | None = None) -> tuple[FloatArray, Firings]:
    """Return the confidence of each row's direction, `(n_bars,)`, and the closed buys, from the first bar on."""
    return Shadow(terms).take(candles, INDICATORS["atr"].compute(candles)["atr"], directions)
