"""For every indicator in the table: the future changes nothing, and streaming is the array, bit for bit."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.signal_source import random_candles
from trading.domain import Candles
from trading.indicators import INDICATORS, IndicatorStream

EVERY = pytest.mark.parametrize("name", sorted(INDICATORS))
N_BARS = 150
# Warm within the bars, and with several turns of each window.
SMALL = {
    "adx": {"period": 5},
    "ao": {"fast": 3, "slow": 8},
    "aroon": {"period": 6},
    "bb": {"period": 6},
    "bb_width": {"period": 6},
    "ichimoku": {"conversion": 3, "base": 7, "span": 12},
    "kama": {"period": 7},
    "keltner": {"period": 7, "atr_period": 5},
    "kst": {"roc1": 2, "roc2": 3, "roc3": 5, "roc4": 7, "sma1": 2, "sma2": 2, "sma3": 3, "sma4": 4, "signal": 3},
    "macd": {"fast": 3, "slow": 8, "signal": 4},
    "mass": {"fast": 3, "slow": 5},
    "ppo": {"fast": 3, "slow": 8, "signal": 4},
    "psar": {"acceleration": 0.05},
    "pvo": {"fast": 3, "slow": 8, "signal": 4},
    "stc": {"fast": 3, "slow": 8, "cycle": 4},
    "stoch": {"period": 7},
    "stochrsi": {"period": 7},
    "tsi": {"slow": 7, "fast": 3},
    "uo": {"fast": 2, "middle": 5, "slow": 9},
    "vpt": {"smooth": 3},
    "wma": {"period": 7},
}
SMALL |= {name: {"period": 7} for name in (
    "atr", "cci", "cmf", "donchian", "dpo", "ema", "eom", "force", "highest", "keltner_original", "lowest", "mfi",
    "roc", "rolling_vwap", "rsi", "sma", "trix", "ulcer", "volume_sma", "vortex", "williams",
)}
SEED = 3  # a walk on which no oscillator sticks to its end so long that its range has no width
seeds = st.integers(0, 2**32 - 1)
cuts = st.integers(0, N_BARS)


def same_bits(left, right):
    return {k: v.tobytes() for k, v in left.items()} == {k: np.ascontiguousarray(v).tobytes() for k, v in right.items()}


def walk(seed: int) -> Candles:
    """A random walk with flat stretches, bars without volume, and midnight in the middle."""
    candles = random_candles(N_BARS, seed)
    rng = np.random.default_rng(seed)
    quiet = rng.random(N_BARS) < 0.1
    candles.volume[quiet] = 0.0
    candles.close[40:60] = candles.close[40]
    candles.open_time[:] += 86_400_000 - 70 * 60_000
    return candles


def pushed(stream, candles):
    rows = [stream.push(candles.candle(row)) for row in range(len(candles))]
    columns = np.array(rows, np.float64).reshape(-1, len(stream.indicator.outputs)).T
    return dict(zip(stream.indicator.outputs, columns, strict=True))


@EVERY
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=seeds, other=seeds, cut=cuts)
def test_future_rows_never_change_past_values(name, seed, other, cut):
    indicator, past = INDICATORS[name], walk(seed)
    alone = indicator.compute(past[:cut], **SMALL.get(name, {}))
    future = walk(other)[cut:].map(lambda column: column * 3)
    changed = Candles("BTCUSDT", "1m", *(np.concatenate((getattr(past[:cut], c), getattr(future, c)))
                                         for c in Candles.columns()))
    for candles in (past, changed):
        whole = indicator.compute(candles, **SMALL.get(name, {}))
        assert same_bits(alone, {k: v[:cut] for k, v in whole.items()})


@EVERY
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=seeds, cut=cuts)
def test_streaming_equals_the_array_bit_for_bit(name, seed, cut):
    candles, parameters = walk(seed), SMALL.get(name, {})
    whole = INDICATORS[name].compute(candles, **parameters)
    stream = IndicatorStream(name, parameters)
    warmed = stream.warm_up(candles[:cut])
    rest = pushed(stream, candles[cut:])
    assert same_bits(whole, {k: np.concatenate((warmed[k], rest[k])) for k in whole})


@EVERY
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=seeds, cut=st.integers(0, N_BARS - 1))
def test_peek_is_the_next_push_and_leaves_the_state_alone(name, seed, cut):
    candles = walk(seed)
    stream = IndicatorStream(name, SMALL.get(name, {}))
    stream.warm_up(candles[:cut])
    before = stream.state.tobytes()
    peeked = [stream.peek(candles.candle(cut)) for _ in range(2)]
    assert stream.state.tobytes() == before
    following = np.array(stream.push(candles.candle(cut)))
    assert all(np.array(values).tobytes() == following.tobytes() for values in peeked)


def test_every_indicator_with_parameters_is_met_with_short_windows():
    assert set(SMALL) == {name for name, indicator in INDICATORS.items() if indicator.parameters}


@EVERY
def test_values_are_not_a_number_until_warm_and_numbers_after(name):
    indicator = INDICATORS[name]
    for parameters in ({}, SMALL.get(name, {})):
        warm = indicator.warm_up(**indicator.settings(**parameters))
        columns = np.array(list(indicator.compute(random_candles(N_BARS, SEED), **parameters).values()))
        assert np.isfinite(columns[:, warm - 1:]).all()
        if warm > 1:
            latest = columns[np.isnan(columns[:, warm - 2])]
            assert len(latest)
            assert np.isnan(latest[:, :warm - 1]).all()
            assert np.isnan(columns[:, 0]).all()


@EVERY
def test_no_bars_give_no_values(name):
    outputs = INDICATORS[name].compute(random_candles(0))
    assert {k: len(v) for k, v in outputs.items()} == dict.fromkeys(INDICATORS[name].outputs, 0)


@EVERY
def test_whole_number_prices_give_the_values_of_the_same_floats(name):
    candles = random_candles(60).map(np.round)
    stream, floats = IndicatorStream(name, SMALL.get(name, {})), IndicatorStream(name, SMALL.get(name, {}))
    for row in range(60):
        bar = candles.candle(row)
        columns = ("open", "high", "low", "close", "volume")
        whole = dataclasses.replace(bar, **{c: int(getattr(bar, c)) for c in columns})
        assert np.array(stream.push(whole)).tobytes() == np.array(floats.push(bar)).tobytes()
