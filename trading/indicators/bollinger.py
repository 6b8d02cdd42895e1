"""Bollinger bands: a simple moving average and bands at a multiple of the population standard deviation."""

from math import sqrt

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

PERIOD, MULTIPLE, PLACE, MEAN, SQUARES, SLOTS = range(6)


def new_state(period: int, multiple: float) -> FloatArray:
    """Return period, multiple, place in the block, mean and squared deviations of its head, `period + 1` slot pairs.

    Blocks as in `trading.indicators.window`; a slot pair is (mean, sum of squared deviations) of a tail.
    """
    state = fresh_state(period, multiple, 0, 0, 0, slots=2 * (period + 1))
    state[-2:] = 0.0
    return state


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return upper, middle and lower band over the last `period` closes.

    Head and tail are Welford sums (Knuth, TAOCP 2, 4.2.2), joined by the formula of Chan, Golub and LeVeque (1979),
    so that a small deviation of large prices keeps its digits and a flat window has a width of exactly 0.
    """
    period = int(state[PERIOD])
    n_head = int(state[PLACE]) + 1
    slot = SLOTS + 2 * n_head
    gap = close - state[MEAN]
    mean = state[MEAN] + gap * (1.0 / n_head)
    squares = state[SQUARES] + gap * (close - mean)
    tail_share = (period - n_head) / period
    apart = state[slot] - mean
    middle = mean + apart * tail_share
    width = state[MULTIPLE] * sqrt((squares + state[slot + 1] + apart * apart * n_head * tail_share) / period)
    state[slot - 2] = close
    state[PLACE], state[MEAN], state[SQUARES] = n_head, mean, squares
    if n_head == period:
        mean_tail = squares_tail = 0.0
        for n_tail in range(1, period + 1):
            slot -= 2
            gap = state[slot] - mean_tail
            mean_tail += gap * (1.0 / n_tail)
            squares_tail += gap * (state[slot] - mean_tail)
            state[slot], state[slot + 1] = mean_tail, squares_tail
        state[PLACE] = state[MEAN] = state[SQUARES] = 0.0
    return middle + width, middle, middle - width


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row], out[2, row] = step(state, close[row])


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
