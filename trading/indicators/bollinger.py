"""Bollinger bands: a simple moving average and bands at a multiple of the population standard deviation."""

from math import sqrt

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

PERIOD, MULTIPLE, PLACE, MEAN, SQUARES, SLOTS = range(6)


def new_state(period: int, multiple: float) -> FloatArray:
    """Return period, multiple, place in the block, mean and squared deviations of its head, slot pairs, shares.

    Blocks as in `trading.indicators.window`; each of `period + 1` slot pairs is (mean, sum of squared deviations) of a
    tail. The shares, for heads of 1 to `period` bars, are (1 / n, part of the window that is tail): a division less.
    """
    state = fresh_state(period, multiple, 0, 0, 0, slots=2 * (period + 1))
    state[-2:] = 0.0
    n_head = np.arange(1.0, period + 1.0)
    return np.concatenate((state, np.column_stack((1.0 / n_head, (period - n_head) / period)).ravel()))


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return upper, middle and lower band over the last `period` closes.

    Head and tail are Welford sums (Knuth, TAOCP 2, 4.2.2), joined by the formula of Chan, Golub and LeVeque (1979),
    so that a small deviation of large prices keeps its digits and a flat window has a width of exactly 0.
    """
    period, place = int(state[PERIOD]), int(state[PLACE])
    mean, squares = _added(state[MEAN], state[SQUARES], close, state[_shares(period, place)])
    middle, deviation = _joined(state, period, place, mean, squares)
    state[SLOTS + 2 * place] = close
    state[PLACE], state[MEAN], state[SQUARES] = place + 1, mean, squares
    if place + 1 == period:
        _turn_block(state, period)
        state[PLACE] = state[MEAN] = state[SQUARES] = 0.0
    width = state[MULTIPLE] * deviation
    return middle + width, middle, middle - width


@njit
def _shares(period: int, place: int) -> int:
    """Return where the shares of a head of `place + 1` bars lie."""
    return SLOTS + 2 * (period + 1 + place)


@njit
def _added(mean: float, squares: float, value: float, share: float) -> tuple[float, float]:
    """Return mean and squared deviations with one value more, which is `share` of all values."""
    gap = value - mean
    mean += gap * share
    return mean, squares + gap * (value - mean)


@njit
def _joined(state: FloatArray, period: int, place: int, mean: float, squares: float) -> tuple[float, float]:
    """Return mean and standard deviation of a head and the tail before it."""
    tail = SLOTS + 2 * (place + 1)
    tail_share = state[_shares(period, place) + 1]
    apart = state[tail] - mean
    between = apart * apart * (place + 1) * tail_share
    return mean + apart * tail_share, sqrt((squares + state[tail + 1] + between) / period)


@njit
def _turn_block(state: FloatArray, period: int) -> None:
    """Replace the closes of a full block by the sums of its tails."""
    mean = squares = 0.0
    for n_tail in range(period):
        slot = SLOTS + 2 * (period - 1 - n_tail)
        mean, squares = _added(mean, squares, state[slot], state[_shares(period, n_tail)])
        state[slot], state[slot + 1] = mean, squares


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns, with the head in registers."""
    period, multiple, place = int(state[PERIOD]), state[MULTIPLE], int(state[PLACE])
    mean, squares = state[MEAN], state[SQUARES]
    for row in range(len(close)):
        mean, squares = _added(mean, squares, close[row], state[_shares(period, place)])
        middle, deviation = _joined(state, period, place, mean, squares)
        width = multiple * deviation
        out[0, row], out[1, row], out[2, row] = middle + width, middle, middle - width
        state[SLOTS + 2 * place] = close[row]
        place += 1
        if place == period:
            _turn_block(state, period)
            place, mean, squares = 0, 0.0, 0.0
    state[PLACE], state[MEAN], state[SQUARES] = place, mean, squares


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
