"""What Keltner's and Donchian's channels return, and Bollinger's bands on request."""

from trading.indicators.compiling import njit

ROUNDING = 1e-13  # lines that lie closer together than this part of the price differ by rounding errors alone


@njit
def channel(close: float, upper: float, middle: float, lower: float,
            size: float) -> tuple[float, float, float, float, float]:
    """Return the three lines, the width in percent of `size`, and where the close lies (0 lower, 1 upper line).

    A channel without a width gives NaN for where the close lies.
    """
    width = upper - lower
    place = (close - lower) / width if width > ROUNDING * abs(size) else float("nan")
    return upper, middle, lower, width / size * 100.0, place
