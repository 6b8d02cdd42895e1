"""Random documents of version 2, and bars with gaps, flat stretches and silent ones to run them on."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.contracts.signal_source import random_candles
from trading.domain import INTERVAL_MS, Candles

FRAMES = (None, None, None, "15m", "1h")
PRICES = ("open", "high", "low", "close", "volume")
KEYS = ("rsi_3", "ema_5", "sma_4", "bb_5_2.upper", "bb_5_2.lower", "macd_3_6_2.histogram", "adx_3.plus_di", "atr_3",
        "vwap", "rolling_vwap_4", "close", "high", "low")
levels = st.integers(-5, 130) | st.floats(0, 120).map(lambda x: round(x, 2))
small = st.integers(1, 6)


def walk(n_bars: int, seed: int, interval: str = "5m", gaps: bool = True) -> Candles:
    """A random walk that begins in the middle of an hour, with holes, flat stretches and bars without volume."""
    candles = random_candles(n_bars, seed)
    draw = np.random.default_rng(seed)
    candles.volume[draw.random(n_bars) < 0.1] = 0.0
    candles.close[20:26] = candles.close[20]
    steps = np.where(draw.random(n_bars) < (0.08 if gaps else 0.0), draw.integers(2, 20, n_bars), 1)
    times = 1_651_438_500_000 + INTERVAL_MS[interval] * np.cumsum(steps)
    columns = (getattr(candles, c) for c in Candles.columns()[1:])
    return Candles("BTCUSDT", interval, times, *columns)


def _shifted(frame: str | None, ago: int, times: float, plus: float) -> dict[str, Any]:
    found: dict[str, Any] = {} if frame is None else {"timeframe": frame}
    found |= {"ago": ago} if ago else {}
    found |= {"times": times} if times != 1 else {}
    return found | ({"plus": plus} if plus else {})


rest = st.builds(_shifted, st.sampled_from(FRAMES), st.sampled_from((0, 0, 1, 3)), st.sampled_from((1, 1, 1.02, 0.5)),
                 st.sampled_from((0, 0, -1.5)))
sources = (
    st.sampled_from(PRICES).map(lambda c: {"price": c})
    | st.tuples(st.sampled_from(("highest", "lowest")), st.sampled_from(PRICES), small | st.just("$n")).map(
        lambda x: {x[0]: x[1], "bars": x[2]})
    | st.tuples(st.sampled_from(("rsi", "ema")), st.integers(2, 6) | st.just("$n")).map(
        lambda x: {"indicator": x[0], "parameters": {"period": x[1]}})
)
series = st.sampled_from(KEYS) | st.builds(lambda source, shift: source | shift, sources, rest)
comparisons = st.builds(
    lambda left, op, right: {"left": left, "op": op, "right": right}, series,
    st.sampled_from(("<", "<=", ">", ">=", "crosses_above", "crosses_below")),
    series | levels | st.just("$level"))
trends = st.builds(lambda word, operand, bars: {word: operand, "bars": bars}, st.sampled_from(("rising", "falling")),
                   series, st.integers(1, 3))
hours = st.builds(lambda a, b, days: {"time": {"from": f"{a:02d}:00", "to": f"{b:02d}:30", "days": days}},
                  st.integers(0, 23), st.integers(0, 23),
                  st.lists(st.sampled_from(("mon", "sun", "sat")), min_size=1, max_size=3, unique=True))
trees = st.recursive(
    comparisons | trends | hours,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda x: {"all": x})
    | st.lists(inner, max_size=3).map(lambda x: {"any": x}) | inner.map(lambda x: {"not": x}),
    max_leaves=6)


def _document(entry: Any, leave: Any, rank: Any) -> dict[str, Any]:
    found = {"version": 2, "name": "made", "symbols": ["BTCUSDT"], "timeframe": "5m", "entry": entry, "exit": leave}
    found |= {"rank": {"by": rank, "top_n": 2}} if rank is not None else {}
    used = {name for name in ("n", "level") if f"'${name}'" in repr(found)}
    ranges = {"n": {"value": 4, "low": 2, "high": 9}, "level": {"value": 100, "low": 10, "high": 120, "step": 0.5}}
    return found | ({"parameters": {name: ranges[name] for name in sorted(used)}} if used else {})


documents = st.builds(_document, trees, trees, st.none() | series)
