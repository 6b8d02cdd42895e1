"""Flat, dead and broken bars: what each indicator answers where its formula divides by nothing."""

import numpy as np
import pytest

from tests.contracts.signal_source import random_candles
from tests.indicators.test_causality import EVERY, SMALL
from tests.indicators.test_values import bars
from trading.indicators import INDICATORS

NAN = float("nan")
PRICE = 5.0
# A market that never moves, one unit of volume a bar, 150 bars. Whatever has no range or no move to divide by is NaN.
FLAT = {
    "adx": {"adx": 0, "plus_di": 0, "minus_di": 0},
    "aroon": {"up": 0, "down": 0, "difference": 0},
    "bb_width": {"width": 0, "percent": NAN},
    "cci": {"cci": NAN},
    "donchian": {"upper": PRICE, "middle": PRICE, "lower": PRICE, "width": 0, "percent": NAN},
    "eom": {"eom": 0, "raw": 0},
    "keltner": {"upper": PRICE, "middle": PRICE, "lower": PRICE, "width": 0, "percent": NAN},
    "keltner_original": {"upper": PRICE, "middle": PRICE, "lower": PRICE, "width": 0, "percent": NAN},
    "kst": {"line": 0, "signal": 0, "histogram": 0},
    "macd": {"line": 0, "signal": 0, "histogram": 0},
    "mass": {"mass": NAN},
    "mfi": {"mfi": NAN},
    "nvi": {"nvi": 1_000},
    "obv": {"obv": 150},
    "ppo": {"line": 0, "signal": 0, "histogram": 0},
    "psar": {"psar": PRICE, "trend": 1},
    "pvo": {"line": 0, "signal": 0, "histogram": 0},
    "rsi": {"rsi": 100},
    "stc": {"stc": NAN},
    "stoch": {"k": NAN, "d": NAN},
    "stochrsi": {"stochrsi": NAN, "k": NAN, "d": NAN},
    "tsi": {"tsi": NAN},
    "uo": {"uo": NAN},
    "volume_sma": {"volume_sma": 1},
    "vortex": {"plus": NAN, "minus": NAN, "difference": NAN},
    "williams": {"williams": NAN},
}
FLAT |= {name: dict.fromkeys(INDICATORS[name].outputs, PRICE) for name in (
    "bb", "ema", "highest", "ichimoku", "kama", "lowest", "rolling_vwap", "sma", "vwap", "wma",
)}
FLAT |= {name: {name: 0} for name in (
    "adi", "ao", "atr", "bar_return", "cmf", "cumulative_return", "dpo", "force", "log_return", "roc", "trix", "ulcer",
    "vpt",
)}
# Where nothing trades, on top of that.
DEAD = {"cmf": NAN, "eom": NAN, "obv": 0, "pvo": NAN, "rolling_vwap": NAN, "volume_sma": 0, "vwap": NAN}
# Recursive averages of prices cannot forget: a feed must not let a bar without numbers through, and none does.
NEVER_FORGET = {"adx", "atr", "ema", "keltner", "macd", "rsi", "stochrsi", "vwap"}


def last_values(name, candles):
    return {k: float(v[-1]) for k, v in INDICATORS[name].compute(candles, **SMALL.get(name, {})).items()}


@EVERY
@pytest.mark.parametrize("price", [PRICE, 0.1, 29_999.99])
def test_flat_market_gives_the_value_of_the_table(name, price):
    expected = {k: price if v == PRICE else v for k, v in FLAT[name].items()}
    assert last_values(name, bars([price] * 150)) == pytest.approx(expected, nan_ok=True, abs=1e-9)


@EVERY
def test_market_that_stops_moving_gives_no_infinite_value(name):
    moving = random_candles(60, 3).close
    values = INDICATORS[name].compute(bars([*moving, *[moving[-1]] * 300]), **SMALL.get(name, {})).values()
    assert not any(np.isinf(column).any() for column in values)


def test_stochastic_rsi_of_a_market_that_stands_still_is_no_noise():
    moving = random_candles(60, 3).close
    values = INDICATORS["stochrsi"].compute(bars([*moving, *[moving[-1]] * 100]), period=7)
    assert np.isnan(values["stochrsi"][80:]).all()


@EVERY
def test_market_without_trades_gives_the_value_of_the_table(name):
    expected = {k: DEAD.get(name, v) for k, v in FLAT[name].items()}
    assert last_values(name, bars([PRICE] * 150, volume=[0.0] * 150)) == pytest.approx(expected, nan_ok=True)


@EVERY
def test_bar_without_numbers_raises_nothing_and_is_forgotten(name):
    whole = random_candles(600, 3)
    hole = whole.map(np.copy)
    for column in ("open", "high", "low", "close", "volume"):
        getattr(hole, column)[50] = np.nan
    before, after = (INDICATORS[name].compute(candles, **SMALL.get(name, {})) for candles in (whole, hole))
    for output in before:
        assert before[output][:50].tobytes() == after[output][:50].tobytes()
        recovers = np.isfinite(after[output][100:]).all()
        assert recovers or name in NEVER_FORGET, output


@EVERY
@pytest.mark.parametrize("price", [1e-8, 1e12])
def test_smallest_and_largest_prices_give_numbers(name, price):
    candles = random_candles(150, 3)
    scaled = bars(candles.close * price, candles.high * price, candles.low * price, candles.volume)
    small = SMALL.get(name, {})
    warm = INDICATORS[name].warm_up(**INDICATORS[name].settings(**small))
    values = INDICATORS[name].compute(scaled, **small).values()
    assert all(np.isfinite(column[warm - 1:]).all() for column in values)
