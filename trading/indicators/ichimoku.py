"""Ichimoku: the middle of the range of three windows."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state


def new_state(conversion: int, base: int, span: int) -> FloatArray:
    """Return windows of highs and lows for each of the three periods."""
    return joined_state(*(new_extreme(period) for period in (conversion, base, span) for _ in range(2)))


@njit
def _middle(state: FloatArray, block: int, high: float, low: float) -> float:
    highest = push_highest(state, int(state[block]), high)
    return 0.5 * (highest + push_lowest(state, int(state[block + 1]), low))


@njit
def step(state: FloatArray, high: float, low: float) -> tuple[float, float, float, float]:
    """Return conversion line, base line, and the two spans of the cloud.

    The spans are given on the bar that they are known on. Charts draw them `base` bars later: the cloud under
    today's price is the spans of `base` bars ago. The lagging line is not an output; it is the close of a later bar.
    """
    conversion, base = _middle(state, 0, high, low), _middle(state, 2, high, low)
    return conversion, base, 0.5 * (conversion + base), _middle(state, 4, high, low)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row], out[3, row] = step(state, high[row], low[row])


INDICATOR = Indicator(
    name="ichimoku",
    label="Ichimoku",
    inputs=("high", "low"),
    outputs=("conversion", "base", "span_a", "span_b"),
    primary="conversion",
    parameters=(
        Parameter("conversion", 9, 2, 1000),
        Parameter("base", 26, 2, 1000),
        Parameter("span", 52, 2, 1000),
    ),
    warm_up=lambda **periods: max(periods.values()),
    new_state=new_state,
    step=step,
    loop=loop,
    source="Hosoda (1969); ta 0.11 IchimokuIndicator(visual=False)",
)
