"""Vortex: how far highs reach above the last low, and lows below the last high, in true ranges."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_window, push_window

HIGH, LOW, CLOSE = range(3)


def new_state(period: int) -> FloatArray:
    """Return windows of true ranges, upward and downward reach, and the last high, low and close."""
    windows = (new_window(period) for _ in range(3))
    return joined_state(*windows, fresh_state(slots=3))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float]:
    """Return plus, minus, and plus less minus; NaN where nothing moved.

    The first bar has no bar before it, hence values after `period + 1` bars.
    """
    last = int(state[3])
    true_range = max(high, state[last + CLOSE]) - min(low, state[last + CLOSE])
    whole = push_window(state, int(state[0]), true_range)
    plus = push_window(state, int(state[1]), abs(high - state[last + LOW])) / whole
    minus = push_window(state, int(state[2]), abs(low - state[last + HIGH])) / whole
    state[last + HIGH], state[last + LOW], state[last + CLOSE] = high, low, close
    return plus, minus, plus - minus


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="vortex",
    label="Vortex",
    inputs=("high", "low", "close"),
    outputs=("plus", "minus", "difference"),
    primary="difference",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Botes and Siepman, Stocks & Commodities (2010); ta 0.11 VortexIndicator",
)
