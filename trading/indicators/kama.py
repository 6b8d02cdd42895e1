"""Kaufman's adaptive moving average: fast where the price goes straight, slow where it zigzags."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_lag, new_window, push_lag, push_window

SLOW, SPAN, PERIOD, SEEN, CLOSE, VALUE = range(6)


def new_state(period: int, fast: int, slow: int) -> FloatArray:
    """Return a window of moves, a lag, and: slowest alpha, span of alphas, period, bars seen, last close, average."""
    slowest, fastest = 2.0 / (slow + 1.0), 2.0 / (fast + 1.0)
    facts = fresh_state(slowest, fastest - slowest, period, 0, float("nan"), 0)
    return joined_state(new_window(period), new_lag(period), facts)


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the average, seeded with the close of bar `period`; a bar without a number leaves it as it was.

    `ta` takes the first move and the first net moves from the end of the data; they fall into its warm-up.
    """
    facts = int(state[2])
    path = push_window(state, int(state[0]), abs(close - state[facts + CLOSE]))
    past = push_lag(state, int(state[1]), close)
    state[facts + CLOSE] = close
    if state[facts + SEEN] < state[facts + PERIOD]:
        state[facts + SEEN] += 1
        state[facts + VALUE] = close
        return (close if state[facts + SEEN] == state[facts + PERIOD] else float("nan"),)
    efficiency = abs(close - past) / path if path != 0.0 else 0.0
    alpha = (efficiency * state[facts + SPAN] + state[facts + SLOW]) ** 2
    value: float = state[facts + VALUE] + alpha * (close - state[facts + VALUE])
    if value == value:  # noqa: PLR0124
        state[facts + VALUE] = value
    return (value,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="kama",
    label="KAMA",
    inputs=("close",),
    outputs=("kama",),
    primary="kama",
    parameters=(
        Parameter("period", 10, 1, 1000),
        Parameter("fast", 2, 1, 1000),
        Parameter("slow", 30, 1, 1000),
    ),
    warm_up=lambda period, fast, slow: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Kaufman, Smarter Trading (1995); ta 0.11 KAMAIndicator",
)
