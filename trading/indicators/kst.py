"""Know sure thing: a weighted sum of four smoothed rates of change, and its average."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import PERIOD, new_lag, new_window, push_lag, push_window


def new_state(signal: int, **periods: int) -> FloatArray:
    """Return four lags, four windows, and the window of the signal."""
    lags = (new_lag(periods[f"roc{n}"]) for n in range(1, 5))
    means = (new_window(periods[f"sma{n}"]) for n in range(1, 5))
    return joined_state(*lags, *means, new_window(signal))


def bars_to_warm(signal: int, **periods: int) -> int:
    """Return the bars until the slowest of the four means and then the signal are there."""
    return max(periods[f"roc{n}"] + periods[f"sma{n}"] for n in range(1, 5)) + signal - 1


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return line, signal, and line less signal.

    `ta` fills the first rates with the mean of all closes, which lie in the future; here they are not a number.
    """
    line = 0.0
    for term in range(4):
        past = push_lag(state, int(state[term]), close)
        window = int(state[4 + term])
        line += (term + 1) * (push_window(state, window, (close - past) / past) / state[window + PERIOD])
    line *= 100.0
    signal = push_window(state, int(state[8]), line) / state[int(state[8]) + PERIOD]
    return line, signal, line - signal


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row], out[2, row] = step(state, close[row])


INDICATOR = Indicator(
    name="kst",
    label="KST",
    inputs=("close",),
    outputs=("line", "signal", "histogram"),
    primary="line",
    parameters=(
        Parameter("roc1", 10, 1, 1000),
        Parameter("roc2", 15, 1, 1000),
        Parameter("roc3", 20, 1, 1000),
        Parameter("roc4", 30, 1, 1000),
        Parameter("sma1", 10, 1, 1000),
        Parameter("sma2", 10, 1, 1000),
        Parameter("sma3", 10, 1, 1000),
        Parameter("sma4", 15, 1, 1000),
        Parameter("signal", 9, 1, 1000),
    ),
    warm_up=bars_to_warm,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Pring, Stocks & Commodities (1992); ta 0.11 KSTIndicator",
)
