"""How wide Bollinger bands are, and where the close lies between them."""

from trading.domain import FloatArray
from trading.indicators import bollinger
from trading.indicators.channel import channel
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter


@njit
def step(state: FloatArray, close: float) -> tuple[float, float]:
    """Return width in percent of the middle, and where the close lies (0 lower, 1 upper band; NaN without a width)."""
    upper, middle, lower = bollinger.step(state, close)
    _, _, _, width, percent = channel(close, upper, middle, lower, middle)
    return width, percent


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row] = step(state, close[row])


INDICATOR = Indicator(
    name="bb_width",
    label="Bollinger width",
    inputs=("close",),
    outputs=("width", "percent"),
    primary="width",
    parameters=(Parameter("period", 20, 2, 1000), Parameter("multiple", 2.0, 0.1, 10.0, whole=False)),
    warm_up=lambda period, multiple: period,
    new_state=bollinger.new_state,
    step=step,
    loop=loop,
    source="Bollinger on Bollinger Bands (2001); ta 0.11 BollingerBands",
)
