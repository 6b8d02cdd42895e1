"""Bollinger bands: a simple moving average and bands at a multiple of the population standard deviation."""

from math import sqrt

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state
from trading.indicators.window import NONE, ONE

PERIOD, SCALE, PLACE, FIRST, SUM, MEAN, SQUARES, SLOTS = range(8)
START, TWO, THREE = np.uintp(SLOTS), np.uintp(2), np.uintp(3)


def new_state(period: int, multiple: float) -> FloatArray:
    """Return period, multiple ** 2 / period, the head, slots, shares.

    Blocks as in `trading.indicators.window`. The head: its place in the block, its first close, sum and mean of what
    the closes lie above that, squared deviations. Each of `period + 1` slot pairs is (mean, squared deviations) of a
    tail. Shares, for 1 to `period` bars, save divisions: 1 / n, what is left of the window, and weight of the gap.
    """
    state = fresh_state(period, multiple * multiple / period, 0, 0, 0, 0, 0, slots=2 * (period + 1))
    state[-2:] = 0.0
    n_head = np.arange(1.0, period + 1.0)
    rest = (period - n_head) / period
    return np.concatenate((state, np.column_stack((1.0 / n_head, rest, rest * n_head)).ravel()))


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return upper, middle and lower band over the last `period` closes.

    Head and tail are Welford sums (Knuth, TAOCP 2, 4.2.2) of what lies above one of their own closes, joined by the
    formula of Chan, Golub and LeVeque (1979), so that a small deviation of large prices keeps its digits and a flat
    window has a width of exactly 0.
    """
    period, place = np.uintp(state[PERIOD]), np.uintp(state[PLACE])
    first = close if place == NONE else state[FIRST]
    shares = _shares(period, place)
    total, mean, squares = _added(state[SUM], state[MEAN], state[SQUARES], close - first, state[shares])
    middle, width = _joined(state, shares, place, first + mean, squares, state[SCALE])
    state[START + TWO * place] = close
    state[PLACE], state[FIRST], state[SUM], state[MEAN], state[SQUARES] = place + ONE, first, total, mean, squares
    if place + ONE == period:
        _turn_block(state, period)
        state[PLACE] = state[SUM] = state[MEAN] = state[SQUARES] = 0.0
    return middle + width, middle, middle - width


@njit
def _shares(period: np.uintp, place: np.uintp) -> np.uintp:
    """Return where the shares of `place + 1` bars lie."""
    return START + TWO * (period + ONE) + THREE * place


@njit
def _added(total: float, mean: float, squares: float, gap: float, share: float) -> tuple[float, float, float]:
    """Return sum, mean and squared deviations with one value more, which is `share` of all values."""
    total += gap
    return total, total * share, squares + (gap - mean) * (gap - total * share)


@njit
def _joined(state: FloatArray, shares: np.uintp, place: np.uintp, mean: float, squares: float,
            scale: float) -> tuple[float, float]:
    """Return mean and half a band's width of a head and the tail before it."""
    tail = START + TWO * (place + ONE)
    apart = state[tail] - mean
    squares += state[tail + ONE] + apart * apart * state[shares + TWO]
    return mean + apart * state[shares + ONE], sqrt(squares * scale)


@njit
def _turn_block(state: FloatArray, period: np.uintp) -> None:
    """Replace the closes of a full block by the sums of its tails."""
    slot, shares = START + TWO * (period - ONE), _shares(period, NONE)
    last = state[slot]
    total = mean = squares = 0.0
    for _ in range(period):
        total, mean, squares = _added(total, mean, squares, state[slot] - last, state[shares])
        state[slot], state[slot + ONE] = last + mean, squares
        slot -= TWO
        shares += THREE


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns, with the head in registers."""
    period, place, scale = np.uintp(state[PERIOD]), np.uintp(state[PLACE]), state[SCALE]
    first, total, mean, squares = state[FIRST], state[SUM], state[MEAN], state[SQUARES]
    for row in range(np.uintp(len(close))):
        if place == NONE:
            first, total, mean, squares = close[row], 0.0, 0.0, 0.0
        shares = _shares(period, place)
        total, mean, squares = _added(total, mean, squares, close[row] - first, state[shares])
        middle, width = _joined(state, shares, place, first + mean, squares, scale)
        out[0, row], out[1, row], out[2, row] = middle + width, middle, middle - width
        state[START + TWO * place] = close[row]
        place += ONE
        if place == period:
            _turn_block(state, period)
            place = NONE
    state[PLACE], state[FIRST] = place, first
    if place == NONE:
        total = mean = squares = 0.0
    state[SUM], state[MEAN], state[SQUARES] = total, mean, squares


INDICATOR = Indicator(
    name="bb",
    label="Bollinger",
    inputs=("close",),
    outputs=("upper", "middle", "lower"),
    primary="middle",
    parameters=(Parameter("period", 20, 2, 1000), Parameter("multiple", 2.0, 0.1, 10.0, whole=False)),
    warm_up=lambda period, multiple: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Bollinger on Bollinger Bands (2001); ta 0.11 BollingerBands (ddof 0)",
)
