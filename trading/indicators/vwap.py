"""Volume-weighted average price since midnight UTC."""

from trading.domain import FloatArray, IntArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state

DAY_MS = 86_400_000
DAY_END, TURNOVER, VOLUME = range(3)


def new_state() -> FloatArray:
    """Return end of the day in UTC ms, sum of typical price times volume, sum of volume."""
    return fresh_state(0, 0, 0)


@njit
def step(state: FloatArray, open_time: int, high: float, low: float, close: float, volume: float) -> tuple[float]:
    """Return the day's turnover over its volume; NaN until something has traded that day.

    The first day is as complete as the bars that were seen of it.
    """
    if open_time >= state[DAY_END]:
        state[DAY_END] = _day_end(open_time)
        state[TURNOVER] = state[VOLUME] = 0.0
    turnover = state[TURNOVER] + (high + low + close) / 3.0 * volume
    traded = state[VOLUME] + volume
    state[TURNOVER], state[VOLUME] = turnover, traded
    return (_mean(turnover, traded),)


@njit
def _day_end(open_time: int) -> float:
    return float((open_time // DAY_MS + 1) * DAY_MS)


@njit
def _mean(turnover: float, traded: float) -> float:
    return turnover / traded if traded != 0.0 else float("nan")


@njit
def loop(state: FloatArray, open_time: IntArray, high: FloatArray, low: FloatArray, close: FloatArray,
         volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns, with the state in registers."""
    end, turnover, traded = state[DAY_END], state[TURNOVER], state[VOLUME]
    for row in range(len(close)):
        if open_time[row] >= end:
            end, turnover, traded = _day_end(open_time[row]), 0.0, 0.0
        turnover += (high[row] + low[row] + close[row]) / 3.0 * volume[row]
        traded += volume[row]
        out[0, row] = _mean(turnover, traded)
    state[DAY_END], state[TURNOVER], state[VOLUME] = end, turnover, traded


INDICATOR = Indicator(
    name="vwap",
    label="VWAP",
    inputs=("open_time", "high", "low", "close", "volume"),
    outputs=("vwap",),
    primary="vwap",
    parameters=(),
    warm_up=lambda: 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Berkowitz, Logue, Noser, J. Finance 43 (1988); anchored like TradingView's session VWAP on crypto",
)
