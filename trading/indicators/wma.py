"""Weighted moving average: the newest of n closes counts n times, the oldest once."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

PERIOD, PLACE, SUM, WEIGHTED, SLOTS = range(5)


def new_state(period: int) -> FloatArray:
    """Return period, place in the block, sum and weighted sum of its head, `period + 1` slots.

    Blocks as in `trading.indicators.window`; a slot after the place holds the weighted sum of the last block's tail.
    """
    state = fresh_state(period, 0, 0, 0, slots=period + 1)
    state[-1] = 0.0
    return state


@njit
def _turn_block(state: FloatArray, period: int) -> None:
    """Replace the values of a full block by the weighted sums of its tails: one more in front adds 1 to each weight."""
    total = weighted = 0.0
    for slot in range(SLOTS + period - 1, SLOTS - 1, -1):
        total += state[slot]
        weighted += total
        state[slot] = weighted
    state[PLACE] = state[SUM] = state[WEIGHTED] = 0.0


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the average of the last `period` closes."""
    period, place = int(state[PERIOD]), int(state[PLACE])
    n_head = place + 1
    total = state[SUM] + close
    weighted = state[WEIGHTED] + n_head * close
    value = (weighted + (period - n_head) * total + state[SLOTS + n_head]) / (0.5 * period * (period + 1))
    state[SLOTS + place] = close
    state[PLACE], state[SUM], state[WEIGHTED] = n_head, total, weighted
    if n_head == period:
        _turn_block(state, period)
    return (value,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="wma",
    label="WMA",
    inputs=("close",),
    outputs=("wma",),
    primary="wma",
    parameters=(Parameter("period", 9, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 WMAIndicator",
)
