"""Bollinger bands: a simple moving average and bands at a multiple of the population standard deviation."""

from math import sqrt

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

PERIOD, SCALE, PLACE, FIRST, SUM, MEAN, SQUARES, SLOTS = range(8)


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
    period, place = int(state[PERIOD]), int(state[PLACE])
    first = close if place == 0 else state[FIRST]
    total, mean, squares = _added(state[SUM], state[MEAN], state[SQUARES], close - first, state[_shares(period, place)])
    middle, width = _joined(state, period, place, first + mean, squares)
    state[SLOTS + 2 * place] = close
    state[PLACE], state[FIRST], state[SUM], state[MEAN], state[SQUARES] = place + 1, first, total, mean, squares
    if place + 1 == period:
        _turn_block(state, period)
        state[PLACE] = state[SUM] = state[MEAN] = state[SQUARES] = 0.0
    return middle + width, middle, middle - width


@njit
def _shares(period: int, place: int) -> int:
    """Return where the shares of `place + 1` bars lie."""
    return SLOTS + 2 * (period + 1) + 3 * place


@njit
def _added(total: float, mean: float, squares: float, gap: float, share: float) -> tuple[float, float, float]:
    """Return sum, mean and squared deviations with one value more, which is `share` of all values."""
    total += gap
    return total, total * share, squares + (gap - mean) * (gap - total * share)


@njit
def _joined(state: FloatArray, period: int, place: int, mean: float, squares: float) -> tuple[float, float]:
    """Return mean and half a band's width of a head and the tail before it."""
    tail, shares = SLOTS + 2 * (place + 1), _shares(period, place)
    apart = state[tail] - mean
    squares += state[tail + 1] + apart * apart * state[shares + 2]
    return mean + apart * state[shares + 1], sqrt(squares * state[SCALE])


@njit
def _turn_block(state: FloatArray, period: int) -> None:
    """Replace the closes of a full block by the sums of its tails."""
    last = state[SLOTS + 2 * (period - 1)]
    total = mean = squares = 0.0
    for n_tail in range(period):
        slot = SLOTS + 2 * (period - 1 - n_tail)
        total, mean, squares = _added(total, mean, squares, state[slot] - last, state[_shares(period, n_tail)])
        state[slot], state[slot + 1] = last + mean, squares


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns, with the head in registers."""
    period, place = int(state[PERIOD]), int(state[PLACE])
    first, total, mean, squares = state[FIRST], state[SUM], state[MEAN], state[SQUARES]
    for row in range(len(close)):
        if place == 0:
            first, total, mean, squares = close[row], 0.0, 0.0, 0.0
        share = state[_shares(period, place)]
        total, mean, squares = _added(total, mean, squares, close[row] - first, share)
        middle, width = _joined(state, period, place, first + mean, squares)
        out[0, row], out[1, row], out[2, row] = middle + width, middle, middle - width
        state[SLOTS + 2 * place] = close[row]
        place += 1
        if place == period:
            _turn_block(state, period)
            place = 0
    state[PLACE], state[FIRST] = place, first
    state[SUM], state[MEAN], state[SQUARES] = (total, mean, squares) if place else (0.0, 0.0, 0.0)


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
