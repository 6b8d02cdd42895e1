"""Ultimate oscillator: buying pressure over true range of three windows, weighted 4, 2 and 1."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_window, push_window


def new_state(fast: int, middle: int, slow: int) -> FloatArray:
    """Return windows of buying pressure and of true range for each period, and the last close."""
    windows = (new_window(period) for period in (fast, middle, slow) for _ in range(2))
    return joined_state(*windows, fresh_state(float("nan")))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float]:
    """Return the oscillator, 0 to 100; NaN where nothing moved. The first bar has no pressure."""
    last = state[int(state[6])]
    state[int(state[6])] = close
    true_range = max(high, last) - min(low, last)
    pressure = close - min(low, last) + 0.0 * last  # NaN on the first bar
    total = 0.0
    for term in range(3):
        bought = push_window(state, int(state[2 * term]), pressure)
        total += (4 >> term) * (bought / push_window(state, int(state[2 * term + 1]), true_range))
    return (100.0 * total / 7.0,)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row])[0]


INDICATOR = Indicator(
    name="uo",
    label="Ultimate oscillator",
    inputs=("high", "low", "close"),
    outputs=("uo",),
    primary="uo",
    parameters=(
        Parameter("fast", 7, 1, 1000),
        Parameter("middle", 14, 1, 1000),
        Parameter("slow", 28, 1, 1000),
    ),
    warm_up=lambda fast, middle, slow: max(fast, middle, slow) + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Williams, Stocks & Commodities (1985); ta 0.11 UltimateOscillator",
)
