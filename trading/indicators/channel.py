"""What Keltner's and Donchian's channels return, and Bollinger's bands on request."""

from trading.indicators.compiling import njit


@njit
def channel(close: float, upper: float, middle: float, lower: float, size: float) -> tuple[
    float, float, float, float, float
]:
    """Return the three lines, the width in percent of `size`, and where the close lies (0 lower, 1 upper line).

    A channel without a width gives NaN for where the close lies.
    """
    width = upper - lower
    return upper, middle, lower, width / size * 100.0, (close - lower) / width
